"""What the broker's parts share: credit, the kernel's state as a session is told it, last words."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from databench.broker import AnalysisSpec
from databench.broker.records import HostedSession, KernelPool, KernelRecord
from databench.broker.stores.class_data import ClassData
from databench.broker.tables import Tables
from databench.protocol import codec
from databench.protocol import messages as m
from databench.protocol.lifecycle import Lifecycle, State
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
    made = Tables(Settings(credit_window_bytes=1000), debug=True)
    made.channel = Wire()
    return made


@pytest.fixture
async def hosted(tables):
    kernel = SimpleNamespace(
        spec=SimpleNamespace(name="a"),
        capabilities=frozenset(),
        life=Lifecycle(tables.settings),
        reason="because",
        retry_in_s=1.5,
        stderr_lines=["one", "two"],
        routing_id=b"k1.3",
        settings=tables.settings,
        blame=SimpleNamespace(starts=Starts(tables.settings)),
    )
    kernel.life.state, kernel.life.generation = State.IDLE, 3
    spec = AnalysisSpec("a", Path("/"), "none", Path("/"))
    pool = KernelPool(spec, ClassData(1000), Poison(tables.settings))
    record = KernelRecord(kernel, pool)
    pool.records.append(record)
    made = HostedSession(Session("s", epoch="e", request_args="", limits=tables.settings), record)
    record.sessions["s"] = made
    made.is_open = True
    return made


def told(tables, hosted):
    return json.loads(tables.compose_kernel(hosted))["load"]


async def test_a_message_goes_to_the_current_generation(tables, hosted):
    assert tables.send(hosted.record.kernel, m.Ping(number=1))
    assert tables.channel.sent == [(b"k1.3", m.Ping(number=1))]
    tables.channel = None
    assert not tables.send(hosted.record.kernel, m.Ping(number=1))


async def test_credit_is_given_back_when_it_is_worth_a_message(tables, hosted):
    receive_window = hosted.session.receive_window
    receive_window.owed_bytes = 249
    tables.give_credit(hosted)
    assert tables.channel.sent == []
    receive_window.owed_bytes = 250
    tables.give_credit(hosted)
    assert tables.channel.sent == [(b"k1.3", m.Credit(session="s", size_bytes=250))]
    assert receive_window.owed_bytes == 0


async def test_without_a_page_credit_beyond_some_windows_waits_for_an_answer(tables, hosted):
    kernel, asked = hosted.record.kernel, []
    kernel.capabilities = {"ping"}
    kernel.heartbeat = SimpleNamespace(ask=lambda: asked.append(True))
    for _ in range(20):
        hosted.session.receive_window.owed_bytes = 1000
        tables.give_credit(hosted)
    assert len(tables.channel.sent) == 17
    assert (len(asked), hosted.session.receive_window.owed_bytes) == (1, 1000)
    tables.take_pong(hosted.record)
    assert len(tables.channel.sent) == 18
    assert hosted.session.receive_window.owed_bytes == 0


async def test_a_kernel_that_was_not_told_of_the_session_gets_no_credit(tables, hosted):
    hosted.is_open = False
    hosted.session.receive_window.owed_bytes = 500
    tables.give_credit(hosted)
    assert tables.channel.sent == []


async def test_a_session_is_told_the_kernels_state(tables, hosted):
    assert told(tables, hosted) == {
        "state": "idle",
        "reason": "because",
        "generation": 3,
        "retry_in_s": 1.5,
        "sessions": 1,
        "isolation": "analysis",
    }


@pytest.mark.parametrize("state", [State.BACKOFF, State.FAILED])
async def test_the_last_lines_are_shown_in_debug_and_where_it_is_down(tables, hosted, state):
    hosted.record.kernel.life.state = state
    assert told(tables, hosted)["stderr"] == ["one", "two"]
    tables.debug = False
    assert "stderr" not in told(tables, hosted)


async def test_a_session_set_aside_is_shown_its_own_end_while_the_others_go_on(tables, hosted):
    hosted.record.kernel.blame.starts.aside["s"] = "it crashed"
    hosted.last_words = ("its last",)
    shown = told(tables, hosted)
    assert (shown["state"], shown["reason"]) == ("failed", "it crashed")
    assert shown["stderr"] == ["its last"]
    hosted.record.kernel.life.state = State.FAILED
    assert told(tables, hosted)["reason"] == "because"


@pytest.mark.parametrize(
    ("state", "is_cancelling", "shown"),
    [
        (State.BUSY, True, "cancelling"),
        (State.UNRESPONSIVE, True, "cancelling"),
        (State.BACKOFF, True, "backoff"),
        (State.BUSY, False, "busy"),
    ],
)
async def test_a_cancel_is_shown_to_the_session_that_asked(
    tables, hosted, state, is_cancelling, shown
):
    hosted.record.kernel.life.state = state
    hosted.is_cancelling = is_cancelling
    assert told(tables, hosted)["state"] == shown


async def test_last_words_are_a_json_string_in_debug_and_nothing_otherwise(tables, hosted):
    assert tables.last_words(hosted.record.kernel) == b'"one\\ntwo"'
    hosted.record.kernel.stderr_lines = []
    assert tables.last_words(hosted.record.kernel) == b""
    tables.debug = False
    hosted.record.kernel.stderr_lines = ["one"]
    assert tables.last_words(hosted.record.kernel) == b""
