"""The end of the process, by a message, by signals, and without a front."""

from __future__ import annotations

import signal

from ...protocol import messages as m
from ...settings import Settings
from ..bench import Bench
from ..case import ConformanceError, Topic
from ..checks import GONE_S
from ..front import PlayedFront

TOPIC = Topic("end")


@TOPIC.case("shutdown", "answers shutdown with bye, its last message, and exits", "2.3, 4.1")
def shutdown(bench: Bench) -> None:
    """With a session open."""
    front = bench.start()
    front.open()
    _check_shutdown(front)


@TOPIC.case(
    "shutdown-running", "ends what runs at shutdown", "4.1", capability="cancel", optional=("wait",)
)
def shutdown_running(bench: Bench) -> None:
    """An action that would take long."""
    front = bench.start()
    number = front.ask(front.open(), "wait", [60])
    front.expect_of(
        number, "wait", m.Emit, "signal 'waiting'", lambda emit: emit.request in (number, None)
    )
    _check_shutdown(front)


def _check_shutdown(front: PlayedFront) -> None:
    front.send(m.Shutdown(reason="the suite is done"))
    front.expect(m.Bye, "bye")
    _check_gone(front, "shutdown", Settings().shutdown_limit_s)
    front.rest(0.05)  # after bye, the ledger sees a mistake in any message


@TOPIC.case("input-ended", "exits when its standard input ends", "2.3")
def input_ended(bench: Bench) -> None:
    """While it is idle."""
    front = bench.start()
    front.open()
    front.trace.append("front → kernel  end of standard input")
    front.process.end_input()
    _check_gone(front, "the end of its standard input", GONE_S)


@TOPIC.case("front-killed", "exits when the front is gone, with messages unsent", "2.3")
def front_killed(bench: Bench) -> None:
    """Socket and standard input end at once; a socket that lingers would keep it."""
    front = bench.start()
    session = front.open()
    for _ in range(20):
        front.ask(session, "echo", ["x" * 10_000])
    front.expect(m.Emit, "signal 'echo'")
    front.vanish()
    _check_gone(front, "the end of the front", GONE_S)


@TOPIC.case("terminate", "exits at SIGTERM", "2.3")
def terminate(bench: Bench) -> None:
    """Within the grace that the front gives."""
    front = bench.start()
    front.open()
    front.trace.append("front → kernel  SIGTERM")
    front.process.signal(signal.SIGTERM)
    _check_gone(front, "SIGTERM", Settings().shutdown_limit_s)


def _check_gone(front: PlayedFront, words: str, limit_s: float) -> None:
    limit_s = min(limit_s, front.limit_s)
    if not front.process.wait_exit(limit_s):
        raise ConformanceError(f"the process still runs {limit_s:g} s after {words}")
