"""The order of one session's actions; pure.

Actions start in the order in which they arrived. An action that starts holds the lane, and keeps
the later ones back until it lets go: a plain method at its end, others as soon as they run.

Theory of operation: only the loop's thread pushes and takes, but the thread of a plain action lets
go. No lock is needed: the one that pushes checks the holder afterwards, the one that lets go checks
the queue afterwards, so one of the two sees what the other did.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Lane(Generic[T]):
    """The waiting actions of one session, and the one that holds them back."""

    def __init__(self) -> None:
        self._waiting: deque[T] = deque()
        self._holder: T | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def is_held_by(self, item: T) -> bool:
        """Whether this item keeps the others back."""
        return self._holder is item

    def push(self, item: T) -> None:
        """Let an item wait its turn."""
        self._waiting.append(item)

    def take(self) -> T | None:
        """The item that may start now, which holds the lane from here on; or `None`."""
        if self._holder is not None or not self._waiting:
            return None
        self._holder = item = self._waiting.popleft()
        return item

    def let_go(self, item: T) -> bool:
        """Let later items start, if `item` holds them back; from any thread.

        Returns:
            Whether one waits that may start now: the caller has to take it.
        """
        if self._holder is not item:
            return False
        self._holder = None
        return bool(self._waiting)

    def remove(self, item: T) -> bool:
        """Take an item out that still waits; False if it does not."""
        try:
            self._waiting.remove(item)
        except ValueError:
            return False
        return True
