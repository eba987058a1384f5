"""Which thread takes the signals that stop and interrupt, and what the user's processes inherit.

Only the main thread takes them, because it must be woken. A process starts with the signal mask of
the thread that started it (signal(7)). A process that a coroutine starts could therefore not be
terminated, so it gets a mask without these signals.
"""

from __future__ import annotations

import _posixsubprocess

# What `signal` wraps: its enumerations take six times as long, and a worker does this before each
# action.
import _signal  # type: ignore[import-not-found]
import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any

# The last is what `interrupts` repeats a signal by.
_OURS = {signal.SIGINT, signal.SIGTERM, signal.SIGVTALRM}
_OUR_NUMBERS, _SIG_BLOCK = tuple(map(int, _OURS)), int(signal.SIG_BLOCK)
# subprocess, asyncio and multiprocessing all use this; there is no public place for it.
_STARTS = (
    (_posixsubprocess, "fork_exec"),
    (subprocess, "_fork_exec"),
    (os, "posix_spawn"),
    (os, "posix_spawnp"),
)


def leave_to_main() -> None:
    """Let this thread, and threads that it starts, not take them."""
    _signal.pthread_sigmask(_SIG_BLOCK, _OUR_NUMBERS)


def hold() -> set[int | signal.Signals]:
    """Let them wait, in this thread; returns what it blocked before."""
    return signal.pthread_sigmask(signal.SIG_BLOCK, _OURS)


def let_go(before: set[int | signal.Signals], *, is_main: bool = False) -> None:
    """Undo `hold`.

    Args:
        before: Its result.
        is_main: Whether this thread takes them from now on: it is the only one of a fork.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, before - _OURS if is_main else before)


def free_children() -> None:
    """Let processes that any thread starts take them."""
    for module, name in _STARTS:
        if hasattr(module, name):
            setattr(module, name, _taking(getattr(module, name)))


def _taking(start: Callable[..., int]) -> Callable[..., int]:
    def call(*args: Any, **kwargs: Any) -> int:
        # For this moment a signal may come to this thread: a cancel is repeated until it is seen.
        before = signal.pthread_sigmask(signal.SIG_UNBLOCK, _OURS)
        try:
            return start(*args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    return call
