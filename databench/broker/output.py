"""A kernel's stdout and stderr, captured line by line, bounded (docs/protocol.md, 2)."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable

READ_BYTES = 65536
READS_PER_TURN = 16


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

    def read(self) -> None:
        """Take what is there, a bounded piece per call."""
        for _ in range(READS_PER_TURN):
            if self._fd is None:
                return
            try:
                chunk = os.read(self._fd, READ_BYTES)
            except BlockingIOError:
                return
            except OSError:
                chunk = b""
            if not chunk:
                self.close()
                return
            self._split(chunk)

    def close(self) -> None:
        """Hand on an unfinished line, and close the pipe."""
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
            self._hand_on(line)
        while len(self._rest) > self._line_bytes:
            self._hand_on(self._rest[: self._line_bytes])
            self._rest = self._rest[self._line_bytes :]

    def _hand_on(self, line: bytes) -> None:
        text = line[: self._line_bytes].decode("utf-8", "replace").rstrip("\r")
        self.tail.append(text)
        self._on_line(text)
