"""Credit on the kernel's side, in any order of events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databench.kernel.account import Account, OutOfCreditError


def frames(size):
    return [b"h", b"x" * (size - 1)]


def test_a_message_may_go_while_credit_is_above_zero():
    account = Account(10, 100)
    account.spend(9)
    assert account.is_open
    account.spend(50)
    assert not account.is_open
    assert account.credit == -49


def test_what_waits_goes_in_order_as_credit_comes_back():
    account = Account(0, 1000)
    entries = [account.put(frames(10), "a") for _ in range(3)]
    assert account.grant(5) == entries[:1]
    assert account.credit == -5
    assert account.grant(5) == []
    assert account.grant(1) == entries[1:2]
    assert [entry.is_sent for entry in entries] == [True, True, False]


def test_the_latest_value_takes_the_place_of_the_first():
    account = Account(0, 1000)
    account.put_latest("k", frames(10), "a")
    account.put(frames(20), "a")
    account.put_latest("k", frames(30), "a")
    assert [e.size_bytes for e in account.grant(100)] == [30, 20]
    account.put_latest("k", frames(40), "a")
    assert [e.size_bytes for e in account.grant(100)] == [40]


def test_an_end_waits_for_its_own_request_only_and_then_needs_no_credit():
    account = Account(0, 1000)
    first = account.put(frames(10), "a")
    assert account.put_end(frames(5), "b") is False
    assert account.put_end(frames(5), "a") is True
    going = account.grant(1)
    assert going[0] is first
    assert [entry.is_end for entry in going] == [False, True]
    assert account.credit == 1 - 10 - 5


def test_what_nobody_awaits_is_bounded_and_a_single_large_one_is_not():
    account = Account(0, 100)
    large = account.put(frames(500), "a")
    with pytest.raises(OutOfCreditError, match=r"500 bytes of emits wait .* limit 100"):
        account.put(frames(1), "a")
    account.awaited(large)
    account.awaited(large)
    assert account.unawaited_bytes == 0
    account.put(frames(100), "a")


def test_a_withdrawn_entry_never_goes():
    account = Account(0, 100)
    entry = account.put(frames(10), "a")
    assert account.withdraw(entry)
    assert not account.withdraw(entry)
    assert account.unawaited_bytes == 0
    assert account.grant(100) == []


def test_closing_drops_all():
    account = Account(0, 100)
    entries = [account.put(frames(10), "a"), account.put_latest("k", frames(10), "a")]
    assert account.close() == entries
    assert all(entry.is_sent for entry in entries)
    assert account.unawaited_bytes == 0


_EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(1, 50), st.sampled_from("ab")),
        st.tuples(st.just("latest"), st.integers(1, 50), st.sampled_from("ab")),
        st.tuples(st.just("end"), st.integers(1, 9), st.sampled_from("ab")),
        st.tuples(st.just("grant"), st.integers(0, 120), st.just("")),
    ),
    max_size=60,
)


@given(_EVENTS)
def test_no_order_of_events_loses_reorders_or_overdraws(events):
    account, asked, gone = Account(100, 10**6), [], []
    for number, (kind, size, owner) in enumerate(events):
        if kind == "grant":
            before = account.credit
            sent = account.grant(size)
            gone += sent
            paid = [e.size_bytes for e in sent if not e.is_end]
            assert before + size - sum(paid[:-1]) > 0 or len(paid) <= 1
        elif kind == "latest":
            account.put_latest(owner, frames(size), number)
        elif kind == "put" or account.put_end(frames(size), owner):
            entry = account.waiting[-1] if kind == "end" else account.put(frames(size), owner)
            asked.append(entry)
    gone += account.grant(10**6)
    assert [e for e in gone if e.key is None] == asked
    assert account.unawaited_bytes == 0
    assert not account.waiting
