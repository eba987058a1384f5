"""When to wait for company: handling each of many small messages alone costs more than they do.

Pure: a decider over counts and times that the broker tells it.
"""

from __future__ import annotations

WINDOW_S = 0.01  # long enough for a rate, short against what a person notices
_FLOOD = 4  # times what the other side says itself


class Pace:
    """Decides for how long to leave messages alone, so that more of them come together.

    A plain action that emits in a loop hands its messages over one by one. Reading each at once,
    or writing each to its page at once, takes most of a processor, for which everybody else's
    messages then wait. Who says something for each answer waits for that answer: it is no flood.

    Args:
        limit_per_s: Above this many turns per second messages are gathered.
        gather_s: How long for.
    """

    __slots__ = ("_gather_s", "_heard", "_limit_per_s", "_messages", "_since_s", "_turns", "is_on")

    def __init__(self, limit_per_s: float, gather_s: float) -> None:
        self.is_on = False
        self._limit_per_s = limit_per_s
        self._gather_s = gather_s
        self._since_s = 0.0
        self._turns = self._messages = self._heard = 0

    def hear(self) -> None:
        """The other side said something."""
        self._heard += 1

    def note(self, messages: int, now_s: float) -> float:
        """Take note of a turn.

        Args:
            messages: How many were handled in it.
            now_s: When, on a clock that never goes back.

        Returns:
            How long to leave the next ones alone, in seconds; 0: handle each as it comes.
        """
        self._turns += messages > 0
        self._messages += messages
        elapsed_s = now_s - self._since_s
        if elapsed_s >= WINDOW_S:
            # What is gathered now would have come one by one.
            count = self._messages if self.is_on else self._turns
            is_fast = count > self._limit_per_s * elapsed_s
            self.is_on = is_fast and count > _FLOOD * self._heard
            self._since_s = now_s
            self._turns = self._messages = self._heard = 0
        return self._gather_s if self.is_on else 0.0
