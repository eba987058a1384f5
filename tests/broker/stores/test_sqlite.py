"""The store in a file: the suite of all stores, and disks that take no write."""

import itertools
import shutil
import threading

import pytest

from databench.broker.stores import SqliteStore
from databench.protocol.saved import Saved
from tests.broker.stores.suite import StoreSuite, rows_of

SAVED = Saved("a", "", None, False)
pytestmark = pytest.mark.slow


class TestSqliteStore(StoreSuite):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path
        self.numbers = itertools.count()
        self.killed = []
        yield
        for store in self.killed:
            store.close()

    def places(self):
        return (self.folder / f"{number}.db" for number in self.numbers)

    def open(self, place):
        return SqliteStore(place)

    def kill(self, place, store):
        # What is on the disk at this moment is what a killed process leaves there.
        after = next(self.places())
        for end in ("", "-wal"):
            shutil.copyfile(f"{place}{end}", f"{after}{end}")
        self.killed.append(store)
        return after


@pytest.fixture
def store(tmp_path):
    store = SqliteStore(tmp_path / "state.db")
    store.load()
    yield store
    store.close()


def reopened(store):
    store.close()
    again = SqliteStore(store.path)
    rows = rows_of(again.load())
    again.close()
    return rows


def test_the_disk_is_full_and_nothing_is_lost_once_it_is_not(store):
    store.pending.put_session("s", SAVED)
    store.pending.put_value("s", "k", b"1", b"1")
    assert store.flush()
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    store.pending.put_value("s", "large", b"x" * 100_000, b"")
    store.pending.put_value("s", "k", b"2", b"2")
    assert not store.flush()
    assert store.problem == f"{store.path} cannot be written: database or disk is full"
    store.pending.put_value("s", "k", b"3", b"3")
    assert not store.flush()
    store._db.execute("PRAGMA max_page_count = 1000000")
    assert store.flush()
    assert store.problem == ""
    assert reopened(store) == {
        ("session", "s"): SAVED,
        ("value", "s", "k"): (b"3", b"3"),
        ("value", "s", "large"): (b"x" * 100_000, b""),
    }


def test_what_comes_while_a_write_is_under_way_is_written_after_it(store):
    may_write, writes = threading.Event(), threading.Event()
    write = store._write

    def slow(taken):
        writes.set()
        may_write.wait(30)
        write(taken)

    store._write = slow
    store.pending.put_session("s", SAVED)
    assert not store.commit()
    writes.wait(30)
    for number in range(3):
        store.pending.put_value("s", "k", b"%d" % number, b"")
        assert not store.commit()  # it does not wait
    may_write.set()
    assert store.flush()
    assert reopened(store)["value", "s", "k"] == (b"2", b"")


def test_a_value_of_megabytes_comes_back(store):
    value = bytes(range(256)) * 2**14
    store.pending.put_session("s", SAVED)
    store.pending.put_value("s", "k", value, value[::-1])
    assert reopened(store)["value", "s", "k"] == (value, value[::-1])


def test_its_thread_is_there_before_it_is_needed(store, few_threads):
    with few_threads(0):
        store.pending.put_session("s", SAVED)
        assert store.flush()
