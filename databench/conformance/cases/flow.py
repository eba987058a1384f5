"""Flow: credit and `batch` (docs/protocol.md, 4.2 and 6)."""

from __future__ import annotations

import json

from ...protocol import messages as m
from ..bench import Bench
from ..case import ConformanceError, MissingPartError, Topic

TOPIC = Topic("flow")
_WINDOW_BYTES = 4096
_COUNT = 10_000
_FEW = 300
_QUIET_S = 0.3


@TOPIC.case("stream", "emits many signals in order", "3, Order", optional=("stream",))
def stream(bench: Bench) -> None:
    """All before the end."""
    front = bench.front
    _end, before = front.call(front.open(), "stream", [_FEW])
    _check_all([message for message in before if isinstance(message, m.Emit)], _FEW)


@TOPIC.case("batch", "puts messages into batches that can be read", "4.2", optional=("stream",))
def batch(bench: Bench) -> None:
    """Optional; the ledger reads each."""
    front = bench.front
    before = front.ledger.batches
    front.call(front.open(), "stream", [_FEW])
    if front.ledger.batches == before:
        raise MissingPartError("the kernel sends no batch")


@TOPIC.case(
    "credit-wait",
    "holds its emits back without credit",
    "6",
    capability="credit",
    optional=("stream",),
)
def credit_wait(bench: Bench) -> None:
    """Nothing is read: at most a window and one message may come."""
    front = bench.start(window_bytes=_WINDOW_BYTES)
    front.pays = False
    session = front.open()
    number = front.ask(session, "stream", [_FEW])
    emits = [front.expect_of(number, "stream", m.Emit, "first emit")]
    emits += [message for message in front.rest(_QUIET_S) if isinstance(message, m.Emit)]
    if len(emits) == _FEW:
        raise ConformanceError(
            f"all {_FEW} emits came, though the front gave back none of {_WINDOW_BYTES} bytes"
        )
    if front.ledger.credits[session] > 0:
        raise ConformanceError(
            f"{len(emits)} emits came, and {front.ledger.credits[session]} bytes of credit are "
            "left: send while it is above zero"
        )
    front.pays = True
    front.pay(session)
    while len(emits) < _FEW:
        emits.append(front.expect(m.Emit, f"emit {len(emits) + 1} of {_FEW}"))
    front.done(number, "stream")
    _check_all(emits, _FEW)


@TOPIC.case(
    "credit",
    f"loses none of {_COUNT:,} emits through a window of 4 KiB",
    "6",
    capability="credit",
    optional=("stream",),
)
def credit(bench: Bench) -> None:
    """Credit comes as fast as the front reads."""
    front = bench.start(window_bytes=_WINDOW_BYTES)
    number = front.ask(front.open(), "stream", [_COUNT])
    emits = [
        front.expect_of(number, "stream", m.Emit, f"emit {n + 1} of {_COUNT}")
        for n in range(_COUNT)
    ]
    front.done(number, "stream")
    _check_all(emits, _COUNT)


def _check_all(emits: list[m.Emit], count: int) -> None:
    found = [json.loads(emit.payload) for emit in emits if emit.signal == "number"]
    if found != list(range(count)):
        wrong = next((n for n, value in enumerate(found) if n != value), len(found))
        raise ConformanceError(
            f"{len(found)} of {count} emits came; the first that is lost or out of order is {wrong}"
        )
