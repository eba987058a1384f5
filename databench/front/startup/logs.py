"""The log in the terminal: short lines, one format for all of them.

A kernel's progress bar is one line that moves if the log is a terminal, and a line now and then
if it is a file.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import unicodedata
from typing import Any

from ...errors import SettingError
from ...http.queued import QueuedStream
from ...printable import COLOUR, RESET, PrintableFormatter
from ...settings import ROWS, Settings
from ..security.sessionlinks import hide_sessions

_KERNELS = "databench.kernel."  # behind it the analysis' name: a line that its kernel printed
_COLUMNS = 80  # of a terminal without a known width


class Formatter(PrintableFormatter):
    """`12:31:07 text`, with the level from WARNING on, and the logger at DEBUG.

    What a kernel prints has the analysis' name in front. An address that names a session, in
    whatever was logged, does so without its key.
    """

    def __init__(self) -> None:
        super().__init__(datefmt="%H:%M:%S")

    def compose(self, record: logging.LogRecord) -> str:
        """One record, its traceback below."""
        text = record.getMessage()
        if record.name.startswith(_KERNELS):
            text = f"{record.name.removeprefix(_KERNELS)} | {text}"
        if record.levelno >= logging.WARNING:
            text = f"{record.levelname.lower()}: {text}"
        elif record.levelno < logging.INFO:
            text = f"{record.name}: {text}"
        line = f"{self.formatTime(record, self.datefmt)} {text}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return hide_sessions(line)


class LogHandler(logging.StreamHandler[Any]):
    """Writes to stderr; lines that are not finished (`record.is_unfinished`) come and go.

    Attributes:
        progress_s: If the log is not a terminal, the time between two of a logger.
    """

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.progress_s = float(ROWS["output_progress_s"].default)
        self._formatter = Formatter()
        self.setFormatter(self._formatter)
        self._written_s: dict[str, float] = {}
        self._shown_of = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        if not getattr(record, "is_unfinished", False):
            if record.name == self._shown_of:
                self._show("", "")  # first: the line takes its place
            super().emit(record)
        elif self._is_terminal():
            self._show(self.format(record), record.name)
        elif self._is_due(record.name, time.monotonic()):
            super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        """One record; what a kernel prints in colour has it on a terminal."""
        is_of_kernel = record.name.startswith(_KERNELS)
        is_coloured = is_of_kernel and not os.environ.get("NO_COLOR") and self._is_terminal()
        self._formatter.keeps_colours = is_coloured
        return super().format(record)

    def _is_terminal(self) -> bool:
        stream = self.stream
        return (
            isinstance(stream, QueuedStream)
            and stream.isatty()
            and os.environ.get("TERM", "dumb") != "dumb"
        )

    def _is_due(self, name: str, now_s: float) -> bool:
        last_s = self._written_s.get(name)
        if last_s is not None and now_s - last_s < self.progress_s:
            return False
        self._written_s[name] = now_s
        return True

    def _show(self, line: str, name: str) -> None:
        self._shown_of = name
        stream = self.stream
        if isinstance(stream, QueuedStream):
            text = fit(line, _find_columns(stream) - 1)
            stream.writer.show(text.encode(stream.encoding, "backslashreplace"))


def fit(line: str, columns: int) -> str:
    """The begin of a line that fits into that many columns: a longer one would scroll."""
    width = begin = 0
    for colour in [*COLOUR.finditer(line), None]:
        end = len(line) if colour is None else colour.start()
        for place in range(begin, end):
            letter = line[place]
            width += 2 if unicodedata.east_asian_width(letter) in "WF" else letter.isprintable()
            if width > columns:
                return line[:place] + (RESET if begin else "")
        begin = end if colour is None else colour.end()
    return line


def _find_columns(stream: QueuedStream) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or _COLUMNS
    except OSError:
        return _COLUMNS


def configure(level: str) -> None:
    """Log to stderr; other libraries only from WARNING on, unless everything is wanted.

    Args:
        level: `DEBUG`, `INFO`, `WARNING` or `ERROR`.
    """
    root = logging.getLogger()
    root.handlers[:] = [LogHandler()]
    root.setLevel(level if level in ("DEBUG", "ERROR") else "WARNING")
    logging.getLogger("databench").setLevel(level)
    # A selector's name and each file's hash are of no use to readers.
    for name in ("asyncio", "tornado.general"):
        logging.getLogger(name).setLevel("WARNING")


def trace(path: str | None) -> None:
    """Log the messages of traced kernels, whatever else is logged.

    Args:
        path: The file that they are appended to; `None`: the log itself.

    Raises:
        SettingError: The file cannot be written.
    """
    logger = logging.getLogger("databench.trace")
    logger.setLevel(logging.INFO)
    if path is None:
        return
    try:
        handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise SettingError(
            f"--trace-file is {path!r}, which cannot be written: {error.strerror}",
            name="trace_file",
        ) from None
    handler.setFormatter(PrintableFormatter("%(asctime)s.%(msecs)03d %(message)s", "%H:%M:%S"))
    logger.propagate = False
    logger.handlers[:] = [handler]


def adopt(limits: Settings) -> None:
    """Take the limits of the log that were asked for, once they are known.

    Args:
        limits: `log_queue_lines`, `log_queue_bytes`, `log_flush_s`, `output_progress_s`.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, QueuedStream):
            stream.writer.queue_lines = limits.log_queue_lines
            stream.writer.queue_bytes = limits.log_queue_bytes
            stream.writer.flush_s = limits.log_flush_s
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LogHandler):
            handler.progress_s = limits.output_progress_s
