"""The open descriptors of this process: how many there may be, how many there are.

Owns the limit that the process was started with, so that kernels and commands get that one: the
server raises its own to the hard limit, and old programs close every descriptor up to theirs, or
cannot `select` beyond 1,024. Decides nothing.
"""

from __future__ import annotations

import os
import resource
import time

# How many must be free to start a kernel: five pipes, a pidfd, two that are copied and its
# connection to the ROUTER, which all come to 14; and as many as connections leave at the lowest
# limits, so that the pages of the kernels that do run are still answered.
KERNEL_NEEDS = 24

_FOLDER = "/proc/self/fd"
# If the folder has to be read and holds so many, the count is valid for so long. Meanwhile fewer
# are opened than connections leave (`http.connections.find_reserve`).
_MANY = 2000
_HOLDS_S = 0.02
_started: int | None = None
_last_s, _last = 0.0, 0


def raise_limit() -> int:
    """Raise the soft limit to the hard one.

    Returns:
        The limit in force.
    """
    global _started
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):  # a sandbox, or macOS with an endless hard limit
            return soft
        _started = soft
    return hard


def restore_limit() -> None:
    """Take back the limit that the process was started with, before it becomes another program."""
    if _started is not None:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(_started, hard), hard))


def find_started() -> int | None:
    """The soft limit that the process was started with; `None` if it is still in force."""
    return _started


def limit() -> int:
    """How many descriptors this process may have; what has no limit counts as 2**30."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 2**30 if soft == resource.RLIM_INFINITY else soft


def count() -> int:
    """How many descriptors are open; 0 if the system does not report it."""
    try:
        # Linux 6.2 and newer report the number as the folder's size, which takes 2 us at any
        # number.
        size = os.stat(_FOLDER).st_size
        return size or _read()
    except FileNotFoundError:
        return 0
    except OSError:  # there is none left to read the folder with
        return limit()


def _read() -> int:
    global _last, _last_s
    now_s = time.monotonic()
    if _last < _MANY or now_s - _last_s > _HOLDS_S:
        _last = len(os.listdir(_FOLDER)) - 1  # less the one that reads the folder
        _last_s = now_s
    return _last


def free() -> int:
    """How many more may be opened."""
    return max(limit() - count(), 0)
