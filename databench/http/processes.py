"""Several processes of one application: forks them, passes signals on, restarts dead ones.

Theory of operation. The parent forks before any loop exists, and then only waits for signals, all
of which it has blocked: nothing can come between a fork and the note of its pid. It restarts a
child that dies up to 100 times, as Tornado does, but not one that could not start (status 70): a
second attempt would not go better, so everything ends. Children hold one end of a pipe: when the
parent is gone, for whatever reason, they read its end and drain.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import tornado.process

log = logging.getLogger("databench.http")

EXIT_SOFTWARE = 70  # sysexits.h: an internal error, here before or at the start
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
RESTARTS = 100
_GRACE_S = 1.0  # beyond the children's own limit
_LOOK_S = 1.0  # should a signal be lost
_WATCHED = (*STOP_SIGNALS, signal.SIGCHLD)


@dataclass(frozen=True)
class Child:
    """A child's own number and pipe.

    Attributes:
        number: From 0 on; a child that takes the place of another one has its number.
        parent_fd: Readable, at its end, when the parent is gone.
    """

    number: int
    parent_fd: int


class Parent:
    """The process that has forked the others.

    Args:
        count: How many.
        limit_s: How long children may take to end.
        on_stop: Called at the first signal.
    """

    def __init__(self, count: int, *, limit_s: float, on_stop: Callable[[], None]) -> None:
        self._count = count
        self._limit_s = limit_s + _GRACE_S
        self._on_stop = on_stop
        self._pids: dict[int, int] = {}
        self._restarts = 0
        self._status = 0
        self._deadline_s: float | None = None
        self._parent_end, self._child_end = -1, -1

    def run(self) -> Child | int:
        """Fork, and wait for the end of all children.

        Returns:
            In a child: what it is, with the signals still blocked; in the parent: the status.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
        self._child_end, self._parent_end = os.pipe()
        wanted = list(range(self._count))
        while wanted or self._pids:
            for number in wanted:
                pid = os.fork()
                if not pid:
                    return self._begin_child(number)
                self._pids[pid] = number
            wanted = self._look()
        os.close(self._child_end)
        os.close(self._parent_end)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return self._status

    def _begin_child(self, number: int) -> Child:
        os.close(self._parent_end)
        random.seed()
        tornado.process._task_id = number  # type: ignore[assignment]  # what Tornado's own `task_id()` tells
        return Child(number, self._child_end)

    def _look(self) -> list[int]:
        """Wait for one signal, and do what it asks for.

        Returns:
            The numbers of the children to be started again.
        """
        heard = signal.sigtimedwait(_WATCHED, _LOOK_S)
        if heard is not None and heard.si_signo in STOP_SIGNALS:
            self._stop(heard.si_signo)
        elif self._deadline_s is not None and time.monotonic() > self._deadline_s:
            log.warning("%d processes did not end within the limit; killed", len(self._pids))
            self._tell(signal.SIGKILL)
        return [number for pid in list(self._pids) if (number := self._reap(pid)) is not None]

    def _stop(self, number: int) -> None:
        if self._deadline_s is None:
            self._deadline_s = time.monotonic() + self._limit_s
            self._on_stop()
        self._tell(number)

    def _tell(self, number: int) -> None:
        for pid in self._pids:
            os.kill(pid, number)  # ours and not yet reaped, so no other process has the number

    def _reap(self, pid: int) -> int | None:
        """Take leave of a child that has ended; its number if it is to be started again."""
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended:
            return None
        number = self._pids.pop(pid)
        code = os.waitstatus_to_exitcode(status)
        if code == 0 or self._deadline_s is not None:
            log.info("process %d (%d) ended with %d", number, pid, code)
            return None
        how = f"ended with status {code}" if code > 0 else f"was ended by signal {-code}"
        self._restarts += 1
        if code != EXIT_SOFTWARE and self._restarts <= RESTARTS:
            log.warning("process %d (%d) %s; starting it again", number, pid, how)
            return number
        why = "it could not start" if code == EXIT_SOFTWARE else f"{RESTARTS} restarts, the limit"
        log.error("process %d (%d) %s: %s; ending all", number, pid, how, why)
        self._status = EXIT_SOFTWARE
        self._stop(signal.SIGTERM)
        return None
