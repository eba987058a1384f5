"""Threads where the system may allow no more (RLIMIT_NPROC, the control group's pids).

Server and kernels start those that they cannot do without at their start, and end with a sentence
if they cannot have them: later there may be none, and libzmq ends the process without its own. Of
other threads, each caller knows how to continue without.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from .errors import KernelError, SettingError

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

NO_THREAD = "the system allows no further thread (ulimit -u, or the control group's pids)"


def can_start(count: int) -> bool:
    """Whether that many threads can be started, all at a time."""
    is_over = threading.Event()
    started: list[threading.Thread] = []
    try:
        for _ in range(count):
            thread = threading.Thread(target=is_over.wait, daemon=True)
            thread.start()
            started.append(thread)
    except RuntimeError:
        return False
    finally:
        is_over.set()
        for thread in started:
            thread.join()
    return True


def require(count: int) -> None:
    """Ensure that a kernel can start that many threads, all at a time.

    Raises:
        KernelError: It cannot.
    """
    if not can_start(count):
        raise KernelError(f"{NO_THREAD}, and a kernel needs {count} for its start")


def call_later(delay_s: float, function: Callable[..., None], *args: object) -> bool:
    """Call a function in a separate thread, after a time.

    Returns:
        Whether it will be: there may be no thread for it.
    """
    timer = threading.Timer(delay_s, function, args)
    timer.daemon = True
    try:
        timer.start()
    except RuntimeError:
        return False
    return True


def find_size() -> int:
    """How many threads asyncio's own pool has at most."""
    return min(32, (os.cpu_count() or 1) + 4)


def make_pool(name: str, size: int, *, more: int = 0) -> ThreadPoolExecutor:
    """Threads for what waits, all of them started.

    An executor that starts them one by one raises when it cannot, and runs the call later all the
    same.

    Args:
        name: In the names of the threads.
        size: How many they are.
        more: How many others must be possible in addition.

    Raises:
        SettingError: They cannot be started.
    """
    from concurrent.futures import ThreadPoolExecutor

    if not can_start(size + more):
        raise SettingError(f"{NO_THREAD}, and the server needs {size + more} more for its start")
    pool = ThreadPoolExecutor(size, f"databench-{name}")
    is_full = threading.Barrier(size)
    for waiting in [pool.submit(is_full.wait) for _ in range(size)]:
        waiting.result()
    return pool
