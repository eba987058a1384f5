"""The replay ring: a session's last frames, each with its offset (docs/protocol.md, 9).

Theory of operation: a frame gets its offset when it is appended, 1 for the first. The ring holds
the newest frames within a count and a size; `cut` is the offset of the newest one that is gone.
Ends of requests that would be cut are kept aside, so that a page which was away learns how each of
its requests ended. A page that has everything up to `cut` or later misses nothing, and so does one
that lacks only ends which are kept; any other gets a gap, the ends kept aside, then the ring. Such
an end may be one that it has: pages know their open requests by id and drop an end of any other.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

FRAME_BYTES = 128  # what Python holds in addition to the bytes of a frame: measured, and rounded up


@dataclass(frozen=True, slots=True)
class Replay:
    """The frames for a page that comes back.

    Attributes:
        frames: The stream frames, in order.
        received: The offset up to which the page has the stream.
        at: The offset from which it counts before the first of `frames`; another one after a gap.
        missed: Stream frames that are gone for good; 0 means there is no gap.
        repeated: How many of `frames`, the first ones, are ends before the offset asked for.
    """

    frames: list[bytes]
    received: int
    at: int
    missed: int = 0
    repeated: int = 0


class Ring:
    """The last frames of one session.

    Args:
        messages: The most frames that are held.
        size_bytes: The most bytes that are held; the newest frame is held whatever its size.
        ends: The most ends that are kept beyond those, again within `size_bytes`.
    """

    __slots__ = (
        "_ends",
        "_ends_bytes",
        "_frames",
        "_limit_ends",
        "_limits",
        "_size_bytes",
        "cut",
        "offset",
    )

    def __init__(self, *, messages: int, size_bytes: int, ends: int) -> None:
        self._limits = (messages, size_bytes)
        self._limit_ends = ends
        self._frames: deque[tuple[bytes, bool]] = deque()
        self._ends: deque[tuple[int, bytes]] = deque()
        self._size_bytes = 0
        self._ends_bytes = 0
        self.cut = 0
        self.offset = 0

    @property
    def size_bytes(self) -> int:
        """The bytes of the frames and ends that are held."""
        return self._size_bytes + self._ends_bytes

    @property
    def frames_bytes(self) -> int:
        """The bytes of the frames alone."""
        return self._size_bytes

    @property
    def held_bytes(self) -> int:
        """The memory that they hold."""
        frames = len(self._frames) + len(self._ends)
        return self._size_bytes + self._ends_bytes + FRAME_BYTES * frames

    def trim(self, size_bytes: int) -> None:
        """Limit the bytes held, without ends kept aside; the newest frame always stays."""
        while self._size_bytes > size_bytes and len(self._frames) > 1:
            self._evict()

    def append(self, frame: bytes, *, is_end: bool = False) -> int:
        """Hold a frame.

        Returns:
            Its offset.
        """
        frames = self._frames
        frames.append((frame, is_end))
        self._size_bytes += len(frame)
        self.offset += 1
        messages, size_bytes = self._limits
        while len(frames) > messages or (self._size_bytes > size_bytes and len(frames) > 1):
            self._evict()
        return self.offset

    def replace(self, offset: int, frame: bytes) -> bool:
        """Put another frame at an offset that no page has got; it must not be an end's.

        Returns:
            Whether that offset is held; if it is cut, nothing is done.
        """
        if offset <= self.cut:
            return False
        frames, index = self._frames, offset - self.cut - 1
        self._size_bytes += len(frame) - len(frames[index][0])
        frames[index] = (frame, False)
        while self._size_bytes > self._limits[1] and len(frames) > 1:
            self._evict()
        return True

    def skip(self) -> None:
        """Begin after an offset whose frame is gone: of an earlier ring, which had at least one."""
        self.offset += 1
        self.cut = self.offset

    def replay(self, received: int) -> Replay:
        """The frames after the offset `received`.

        Args:
            received: From 0 (nothing) to `offset`; anything else counts as 0.
        """
        if not 0 <= received <= self.offset:
            received = 0
        if received >= self.cut:
            skip = received - self.cut
            return Replay([f for f, _ in list(self._frames)[skip:]], received, received)
        held = [frame for frame, _ in self._frames]
        new = [frame for offset, frame in self._ends if offset > received]
        missed = self.cut - received - len(new)
        if not missed:
            return Replay(new + held, received, received)
        # The ends kept aside take the offsets just before the ring: the page then counts right.
        # All of them: a page that left amid such a replay counts offsets that are not theirs.
        frames = [frame for _, frame in self._ends] + held
        repeated = len(self._ends) - len(new)
        return Replay(frames, received, self.offset - len(frames), missed, repeated)

    def _evict(self) -> None:
        frame, is_end = self._frames.popleft()
        self._size_bytes -= len(frame)
        self.cut += 1
        if is_end:
            self._keep(frame)

    def _keep(self, end: bytes) -> None:
        ends = self._ends
        ends.append((self.cut, end))
        self._ends_bytes += len(end)
        size_bytes = self._limits[1]
        while len(ends) > self._limit_ends or (self._ends_bytes > size_bytes and len(ends) > 1):
            self._ends_bytes -= len(ends.popleft()[1])
