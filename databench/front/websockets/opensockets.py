"""The open websockets of one kind: written to and closed together, with one timer for all.

No single one has a task or a timer. Knows no handler: handlers add their own sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Generic, Protocol, TypeVar

from ...protocol import text


class Closable(Protocol):
    """An open websocket."""

    def close(self, code: int, reason: str) -> None:
        """Close it."""


class Follower(Closable, Protocol):
    """One of them, which can be written to."""

    def tell(self, frame: bytes) -> None:
        """Write a frame, if the page is still there."""


class Looker(Closable, Protocol):
    """One that is shown the latest of something."""

    def show(self, frame: bytes) -> None:
        """Write the present state; a page that has not taken the previous one waits."""


Socket = TypeVar("Socket", bound=Closable)


class OpenSockets(Generic[Socket]):
    """The open ones.

    Args:
        period_s: Of the timer, which runs while one is open; `None`: there is none.
    """

    def __init__(self, period_s: float | None = None) -> None:
        self._period_s = period_s
        self._sockets: set[Socket] = set()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._sockets)

    def __iter__(self) -> Iterator[Socket]:
        """Those that are open now: one that closes meanwhile changes nothing."""
        return iter(list(self._sockets))

    def add(self, socket: Socket) -> None:
        """One was opened."""
        self._sockets.add(socket)
        if self._timer is None:
            self._set_timer()

    def discard(self, socket: Socket) -> None:
        """One is gone, or was never here."""
        self._sockets.discard(socket)

    def close_all(self, code: int, reason: str) -> None:
        """Close each, and stop the timer."""
        for socket in self:
            socket.close(code, reason)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def sweep(self) -> None:
        """Look after them, once in each period."""

    def _set_timer(self) -> None:
        if self._period_s is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._period_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._sockets:
            self._set_timer()
            self.sweep()


class Followers(OpenSockets[Follower]):
    """The pages without an analysis, such as the gallery, that follow what is saved."""

    def announce(self, frame: bytes) -> None:
        """Write a frame to each."""
        for socket in self:
            socket.tell(frame)


class Lookers(OpenSockets[Looker]):
    """The pages that look at the kernels, and see them once a second.

    Args:
        describe: What they see.
    """

    def __init__(self, describe: Callable[[], list[dict[str, Any]]]) -> None:
        super().__init__(1.0)
        self._describe = describe

    def compose(self) -> bytes:
        """The frame of what there is now."""
        return text.compose_value("kernels", self._describe())

    def sweep(self) -> None:
        """Show each what there is now."""
        frame = self.compose()
        for socket in self:
            socket.show(frame)
