"""A session's `data`, and the limits of what is kept of it (docs/protocol.md, 7.3)."""

from __future__ import annotations

from . import codec, layouts
from .records import Value

KEY_BYTES = codec.HEADER_BYTES // 2


class Values(dict[str, Value]):
    """The values by key.

    Args:
        limit_bytes: What they may hold together.

    Attributes:
        size_bytes: What they hold.
        key_bytes: What their keys hold in the header of one `open`.
    """

    __slots__ = ("_limit_bytes", "key_bytes", "size_bytes")

    def __init__(self, limit_bytes: int) -> None:
        super().__init__()
        self._limit_bytes = limit_bytes
        self.size_bytes = 0
        self.key_bytes = 0

    def hold(self, key: str, shown: bytes, stored: bytes, place: int = 0) -> None:
        """Hold a value as it was last changed at that place; 0: before the stream."""
        if key not in self:
            self.key_bytes += _size_of_key(key)
        self.size_bytes = self._size_with(key, shown, stored)
        self[key] = Value(shown, stored, place)

    def find_problem(self, key: str, shown: bytes, stored: bytes) -> str | None:
        """Why a value is not to be kept, or `None`.

        Keys have a limit of their own: all of them stand in the header of one `open`.
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
        return held_bytes - (_size(before.shown, before.stored) if before else 0)


def _size_of_key(key: str) -> int:
    return len(key.encode()) + 5  # with its length, in msgpack


def _size(shown: bytes, stored: bytes) -> int:
    # Where no hook changed the value, both are the same object.
    return len(shown) if shown is stored else len(shown) + len(stored)
