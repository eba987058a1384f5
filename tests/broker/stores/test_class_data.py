"""`class_data` in memory: versions decide, and nothing grows without a limit."""

import pytest

from databench.broker.stores.class_data import ClassData
from databench.protocol.budget import Budget


def test_a_key_that_was_never_written_is_not_there():
    store = ClassData(100)
    assert store.get("k") is None
    assert list(store) == []
    assert list(store) == store.names == []


def test_each_write_counts_a_version():
    store = ClassData(100)
    for version in (1, 2, 3):
        assert store.write("k", b"%d" % version, b"s%d" % version, base=None)
        value = store.get("k")
        assert (value.shown, value.stored, value.version) == (
            b"%d" % version,
            b"s%d" % version,
            version,
        )
    assert [(key, value.shown) for key, value in store] == [("k", b"3")]
    assert [key for key, _ in store] == ["k"]


@pytest.mark.parametrize(("base", "accepted"), [(0, False), (1, True), (2, False), (None, True)])
def test_a_write_that_names_a_version_needs_it_to_be_current(base, accepted):
    store = ClassData(100)
    store.write("k", b"1", b"1", base=0)
    assert store.write("k", b"2", b"2", base=base) is accepted
    assert store.get("k").shown == (b"2" if accepted else b"1")


def test_a_value_beyond_the_limit_is_refused_and_the_old_one_stands():
    store = ClassData(20)
    store.write("k", b"12345", b"12345", base=None)
    store.write("m", b"12345", b"12345", base=None)
    with pytest.raises(OverflowError, match="22 bytes of class state, limit 20"):
        store.write("k", b"123456", b"123456", base=None)
    assert store.get("k").version == 1
    assert store.write("k", b"1", b"1", base=1)  # a smaller one fits again
    assert store.write("k", b"12345", b"12345", base=2)


def test_keys_have_limits_of_their_own():
    store = ClassData(2**30)
    name = "k" * 1024
    written = 0
    for number in range(1024):
        written += store.write(f"{number:04}{name[4:]}", b"1", b"1", base=None)
    with pytest.raises(OverflowError, match="bytes of keys of class state, limit 1048576"):
        store.write(f"1024{name[4:]}", b"1", b"1", base=None)
    assert written == 1024
    assert store.write(f"0000{name[4:]}", b"2", b"2", base=None)  # a key that is there

    many = ClassData(2**30)
    for number in range(10_000):
        many.write(str(number), b"1", b"1", base=None)
    with pytest.raises(OverflowError, match="10000 keys of class state, the limit"):
        many.write("one more", b"1", b"1", base=None)


def test_what_changed_after_so_many_writes_is_listed_in_order_and_counted_once():
    store, budget = ClassData(10_000), Budget(10_000)
    store.count_in(budget)
    for key in "abca":
        store.write(key, b"1", b"1", base=None)
    assert [key for key, _ in store.list_changed(0)] == ["b", "c", "a"]
    assert [key for key, _ in store.list_changed(2)] == ["c", "a"]
    assert store.list_changed(4) == []
    frames = [frame for _, frame in store.list_changed(0)]
    assert all(again is frame for (_, again), frame in zip(store.list_changed(0), frames))
    assert budget.total_bytes == 6 + sum(map(len, frames))
    store.write("a", b"2", b"2", base=None)
    assert budget.total_bytes == 6 + sum(map(len, frames[:2]))
