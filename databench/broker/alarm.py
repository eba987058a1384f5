"""A timer for parts of a millisecond: the timers of uvloop and of epoll count whole ones.

Linux' timerfd, which the loop watches like any descriptor. Elsewhere there is none, and nobody
waits (`Alarm.is_there`).
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import sys
import time
from collections.abc import Callable

# timerfd_create(2); os.timerfd_create is there from Python 3.13 on only.
_NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC


class _Itimerspec(ctypes.Structure):
    _fields_ = [
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    ]


class Alarm:
    """Calls back once after each `set`.

    Args:
        loop: Which watches the descriptor.
        on_ring: What is called, in the loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, on_ring: Callable[[], None]) -> None:
        self._loop = loop
        self._on_ring = on_ring
        self._fd = -1
        if sys.platform == "linux":
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._fd = self._libc.timerfd_create(time.CLOCK_MONOTONIC, _NONBLOCK_CLOEXEC)
        if self._fd >= 0:
            loop.add_reader(self._fd, self._ring)

    @property
    def is_there(self) -> bool:
        """Whether the system has such a timer and gave us one."""
        return self._fd >= 0

    def set(self, delay_s: float) -> None:
        """Ring in so many seconds; what was set before is forgotten."""
        nanoseconds = max(1, round(delay_s * 1e9))  # 0 would mean never
        spec = _Itimerspec(0, 0, *divmod(nanoseconds, 10**9))
        if self._libc.timerfd_settime(self._fd, 0, ctypes.byref(spec), None) != 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime failed")

    def close(self) -> None:
        """Never ring again."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _ring(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._fd, 8)
        self._on_ring()
