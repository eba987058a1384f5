"""A session's records of its requests, its pages and its values."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field

from . import text

ProcessId = int | float


class Acceptance(enum.Enum):
    """The outcome of accepting a request of a page."""

    ACCEPTED = "accepted"
    REPEATED = "repeated"  # its id is open or was open: it is not run again
    REFUSED = "refused"  # too many are open: it got its end at once


@dataclass(slots=True)
class OpenRequest:
    """A request that has no end yet.

    Attributes:
        number: Unique in the whole server.
        action: The action's name.
        payload: What the page sent with it; freed once it is sent for the last time.
        process_id: What the page calls it, or `None` when it wants no start and end.
        accepted_s: When it was accepted.
        is_sent: Whether the kernel has it; what it has not is sent after a restart.
        is_idempotent: Whether the kernel that was sent it says that it may run twice.
        is_rerun: Whether it was lost with a kernel, and is run again.
        is_cancelled: Whether a visitor has asked for its end, in any way.
        size_bytes: What its payload holds of the kernel's queue.
        cancels: How often a page asked to cancel it.
        fingerprint: Distinguishes it from other actions and arguments, once it is sent.
        progress_offset: The offset of its latest progress; 0: there was none.
    """

    number: int
    action: str
    payload: bytes
    process_id: ProcessId | None
    accepted_s: float
    is_sent: bool = False
    is_idempotent: bool = False
    is_rerun: bool = False
    is_cancelled: bool = False
    size_bytes: int = 0
    cancels: int = 0
    fingerprint: int = 0
    progress_offset: int = 0

    def requeue(self) -> None:
        """Its kernel is lost: it waits for the next one, at its place among its session's."""
        self.is_sent, self.is_rerun = False, True
        # Its next messages stand behind its second start, not at their earlier offset.
        self.progress_offset = 0


@dataclass(slots=True)
class View:
    """One page that looks at the session.

    Attributes:
        is_counting: Whether it counts the stream (the client of 0.7 does not).
        cursor: The offset of the last frame written to it.
        delivered: The offset of the last frame that has left the process.
        own_ids: Process ids that this page gave, for pages that throw on others.
        is_lagging: It has too much unwritten: it is served from the ring when it has taken that.
    """

    is_counting: bool
    cursor: int
    delivered: int
    own_ids: set[ProcessId] = field(default_factory=set)
    is_lagging: bool = False

    def select(self, frames: Iterable[bytes], process_id: ProcessId | None) -> list[bytes]:
        """The frames that a page which does not count may get: of requests, only its own."""
        own = process_id is None or process_id in self.own_ids
        return [frame for frame in frames if own or not frame.startswith(text.ABOUT_REQUESTS)]

    def select_replayed(self, frames: Iterable[bytes]) -> list[bytes]:
        """The same for frames from the ring, which are about requests of any page."""
        return [
            frame
            for frame in frames
            if (id_ := text.read_process_id(frame)) is None or id_ in self.own_ids
        ]


class Value:
    """A value of `data`: the forms for pages and for the kernel, and its last offset.

    The frame of a snapshot holds the value whole, and all pages that join are sent the same one.
    So, once a page has asked for it, the frame is kept, and the value is a part of it.

    Args:
        shown: As pages see it, JSON.
        stored: As the kernel gets it back, JSON.
        offset: The offset of its last change; 0: before the stream.
    """

    __slots__ = ("_frame", "_shown", "_stored", "offset")

    def __init__(self, shown: bytes, stored: bytes, offset: int) -> None:
        self._frame: bytes | None = None
        self._shown: bytes | int = shown  # or how long it is, at the end of the frame
        self._stored = None if stored is shown else stored
        self.offset = offset

    @property
    def shown(self) -> bytes:
        """As pages see it, JSON."""
        if isinstance(self._shown, bytes):
            return self._shown
        assert self._frame is not None
        return text.cut_state(self._frame, self._shown)

    @property
    def stored(self) -> bytes:
        """As the kernel gets it back, JSON; empty: nothing is given back."""
        return self.shown if self._stored is None else self._stored

    @property
    def size_bytes(self) -> int:
        """The bytes of both; if no hook changed the value, they are the same object."""
        shown_bytes = len(self._shown) if isinstance(self._shown, bytes) else self._shown
        return shown_bytes + len(self._stored or b"")

    def snapshot(self, scope: str, key: str) -> bytes:
        """The value as a page that joins gets it, the same object each time."""
        if self._frame is None:
            shown = self.shown
            self._frame = text.compose_state(scope, key, shown, snapshot=True)
            self._shown = len(shown)
        return self._frame
