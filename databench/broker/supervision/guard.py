"""The guard: a process that cleans up when the front is gone, however it went.

Run as a script (`python -I -S guard.py`), with the standard library's smallest parts only. It reads
lines from its standard input: `+PGID` and `-PGID` for a kernel's process group, `=DIRECTORY` for
the socket's directory, `#MARK` for a word in the environment of every kernel, `%HARD` for the brand
of every kernel, `!SOFT HARD` for the brand of one that has ended: the guard kills at once what is
left of it. At end of file the front is dead: the guard kills each group that is still listed, every
process with the mark or the brand (a kernel's child that made its own session), removes the
directory and ends.

The brand (`protocol/brand.py`) is a pair of limits that children inherit whatever they leave
behind. If the system has no such limit, only the mark counts.

It has its own session and ignores the terminal's signals, so that Ctrl-C reaches only the
front.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from functools import partial

TYPE_CHECKING = False  # `typing` would cost more than all that is done here
if TYPE_CHECKING:
    from collections.abc import Callable

SWEEPS = 20
SWEEP_WAIT_S = 0.05


def list_processes() -> list[int]:
    """All process ids but this one; empty without /proc."""
    try:
        found = {int(name) for name in os.listdir("/proc") if name.isdigit()}
    except OSError:
        return []
    return list(found - {os.getpid()})


def read_brand(pid: int) -> tuple[int, int]:
    """The soft and the hard limit by which a process is known; zeros if there are none."""
    try:
        return resource.prlimit(pid, resource.RLIMIT_RTTIME)
    except (AttributeError, OSError):
        return 0, 0  # another system, or ended meanwhile, or not ours to ask


def find_marked(mark: bytes) -> list[int]:
    """Process ids whose environment carries the mark."""
    found: list[int] = []
    for pid in list_processes():
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if mark in file.read().split(b"\0"):
                    found.append(pid)
        except OSError:
            continue  # ended meanwhile, or not ours to read
    return found


def find_branded(hard: int, soft: int | None = None) -> list[int]:
    """Process ids with that brand: of one kernel, or of any of the front's."""
    brands = ((pid, read_brand(pid)) for pid in list_processes())
    return [pid for pid, brand in brands if brand[1] == hard and soft in (None, brand[0])]


def kill_group(pgid: int) -> None:
    """SIGKILL to a whole process group; it is fine if the group is gone."""
    try:
        os.killpg(pgid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def kill_all(find: Callable[[], list[int]]) -> None:
    """SIGKILL to every process that is found, until there is none left or it stays hopeless."""
    for _ in range(SWEEPS):
        pids = find()
        if not pids:
            return
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        time.sleep(SWEEP_WAIT_S)


def remove_directory(path: str) -> None:
    """Remove a flat directory; it is fine if files are already gone."""
    try:
        for name in os.listdir(path):
            os.unlink(os.path.join(path, name))
        os.rmdir(path)
    except OSError:
        pass


class Guard:
    """The groups, brands and folder to clean up."""

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._directories: set[str] = set()
        self._marks: set[bytes] = set()
        self._brands: set[int] = set()

    def take(self, line: bytes) -> None:
        """Handle a line of the front."""
        word = line[1:].rstrip(b"\n")
        if line[:1] == b"+":
            self._groups.add(int(word))
        elif line[:1] == b"-":
            self._groups.discard(int(word))
        elif line[:1] == b"=":
            self._directories.add(os.fsdecode(word))
        elif line[:1] == b"#":
            self._marks.add(word)
        elif line[:1] == b"%":
            self._brands.add(int(word))
        elif line[:1] == b"!":
            soft, hard = map(int, word.split())
            kill_all(partial(find_branded, hard, soft))

    def clean(self) -> None:
        """Kill and remove all of it."""
        for pgid in self._groups:
            kill_group(pgid)
        for mark in self._marks:
            kill_all(partial(find_marked, mark))
        for brand in self._brands:
            kill_all(partial(find_branded, brand))
        for path in self._directories:
            remove_directory(path)


def main() -> None:
    """Listen until the front is gone, then clean up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    guard = Guard()
    for line in sys.stdin.buffer:
        guard.take(line)
    guard.clean()


if __name__ == "__main__":
    main()
