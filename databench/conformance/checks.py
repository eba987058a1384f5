"""What several cases look at: values that come back, and the action `echo`."""

from __future__ import annotations

from ..protocol import messages as m
from .case import ConformanceError
from .front import PlayedFront, load
from .values import find_difference

GONE_S = 5.0  # for a kernel to end itself


def check_value(payload: bytes, expected: object, words: str) -> None:
    """See that a payload is this value.

    Args:
        payload: As it came.
        expected: The value, decoded.
        words: What the payload is, for the failure.

    Raises:
        ConformanceError: It is another, or none.
    """
    if not payload:
        raise ConformanceError(f"the {words} is missing: its payload is empty")
    difference = find_difference(load(payload, words), expected)
    if difference:
        raise ConformanceError(f"the {words} {difference}")


def check_echo(front: PlayedFront, session: str, value: object) -> None:
    """Ask for `echo` and see that the value comes back, as an emit and as the result.

    Raises:
        ConformanceError: It does not.
    """
    end, before = front.call(session, "echo", [value])
    emits = [message for message in before if isinstance(message, m.Emit)]
    if [message.signal for message in emits] != ["echo"]:
        raise ConformanceError(
            "the action 'echo' emits the signal 'echo' once, before its end; "
            f"it emitted {[message.signal for message in emits]}"
        )
    check_value(emits[0].payload, value, "signal 'echo'")
    check_value(end.payload, [value], "result of 'echo'")
