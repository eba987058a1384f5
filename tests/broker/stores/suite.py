"""What every store is held to; each store's own test file runs it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from databench.broker.stores import Contents
from databench.broker.stores.class_data import ClassValue
from databench.protocol.saved import Saved

IDS = st.sampled_from(["s1", "s2", "s3"])
KEYS = st.sampled_from(["k", "ключ", "a\0b", ""])
VALUES = st.binary(max_size=30)
PROCESS_IDS = st.integers(0, 2**53) | st.floats(allow_nan=False, allow_infinity=False)
SAVED = st.builds(
    Saved,
    analysis=st.sampled_from(["a", "b"]),
    request_args=st.text(max_size=9),
    left_s=st.none() | st.floats(0, 2e9),
    is_unseen=st.booleans(),
    open=st.lists(st.tuples(PROCESS_IDS, st.text(max_size=5)), max_size=3).map(tuple),
    recent=st.lists(PROCESS_IDS, max_size=3).map(tuple),
)
CLASS_VALUES = st.builds(ClassValue, VALUES, VALUES, st.integers(1, 2**53))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("session"), IDS, SAVED),
        st.tuples(st.just("value"), IDS, KEYS, VALUES, VALUES),
        st.tuples(st.just("class"), st.sampled_from(["a", "b"]), KEYS, CLASS_VALUES),
        st.tuples(st.just("key"), st.text("abc", min_size=1, max_size=5)),
        st.tuples(st.just("drop"), IDS),
        st.tuples(st.sampled_from(["commit", "flush", "reopen", "kill"])),
    ),
    max_size=25,
)


class Model:
    """What a store is to hold, in the plainest form."""

    def __init__(self):
        self.rows = {}

    def put(self, kind, *step):
        if kind == "session":
            self.rows["session", step[0]] = step[1]
        elif kind == "value":
            self.rows["value", step[0], step[1]] = step[2:]
        elif kind == "class":
            self.rows["class", step[0], step[1]] = step[2]
        elif kind == "key":
            self.rows["key", "", ""] = step[0]
        elif kind == "drop":
            kept = ("class", "key")
            self.rows = {k: v for k, v in self.rows.items() if k[0] in kept or k[1] != step[0]}


def rows_of(contents):
    """A store's contents in the model's form."""
    rows = {("session", id_): saved for id_, saved in contents.sessions.items()}
    for id_, values in contents.values.items():
        rows |= {("value", id_, key): value for key, value in values.items()}
    for analysis, values in contents.class_values.items():
        rows |= {("class", analysis, key): value for key, value in values.items()}
    if contents.key:
        rows["key", "", ""] = contents.key
    assert not contents.gone
    return rows


def put(store, kind, *step):
    pending = store.pending
    methods = {
        "session": pending.put_session,
        "value": pending.put_value,
        "class": pending.put_class_value,
        "key": pending.put_key,
        "drop": pending.drop_session,
    }
    methods[kind](*step)


class StoreSuite:
    """Subclasses define how a store is opened, closed and killed."""

    def open(self, place):
        """A store, over what an earlier one at this place has kept."""
        raise NotImplementedError

    def kill(self, place, store):
        """The process of this store is gone; the place from which the next one is opened."""
        raise NotImplementedError

    def places(self):
        """Fresh places, without end."""
        raise NotImplementedError

    def run(self, place, steps):
        store, model, flushed = self.open(place), Model(), {}
        assert not store.load()
        for step in steps:
            if step[0] == "commit":
                if store.commit():
                    assert not store.pending
                store.flush()  # it decides when, and so what a kill leaves
                flushed = dict(model.rows)
            elif step[0] == "flush":
                assert store.flush()
                flushed = dict(model.rows)
            elif step[0] == "reopen":
                store.close()
                store = self.open(place)
                assert rows_of(store.load()) == model.rows
                flushed = dict(model.rows)
            elif step[0] == "kill":
                place = self.kill(place, store)
                store = self.open(place)
                assert rows_of(store.load()) == flushed
                model.rows = dict(flushed)
            else:
                put(store, *step)
                model.put(*step)
            assert (store.problem, store.notice) == ("", "")
        store.close()
        last = self.open(place)
        assert rows_of(last.load()) == model.rows
        last.close()

    @pytest.mark.slow
    @settings(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
    )
    @given(steps=STEPS)
    def test_any_order_of_writes_and_ends_gives_what_was_flushed(self, steps):
        self.run(next(self.places()), steps)

    def test_only_the_newest_of_each_waits(self):
        store = self.open(next(self.places()))
        store.load()
        for number in range(100):
            store.pending.put_value("s", "k", b"%d" % number, b"")
            store.pending.put_class_value("a", "k", ClassValue(b"", b"", number + 1))
        taken = store.pending.take()
        assert taken.values == {"s": {"k": (b"99", b"")}}
        assert taken.class_values == {"a": {"k": ClassValue(b"", b"", 100)}}
        assert store.flush()
        store.close()

    def test_its_key_is_known_when_it_is_opened(self):
        place = next(self.places())
        store = self.open(place)
        assert store.key == ""
        store.pending.put_key("secret")
        store.close()
        store = self.open(place)
        assert store.key == "secret"
        store.close()

    def test_what_is_loaded_is_the_callers(self):
        place = next(self.places())
        store = self.open(place)
        store.load()
        store.pending.put_value("s", "k", b"1", b"1")
        store.close()
        store = self.open(place)
        store.load().values.clear()
        store.close()
        store = self.open(place)
        assert store.load() == Contents(values={"s": {"k": (b"1", b"1")}})
        store.close()
