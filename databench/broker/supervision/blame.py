"""What the ends of one kernel's processes say: against an action, or against a session's start.

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
        cause: What the last death says against the action that ran; empty: nothing.
        was_asked: Whether a person, or new code, ended the last process.
        starts: Its sessions whose start is suspected of ending it.
        finding: What the last death says of them.
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
        """A person restarted the kernel, or its code changed."""
        self.poison.forgive()
        self.starts.forgive()

    @property
    def is_excused(self) -> bool:
        """Whether the last death came of a session's start."""
        return self.finding.is_excused

    def judge(self, how: Exit, ending: Ending, life: Lifecycle, now_s: float) -> None:
        """The process has ended.

        Args:
            how: As the system says it.
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
        """What the last death says of sessions' starts, once."""
        finding, self.finding = self.finding, NOTHING
        return finding
