"""Sessions: several at once, and their close."""

from __future__ import annotations

import time

from ...protocol import messages as m
from ..bench import Bench
from ..case import ConformanceError, Topic
from ..checks import check_echo

TOPIC = Topic("sessions")
_WAIT_S = 0.2  # of an action whose session is closed meanwhile


@TOPIC.case("two-sessions", "answers each session under its own id", "4")
def two_sessions(bench: Bench) -> None:
    """Two at once; a message under the other's id is a mistake that the ledger sees."""
    front = bench.front
    first, second = front.open(), front.open()
    numbers = [front.ask(session, "echo", [session]) for session in (first, second, first)]
    for number, session in zip(numbers, (first, second, first), strict=True):
        end, before = front.end(number)
        found = [end.session, *(message.session for message in before)]
        if set(found) != {session}:
            raise ConformanceError(f"request {number} of {session} was answered for {found}")


@TOPIC.case("close", "continues with other sessions after a close", "4.1")
def close(bench: Bench) -> None:
    """The closed one has nothing open."""
    front = bench.front
    first, second = front.open(), front.open()
    check_echo(front, first, 1)
    front.close_session(first)
    check_echo(front, second, 2)
    check_echo(front, front.open(), 3)


@TOPIC.case("close-silent", "sends nothing for a closed session", "4.1", optional=("wait",))
def close_silent(bench: Bench) -> None:
    """One whose action still runs at the close, and would end after it."""
    front = bench.front
    first, second = front.open(), front.open()
    number = front.ask(first, "wait", [_WAIT_S])
    front.expect_of(
        number, "wait", m.Emit, "signal 'waiting'", lambda emit: emit.request in (number, None)
    )
    front.close_session(first)
    check_echo(front, second, "after the close")
    front.ledger.forget(first)
    time.sleep(_WAIT_S)
    front.rest(0.1)
