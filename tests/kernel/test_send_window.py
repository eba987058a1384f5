"""Credit on the kernel's side, in any order of events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databench.kernel.send_window import OutOfCreditError, SendWindow


def frames(size):
    return [b"h", b"x" * (size - 1)]


def test_a_message_may_go_while_credit_is_above_zero():
    window = SendWindow(10, 100)
    window.spend(9)
    assert window.is_open
    window.spend(50)
    assert not window.is_open
    assert window.credit == -49


def test_what_waits_goes_in_order_as_credit_comes_back():
    window = SendWindow(0, 1000)
    entries = [window.put(frames(10), "a") for _ in range(3)]
    assert window.grant(5) == entries[:1]
    assert window.credit == -5
    assert window.grant(5) == []
    assert window.grant(1) == entries[1:2]
    assert [entry.is_sent for entry in entries] == [True, True, False]


def test_the_latest_value_takes_the_place_of_the_first():
    window = SendWindow(0, 1000)
    window.put_latest("k", frames(10), "a")
    window.put(frames(20), "a")
    window.put_latest("k", frames(30), "a")
    assert [e.size_bytes for e in window.grant(100)] == [30, 20]
    window.put_latest("k", frames(40), "a")
    assert [e.size_bytes for e in window.grant(100)] == [40]


def test_an_end_waits_for_its_own_request_only_and_then_needs_no_credit():
    window = SendWindow(0, 1000)
    first = window.put(frames(10), "a")
    assert window.put_end(frames(5), "b") is False
    assert window.put_end(frames(5), "a") is True
    going = window.grant(1)
    assert going[0] is first
    assert [entry.is_end for entry in going] == [False, True]
    assert window.credit == 1 - 10 - 5


def test_what_nobody_awaits_is_bounded_and_a_single_large_one_is_not():
    window = SendWindow(0, 100)
    large = window.put(frames(500), "a")
    with pytest.raises(OutOfCreditError, match=r"500 bytes of emits wait .* limit 100"):
        window.put(frames(1), "a")
    window.awaited(large)
    window.awaited(large)
    assert window.unawaited_bytes == 0
    window.put(frames(100), "a")


def test_a_withdrawn_entry_never_goes():
    window = SendWindow(0, 100)
    entry = window.put(frames(10), "a")
    assert window.withdraw(entry)
    assert not window.withdraw(entry)
    assert window.unawaited_bytes == 0
    assert window.grant(100) == []


def test_closing_drops_all():
    window = SendWindow(0, 100)
    entries = [window.put(frames(10), "a"), window.put_latest("k", frames(10), "a")]
    assert window.close() == entries
    assert all(entry.is_sent for entry in entries)
    assert window.unawaited_bytes == 0


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
    window, asked, gone = SendWindow(100, 10**6), [], []
    for number, (kind, size, owner) in enumerate(events):
        if kind == "grant":
            before = window.credit
            sent = window.grant(size)
            gone += sent
            paid = [e.size_bytes for e in sent if not e.is_end]
            assert before + size - sum(paid[:-1]) > 0 or len(paid) <= 1
        elif kind == "latest":
            window.put_latest(owner, frames(size), number)
        elif kind == "put" or window.put_end(frames(size), owner):
            entry = window.waiting[-1] if kind == "end" else window.put(frames(size), owner)
            asked.append(entry)
    gone += window.grant(10**6)
    assert [e for e in gone if e.key is None] == asked
    assert window.unawaited_bytes == 0
    assert not window.waiting
