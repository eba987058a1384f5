"""Kernel processes on this machine: spawn, watch, signal, reap.

Theory of operation: each kernel leads its own session and process group, so that Ctrl-C in
the terminal reaches only the front and one signal reaches a kernel with all its children. The loop
sees an exit through a pidfd (or a waiting thread without one), never by polling. The process is
not reaped before its group was killed: until then the group's number cannot be used again.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import resource
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from .... import descriptors
from ....errors import KernelError

logger = logging.getLogger("databench.broker")

INTERRUPT_VARIABLE = "DATABENCH_INTERRUPT_FD"
_NAMES = {resource.RLIMIT_CPU: "seconds of processor time", resource.RLIMIT_NOFILE: "open files"}


@dataclass(frozen=True)
class Exit:
    """How a process ended: exactly one of the two is set."""

    status: int | None = None
    signal: int | None = None

    def __str__(self) -> str:
        if self.signal is None:
            return f"exited with status {self.status}"
        return f"was ended by {self.signal_name}"

    @property
    def signal_name(self) -> str:
        """`SIGSEGV`, or `signal 40`."""
        try:
            return signal.Signals(self.signal or 0).name
        except ValueError:
            return f"signal {self.signal}"


def find_pair(number: int, limit: int, most: int) -> tuple[int, int]:
    """The soft and the hard limit that hold a process to a limit: it may raise the first itself.

    Args:
        number: The resource, `resource.RLIMIT_…`.
        limit: What is wanted.
        most: What this server may give, or `resource.RLIM_INFINITY`.
    """
    # At the soft limit of processor time, a signal gives the reason; at the hard one comes SIGKILL.
    hard = limit + (number == resource.RLIMIT_CPU)
    hard = hard if most == resource.RLIM_INFINITY else min(hard, most)
    return min(limit, hard), hard


_WANTING = {
    errno.EAGAIN: "the system allows no further process (ulimit -u, or the control group's pids)",
    errno.ENOMEM: "the system has no memory for it",
    errno.EMFILE: "the server has no descriptor left (ulimit -n)",
    errno.ENFILE: "the system has no descriptor left",
}


def _explain(error: Exception) -> str:
    """Why the system refuses a process, with the limit to raise if it is one."""
    if isinstance(error, OSError) and error.errno in _WANTING:
        return f"{_WANTING[error.errno]}: {error.strerror}"
    return str(error)


class LocalProcess:
    """One kernel process.

    Args:
        command: Its command line.
        environ: Its whole environment; the interrupt pipe's variable is added.
        cwd: Its working directory.
        on_exit: Called on the loop, once, when the process has ended.
        limits: Of the system's resources (`resource.RLIMIT_…`), for it and what it starts.

    Raises:
        KernelError: The command cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        cwd: Path,
        on_exit: Callable[[Exit], None],
        limits: Mapping[int, int] | None = None,
    ) -> None:
        self._on_exit = on_exit
        self._loop = asyncio.get_running_loop()
        self._is_reaped = False
        self._process = self._spawn(command, environ, cwd)
        self.pid = self._process.pid
        self._limit(limits or {})
        # Their readers own these descriptors from here on.
        self.stdout_fd, self.stderr_fd = self._detach(self._process)
        try:
            self._watch()
        except RuntimeError as error:  # no pidfd, and no thread in its place
            for number in (self.stdout_fd, self.stderr_fd):
                os.close(number)
            self._abandon(error)

    def signal(self, number: int) -> None:
        """Send a signal to the kernel alone."""
        if not self._is_reaped:
            self._send(os.kill, number)

    def signal_group(self, number: int) -> None:
        """Send a signal to the kernel and its children."""
        if not self._is_reaped:
            self._send(os.killpg, number)

    def interrupt(self, record: bytes) -> None:
        """Write a record to the interrupt pipe and send SIGINT.

        A pipe that is full holds records the kernel has not read; it is interrupted all the same.
        """
        if self._is_reaped:
            return
        try:
            os.write(self._interrupt, record)
        except (BlockingIOError, BrokenPipeError):
            pass
        self._send(os.kill, signal.SIGINT)

    def _spawn(
        self, command: Sequence[str], environ: Mapping[str, str], cwd: Path
    ) -> subprocess.Popen[bytes]:
        if descriptors.free() < descriptors.KERNEL_NEEDS:
            # Before any is taken: libzmq ends the process when there is none for a connection.
            told = descriptors.count(), descriptors.limit(), descriptors.KERNEL_NEEDS
            raise KernelError(
                "no kernel can be started: {} of {} descriptors are in use, and it needs {}; "
                "close pages, or raise the limit (ulimit -n)".format(*told)
            )
        interrupt_read, self._interrupt = os.pipe()
        os.set_blocking(self._interrupt, False)
        os.set_blocking(interrupt_read, False)
        try:
            return subprocess.Popen(
                command,
                env={**environ, INTERRUPT_VARIABLE: str(interrupt_read)},
                cwd=cwd,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[interrupt_read],
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            os.close(self._interrupt)
            raise KernelError(f"{command[0]!r} cannot be started: {_explain(error)}") from None
        finally:
            os.close(interrupt_read)

    def _detach(self, process: subprocess.Popen[bytes]) -> tuple[int, int]:
        """Its output's descriptors, which are no longer the process object's."""
        assert process.stdout and process.stderr
        found: list[int] = []
        try:
            for output in (process.stdout, process.stderr):
                found.append(os.dup(output.fileno()))
        except OSError as error:
            for number in found:
                os.close(number)
            self._abandon(error)
        finally:
            process.stdout.close()
            process.stderr.close()
        return found[0], found[1]

    def _abandon(self, error: Exception) -> NoReturn:
        """End the whole process, which cannot be watched, and return the reason.

        Raises:
            KernelError: Always.
        """
        self._send(os.killpg, signal.SIGKILL)
        self._is_reaped = True
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        os.close(self._interrupt)
        raise KernelError(f"its process cannot be watched: {_explain(error)}") from None

    def _limit(self, limits: Mapping[int, int]) -> None:
        """Limit the process that has just begun.

        From outside: a function that runs between fork and exec may hang if there are threads.
        """
        pid = self._process.pid
        started = descriptors.find_started()
        if started is not None and resource.RLIMIT_NOFILE not in limits:
            self._lower_open_files(started)
        for number, limit in limits.items():
            try:
                most = resource.prlimit(pid, number)[1]
                if most != resource.RLIM_INFINITY and most < limit:
                    told = pid, _NAMES.get(number, f"resource {number}"), limit, most
                    logger.warning(
                        "kernel process %d: %s: %d wanted, but the server's limit is %d",
                        *told,
                    )
                resource.prlimit(pid, number, find_pair(number, limit, most))
            except (OSError, AttributeError, ValueError) as error:
                logger.warning("kernel process %d: no limit: %s", pid, error)

    def _lower_open_files(self, started: int) -> None:
        """Give it the limit that the server had: a kernel may `select`, and raise it itself."""
        try:
            hard = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)[1]
            resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (min(started, hard), hard))
        except (OSError, AttributeError, ValueError) as error:
            logger.debug("kernel process %d: open files: %s", self.pid, error)

    def _send(self, send: Callable[[int, int], None], number: int) -> None:
        try:
            send(self.pid, number)
        except (ProcessLookupError, PermissionError):
            pass  # ended meanwhile; its exit is on the way

    def _watch(self) -> None:
        try:
            self._pidfd: int | None = os.pidfd_open(self.pid)
        except (AttributeError, OSError):
            self._pidfd = None
            threading.Thread(target=self._wait_in_thread, daemon=True).start()
            return
        self._loop.add_reader(self._pidfd, self._reap)

    def _wait_in_thread(self) -> None:
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        try:
            self._loop.call_soon_threadsafe(self._reap)
        except RuntimeError:
            pass  # the loop is closed: the server has ended

    def _reap(self) -> None:
        if self._is_reaped:
            return
        if self._pidfd is not None:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
        self._send(os.killpg, signal.SIGKILL)
        self._is_reaped = True
        code = self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        os.close(self._interrupt)
        self._on_exit(Exit(signal=-code) if code < 0 else Exit(status=code))
