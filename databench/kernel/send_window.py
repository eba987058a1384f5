"""One session's credit, and what waits for it; pure.

A message may go while the credit is above zero, so it goes below by at most one message. Messages
that cannot go wait in order: emits one by one, state and progress by key with the latest value in
the first one's place, log lines not at all (they are counted). An end goes without credit, but
never before the waiting messages of its own request.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Any

from ..errors import DatabenchError


class OutOfCreditError(DatabenchError):
    """More waits for a slow page than may."""


class WaitingMessage:
    """A message that waits.

    Attributes:
        frames: As they will be sent.
        size_bytes: Its cost.
        owner: The request it belongs to.
        key: What it may be replaced by, or `None`.
        is_end: Whether it goes without credit.
        is_counted: Whether it counts towards the limit of unawaited messages.
        is_sent: Whether it has gone (or never will, the session being closed).
        waiter: An object with `release()` that waits for it, or `None`.
    """

    __slots__ = (
        'frames', 'is_counted', 'is_end', 'is_sent', 'key', 'owner', 'size_bytes', 'waiter',
    )  # fmt: skip

    def __init__(self, frames: list[bytes], owner: Any) -> None:
        self.frames = frames
        self.size_bytes = sum(map(len, frames))
        self.owner = owner
        self.key: Hashable = None
        self.is_end = False
        self.is_counted = False
        self.is_sent = False
        self.waiter: Any = None


class SendWindow:
    """How much one session may send: its credit, as of a window in HTTP/2.

    Args:
        window_bytes: The credit it begins with.
        limit_bytes: Most bytes of unawaited messages that may wait.
    """

    def __init__(self, window_bytes: int, limit_bytes: int) -> None:
        self.credit = window_bytes
        self.limit_bytes = limit_bytes
        self.unawaited_bytes = 0
        self.dropped = 0
        self.waiting: deque[WaitingMessage] = deque()
        self._by_key: dict[Hashable, WaitingMessage] = {}

    @property
    def is_open(self) -> bool:
        """Whether a message may go now."""
        return self.credit > 0 and not self.waiting

    def spend(self, size_bytes: int) -> None:
        """Pay for a message that goes now."""
        self.credit -= size_bytes

    def put(self, frames: list[bytes], owner: Any) -> WaitingMessage:
        """Let an emit wait.

        Raises:
            OutOfCreditError: Too many bytes wait that no code awaits.
        """
        entry = WaitingMessage(frames, owner)
        waiting = self.unawaited_bytes
        if waiting and waiting + entry.size_bytes > self.limit_bytes:
            raise OutOfCreditError(
                f"the page is slow: {waiting} bytes of emits wait for it that your code does not "
                f"await, limit {self.limit_bytes}; this one is not sent: await self.emit(...), "
                "or emit less"
            )
        entry.is_counted = True
        self.unawaited_bytes += entry.size_bytes
        self.waiting.append(entry)
        return entry

    def put_latest(self, key: Hashable, frames: list[bytes], owner: Any) -> WaitingMessage:
        """Let a value wait, instead of an earlier one of this key."""
        entry = self._by_key.get(key)
        if entry is not None:
            entry.frames = frames
            entry.size_bytes = sum(map(len, frames))
            return entry
        entry = WaitingMessage(frames, owner)
        entry.key = key
        self._by_key[key] = entry
        self.waiting.append(entry)
        return entry

    def put_end(self, frames: list[bytes], owner: Any) -> bool:
        """Let an end wait behind what its request has waiting; False: it may go now."""
        if not any(entry.owner is owner for entry in self.waiting):
            return False
        entry = WaitingMessage(frames, owner)
        entry.is_end = True
        self.waiting.append(entry)
        return True

    def awaited(self, entry: WaitingMessage) -> None:
        """Code awaits this entry: it no longer counts as unbounded."""
        if entry.is_counted:
            entry.is_counted = False
            self.unawaited_bytes -= entry.size_bytes

    def grant(self, size_bytes: int) -> list[WaitingMessage]:
        """Take credit back.

        Returns:
            The frames that go now, in order, already paid.
        """
        self.credit += size_bytes
        going: list[WaitingMessage] = []
        while self.waiting and (self.credit > 0 or self.waiting[0].is_end):
            entry = self.waiting.popleft()
            self._leave(entry)
            self.credit -= entry.size_bytes
            going.append(entry)
        return going

    def withdraw(self, entry: WaitingMessage) -> bool:
        """Take out an entry that has not gone; False if it has."""
        try:
            self.waiting.remove(entry)
        except ValueError:
            return False
        self._leave(entry)
        return True

    def close(self) -> list[WaitingMessage]:
        """Drop all waiting messages, and return them."""
        entries = list(self.waiting)
        for entry in entries:
            self._leave(entry)
        self.waiting.clear()
        return entries

    def _leave(self, entry: WaitingMessage) -> None:
        entry.is_sent = True
        if entry.is_counted:
            entry.is_counted = False
            self.unawaited_bytes -= entry.size_bytes
        if entry.key is not None:
            self._by_key.pop(entry.key, None)
