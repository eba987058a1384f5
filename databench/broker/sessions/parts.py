"""Work on many sessions, a part per turn of the loop.

Owns the order of such work and its size per turn; does not know the work itself. With ten thousand
sessions, opening all of them in a new kernel in one go blocked every page for a third of a second.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice


class Parts:
    """Carries out pieces of work, one after another.

    Args:
        loop: Its turns.
        rows: The most steps per turn.
        on_part: Called after each part in a separate turn.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, rows: int, on_part: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._rows = rows
        self._on_part = on_part
        self._works: deque[Iterator[None]] = deque()

    def begin(self, work: Iterator[None]) -> None:
        """Do as much as one turn may hold at once, if nothing else waits, and the rest later.

        Args:
            work: Each step does one session; it looks at the tables as they are by then.
        """
        self._works.append(work)
        if len(self._works) == 1:
            self._take()

    def _take(self) -> None:
        left = self._rows
        while self._works and left:
            done = sum(1 for _ in islice(self._works[0], left))
            if done < left:
                self._works.popleft()
            left -= done
        if self._works:
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._take()
        self._on_part()
