"""Which sessions without a page are closed, and why (docs/protocol.md, 9). Pure.

A session is closed when its grace is over. Beyond `session_grace_s` it is kept for a result alone,
and all that are so kept share a limit of bytes: the longest abandoned goes first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

NOBODY_CAME = "no page came back in time"
NO_ROOM = "the server's memory for results that no page saw is full"


@dataclass(frozen=True, slots=True)
class Detached:
    """A session without a page.

    Attributes:
        id_: Its id.
        left_s: When its last page went.
        expires_s: When it may be closed, on the same clock; `None` while it runs something.
        size_bytes: What it holds: its ring and its values.
    """

    id_: str
    left_s: float
    expires_s: float | None
    size_bytes: int


def find_grace_s(limits: Any, *, is_unseen: bool) -> float:
    """How long a session is kept after its last page.

    Args:
        limits: An object with the settings' attributes.
        is_unseen: Whether it has an end that no page has seen.
    """
    grace_s = float(limits.session_grace_s)
    return max(float(limits.result_grace_s), grace_s) if is_unseen else grace_s


def choose_closed(sessions: Iterable[Detached], now_s: float, limits: Any) -> list[tuple[str, str]]:
    """The sessions to close now.

    Args:
        sessions: All that have no page.
        now_s: The time on their clock.
        limits: An object with the settings' attributes.

    Returns:
        Their ids, each with the reason.
    """
    closed: list[tuple[str, str]] = []
    waiting: list[Detached] = []
    for session in sessions:
        if session.expires_s is None:
            continue  # its action still runs
        if session.expires_s <= now_s:
            closed.append((session.id_, NOBODY_CAME))
        elif session.left_s + limits.session_grace_s <= now_s:
            waiting.append(session)
    over_bytes = sum(session.size_bytes for session in waiting) - limits.result_bytes
    for session in sorted(waiting, key=lambda session: session.left_s):
        if over_bytes <= 0:
            break
        over_bytes -= session.size_bytes
        closed.append((session.id_, NO_ROOM))
    return closed
