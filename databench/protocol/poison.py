"""Actions that end their kernel again and again are refused (docs/protocol.md, 7.2). Pure.

Of the requests that a process had when it died, one is suspected: the one that it was sent last. An
action that runs as long as its page is open would be there at each death, and has done nothing.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any

_CRASHES = frozenset({"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT"})
_OWN = re.compile(rb'"__process_id" *: *[-+.0-9eE]+')  # differs in each request
_WHOLE_BYTES = 2**16
_PART_BYTES = 2**12


def find_cause(status: int | None, signal: str | None, *, was_asked: bool, was_memory: bool) -> str:
    """What a death says against the action that ran; empty: nothing.

    Args:
        status: The exit status, or `None`.
        signal: The signal's name, or `None`.
        was_asked: Whether a person or new code ended it.
        was_memory: Whether it was ended for the memory that it used.
    """
    if was_asked:
        return ""
    if was_memory:
        return "out of memory"
    if signal is not None:
        # SIGKILL from outside says nothing of the action.
        return signal if signal in _CRASHES else ""
    return f"exit status {status}" if status else ""


def make_fingerprint(action: str, payload: bytes) -> int:
    """What tells an action with its arguments from others, in this process alone.

    Of a payload over 64 KiB the length and both ends count: to read all of it would cost more than
    to pass it on.
    """
    if len(payload) <= _WHOLE_BYTES:
        return hash((action, _OWN.sub(b"", payload)))
    head, tail = payload[: 2 * _PART_BYTES], payload[-2 * _PART_BYTES :]
    own_bytes = sum(map(len, _OWN.findall(head) + _OWN.findall(tail)))
    ends = _OWN.sub(b"", head)[:_PART_BYTES], _OWN.sub(b"", tail)[-_PART_BYTES:]
    return hash((action, len(payload) - own_bytes, *ends))


class Poison:
    """The suspects of one analysis.

    Args:
        limits: An object with the settings' attributes.
    """

    def __init__(self, limits: Any) -> None:
        self._limits = limits
        # Which deaths each was there at, the longest unsuspected first.
        self._causes: OrderedDict[int, list[str]] = OrderedDict()

    def note(self, fingerprint: int, cause: str) -> None:
        """A process died, and this action with its arguments is suspected."""
        causes = self._causes.setdefault(fingerprint, [])
        causes.append(cause)
        del causes[: -self._limits.poison_limit]
        self._causes.move_to_end(fingerprint)
        while len(self._causes) > self._limits.poison_suspects:
            self._causes.popitem(last=False)

    def find_problem(self, action: str, fingerprint: int) -> str:
        """Why this action is not run with these arguments; empty: it is."""
        causes = self._causes.get(fingerprint, ())
        limit = self._limits.poison_limit
        if len(causes) < limit:
            return ""
        return (
            f"action {action!r} with these arguments ended its kernel {len(causes)} times "
            f"({', '.join(dict.fromkeys(causes))}), limit {limit} (poison_limit); not run: "
            "restart the kernel or save its code to try again"
        )

    def forgive(self) -> None:
        """A person restarted a kernel, or its code changed."""
        self._causes.clear()
