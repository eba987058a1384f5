"""The processes that this one has started, and their end with it.

Owns what a kernel does if the front is gone and no guard is there to clean up: it ends its
process group, children in other sessions, and daemons. Daemons are not its children any more,
but carry the brand that the front gave this process and that all its descendants inherit
(`protocol/brand.py`).
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from pathlib import Path

from ...protocol import brand


def find_kin(pid: int, root: Path = Path("/proc")) -> list[int]:
    """The processes below that one, and in its process group; empty without `/proc`.

    Args:
        pid: The process, which is not among them.
        root: Where the system shows processes.
    """
    children: dict[int, list[int]] = {}
    group: list[int] = []
    for folder in root.glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name in parentheses may hold anything, parentheses and spaces too: proc(5).
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(folder.name))
            if int(fields[2]) == pid != int(folder.name):
                group.append(int(folder.name))
    found = list(children.get(pid, ()))
    for parent in found:
        found += children.get(parent, ())
    return list(dict.fromkeys([*found, *group]))


def find_branded(name: bytes, root: Path = Path("/proc")) -> list[int]:
    """The other processes with this one's brand; empty without a brand or without `/proc`.

    Args:
        name: This kernel's.
        root: Where the system shows processes.
    """
    found: list[int] = []
    with contextlib.suppress(AttributeError):  # a system without such a limit
        own = resource.prlimit(0, resource.RLIMIT_RTTIME)
        if not brand.is_own(*own, name):
            return found  # it was started by something else, perhaps by another kernel
        for pid in (int(folder.name) for folder in root.glob("[0-9]*")):
            with contextlib.suppress(OSError):  # ended meanwhile, or not ours to ask
                if resource.prlimit(pid, resource.RLIMIT_RTTIME) == own:
                    found.append(pid)
    return [pid for pid in found if pid != os.getpid()]


def end_all(name: bytes) -> None:
    """End every process that this one has started, and its group, but for this one itself.

    Args:
        name: This kernel's.
    """
    for pid in [*find_kin(os.getpid()), *find_branded(name)]:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
