"""What sessions and pages hold is counted, and given back."""

import logging
from types import SimpleNamespace

import pytest

from databench.broker.holdings import SLACK_BYTES, TELL_S, Holdings
from databench.broker.tables import PageRecord, Seat
from databench.protocol import text
from databench.protocol.clients import Client
from databench.protocol.session import SESSION_BYTES, Session
from databench.protocol.waiting import Waiting
from databench.settings import Settings
from tests.protocol.session_model import hold_class_values

ME = Client("192.0.2.1", "me")


class Clock:
    """A loop's clock that a test moves."""

    now_s = 0.0

    def time(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


def make(clock, **limits):
    return Holdings(Settings({"memory_budget_bytes": 10**6, **limits}), clock)


def sit(holdings, id_="s"):
    """A session of a kernel."""
    session = Session(id_, epoch="e", request_args="", limits=Settings())
    seat = Seat(session, SimpleNamespace(waiting=0), ME)
    holdings.begin(seat)
    return seat


def test_a_session_counts_from_its_beginning_to_its_end(clock):
    holdings = make(clock)
    seat = sit(holdings)
    assert holdings.budget.size_of(ME) == SESSION_BYTES
    seat.session.append(b"x" * 10_000)
    holdings.settle(seat)
    assert holdings.budget.total_bytes > SESSION_BYTES + 10_000
    holdings.end(seat)
    holdings.end(seat)
    holdings.settle(seat)
    assert holdings.budget.total_bytes == 0
    assert len(holdings.shares) == 0


def test_little_is_not_counted_until_it_is_more(clock):
    holdings = make(clock)
    seat = sit(holdings)
    for _ in range(20):
        seat.session.append(b"x")
        holdings.settle(seat)
    difference = seat.session.held_bytes - holdings.budget.total_bytes
    assert 0 <= difference < SLACK_BYTES


def test_a_session_waits_while_it_has_no_page_and_runs_nothing(clock):
    holdings = make(clock)
    seat = sit(holdings)
    holdings.rest(seat)
    assert "s" in holdings.room
    holdings.wake(seat)
    session = seat.session
    session.join("p", text.Connect(received=0), hold_class_values({}))
    session.accept(text.Request("run", b"", 1), number=1, view="p", now_s=0.0)
    for is_waiting, step in (
        (False, lambda: None),
        (False, lambda: session.leave("p", 1.0)),
        (True, lambda: session.finish(1, "done")),
        (True, lambda: None),
    ):
        step()
        holdings.rest(seat)
        assert ("s" in holdings.room) == is_waiting
        assert seat.entry.waiting == is_waiting
    assert holdings.room.get("s").is_unseen
    session.append(b"x" * 5000)  # a clock of the session's own
    holdings.settle(seat)
    assert holdings.room.get("s").size_bytes == seat.counted_bytes
    holdings.end(seat)
    assert seat.entry.waiting == len(holdings.room) == 0


def test_a_session_that_is_closed_waits_no_more_when_its_last_page_goes(clock):
    holdings = make(clock)
    seat = sit(holdings)
    holdings.end(seat)
    holdings.rest(seat)
    assert len(holdings.room) == 0


def test_beyond_the_budget_a_ring_does_not_grow(clock):
    holdings = make(clock, memory_budget_bytes=SESSION_BYTES + 50_000)
    seat = sit(holdings)
    for _ in range(1000):
        seat.session.append(b"x" * 1000)
        holdings.settle(seat)
    assert holdings.budget.total_bytes < SESSION_BYTES + 50_000 + 2 * SLACK_BYTES
    assert seat.session.ring.place == 1000
    replay = seat.session.ring.replay(0)
    assert 0 < len(replay.frames) < 50
    assert replay.missed == 1000 - len(replay.frames)


def test_beyond_the_budget_a_value_is_not_kept(clock):
    holdings = make(clock, memory_budget_bytes=SESSION_BYTES + 50_000)
    seat = sit(holdings)
    assert holdings.find_problem(seat, "k", b"x" * 20_000) is None
    problem = holdings.find_problem(seat, "k", b"x" * 30_000)
    assert problem == "state 'k': the server is short of memory; not kept"
    holdings.budget.take(None, 10**6)
    assert holdings.find_problem(seat, "k", b"x" * 100) is None
    seat.session.data.hold("k", b"x" * 30_000, b"x" * 30_000)
    assert holdings.find_problem(seat, "k", b"x" * 30_000) is None  # it takes the place of one


def test_what_is_in_flight_to_a_page_counts_until_it_has_drained_or_is_gone(clock):
    holdings = make(clock)
    record = PageRecord(None, None, client=ME)
    for in_flight_bytes in (5000, 7000, 0, 3000):
        record.in_flight_bytes = in_flight_bytes
        holdings.settle_page(record)
        assert holdings.budget.size_of(ME) == in_flight_bytes
    record.in_flight_bytes += SLACK_BYTES - 1
    holdings.settle_page(record)
    assert holdings.budget.size_of(ME) == 3000
    holdings.forget_page(record)
    assert holdings.budget.total_bytes == 0


def test_sessions_of_an_earlier_server_count_too(clock):
    holdings = make(clock)
    holdings.load([Waiting(f"s{n}", ME, float(n), True, 1000) for n in range(3)])
    assert holdings.budget.size_of(ME) == 3000
    assert len(holdings.shares) == len(holdings.room) == 3
    assert holdings.unload("s1").id_ == "s1"
    assert holdings.unload("s1") is None
    assert holdings.budget.size_of(ME) == 2000
    assert holdings.shares.of_person("me") == ["s0", "s2"]


def test_reasons_are_remembered_for_so_many_sessions(clock):
    holdings = make(clock, closed_sessions=2)
    for number in range(3):
        holdings.note_closed(f"s{number}", f"why {number}")
    assert [holdings.find_reason(f"s{n}") for n in range(3)] == ["", "why 1", "why 2"]
    assert holdings.find_reason(None) == holdings.find_reason("other") == ""


@pytest.mark.expected_log("full", "other")
def test_the_log_says_the_same_once_in_a_while_with_a_count(clock, caplog):
    holdings = make(clock)
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            holdings.tell("full")
        holdings.tell("other")
        clock.now_s = TELL_S
        holdings.tell("full")
    assert caplog.messages == ["full", "other", "full (4 more times since the last such line)"]
