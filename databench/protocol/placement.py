"""Which kernel takes a session, how many spare ones wait, and which unused ones end. Pure.

An analysis chooses how its sessions share processes: all one (`analysis`), a fixed number of them
(`pool`), or none (`session`). If none is shared, some processes start before a session needs
them (`preheat`), and at most `max_kernels` run at once: further sessions queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

ANALYSIS, POOL, SESSION = "analysis", "pool", "session"
ISOLATIONS = (ANALYSIS, POOL, SESSION)


@dataclass(frozen=True, slots=True)
class Sharing:
    """Which sessions share a process.

    Attributes:
        isolation: One of `ISOLATIONS`.
        processes: How many a pool has.
        preheat: How many wait for sessions to come, if each has its own.
        max_kernels: The most processes, if each session has its own; 0: as in the
            settings.
    """

    isolation: str = ANALYSIS
    processes: int = 1
    preheat: int = 1
    max_kernels: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """One kernel of an analysis.

    Attributes:
        sessions: How many it has.
        is_ready: Whether an action would be run at once.
        is_failed: Whether it will not run any.
    """

    sessions: int
    is_ready: bool = True
    is_failed: bool = False


def choose_kernel(sharing: Sharing, kernels: Sequence[Standing]) -> int | None:
    """The kernel for one more session.

    Returns:
        Its index, or `None`: a new one.
    """
    if sharing.isolation == SESSION:
        spare = [i for i, kernel in enumerate(kernels) if not kernel.sessions]
        return min(spare, key=lambda i: _reluctance(kernels[i]), default=None)
    if sharing.isolation == POOL:
        willing = [i for i, kernel in enumerate(kernels) if not kernel.is_failed]
        least = min(willing, key=lambda i: kernels[i].sessions, default=None)
        is_free = least is not None and not kernels[least].sessions
        if not is_free and len(kernels) < sharing.processes:
            return None
        return 0 if least is None else least
    return 0 if kernels else None


def has_room(sharing: Sharing, kernels: Sequence[Standing], leaving: int) -> bool:
    """Whether one more process may begin.

    Args:
        sharing: Which sessions share a process.
        kernels: Those of the analysis that have a process; one that is queued, or was ended
            because no page needed it, has none.
        leaving: How many processes of it are ending.
    """
    return sharing.isolation != SESSION or len(kernels) + leaving < sharing.max_kernels


def count_missing(
    sharing: Sharing, kernels: Sequence[Standing], leaving: int, queued: int = 0
) -> int:
    """How many are to be started for sessions that may come.

    None while sessions queue, and none before one has become ready: what cannot start would only
    fail several times.

    Args:
        sharing: Which sessions share a process.
        kernels: Those of the analysis that have a process.
        leaving: How many processes of it are ending.
        queued: How many sessions queue.
    """
    if sharing.isolation != SESSION or not any(kernel.is_ready for kernel in kernels):
        return 0
    if queued:
        return 0
    spare = sum(not kernel.sessions for kernel in kernels)
    room = sharing.max_kernels - len(kernels) - leaving
    return max(0, min(sharing.preheat - spare, room))


def has_spares(sharing: Sharing) -> bool:
    """Whether processes may ever wait for sessions to come."""
    return sharing.isolation == SESSION and sharing.preheat > 0


def number_queue(in_use: Iterable[bool]) -> list[int]:
    """How many begin before each one in the queue; those without a session do not count.

    Args:
        in_use: Of each one, the first one first, whether a session waits for it.
    """
    return list(accumulate(in_use, initial=0))[:-1]


def is_unused(used_s: float, now_s: float, limit_s: float) -> bool:
    """Whether to end a kernel because no page needs it.

    Args:
        used_s: When it last had a page, or ran an action.
        now_s: The time on the same clock.
        limit_s: How long it is kept; 0: forever.
    """
    return 0 < limit_s <= now_s - used_s


def _reluctance(kernel: Standing) -> int:
    return 2 if kernel.is_failed else 0 if kernel.is_ready else 1
