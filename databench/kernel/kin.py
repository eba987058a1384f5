"""The processes that this one has started, and their end with it.

Owns what a kernel does when the front is gone and no guard is there to clean up: it ends its
process group, and children that made a session of their own. A daemon, whose parent has ended, is
nobody's child any more and is not found.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path


def find_kin(pid: int, root: Path = Path("/proc")) -> list[int]:
    """The processes below that one, and in its process group; empty where there is no `/proc`.

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


def end_all() -> None:
    """End every process that this one has started, and its group, but for this one itself."""
    for pid in find_kin(os.getpid()):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
