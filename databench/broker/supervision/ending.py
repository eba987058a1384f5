"""Why a process ends: who wanted it, the system's reason, and the evidence against its actions."""

from __future__ import annotations

import math
import resource
import signal

from ...protocol.poison import find_cause
from ...settings import Settings
from ..specs import AnalysisSpec
from .launchers.local import Exit
from .usage import count_memory_kills

_FROM_OUTSIDE = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})


def find_limits(settings: Settings) -> dict[int, int]:
    """The limits of the system's resources for a kernel with these settings."""
    wanted = {
        resource.RLIMIT_CPU: math.ceil(settings.kernel_processor_s),
        resource.RLIMIT_NOFILE: int(settings.kernel_open_files),
    }
    return {number: limit for number, limit in wanted.items() if limit}


class Ending:
    """Of one generation, from its start.

    Args:
        settings: The limits in force for it.
        spec: Its analysis as it was at the start, which has the names of the limits.

    Attributes:
        why: Why the server ended it, for people; empty if it did not.
        was_asked: Whether a visitor, or new code, ended it.
        was_memory: Whether it was ended for the memory that it held.
        was_bye: Whether it announced its end itself.
    """

    def __init__(self, settings: Settings, spec: AnalysisSpec) -> None:
        self.why = ""
        self.was_asked = False
        self.was_memory = False
        self.was_bye = False
        self._settings = settings
        self._spec = spec
        self._memory_kills = count_memory_kills()

    def blame_memory(self, excess: str) -> str:
        """It is ended for the memory that it holds: why, for people.

        Args:
            excess: How much it holds, of how much.
        """
        self.was_memory = True
        return f"{excess} ({self._spec.name_limit('kernel_memory_bytes')})"

    @property
    def memory_bytes(self) -> int:
        """The memory limit of the process; 0: no limit."""
        return int(self._settings.kernel_memory_bytes)

    def say_bye(self, reason: str) -> None:
        """The process ends by itself, unless something has ended it before.

        Args:
            reason: Its own words.
        """
        if not self.why:
            self.was_bye, self.why = True, reason

    def explain(self, how: Exit) -> str:
        """How it ended and why, for people; to be called when it has."""
        if self.was_asked and self.why:
            return f"was {self.why}"  # without the signal: it is not an incident
        if how.signal == signal.SIGKILL and not self.why:
            if count_memory_kills() > self._memory_kills:
                self.was_memory = True
                self.why = "the system was out of memory"
        limit_s = find_limits(self._settings).get(resource.RLIMIT_CPU)
        if how.signal == signal.SIGXCPU and limit_s and not self.why:
            name = self._spec.name_limit("kernel_processor_s")
            self.why = f"used {limit_s} s of processor time, limit {limit_s} ({name})"
        return f"{how}: {self.why}" if self.why else str(how)

    def find_cause(self, how: Exit) -> str:
        """The evidence of this end against the action that ran; empty: none."""
        was_asked = self.was_asked or (bool(self.why) and not self.was_memory)
        name = None if how.signal is None else how.signal_name
        return find_cause(how.status, name, was_asked=was_asked, was_memory=self.was_memory)

    def is_fault(self, how: Exit) -> bool:
        """Whether this end may come of what began in the process; to be asked after `explain`.

        More than `find_cause` takes: what begins again in each process ends each of them, whether
        the system ends it, the kernel itself, or the server for a limit.
        """
        if self.was_asked or self.was_bye:
            return False
        return bool(self.why) or how.signal not in _FROM_OUTSIDE

    def is_kill(self, how: Exit) -> bool:
        """Whether a signal ended it that people send as well; to be asked after `explain`."""
        return not self.why and how.signal in _FROM_OUTSIDE
