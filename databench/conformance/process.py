"""The process of the kernel that is tested: what the front does to one beside its socket.

Owns its standard input, its output, the interrupt pipe, signals and its end. It leads its own
session, so that one signal ends it with its children.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from ..errors import KernelError
from ..protocol.variables import INTERRUPT

_LINES = 200  # of output that are kept
_REAP_S = 5.0


class KernelProcess:
    """One kernel process.

    Args:
        command: Its command line.
        variables: What it gets in its environment, in addition to this process' own.
        folder: Its working directory.

    Raises:
        KernelError: The command cannot be started.
    """

    def __init__(
        self, command: tuple[str, ...], variables: Mapping[str, str], folder: Path
    ) -> None:
        self.lines: deque[str] = deque(maxlen=_LINES)
        read, self._interrupt = os.pipe()
        for number in (read, self._interrupt):
            os.set_blocking(number, False)
        try:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **variables, "DATABENCH_INTERRUPT_FD": str(read)},
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[read],
                start_new_session=True,
            )
        except OSError as error:
            os.close(self._interrupt)
            raise KernelError(f"{command[0]!r} cannot be started: {error}") from None
        finally:
            os.close(read)
        assert self._process.stdout is not None
        self._reader = threading.Thread(
            target=self._collect, args=[self._process.stdout], daemon=True
        )
        self._reader.start()

    def _collect(self, stream: IO[bytes]) -> None:
        with stream:
            for line in iter(lambda: stream.readline(4096), b""):
                self.lines.append(line.decode(errors="replace").rstrip("\n"))

    @property
    def status(self) -> int | None:
        """The exit status, negative for a signal; `None` while it runs."""
        return self._process.poll()

    def interrupt(self, request: int, attempt: int) -> None:
        """Write a record to the interrupt pipe and send SIGINT (docs/protocol.md, 5.3)."""
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self._interrupt, INTERRUPT.pack(request, attempt))
        self.signal(signal.SIGINT)

    def signal(self, number: int) -> None:
        """Send a signal to the kernel alone."""
        if self._process.poll() is None:
            os.kill(self._process.pid, number)

    def end_input(self) -> None:
        """End its standard input, as the end of the front does."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def wait_exit(self, limit_s: float) -> bool:
        """Whether it ends within that time."""
        try:
            self._process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """End it and its children, and close everything."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(_REAP_S)
        self.end_input()
        self._reader.join(_REAP_S)
        os.close(self._interrupt)
