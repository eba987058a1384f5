"""What the broker's parts share: credit, the kernel's state as a session is told it, last words."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from databench.broker import AnalysisSpec
from databench.broker.stores.class_data import ClassData
from databench.broker.tables import Entry, Group, Seat, Tables
from databench.protocol import codec
from databench.protocol import messages as m
from databench.protocol.lifecycle import State
from databench.protocol.poison import Poison
from databench.protocol.session import Session
from databench.protocol.starts import Starts
from databench.settings import Settings


class Wire:
    """A channel that keeps what it is to send."""

    def __init__(self):
        self.sent = []

    def send(self, routing_id, frames):
        self.sent.append((routing_id, codec.decode_to_kernel(frames)))
        return True


@pytest.fixture
async def tables():
    """Tables with a channel that keeps what is sent."""
    made = Tables(Settings({"credit_window_bytes": 1000}), debug=True)
    made.channel = Wire()
    return made


@pytest.fixture
async def seat(tables):
    kernel = SimpleNamespace(
        spec=SimpleNamespace(name="a"),
        capabilities=frozenset(),
        life=SimpleNamespace(state=State.IDLE, generation=3),
        reason="because",
        retry_in_s=1.5,
        stderr_lines=["one", "two"],
        routing_id=b"k1.3",
        is_ready=True,
        settings=tables.settings,
        blame=SimpleNamespace(starts=Starts(tables.settings)),
    )
    spec = AnalysisSpec("a", Path("/"), "none", Path("/"))
    group = Group(spec, ClassData(1000), Poison(tables.settings))
    entry = Entry(kernel, group)
    group.entries.append(entry)
    made = Seat(Session("s", epoch="e", request_args="", limits=tables.settings), entry)
    entry.seats["s"] = made
    made.is_open = True
    return made


def told(tables, seat):
    return json.loads(tables.compose_kernel(seat))["load"]


async def test_a_message_goes_to_the_current_generation(tables, seat):
    assert tables.send(seat.entry.kernel, m.Ping(None, None, 1))
    assert tables.channel.sent == [(b"k1.3", m.Ping(None, None, 1))]
    tables.channel = None
    assert not tables.send(seat.entry.kernel, m.Ping(None, None, 1))


async def test_credit_is_given_back_when_it_is_worth_a_message(tables, seat):
    ledger = seat.session.ledger
    ledger.owed_bytes = 249
    tables.give_credit(seat)
    assert tables.channel.sent == []
    ledger.owed_bytes = 250
    tables.give_credit(seat)
    assert tables.channel.sent == [(b"k1.3", m.Credit("s", None, 250))]
    assert ledger.owed_bytes == 0


async def test_without_a_page_credit_beyond_some_windows_waits_for_an_answer(tables, seat):
    kernel, asked = seat.entry.kernel, []
    kernel.capabilities = {"ping"}
    kernel.pulse = SimpleNamespace(ask=lambda: asked.append(True))
    for _ in range(20):
        seat.session.ledger.owed_bytes = 1000
        tables.give_credit(seat)
    assert len(tables.channel.sent) == 17
    assert (len(asked), seat.session.ledger.owed_bytes) == (1, 1000)
    tables.take_pong(seat.entry)
    assert len(tables.channel.sent) == 18
    assert seat.session.ledger.owed_bytes == 0


async def test_a_kernel_that_was_not_told_of_the_session_gets_no_credit(tables, seat):
    seat.is_open = False
    seat.session.ledger.owed_bytes = 500
    tables.give_credit(seat)
    assert tables.channel.sent == []


async def test_a_session_is_told_the_kernels_state(tables, seat):
    assert told(tables, seat) == {
        "state": "idle",
        "reason": "because",
        "generation": 3,
        "retry_in_s": 1.5,
        "sessions": 1,
        "isolation": "analysis",
    }


@pytest.mark.parametrize("state", [State.BACKOFF, State.FAILED])
async def test_the_last_lines_are_shown_in_debug_and_where_it_is_down(tables, seat, state):
    seat.entry.kernel.life.state = state
    assert told(tables, seat)["stderr"] == ["one", "two"]
    tables.debug = False
    assert "stderr" not in told(tables, seat)


async def test_a_session_set_aside_is_shown_its_own_end_while_the_others_go_on(tables, seat):
    seat.entry.kernel.blame.starts.aside["s"] = "it crashed"
    seat.last_words = ("its last",)
    shown = told(tables, seat)
    assert (shown["state"], shown["reason"]) == ("failed", "it crashed")
    assert shown["stderr"] == ["its last"]
    seat.entry.kernel.life.state = State.FAILED
    assert told(tables, seat)["reason"] == "because"


@pytest.mark.parametrize(
    ("state", "is_cancelling", "shown"),
    [
        (State.BUSY, True, "cancelling"),
        (State.CANCELLING, True, "cancelling"),
        (State.CANCELLING, False, "busy"),
        (State.BUSY, False, "busy"),
    ],
)
async def test_a_cancel_is_shown_to_the_session_that_asked(
    tables, seat, state, is_cancelling, shown
):
    seat.entry.kernel.life.state = state
    seat.is_cancelling = is_cancelling
    assert told(tables, seat)["state"] == shown


async def test_last_words_are_a_json_string_in_debug_and_nothing_otherwise(tables, seat):
    assert tables.last_words(seat.entry.kernel) == b'"one\\ntwo"'
    seat.entry.kernel.stderr_lines = []
    assert tables.last_words(seat.entry.kernel) == b""
    tables.debug = False
    seat.entry.kernel.stderr_lines = ["one"]
    assert tables.last_words(seat.entry.kernel) == b""
