"""A kernel's stdout and stderr, captured line by line, bounded (docs/protocol.md, 2).

Theory of operation. One turn of the loop reads one piece of a pipe or hands on some lines of what
was read; then the reader pauses, so that a flood costs the loop a small part of its time and slows
down the kernel instead. Beyond the lines and bytes of a second, lines are counted and not decoded.
An unfinished line, a progress bar or a prompt, is handed on as it is after a while.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
from collections import deque
from collections.abc import Callable

from ...printable import clean
from ...settings import Settings
from .launchers.local import LocalProcess
from .lines import LineSplitter, OutputBudget

REST_READS = 16  # at its end: more than a pipe holds
_SECOND_S = 1.0


class LineReader:
    """Reads one pipe without blocking and hands on whole lines.

    Args:
        fd: The pipe's read end; this object closes it.
        on_line: Called with each line, without its end.
        settings: The limits `output_…`.
        budget: Shared by the pipes of one process; `None`: every line is handed on.
        on_unfinished: Called with the begin of a line that has had no end for a while.

    Attributes:
        tail: The last lines, also of those that were only counted.
    """

    def __init__(
        self,
        fd: int,
        on_line: Callable[[str], None],
        settings: Settings,
        *,
        budget: OutputBudget | None = None,
        on_unfinished: Callable[[str], None] | None = None,
    ) -> None:
        self.tail: deque[str] = deque(maxlen=settings.output_lines)
        self._tail_s: deque[float] = deque(maxlen=settings.output_lines)
        self._fd: int | None = fd
        self._on_line = on_line
        self._settings = settings
        self._budget = budget
        self._on_unfinished = on_unfinished
        self._splitter = LineSplitter(settings.output_line_bytes)
        self._loop = asyncio.get_running_loop()
        self._timers: dict[Callable[[], None], asyncio.TimerHandle] = {}
        self._is_paused = False
        self._shown = ""
        self._missed = 0  # how many of the last lines were only counted
        os.set_blocking(fd, False)
        self._loop.add_reader(fd, self.turn)

    def turn(self) -> None:
        """Hand on lines that are there, else read a piece; a bounded part of either."""
        if self._fd is None:
            return
        size = 0 if self._splitter.holds_line else self._read()
        is_flood = self._hand_on(self._settings.output_turn_lines)
        is_flood |= size == self._settings.output_turn_bytes or self._splitter.holds_line
        self._go_on(is_flood=is_flood)

    def finish(self) -> None:
        """The kernel has ended: take the rest, though a child of it may still write, and close."""
        for _ in range(REST_READS):
            if self._fd is None or not self._read():
                break
            self._hand_on(None)
        self._close()

    def tail_since(self, since_s: float) -> list[str]:
        """Those of the last lines that came since then, on the loop's clock."""
        return [line for line, at_s in zip(self.tail, self._tail_s, strict=True) if at_s >= since_s]

    def _go_on(self, *, is_flood: bool) -> None:
        if self._fd is None:
            return
        if is_flood:
            self._loop.remove_reader(self._fd)
            self._is_paused = True
            self._later(self._settings.output_pause_s, self.turn)
        elif self._is_paused:
            self._is_paused = False
            self._loop.add_reader(self._fd, self.turn)

    def _read(self) -> int:
        """Read a piece; returns its size, 0 if nothing is there or nothing will come."""
        assert self._fd is not None
        try:
            piece = os.read(self._fd, self._settings.output_turn_bytes)
        except BlockingIOError:
            return 0
        except OSError:
            piece = b""
        if not piece:
            self._close()
            return 0
        self._splitter.feed(piece)
        if self._on_unfinished:
            self._later(self._settings.output_unfinished_s, self._show_unfinished)
        return len(piece)

    def _close(self) -> None:
        if self._fd is None:
            return
        self._loop.remove_reader(self._fd)
        os.close(self._fd)
        self._fd = None
        self._hand_on(None)
        for line in self._splitter.finish():
            self._take(line)
        self._note()
        for line in list(self.tail)[-self._missed :] if self._missed else ():
            self._on_line(line)  # the last words of a process are worth more than its flood
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _hand_on(self, most: int | None) -> bool:
        """Hand on lines, up to the limit; returns whether they are only counted from here on."""
        left = most
        while left is None or left > 0:
            if self._budget and not self._budget.allows(self._loop.time()):
                self._omit()
                return True
            line = self._splitter.take()
            if line is None:
                return False
            self._take(line)
            left = None if left is None else left - 1
        return False

    def _take(self, line: str) -> None:
        self._keep([line])
        self._missed = 0
        self._shown = ""
        if self._budget:
            self._budget.spend(len(line))
        self._on_line(line)

    def _keep(self, lines: list[str]) -> None:
        self.tail.extend(lines)
        self._tail_s.extend([self._loop.time()] * len(lines))

    def _omit(self) -> None:
        assert self._budget is not None
        while self._splitter.holds_line:
            count, size_bytes, last = self._splitter.take_all(self._settings.output_lines)
            self._budget.omit(count, size_bytes)
            self._keep(last)
            self._missed = min(self._missed + count, len(self.tail))
            self._later(_SECOND_S, self._note)

    def _note(self) -> None:
        text = self._budget.take_note() if self._budget else ""
        if text:
            self._on_line(text)

    def _show_unfinished(self) -> None:
        text = self._splitter.unfinished
        if self._on_unfinished and text and text != self._shown:
            self._shown = text
            self._on_unfinished(text)

    def _later(self, delay_s: float, do: Callable[[], None]) -> None:
        """Do it once then, if it is not to be done already."""

        def run() -> None:
            del self._timers[do]
            do()

        if do not in self._timers:
            self._timers[do] = self._loop.call_later(delay_s, run)


class Capture:
    """Both outputs of one kernel process, to its log.

    Args:
        process: The process.
        logger: Where its lines go; an unfinished one is marked `is_unfinished`.
        settings: The limits `output_…`.
    """

    def __init__(self, process: LocalProcess, logger: logging.Logger, settings: Settings) -> None:
        budget = OutputBudget(settings.output_rate_lines, settings.output_bytes_per_s)
        self._readers = [
            LineReader(
                fd,
                lambda line: logger.info("%s", line),
                settings,
                budget=budget,
                on_unfinished=lambda line: logger.info("%s", line, extra={"is_unfinished": True}),
            )
            for fd in (process.stdout_fd, process.stderr_fd)
        ]

    @property
    def last_lines(self) -> list[str]:
        """The last lines of its stderr."""
        return self.lines_since(-math.inf)

    def lines_since(self, since_s: float) -> list[str]:
        """Those of the last lines of its stderr that came since then, on the loop's clock.

        They are for pages, which would show a terminal's control sequences.
        """
        return [clean(line) for line in self._readers[1].tail_since(since_s)]

    def finish(self) -> None:
        """The process has ended: take what it wrote before."""
        for reader in self._readers:
            reader.finish()
