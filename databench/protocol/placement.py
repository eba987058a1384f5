"""Which kernel takes a session, how many wait for nobody, and who is ended for want of use. Pure.

An analysis says how its sessions share processes: all one (`analysis`), a fixed number of them
(`pool`), or none (`session`). Where none is shared, some processes are started before anybody
needs them (`preheat`), and no more than `max_kernels` are there at once: further sessions queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ANALYSIS, POOL, SESSION = "analysis", "pool", "session"
ISOLATIONS = (ANALYSIS, POOL, SESSION)


@dataclass(frozen=True, slots=True)
class Sharing:
    """Who shares a process.

    Attributes:
        isolation: One of `ISOLATIONS`.
        processes: How many a pool has.
        preheat: How many wait for sessions to come, where each has its own.
        max_kernels: How many there are at most, where each session has its own; 0: as many as the
            settings say.
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
        has_process: Whether it counts against `max_kernels`: one that is queued or was ended
            because nobody needed it does not.
    """

    sessions: int
    is_ready: bool = True
    is_failed: bool = False
    has_process: bool = True


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
        sharing: Who shares a process.
        kernels: All of the analysis.
        leaving: How many processes of it are ending.
    """
    return sharing.isolation != SESSION or _count(kernels) + leaving < sharing.max_kernels


def count_missing(sharing: Sharing, kernels: Sequence[Standing], leaving: int) -> int:
    """How many are to be started for sessions that may come.

    None while sessions queue, and none before one has become ready: what cannot start would only
    fail several times.
    """
    if sharing.isolation != SESSION or not any(kernel.is_ready for kernel in kernels):
        return 0
    if any(not kernel.has_process for kernel in kernels):
        return 0
    spare = sum(not kernel.sessions for kernel in kernels)
    room = sharing.max_kernels - _count(kernels) - leaving
    return max(0, min(sharing.preheat - spare, room))


def is_unused(used_s: float, now_s: float, limit_s: float) -> bool:
    """Whether a kernel is ended because nobody needs it.

    Args:
        used_s: When it last had a page, or ran an action.
        now_s: The time on the same clock.
        limit_s: How long it is kept; 0 is for ever.
    """
    return 0 < limit_s <= now_s - used_s


def _count(kernels: Sequence[Standing]) -> int:
    return sum(kernel.has_process for kernel in kernels)


def _reluctance(kernel: Standing) -> int:
    return 2 if kernel.is_failed else 0 if kernel.is_ready else 1
