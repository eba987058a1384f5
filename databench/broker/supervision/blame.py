"""The evidence in the ends of a kernel's processes: against an action, or a session's start.

Owns what is known of the process that runs; `protocol.poison` and `protocol.starts` decide.
"""

from __future__ import annotations

from ...protocol.lifecycle import Lifecycle
from ...protocol.poison import MEMORY, Growth, Poison
from ...protocol.starts import NOTHING, Finding, Starts
from ...settings import Settings
from .ending import Ending
from .launchers.local import Exit


class Blame:
    """Of one kernel.

    Args:
        settings: The limits in force for it.
        poison: The actions of its analysis that are suspected of ending kernels.

    Attributes:
        poison: As given.
        growth: Which request of the current process ran while it grew.
        cause: The evidence of the last crash against the action that ran; empty: none.
        was_asked: Whether a visitor, or new code, ended the last process.
        starts: Its sessions whose start is suspected of ending it.
        finding: The conclusion of the last crash about them.
    """

    def __init__(self, settings: Settings, poison: Poison) -> None:
        self.poison = poison
        self.starts = Starts(settings)
        self.begin_life()

    def begin_life(self) -> None:
        """A process begins, of which nothing is known."""
        self.cause, self.growth, self.finding = "", Growth(), NOTHING
        self.was_asked = False

    def forgive(self) -> None:
        """A visitor restarted the kernel, or its code changed."""
        self.poison.forgive()
        self.starts.forgive()

    @property
    def is_excused(self) -> bool:
        """Whether a session's start caused the last crash."""
        return self.finding.is_excused

    def judge(self, how: Exit, ending: Ending, life: Lifecycle, now_s: float) -> None:
        """The process has ended.

        Args:
            how: In the system's words.
            ending: As the server does.
            life: Knows whether it was to end.
            now_s: When, on the loop's clock.
        """
        explained = ending.explain(how)
        self.cause, self.was_asked = ending.find_cause(how), ending.was_asked
        is_kill = ending.is_kill(how)
        may_blame = (is_kill or ending.is_fault(how)) and not life.is_end_wished
        self.finding = self.starts.judge(
            explained if may_blame else "",
            now_s=now_s,
            busy=self.growth.busy,
            is_memory=self.cause == MEMORY,
            is_kill=is_kill and may_blame,
            grown=self.growth.find_grown_sessions(ending.memory_bytes),
        )

    def take_finding(self) -> Finding:
        """The conclusion of the last crash about sessions' starts, once."""
        finding, self.finding = self.finding, NOTHING
        return finding
