"""Whether a kernel answers: pings it, and counts what stays unanswered (docs/protocol.md, 7.1)."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from ...settings import Settings

NUMBERS = 2**53


class Heartbeat:
    """Of one generation of a kernel.

    Args:
        limits: An object with the settings' attributes.
        ping: Sends the ping of that number, which cannot be guessed: an answer to it was sent by
            who has read it, and all that was sent before.
    """

    def __init__(self, limits: Settings, ping: Callable[[int], object]) -> None:
        self._limits = limits
        self._ping = ping
        self._heard = True  # the first ping is yet to be sent
        self._missed = 0
        self._number = -1

    def hear(self) -> None:
        """It sent something: any traffic counts as an answer."""
        self._heard = True

    def take_heard(self) -> bool:
        """Whether it sent something since the last such question; no beat may come meanwhile."""
        heard, self._heard = self._heard, False
        return heard

    def beat(self, late_s: float) -> None:
        """One interval is over: count an answer that did not come, and ask again.

        Args:
            late_s: By how much longer than planned the interval was.
        """
        # A late timer means that we slept (a suspended machine), not that the kernel did.
        if self._heard or late_s > self._limits.ping_interval_s:
            self._missed = 0
        else:
            self._missed += 1
        self._heard = False
        self.ask()

    def ask(self) -> None:
        """Ask for an answer, out of turn too; earlier answers no longer count."""
        self._number = secrets.randbelow(NUMBERS)
        self._ping(self._number)

    def is_answer(self, number: int) -> bool:
        """Whether a pong of that number answers the last ping."""
        return number == self._number

    @property
    def silent_s(self) -> float:
        """For how long it has not answered."""
        return float(self._missed * self._limits.ping_interval_s)

    @property
    def is_silent(self) -> bool:
        """Whether it has not answered for longer than it may."""
        return self._missed >= int(self._limits.ping_missed)
