"""The store in memory: the suite of all stores."""

import itertools

from databench.broker.stores import Contents, MemoryStore
from tests.broker.stores.suite import StoreSuite


class TestMemoryStore(StoreSuite):
    def places(self):
        return (Contents() for _ in itertools.count())

    def open(self, place):
        return MemoryStore(place)

    def kill(self, place, store):
        return place

    def test_it_keeps_what_is_committed_at_once(self):
        contents = Contents()
        store = MemoryStore(contents)
        store.pending.put_value("s", "k", b"1", b"2")
        assert contents == Contents()
        assert store.commit()
        assert contents == Contents(values={"s": {"k": (b"1", b"2")}})
