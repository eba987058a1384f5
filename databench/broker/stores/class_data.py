"""`class_data` of one analysis, in memory, with a version per key.

Every write returns from here, to its writer too: the version decides which value stands, so that
all kernels and pages of an analysis end at the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from ...protocol import layouts, text
from ...protocol.budget import Budget
from ...protocol.values import KEY_BYTES


@dataclass(slots=True)
class ClassValue:
    """One value: what pages see, what kernels get back, and the count of its writes."""

    shown: bytes
    stored: bytes
    version: int
    _frame: bytes = field(default=b"", init=False, repr=False, compare=False)
    _change: bytes = field(default=b"", init=False, repr=False, compare=False)

    @property
    def frame_bytes(self) -> int:
        """The bytes of the frames that pages were shown."""
        return len(self._frame) + len(self._change)

    def snapshot(self, key: str) -> bytes:
        """The value as a page that joins gets it, made once for all of them."""
        if not self._frame:
            self._frame = text.compose_state("class_data", key, self.shown, snapshot=True)
        return self._frame

    def change(self, key: str) -> bytes:
        """The value as a change in a session's stream, made once for all of them."""
        if not self._change:
            self._change = text.compose_state("class_data", key, self.shown)
        return self._change


class ClassData:
    """The values of one analysis.

    Args:
        size_bytes: The most that they may hold together.
        on_write: Called with each value that was written.
        kept: What an earlier server kept.

    Attributes:
        names: See `databench.protocol.values.Snapshots`.
        writes: How many there were.
    """

    def __init__(
        self,
        size_bytes: int,
        on_write: Callable[[str, ClassValue], None] | None = None,
        kept: Mapping[str, ClassValue] | None = None,
    ) -> None:
        self._limit_bytes = size_bytes
        self._on_write = on_write
        self._budget: Budget | None = None
        self._values = dict(kept or {})
        self.names = list(self._values)
        self.writes = 0
        self._latest: dict[str, int] = {}  # the last write of each key, the latest at the end
        values = self._values.values()
        self._size_bytes = sum(len(value.shown) + len(value.stored) for value in values)
        self._key_bytes = sum(len(key.encode()) for key in self._values)

    def __iter__(self) -> Iterator[tuple[str, ClassValue]]:
        return iter(self._values.items())

    def get(self, key: str) -> ClassValue | None:
        """The value of that key, or `None`."""
        return self._values.get(key)

    def snapshot(self, key: str) -> bytes:
        """See `databench.protocol.values.Snapshots`."""
        value = self._values[key]
        before_bytes = value.frame_bytes
        frame = value.snapshot(key)
        self._count(value.frame_bytes - before_bytes)
        return frame

    def list_changed(self, since: int) -> list[tuple[str, bytes]]:
        """The values that were written after that many writes, each with its change, in order."""
        keys = list(takewhile(lambda key: self._latest[key] > since, reversed(self._latest)))
        return [(key, self._make_change(key)) for key in reversed(keys)]

    def _make_change(self, key: str) -> bytes:
        value = self._values[key]
        before_bytes = value.frame_bytes
        frame = value.change(key)
        self._count(value.frame_bytes - before_bytes)
        return frame

    def count_in(self, budget: Budget | None) -> None:
        """Count what is held in that budget from now on, and no more in the one before.

        Args:
            budget: The front's; `None`: these values are put aside.
        """
        held_bytes = self._size_bytes + sum(v.frame_bytes for v in self._values.values())
        self._count(-held_bytes)
        self._budget = budget
        self._count(held_bytes)

    def _count(self, size_bytes: int) -> None:
        if self._budget is not None:
            self._budget.take(None, size_bytes)

    def write(self, key: str, shown: bytes, stored: bytes, *, base: int | None) -> bool:
        """Write a value.

        Args:
            key: Its name.
            shown: As pages see it, JSON.
            stored: As kernels get it back, JSON.
            base: The version that it replaces (0: the key is new), or `None` for any.

        Returns:
            Whether it was written: not if `base` is no longer current.

        Raises:
            OverflowError: The values, or their keys, would hold more than the limit.
        """
        before = self._values.get(key)
        version = before.version if before else 0
        if base is not None and base != version:
            return False
        if before is None:
            self._check_keys(key)
        size_bytes = self._size_bytes + len(shown) + len(stored)
        size_bytes -= len(before.shown) + len(before.stored) if before else 0
        if size_bytes > self._limit_bytes:
            raise OverflowError(f"{size_bytes} bytes of class state, limit {self._limit_bytes}")
        grown_bytes = size_bytes - self._size_bytes - (before.frame_bytes if before else 0)
        if self._budget is not None and grown_bytes > 0 and not self._budget.has_room(grown_bytes):
            raise OverflowError("the server is short of memory")
        self._count(grown_bytes)
        self._size_bytes = size_bytes
        if before is None:
            self.names.append(key)
            self._key_bytes += len(key.encode())
        value = self._values[key] = ClassValue(shown, stored, version + 1)
        self.writes += 1
        self._latest.pop(key, None)
        self._latest[key] = self.writes
        if self._on_write is not None:
            self._on_write(key, value)
        return True

    def _check_keys(self, key: str) -> None:
        """Keys have separate limits: all of them stand in the header of one `welcome`."""
        if len(self._values) >= layouts.LIST_ITEMS:
            raise OverflowError(f"{layouts.LIST_ITEMS} keys of class state, the limit")
        key_bytes = self._key_bytes + len(key.encode())
        if key_bytes > KEY_BYTES:
            raise OverflowError(f"{key_bytes} bytes of keys of class state, limit {KEY_BYTES}")
