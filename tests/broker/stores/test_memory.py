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
