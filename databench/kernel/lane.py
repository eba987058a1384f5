"""The order of one session's actions; pure.

Actions start in the order in which they arrived. One that holds the lane (a plain method) keeps
the later ones back until it lets go; the others do not.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Lane(Generic[T]):
    """What waits in one session, and whether something holds it back."""

    def __init__(self) -> None:
        self._waiting: deque[T] = deque()
        self._holder: T | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_held(self) -> bool:
        """Whether an item that started keeps the later ones back."""
        return self._holder is not None

    def push(self, item: T) -> None:
        """Let an item wait its turn."""
        self._waiting.append(item)

    def take(self) -> T | None:
        """The item that may start now, or `None`."""
        if self._holder is not None or not self._waiting:
            return None
        return self._waiting.popleft()

    def hold(self, item: T) -> None:
        """Keep later items back until `item` lets go; it may do so already."""
        if self._holder not in (None, item):
            raise AssertionError("only what take() gave may hold, and that gives one at a time")
        self._holder = item

    def let_go(self, item: T) -> None:
        """Let later items start, if `item` holds them back."""
        if self._holder is item:
            self._holder = None

    def remove(self, item: T) -> bool:
        """Take an item out that still waits; False where it does not."""
        try:
            self._waiting.remove(item)
        except ValueError:
            return False
        return True

    def clear(self) -> list[T]:
        """Take out all that wait."""
        items = list(self._waiting)
        self._waiting.clear()
        return items
