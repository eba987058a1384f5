"""Cancel: by the message, and by the interrupt pipe (docs/protocol.md, 5)."""

from __future__ import annotations

from ...protocol import messages as m
from ..bench import Bench
from ..case import ConformanceError, Topic
from ..checks import check_echo
from ..front import PlayedFront

TOPIC = Topic("cancel")
_LONG_S, _SHORT_S = 60, 0.4


def _begin(front: PlayedFront, session: str, name: str, time_s: float) -> int:
    """Ask for `wait` or `compute`, and wait until it runs."""
    number = front.ask(session, name, [time_s])
    signal = {"wait": "waiting", "compute": "computing"}[name]
    front.expect_of(
        number,
        name,
        m.Emit,
        f"signal '{signal}'",
        lambda emit: emit.request in (number, None) and emit.signal == signal,
    )
    return number


def _check_cancelled(front: PlayedFront, number: int) -> None:
    end, _before = front.end(number, "end of the cancelled request")
    if not isinstance(end, m.Cancelled):
        raise ConformanceError(f"the cancelled request ended with {end.KIND}, not cancelled")


@TOPIC.case(
    "cancel-waiting", "ends a request that waits", "5.1", capability="cancel", optional=("wait",)
)
def cancel_waiting(bench: Bench) -> None:
    """By the message alone."""
    front = bench.front
    session = front.open()
    number = _begin(front, session, "wait", _LONG_S)
    front.send(m.Cancel(session=session, request=number, attempt=1))
    _check_cancelled(front, number)
    check_echo(front, session, "still there")


@TOPIC.case(
    "cancel-only-that", "cancels no other request", "5.1", capability="cancel", optional=("wait",)
)
def cancel_only_that(bench: Bench) -> None:
    """Another session's continues to its own end."""
    front = bench.front
    first, second = front.open(), front.open()
    long = _begin(front, first, "wait", _LONG_S)
    short = front.ask(second, "wait", [_SHORT_S])
    front.send(m.Cancel(session=first, request=long, attempt=1))
    _check_cancelled(front, long)
    front.done(short, "wait")


@TOPIC.case("cancel-ended", "does nothing for a request that has ended", "5.1", capability="cancel")
def cancel_ended(bench: Bench) -> None:
    """The cancel comes too late; the ledger sees a second end."""
    front = bench.front
    session = front.open()
    number = front.ask(session, "echo", [1])
    front.done(number, "echo")
    front.send(m.Cancel(session=session, request=number, attempt=1))
    front.send(m.Cancel(session=session, request=number + 1000, attempt=1))
    check_echo(front, session, "still there")


@TOPIC.case(
    "cancel-twice",
    "ends a request once, though the same attempt comes twice",
    "5.1, 5.3",
    capability="cancel",
    optional=("wait",),
)
def cancel_twice(bench: Bench) -> None:
    """And what runs next is not cancelled by the second."""
    front = bench.front
    session = front.open()
    number = _begin(front, session, "wait", _LONG_S)
    following = front.ask(session, "echo", ["next"])
    for _ in range(2):
        front.cancel(session, number)
    _check_cancelled(front, number)
    front.done(following, "echo")


@TOPIC.case(
    "interrupt",
    "ends a request that computes, by the pipe and SIGINT",
    "5.3",
    capability="interrupt",
    optional=("compute",),
)
def interrupt(bench: Bench) -> None:
    """It may read no message meanwhile."""
    front = bench.front
    session = front.open()
    number = _begin(front, session, "compute", _LONG_S)
    front.cancel(session, number)
    _check_cancelled(front, number)
    check_echo(front, session, "still there")


@TOPIC.case(
    "interrupt-other",
    "continues if the pipe names another request",
    "5.3",
    capability="interrupt",
    optional=("compute",),
)
def interrupt_other(bench: Bench) -> None:
    """The signal comes late: what it was for has ended."""
    front = bench.front
    session = front.open()
    ended = front.ask(session, "echo", [1])
    front.done(ended, "echo")
    number = _begin(front, session, "compute", _SHORT_S)
    front.interrupt(ended)
    front.done(number, "compute")


@TOPIC.case("interrupt-idle", "survives SIGINT while it is idle", "5.3", capability="interrupt")
def interrupt_idle(bench: Bench) -> None:
    """With a record, and without one."""
    front = bench.front
    session = front.open()
    ended = front.ask(session, "echo", [1])
    front.done(ended, "echo")
    front.interrupt(ended)
    check_echo(front, session, "still there")
