"""What sessions and pages hold is counted, and given back."""

import logging
from types import SimpleNamespace

import pytest

from databench.broker.records import HostedSession, PageRecord
from databench.broker.sessions.holdings import SLACK_BYTES, TELL_S, Holdings
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
    return Holdings(Settings(**{"memory_budget_bytes": 10**6, **limits}), clock)


def sit(holdings, id_="s"):
    """A session of a kernel."""
    session = Session(id_, epoch="e", request_args="", limits=Settings())
    hosted = HostedSession(session, SimpleNamespace(waiting=0), ME)
    holdings.begin(hosted)
    return hosted


def test_a_session_counts_from_its_beginning_to_its_end(clock):
    holdings = make(clock)
    hosted = sit(holdings)
    assert holdings.budget.size_of(ME) == SESSION_BYTES
    hosted.session.append(b"x" * 10_000)
    holdings.settle(hosted)
    assert holdings.budget.total_bytes > SESSION_BYTES + 10_000
    holdings.end(hosted)
    holdings.end(hosted)
    holdings.settle(hosted)
    assert holdings.budget.total_bytes == 0
    assert len(holdings.shares) == 0


def test_little_is_not_counted_until_it_is_more(clock):
    holdings = make(clock)
    hosted = sit(holdings)
    for _ in range(20):
        hosted.session.append(b"x")
        holdings.settle(hosted)
    difference = hosted.session.held_bytes - holdings.budget.total_bytes
    assert 0 <= difference < SLACK_BYTES


def test_a_session_waits_while_it_has_no_page_and_runs_nothing(clock):
    holdings = make(clock)
    hosted = sit(holdings)
    holdings.rest(hosted)
    assert "s" in holdings.room
    holdings.wake(hosted)
    session = hosted.session
    session.join("p", text.Connect(received=0), hold_class_values({}))
    session.accept(text.Request("run", b"", 1), number=1, view="p", now_s=0.0)
    for is_waiting, step in (
        (False, lambda: None),
        (False, lambda: session.leave("p", 1.0)),
        (True, lambda: session.finish(1, "done")),
        (True, lambda: None),
    ):
        step()
        holdings.rest(hosted)
        assert ("s" in holdings.room) == is_waiting
        assert hosted.record.waiting == is_waiting
    assert holdings.room.get("s").is_unseen
    session.append(b"x" * 5000)  # a clock of the session's own
    holdings.settle(hosted)
    assert holdings.room.get("s").size_bytes == hosted.counted_bytes
    holdings.end(hosted)
    assert hosted.record.waiting == len(holdings.room) == 0


def test_a_session_that_is_closed_waits_no_more_when_its_last_page_goes(clock):
    holdings = make(clock)
    hosted = sit(holdings)
    holdings.end(hosted)
    holdings.rest(hosted)
    assert len(holdings.room) == 0


def test_beyond_the_budget_a_ring_does_not_grow(clock):
    holdings = make(clock, memory_budget_bytes=SESSION_BYTES + 50_000)
    hosted = sit(holdings)
    for _ in range(1000):
        hosted.session.append(b"x" * 1000)
        holdings.settle(hosted)
    assert holdings.budget.total_bytes < SESSION_BYTES + 50_000 + 2 * SLACK_BYTES
    assert hosted.session.ring.offset == 1000
    replay = hosted.session.ring.replay(0)
    assert 0 < len(replay.frames) < 50
    assert replay.missed == 1000 - len(replay.frames)


def test_beyond_the_budget_a_value_is_not_kept(clock):
    holdings = make(clock, memory_budget_bytes=SESSION_BYTES + 50_000)
    hosted = sit(holdings)
    assert holdings.find_problem(hosted, "k", b"x" * 20_000) is None
    problem = holdings.find_problem(hosted, "k", b"x" * 30_000)
    assert problem == "state 'k': the server is short of memory; not kept"
    holdings.budget.take(None, 10**6)
    assert holdings.find_problem(hosted, "k", b"x" * 100) is None
    hosted.session.data.hold("k", b"x" * 30_000, b"x" * 30_000)
    assert holdings.find_problem(hosted, "k", b"x" * 30_000) is None  # it takes the place of one


def test_what_is_in_flight_to_a_page_counts_until_it_has_drained_or_is_gone(clock):
    holdings = make(clock)
    page_record = PageRecord(None, None, client=ME)
    for in_flight_bytes in (5000, 7000, 0, 3000):
        page_record.in_flight_bytes = in_flight_bytes
        holdings.settle_page(page_record)
        assert holdings.budget.size_of(ME) == in_flight_bytes
    page_record.in_flight_bytes += SLACK_BYTES - 1
    holdings.settle_page(page_record)
    assert holdings.budget.size_of(ME) == 3000
    holdings.forget_page(page_record)
    assert holdings.budget.total_bytes == 0


def test_sessions_of_an_earlier_server_count_too(clock):
    holdings = make(clock)
    holdings.load([Waiting(f"s{n}", ME, float(n), True, 1000) for n in range(3)])
    assert holdings.budget.size_of(ME) == 3000
    assert len(holdings.shares) == len(holdings.room) == 3
    assert holdings.unload("s1").id_ == "s1"
    assert holdings.unload("s1") is None
    assert holdings.budget.size_of(ME) == 2000
    assert holdings.shares.of_visitor("me") == ["s0", "s2"]


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
