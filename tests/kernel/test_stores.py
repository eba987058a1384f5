"""Datastores of a real kernel that an analysis makes itself, or that are another backend."""

import pytest

from databench.protocol import messages as m
from tests.kernel.harness import Front, emits, value

pytestmark = pytest.mark.process

# As projects for 0.7 override it: the stores are made and subscribed to.
SUBSCRIBED = """
    import databench

    class Demo(databench.Analysis):
        def init_datastores(self):
            self.data = databench.Datastore(self.id_)
            self.data.subscribe(lambda data: self.emit('data', data))
            self.class_data = databench.Datastore(type(self).__name__)
            self.class_data.subscribe(lambda data: self.emit('class_data', data))

        def data_hooked(self, value):
            return value + 1

        @databench.on
        def store(self):
            self.data['a'] = {'n': 1}
            self.data['hooked'] = 1
            self.class_data['b'] = 2
            self.emit('data', {'own': 3})

        @databench.on
        def look(self):
            return dict(self.data.items())
"""


def test_what_a_subscriber_repeats_is_told_once():
    with Front(SUBSCRIBED) as front:
        session = front.open()
        end, before = front.run(session, "store")
        assert type(end) is m.Done
        states = [(x.key, value(x), x.further) for x in before if isinstance(x, m.StateChange)]
        assert states == [("a", {"n": 1}, ()), ("hooked", 2, (b"1",))]
        assert emits(before) == [("data", {"own": 3})]
        shared = front.expect(m.StateChange, scope="class_data")
        assert (shared.key, value(shared)) == ("b", 2)
        # What another kernel has changed: the pages have it from the broker.
        front.send(m.SetState(scope="class_data", key="b", version=2, own=False, payload=b"5"))
        assert [x for x in front.drain() if isinstance(x, m.Emit)] == []
        again = front.open(data={"a": 5, "hooked": 7})
        assert value(front.run(again, "look")[0]) == {"a": 5, "hooked": 7}


DELETES = """
    import databench

    class Demo(databench.Analysis):
        @databench.on
        def delete(self):
            self.data['hooked'] = 1
            del self.data['hooked']
            return 'hooked' in self.data

        def data_hooked(self, value):
            return value + 1
"""


def test_a_deleted_value_is_null_to_pages_and_not_kept():
    with Front(DELETES) as front:
        end, before = front.run(front.open(), "delete")
        assert value(end) is False
        states = [(x.payload, x.further) for x in before]
        assert states == [(b"2", (b"1",)), (b"null", (b"",))]


OTHER_DOMAIN = """
    import databench

    class Demo(databench.Analysis):
        def init_datastores(self):
            self.data = databench.Datastore('everybody')
            self.class_data = databench.Datastore('elsewhere')

        @databench.on
        def store(self, n):
            self.data['a'] = n
            self.class_data['b'] = n
"""


def test_stores_of_other_domains_tell_every_session_that_shares_them():
    with Front(OTHER_DOMAIN) as front:
        sessions = [front.open(), front.open()]
        end, before = front.run(sessions[0], "store", 1)
        assert type(end) is m.Done
        told = [*before, *front.drain()]
        for session in sessions:
            mine = [x for x in told if x.session == session]
            states = [(x.scope, x.key, value(x)) for x in mine if isinstance(x, m.StateChange)]
            assert states == [("data", "a", 1)]
            assert emits(mine) == [("class_data", {"b": 1})]


BACKEND = """
    import databench

    class Store:
        kept = {}

        def __init__(self, domain, release_storage=False):
            self.values = self.kept.setdefault(domain, {})
            self.callbacks = []

        def subscribe(self, callback):
            self.callbacks.append(callback)
            return self

        def __setitem__(self, key, value):
            self.values[key] = value
            for callback in self.callbacks:
                callback({key: value})

        def __getitem__(self, key):
            return self.values[key]

        def set_state(self, updater=None, **values):
            for key, value in {**(updater or {}), **values}.items():
                self[key] = value

    class Demo(databench.Analysis):
        OVERRIDE

        def data_hooked(self, value):
            return value + 1

        @databench.on
        def store(self):
            self.data['hooked'] = 1
            self.set_class_state(b=2)
            return self.data['hooked']
"""
BY_CLASS = "datastore_class = Store"
BY_METHOD = (
    "def init_datastores(self):\n"
    "            self.data, self.class_data = Store(self.id_), Store('x')\n"
    "            self.data.subscribe(lambda change: self.emit('data', {'hooked': 2}))\n"
    "            self.class_data.subscribe(lambda change: self.emit('class_data', change))"
)


@pytest.mark.parametrize("override", [BY_CLASS, BY_METHOD], ids=["class", "method"])
def test_another_backend_tells_by_its_subscribe(override):
    with Front(BACKEND.replace("OVERRIDE", override)) as front:
        session = front.open(data={"hooked": 5})  # its own affair, this backend cannot take it
        end, before = front.run(session, "store")
        assert value(end) == 1
        assert emits(before) == [("data", {"hooked": 2}), ("class_data", {"b": 2})]
        front.send(m.Close(session=session))
        front.run(front.open(), "store")
