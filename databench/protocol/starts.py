"""Sets aside sessions whose start ends their kernel (docs/protocol.md, 7.2). Pure.

Theory of operation: each new process gets the sessions of the one before. So a session whose start
ends the process would end all following ones too, until the analysis has failed for every visitor.
A start that ran alone at the crash is guilty. If several ran, they are suspects: the next process
gets them one after another, the latest session first, and the others only then. Each such crash
removes a session, or leaves a suspicion that one of the next `_ROUNDS` settles, so it takes nothing
of the kernel's own budget.

A signal that people also send (SIGKILL, SIGTERM) proves nothing by itself. A start takes
milliseconds, so such a signal does not hit one in several processes in a row by chance.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ..settings import Settings

_ROUNDS = 3  # crashes in a row that only move suspicion; more have another cause
_CHANCES = 2  # kills in a row that may have come from outside, though a session began


@dataclass(frozen=True, slots=True)
class Finding:
    """The conclusion of a crash about the sessions' starts.

    Attributes:
        guilty: The session whose start ended the process, if one is known; it is set aside.
        is_excused: Whether a start caused the crash, so that it does not count for the kernel.
    """

    guilty: str = ""
    is_excused: bool = False


NOTHING = Finding()


@dataclass(slots=True)
class _Start:
    number: int  # the later the session first began, the higher
    deaths: int = 0  # in a row, while it began
    until_s: float | None = None  # until when it may end its process; `None`: it was not given it
    is_again: bool = False  # it was set aside, and a visitor has it tried again


class Starts:
    """The starts of one kernel's sessions.

    Args:
        limits: An object with the settings' attributes.

    Attributes:
        aside: The sessions that no process is given, each with how its start ended the last one.
    """

    def __init__(self, limits: Settings) -> None:
        self.aside: dict[str, str] = {}
        self._limits = limits
        self._starts: dict[str, _Start] = {}
        self._suspects: list[str] = []  # in the order in which they are to be tried
        self._alone = ""  # the suspect that begins by itself now
        self._is_first = False  # whether its process had no other session before
        self._is_slow = False  # whether the suspects may need a moment after their start
        self._count = 0
        self._rounds = 0
        self._round_s = -math.inf
        self._kills = 0

    # ------------------------------------------------------------ what may begin

    def may_begin(self, id_: str) -> bool:
        """Whether the process may get that session now, beside others."""
        return not self._alone and not self._suspects and id_ not in self.aside

    @property
    def suspect(self) -> str:
        """The session to give to the process next, by itself; empty: none."""
        return self._suspects[0] if self._suspects and not self._alone else ""

    @property
    def alone(self) -> str:
        """The suspect that begins by itself now, without its actions; empty: none."""
        return self._alone

    def deaths_of(self, id_: str) -> int:
        """How many processes in a row have ended while that session began."""
        start = self._starts.get(id_)
        return start.deaths if start else 0

    # ------------------------------------------------------------ what happens

    def begin(self, id_: str) -> None:
        """The process is given the session."""
        if id_ == self.suspect:
            self._alone = self._suspects.pop(0)
            self._is_first = all(start.until_s is None for start in self._starts.values())
        if id_ not in self._starts:
            self._count += 1
            self._starts[id_] = _Start(self._count)
        self._starts[id_].until_s = math.inf

    def opened(self, id_: str, now_s: float) -> float:
        """The session's start has run to its first wait.

        Returns:
            In how many seconds it is done, for a suspect that begins by itself.
        """
        start = self._starts.get(id_)
        if start is None:
            return 0.0
        start.until_s = now_s + self._limits.start_settle_s
        return float(self._limits.start_settle_s) if self._is_slow and id_ == self._alone else 0.0

    def release(self, id_: str) -> None:
        """A suspect has begun, or takes so long that the others are not to wait for it."""
        if id_ == self._alone:
            self._alone = ""
            start = self._starts[id_]
            if start.until_s != math.inf:
                start.deaths = 0

    def close(self, id_: str) -> None:
        """The session is closed."""
        if id_ == self._alone:
            self._alone = ""
        if id_ in self._suspects:
            self._suspects.remove(id_)
        self.aside.pop(id_, None)
        self._starts.pop(id_, None)

    def retry(self, id_: str) -> None:
        """A session that was set aside is to be tried again, by itself."""
        del self.aside[id_]
        self._starts[id_].is_again = True
        self._suspects.insert(0, id_)

    def forgive(self) -> None:
        """A visitor restarted the kernel, or its code changed: all are tried again."""
        for start in self._starts.values():
            start.deaths, start.is_again = 0, False
        self._suspects = [*(id_ for id_ in self.aside if id_ in self._starts), *self._suspects]
        self.aside.clear()
        self._rounds = 0

    # ------------------------------------------------------------ what a crash shows

    def judge(
        self,
        fault: str,
        *,
        now_s: float,
        busy: Collection[str] = (),
        is_memory: bool = False,
        is_kill: bool = False,
        grown: Collection[str] = (),
    ) -> Finding:
        """The process has ended.

        Args:
            fault: How; empty: it was ended on purpose, which does not count against a start.
            now_s: When, on the clock of `opened`.
            busy: The sessions that had a request in it.
            is_memory: Whether it was ended for the memory that it held.
            is_kill: Whether a signal that people also send ended it.
            grown: The sessions that took much of that while nothing else ran.
        """
        beginning = [id_ for id_, s in self._starts.items() if s.until_s == math.inf]
        settling = [id_ for id_, s in self._starts.items() if now_s < (s.until_s or 0) < math.inf]
        self._kills = self._kills + 1 if is_kill and beginning else 0
        if is_kill and self._kills <= _CHANCES:
            fault = ""
        # A session's own request counts too: that it had begun may not have come through.
        candidates = beginning or ([] if busy else settling)
        finding = NOTHING
        if not fault:
            if self._alone:
                self._suspects.insert(0, self._alone)
        elif candidates:
            guilty = self._find_guilty(candidates, busy, is_memory, grown)
            finding = self._convict(guilty, fault) if guilty else self._suspect(candidates, now_s)
            self._is_slow = not beginning
        self._end_life(candidates if fault else (), finding.guilty)
        return finding

    def _find_guilty(
        self,
        candidates: list[str],
        busy: Collection[str],
        is_memory: bool,
        grown: Collection[str],
    ) -> str:
        if took := [id_ for id_ in candidates if id_ in grown]:
            return took[-1]
        if again := [id_ for id_ in candidates if self._starts[id_].is_again]:
            return self._find_latest(again)
        is_known = self._is_first or not (busy or is_memory)
        if self._alone in candidates and is_known:
            return self._alone
        if self._alone in candidates or is_memory:
            return ""
        if len(candidates) == 1 and self._starts[candidates[0]].until_s == math.inf and not busy:
            return candidates[0]
        before = [id_ for id_ in candidates if self._starts[id_].deaths]
        return self._find_latest(before) if before else ""

    def _find_latest(self, ids: Iterable[str]) -> str:
        return max(ids, key=lambda id_: self._starts[id_].number)

    def _convict(self, id_: str, fault: str) -> Finding:
        """It is set aside; the others were there by chance."""
        self.aside[id_] = fault
        self._suspects.clear()
        self._rounds = 0
        return Finding(id_, True)

    def _suspect(self, candidates: list[str], now_s: float) -> Finding:
        if now_s - self._round_s > self._limits.restart_window_s:
            self._rounds = 0
        self._rounds, self._round_s = self._rounds + 1, now_s
        if self._rounds > _ROUNDS:
            self._suspects.clear()
            return NOTHING
        if self._alone in candidates:
            self._suspects = [self._alone]  # next time it is the first
        else:
            self._suspects = sorted(candidates, key=lambda id_: -self._starts[id_].number)
        return Finding("", True)

    def _end_life(self, candidates: Collection[str], guilty: str) -> None:
        self._alone, self._is_first = "", False
        for id_, start in self._starts.items():
            has_begun_well = start.until_s not in (None, math.inf)
            if id_ == guilty or (id_ in candidates and not guilty):
                start.deaths += 1
            elif guilty or has_begun_well:
                start.deaths = 0
            start.until_s = None
