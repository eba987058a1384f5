"""Standard output and log of this process, written by a thread: no slow reader stops a server.

Owns stdout and stderr while a server runs. A terminal that is held (Ctrl-S), a pager or a log
shipper that reads nothing make `write` wait; on the loop, every page would wait with it.

Theory of operation. `queued_streams` replaces each stream by a `QueuedStream`, also in
handlers of `logging` that hold one. Whole lines go to the bounded queue of a `LineWriter`, whose
thread writes them to the descriptor. What does not fit is dropped and counted. The thread begins
with the first line and is ended before a fork, in whose child it would not exist. It writes by
`os.write`: a daemon thread that sleeps in a buffered stream holds its lock, and the interpreter
aborts when it flushes that stream at the end. The lock is re-entrant: a finaliser may print while
its own thread is adding a line.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import select
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from ..settings import ROWS

_PIECE_BYTES = 65536  # what one turn of the thread takes, and the longest line without an end
_CLEAR = b"\r\x1b[K"  # to the line's begin, and erase it
_WAIT_MS = 1000  # for a descriptor that another process has set to non-blocking

_writers: weakref.WeakSet[LineWriter] = weakref.WeakSet()


class LineWriter:
    """A bounded queue of lines for one destination, and the thread that writes them.

    Args:
        write: Writes bytes, however long it takes; an `OSError` or `ValueError` loses them.

    Attributes:
        queue_lines: How many lines may wait.
        queue_bytes: How long they may be together.
        flush_s: How long the end waits for them.
        lock: Re-entrant; nothing waits while it is held.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self.queue_lines = int(ROWS["log_queue_lines"].default)
        self.queue_bytes = int(ROWS["log_queue_bytes"].default)
        self.flush_s = float(ROWS["log_flush_s"].default)
        self.lock = threading.Condition()
        self._write = write
        self._lines: deque[bytes] = deque()
        self._size = 0  # of what waits, and of what is being written
        self._dropped = 0
        self._lost = 0  # could not be written
        self._status = self._shown = b""
        self._thread: threading.Thread | None = None
        self._is_ending = False
        _writers.add(self)

    def add(self, line: bytes) -> None:
        """Write a line as soon as may be; never waits."""
        with self.lock:
            if len(self._lines) >= self.queue_lines or self._size + len(line) > self.queue_bytes:
                self._dropped += max(line.count(b"\n"), 1)
                return
            if self._dropped or self._lost:
                self._append(self._take_note())
            self._append(line)
            self._wake()

    def show(self, status: bytes) -> None:
        """Keep this below the last line, instead of the previous text; "" takes it away.

        Args:
            status: One line without its end, for a terminal; only the newest is ever written.
        """
        with self.lock:
            if status != self._status:
                self._status = status
                self._wake()

    def flush(self, limit_s: float | None = None) -> bool:
        """Wait until all is written, and end the thread; the next line begins another.

        Args:
            limit_s: At most; `None`: `flush_s`.

        Returns:
            Whether all is written; what is left stays in the queue.
        """
        with self.lock:
            thread = self._thread
            if thread is threading.current_thread():
                return False
            if thread is None:
                self._write_rest()
                return True
            self._is_ending = True
            self.lock.notify_all()
        thread.join(self.flush_s if limit_s is None else limit_s)
        self._is_ending = False
        return not thread.is_alive()

    # ------------------------------------------------------------ around a fork

    def before_fork(self) -> None:
        """A thread does not go over to the child, and a lock that it holds would stay held."""
        self.flush()
        self.lock.acquire()

    def after_fork(self, *, is_child: bool) -> None:
        """Continue, in the parent or in the child; unwritten lines of the parent stay with it."""
        if not is_child:
            self.lock.release()
            return
        self.lock = threading.Condition()
        self._thread = None
        self._lines.clear()
        self._size = self._dropped = self._lost = 0
        self._status = self._shown = b""

    # ------------------------------------------------------------ the thread

    def _append(self, line: bytes) -> None:
        self._lines.append(line)
        self._size += len(line)

    def _wake(self) -> None:
        if self._thread is not None:
            self.lock.notify_all()
            return
        self._thread = threading.Thread(target=self._run, name="databench-log", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no thread can be had: the next line tries again
            self._thread = None

    def _run(self) -> None:
        written = 0
        while True:
            with self.lock:
                self._size -= written
                while not (self._lines or self._dropped or self._status != self._shown):
                    if self._is_ending:
                        self._thread = None
                        return
                    self.lock.wait()
                written, piece = self._take_piece()
            try:
                self._write(piece)
            except (OSError, ValueError):  # closed, broken, a full disk: that ends nothing
                with self.lock:
                    self._lost += piece.count(b"\n")

    def _write_rest(self) -> None:
        """No thread could be had for what waits, and it is the end."""
        while self._lines or self._dropped:
            size, piece = self._take_piece()
            self._size -= size
            with contextlib.suppress(OSError, ValueError):
                self._write(piece)

    def _take_piece(self) -> tuple[int, bytes]:
        """The next bytes to write, and how many of them were in the queue."""
        taken: list[bytes] = []
        size = 0
        while self._lines and size < _PIECE_BYTES:
            taken.append(self._lines.popleft())
            size += len(taken[-1])
        if self._dropped and not self._lines:
            taken.append(self._take_note())
        before = _CLEAR if self._shown else b""
        self._shown = b"" if self._lines else self._status
        return size, b"".join((before, *taken, self._shown))

    def _take_note(self) -> bytes:
        count = self._dropped + self._lost
        self._dropped = self._lost = 0
        lines = "1 line of the log was" if count == 1 else f"{count:,} lines of the log were"
        return (
            f"{time.strftime('%H:%M:%S')} warning: {lines} dropped: the log is written faster "
            f"than it is read\n"
        ).encode()


class QueuedStream(io.TextIOBase):
    """Instead of `sys.stdout` or `sys.stderr`: takes lines and never waits.

    Args:
        stream: What it stands for; `None` if the process began without it.
        writer: Where the lines go.
    """

    def __init__(self, stream: TextIO | None, writer: LineWriter) -> None:
        self.stream = stream
        self.writer = writer
        self._part = b""
        self._encoding = getattr(stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Take text; what follows its last line end waits for more, or for `flush`."""
        added = text.encode(self._encoding, "backslashreplace")
        with self.writer.lock:
            lines, end, self._part = (self._part + added).rpartition(b"\n")
            if end:
                self.writer.add(lines + end)
            if len(self._part) > _PIECE_BYTES:
                self.flush()
        return len(text)

    def flush(self) -> None:
        """Hand on the begin of a line too; does not wait until it is written."""
        with self.writer.lock:
            part, self._part = self._part, b""
            if part:
                self.writer.add(part)

    def close(self) -> None:
        """Does nothing: other loggers' lines must come out."""

    def writable(self) -> bool:
        """Yes."""
        return True

    def isatty(self) -> bool:
        """Whether a terminal shows it."""
        return self.stream is not None and not self.stream.closed and self.stream.isatty()

    def fileno(self) -> int:
        """Of the stream itself: what is written there does not go through the queue."""
        if self.stream is None:
            raise OSError("the process began without this stream")
        return self.stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of the stream itself."""
        return self._encoding

    def __getattr__(self, name: str) -> Any:
        """`buffer`, `name`, `reconfigure` and the like."""
        return getattr(self.__dict__.get("stream"), name)


@contextlib.contextmanager
def queued_streams() -> Iterator[None]:
    """While it is entered, stdout and stderr and the log go through queues; entered twice, once.

    At the end waits for what is in them, at most `log_flush_s`.
    """
    before = sys.stdout, sys.stderr
    if isinstance(before[1], QueuedStream):
        yield
        return
    open_standard_files()
    error = LineWriter(_make_write(before[1]))
    out = error if _is_same_file(*before) else LineWriter(_make_write(before[0]))
    queued = QueuedStream(before[0], out), QueuedStream(before[1], error)
    sys.stdout, sys.stderr = queued
    _swap_in_handlers(dict(zip(map(id, before), queued, strict=True)))
    try:
        yield
    finally:
        # A program that has put others in their place keeps those.
        sys.stdout = before[0] if sys.stdout is queued[0] else sys.stdout
        sys.stderr = before[1] if sys.stderr is queued[1] else sys.stderr
        flush_streams(*queued)
        _swap_in_handlers(dict(zip(map(id, queued), before, strict=True)))


def flush_streams(*streams: Any) -> None:
    """Wait until all printed and logged lines are written, at most `log_flush_s`."""
    for stream in streams or (sys.stdout, sys.stderr):
        if isinstance(stream, QueuedStream):
            stream.flush()
            stream.writer.show(b"")
            stream.writer.flush()


def open_standard_files() -> None:
    """A standard descriptor that was closed is the null device, not the next file that is opened.

    Otherwise a socket could get the number 2, and C code would write its complaints into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one


def _make_write(stream: TextIO | None) -> Callable[[bytes], None]:
    def write_stream(piece: bytes) -> None:
        if stream is not None:
            stream.write(piece.decode("utf-8", "replace"))
            stream.flush()

    def write_file(piece: bytes) -> None:
        assert stream is not None
        rest = memoryview(piece)
        while rest:
            try:
                rest = rest[os.write(stream.fileno(), rest) :]
            except BlockingIOError:
                poll = select.poll()
                poll.register(stream.fileno(), select.POLLOUT)
                poll.poll(_WAIT_MS)

    return write_stream if _find_file(stream) is None else write_file


def _find_file(stream: TextIO | None) -> tuple[int, int] | None:
    """Which file a stream writes to; `None` if it is not one of the system."""
    try:
        assert stream is not None
        stream.flush()
        found = os.fstat(stream.fileno())
    except (AssertionError, AttributeError, OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _is_same_file(one: TextIO | None, other: TextIO | None) -> bool:
    """Whether lines for both must stay in their order."""
    return _find_file(one) is not None and _find_file(one) == _find_file(other)


def _swap_in_handlers(streams: dict[int, Any]) -> None:
    """Handlers of `logging` that write to one of these streams (by `id`) write to its other."""
    others = (found for found in logging.root.manager.loggerDict.values())
    for logger in (logging.root, *others):
        for handler in getattr(logger, "handlers", ()):
            if isinstance(handler, logging.StreamHandler):
                stream = streams.get(id(handler.stream))
                if stream is not None:
                    handler.setStream(stream)


def _before_fork() -> None:
    for writer in list(_writers):
        writer.before_fork()


def _after_fork(*, is_child: bool) -> None:
    for writer in list(_writers):
        writer.after_fork(is_child=is_child)


os.register_at_fork(
    before=_before_fork,
    after_in_parent=lambda: _after_fork(is_child=False),
    after_in_child=lambda: _after_fork(is_child=True),
)
