"""The front's end of the guard (`guard.py`): starts it, sends it what to clean up, replaces it.

This cleans up after a kernel while the front lives, and the guard when it does not.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import secrets
import signal
import subprocess
import sys
from pathlib import Path

from ...protocol import brand
from . import guard

logger = logging.getLogger("databench.broker")

RESTART_WAIT_S = 1.0  # a guard that cannot live here must not be started in a tight loop


def choose_brand() -> int | None:
    """The hard limit of a front's kernels; `None` if the system has none to choose."""
    try:
        most = resource.getrlimit(resource.RLIMIT_RTTIME)[1]
        resource.prlimit(0, resource.RLIMIT_RTTIME)
    except (AttributeError, OSError, ValueError):
        return None
    most = brand.HIGHEST if most == resource.RLIM_INFINITY else min(most, brand.HIGHEST)
    hard = most - 1 - secrets.randbelow(2**40)
    return hard if hard > brand.LOWEST else None


class Guardian:
    """Owns the guard process.

    Args:
        mark: `NAME=value` in the environment of every kernel of this front.
    """

    def __init__(self, mark: str) -> None:
        self._directories: list[Path] = []
        self._mark = mark
        self._hard = choose_brand()
        self._groups: dict[int, int] = {}  # the soft limit of each, 0 if it has no brand
        self._process: subprocess.Popen[bytes] | None = None
        self._loop = asyncio.get_running_loop()
        self._pidfd: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._begun_s = 0.0

    @property
    def pid(self) -> int | None:
        """The guard's process id, or `None` when it does not run."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the guard, and send it all that it has to know."""
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__],
            stdin=subprocess.PIPE,
            bufsize=0,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        self._begun_s = self._loop.time()
        self._watch(self._process.pid)
        directories = (f"={directory}" for directory in self._directories)
        marks = [f"#{self._mark}", *([f"%{self._hard}"] if self._hard else [])]
        self._tell(*directories, *marks, *(f"+{g}" for g in self._groups))

    def add_directory(self, directory: Path) -> None:
        """A directory of the socket's, to be removed at the end or when the front is gone."""
        self._directories.append(directory)
        self._tell(f"={directory}")

    def add(self, pgid: int, name: bytes) -> None:
        """A kernel's process group begins: brand it, which has hardly begun.

        Args:
            pgid: Its id, and that of its only process.
            name: Of the kernel; ends with a random word.
        """
        self._groups[pgid] = self._burn(pgid, name)
        self._tell(f"+{pgid}")

    def discard(self, pgid: int) -> None:
        """A kernel's process group ended: have the guard end what has left it.

        The guard, because each look at all processes takes milliseconds if there are thousands.
        """
        soft = self._groups.pop(pgid, None)
        if soft is not None:
            self._tell(f"-{pgid}", *([f"!{soft} {self._hard}"] if soft else []))

    def clean(self) -> None:
        """Kill processes with the mark or the brand outside of the kernels' process groups."""
        mark, hard = self._mark.encode(), self._hard or 0
        # Both at a time: after each kill comes a wait, and the end of the server has a limit.
        guard.kill_all(
            lambda: [*guard.find_marked(mark), *(guard.find_branded(hard) if hard else ())]
        )

    def stop(self) -> None:
        """End the guard: nothing is left to clean up."""
        if self._timer:
            self._timer.cancel()
        self._unwatch()
        process, self._process = self._process, None
        # They are removed here, so the guard finds nothing to do at its end of file.
        for directory in self._directories:
            guard.remove_directory(str(directory))
        if process is None:
            return
        _close_input(process)
        try:
            process.wait(2)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()

    def _burn(self, pid: int, name: bytes) -> int:
        """Brand a process; returns its soft limit, or 0."""
        if self._hard is None:
            return 0
        soft = brand.find_soft(self._hard, name)
        try:
            resource.prlimit(pid, resource.RLIMIT_RTTIME, (soft, self._hard))
        except (OSError, ValueError) as error:
            logger.debug("process %d has no brand: %s", pid, error)
            return 0
        return soft

    def _tell(self, *lines: str) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return  # the next one gets everything
        try:
            process.stdin.write(b"".join(os.fsencode(line) + b"\n" for line in lines))
        except OSError:
            self._replace()

    def _watch(self, pid: int) -> None:
        try:
            self._pidfd = os.pidfd_open(pid)
        except (AttributeError, OSError):
            return  # then its end shows at the next line that it gets
        self._loop.add_reader(self._pidfd, self._replace)

    def _unwatch(self) -> None:
        pidfd, self._pidfd = self._pidfd, None
        if pidfd is not None:
            self._loop.remove_reader(pidfd)
            os.close(pidfd)

    def _replace(self) -> None:
        """The guard has ended, and the front had not asked it to."""
        self._unwatch()
        process, self._process = self._process, None
        if process is None:
            return
        process.wait()
        _close_input(process)
        logger.warning("guard process %d ended; starting another", process.pid)
        if self._loop.time() - self._begun_s >= RESTART_WAIT_S:
            self.start()
        else:
            self._timer = self._loop.call_later(RESTART_WAIT_S, self.start)


def _close_input(process: subprocess.Popen[bytes]) -> None:
    try:
        if process.stdin:
            process.stdin.close()
    except OSError:
        pass  # what was written did not leave: the guard does not read it
