"""A kernel's stdout and stderr, captured line by line, bounded (docs/protocol.md, 2)."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable
from typing import Any

from .launchers.local import LocalProcess

READ_BYTES = 4096  # per turn of the loop: a flood of short lines must not hold up the others
REST_READS = 64  # at its end: more than a pipe holds


class LineReader:
    """Reads one pipe without blocking and hands on whole lines.

    Args:
        fd: The pipe's read end; this object closes it.
        on_line: Called with each line, without its end.
        line_bytes: A longer line is handed on in pieces.
        keep: How many last lines `tail` remembers.
    """

    def __init__(
        self, fd: int, on_line: Callable[[str], None], *, line_bytes: int, keep: int
    ) -> None:
        self.tail: deque[str] = deque(maxlen=keep)
        self._fd: int | None = fd
        self._on_line = on_line
        self._line_bytes = line_bytes
        self._rest = b""
        self._loop = asyncio.get_running_loop()
        os.set_blocking(fd, False)
        self._loop.add_reader(fd, self.read)

    def read(self) -> bool:
        """Take a piece of what is there.

        Returns:
            Whether there may be more.
        """
        if self._fd is None:
            return False
        try:
            chunk = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            chunk = b""
        if not chunk:
            self._close()
            return False
        self._split(chunk)
        return True

    def finish(self) -> None:
        """The kernel has ended: take the rest, though a child of it may still write, and close."""
        for _ in range(REST_READS):
            if not self.read():
                break
        self._close()

    def _close(self) -> None:
        if self._fd is None:
            return
        self._loop.remove_reader(self._fd)
        os.close(self._fd)
        self._fd = None
        if self._rest:
            self._hand_on(self._rest)
            self._rest = b""

    def _split(self, chunk: bytes) -> None:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._hand_on(self._cut(line))
        self._rest = self._cut(self._rest)

    def _cut(self, line: bytes) -> bytes:
        """Hand on whole pieces of a long line; returns what is left of it."""
        while len(line) > self._line_bytes:
            self._hand_on(line[: self._line_bytes])
            line = line[self._line_bytes :]
        return line

    def _hand_on(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip("\r")
        self.tail.append(text)
        self._on_line(text)


class Capture:
    """Both outputs of one kernel process, to its log.

    Args:
        process: The process.
        logger: Where its lines go.
        settings: The limits `output_line_bytes` and `output_lines`.
    """

    def __init__(self, process: LocalProcess, logger: logging.Logger, settings: Any) -> None:
        self._readers = [
            LineReader(
                fd,
                lambda line: logger.info("%s", line),
                line_bytes=settings.output_line_bytes,
                keep=settings.output_lines,
            )
            for fd in (process.stdout_fd, process.stderr_fd)
        ]

    @property
    def last_lines(self) -> list[str]:
        """The last lines of its stderr."""
        return list(self._readers[1].tail)

    def finish(self) -> None:
        """The process has ended: take what it wrote before."""
        for reader in self._readers:
            reader.finish()
