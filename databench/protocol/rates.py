"""How often pages may ask for something: of one kernel, one visitor, from one address. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterable

MOMENT_S = 0.001
REMEMBERED = 10_000  # the latest askers; a forgotten one starts from zero


class Rates:
    """Counts the requests within a time.

    Args:
        window_s: The time.
    """

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._asked: OrderedDict[Hashable, deque[float]] = OrderedDict()

    def ask(self, keys: Iterable[tuple[Hashable, int]], now_s: float) -> float:
        """Ask for one more: it counts for each key, or for none if one is at its limit.

        Args:
            keys: What it counts for, each with its limit within the time.
            now_s: Monotonic time.

        Returns:
            0 if it may be; else after how many seconds it may be asked for again.
        """
        counts = [(self._count(key, now_s), limit) for key, limit in keys]
        waits = [
            times[-limit] + self._window_s - now_s for times, limit in counts if len(times) >= limit
        ]
        if waits:
            return max(MOMENT_S, *waits)  # a rounded difference may be 0
        for times, _ in counts:
            times.append(now_s)
        return 0.0

    def _count(self, key: Hashable, now_s: float) -> deque[float]:
        times = self._asked.setdefault(key, deque())
        self._asked.move_to_end(key)
        while times and times[0] <= now_s - self._window_s:
            times.popleft()
        while len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)
        return times
