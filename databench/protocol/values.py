"""A session's `data`, and the limits of what is kept of it (docs/protocol.md, 7.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Protocol

from . import codec, layouts
from .records import Value

KEY_BYTES = codec.HEADER_BYTES // 2


class Snapshots(Protocol):
    """Values that pages are shown when they join, each by its frame.

    Attributes:
        names: The keys in the order in which they came; none ever goes.
    """

    @property
    def names(self) -> Sequence[str]:
        """See above."""

    def snapshot(self, key: str) -> bytes:
        """The value's frame as it now stands, the same object for each page."""


class Values(dict[str, Value]):
    """The values by key.

    Args:
        limit_bytes: What they may hold together.
        scope: `data`, or `class_data`.

    Attributes:
        names: See `Snapshots`.
        size_bytes: What they hold.
        key_bytes: What their keys hold in the header of one `open`.
    """

    __slots__ = ("_limit_bytes", "_scope", "key_bytes", "names", "size_bytes")

    def __init__(self, limit_bytes: int, scope: str = "data") -> None:
        super().__init__()
        self._limit_bytes = limit_bytes
        self._scope = scope
        self.names: list[str] = []
        self.size_bytes = 0
        self.key_bytes = 0

    def hold(self, key: str, shown: bytes, stored: bytes, offset: int = 0) -> None:
        """Hold a value that was last changed at that offset; 0: before the stream."""
        if key not in self:
            self.names.append(key)
            self.key_bytes += _size_of_key(key)
        self.size_bytes = self._size_with(key, shown, stored)
        self[key] = Value(shown, stored, offset)

    def snapshot(self, key: str) -> bytes:
        """See `Snapshots`."""
        return self[key].snapshot(self._scope, key)

    def find_problem(self, key: str, shown: bytes, stored: bytes) -> str | None:
        """Why a value is not to be kept, or `None`.

        Keys have a separate limit: all of them stand in the header of one `open`.
        """
        held_bytes, limit = self._size_with(key, shown, stored), self._limit_bytes
        if held_bytes > limit:
            return f"state {key!r}: {held_bytes} bytes of state, limit {limit}; not kept"
        if key in self:
            return None
        if len(self) >= layouts.LIST_ITEMS:
            return f"state {key!r}: {layouts.LIST_ITEMS} keys of state, the limit; not kept"
        key_bytes = self.key_bytes + _size_of_key(key)
        if key_bytes > KEY_BYTES:
            return f"state {key!r}: {key_bytes} bytes of keys, limit {KEY_BYTES}; not kept"
        return None

    def _size_with(self, key: str, shown: bytes, stored: bytes) -> int:
        before = self.get(key)
        held_bytes = self.size_bytes + _size(shown, stored)
        return held_bytes - (before.size_bytes if before else 0)


def take_snapshots(values: Snapshots, is_wanted: Callable[[str], bool]) -> Iterator[bytes]:
    """The frames of the values that there are now, each made, and asked for, when it is taken."""
    count = len(values.names)  # later values have their own frames in the stream
    return (values.snapshot(key) for key in islice(values.names, count) if is_wanted(key))


def _size_of_key(key: str) -> int:
    return len(key.encode()) + 5  # with its length, in msgpack


def _size(shown: bytes, stored: bytes) -> int:
    # If no hook changed the value, both are the same object.
    return len(shown) if shown is stored else len(shown) + len(stored)
