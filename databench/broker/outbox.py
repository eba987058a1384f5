"""What is to be written to pages: gathered while messages are handled, written once per page.

Owns the count of bytes that a page has not drained, and with it who lags (docs/protocol.md, 9),
and the steps in which a page that comes back is written its replay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ..protocol.guarded import Guarded
from ..protocol.records import ProcessId

if TYPE_CHECKING:
    from .specs import Page
    from .tables import PageRecord, Seat


class Outbox:
    """Gathers frames for pages and writes them.

    Args:
        lag_bytes: A page with more than this in flight gets no more until it has drained.
        window_bytes: What of a replay is in flight to a page; the frame that fills it goes too.

    Attributes:
        on_drained: Called during `flush` for a page that took everything at once.
        on_changed: Called at the end of `flush` for each session that got frames.
        on_written: Called for a page that did not take everything at once.
    """

    def __init__(self, lag_bytes: int, window_bytes: int) -> None:
        self.records: dict[Page, PageRecord] = {}
        self.on_drained: Callable[[Page], None] = _ignore
        self.on_changed: Callable[[Seat], None] = _ignore
        self.on_written: Callable[[PageRecord], None] = _ignore
        self._lag_bytes = lag_bytes
        self._window_bytes = window_bytes
        self._dirty: dict[Page, PageRecord] = {}
        self._changed: set[Seat] = set()

    def publish(
        self, seat: Seat, frames: Sequence[bytes], process_id: ProcessId | None = None
    ) -> None:
        """Frames that were just appended to the session's stream go to all its pages.

        Args:
            seat: The session.
            frames: As appended, all of them, in order.
            process_id: The request that they are about, for pages that throw on others'.
        """
        session = seat.session
        self._changed.add(seat)
        place = session.ring.place
        for page, view in session.views.items():
            if view.is_lagging:
                continue
            record = self.records[page]
            if record.in_flight_bytes > self._lag_bytes:
                # What it is not sent stands in the ring: it goes on from there when drained.
                view.is_lagging = True
                view.cursor = place - len(frames)
                continue
            view.cursor = place
            self.add(record, frames if view.is_counting else view.select(frames, process_id))

    def touch(self, seat: Seat) -> None:
        """A session may hold more or less than before: the flush says so."""
        self._changed.add(seat)

    def announce(self, seat: Seat, frame: bytes) -> None:
        """A frame outside of the stream, for pages that know such frames."""
        for page, view in seat.session.views.items():
            if view.is_counting:
                self.add(self.records[page], (frame,))

    def add(self, record: PageRecord, frames: Iterable[bytes]) -> None:
        """Frames for one page alone; they come behind its replay."""
        if record.replay is not None:
            before_bytes = record.following_bytes
            for frame in frames:
                record.following.append(frame)
                record.following_bytes += len(frame)
            record.in_flight_bytes += record.following_bytes - before_bytes
            return
        for frame in frames:
            record.frames.append(frame)
            record.in_flight_bytes += len(frame)
        self._dirty[record.page] = record

    def replay(self, record: PageRecord, frames: Iterable[bytes]) -> None:
        """Frames for a page that comes (back), a window at a time; each step when it has drained.

        Args:
            record: The page.
            frames: Taken when they are written: nothing of what is not holds memory for the page.
        """
        record.replay = iter(frames)
        self.step(record)

    def step(self, record: PageRecord) -> None:
        """The next window of a page's replay, and with the last one what came meanwhile."""
        record.is_stepping = False
        frames, step_bytes = record.replay, 0
        if frames is None:
            return
        for frame in frames:
            record.frames.append(frame)
            step_bytes += len(frame)
            if step_bytes >= self._window_bytes:
                break
        else:
            record.frames += record.following
            record.replay, record.following, record.following_bytes = None, [], 0
        record.in_flight_bytes += step_bytes
        self._dirty[record.page] = record

    def flush(self) -> None:
        """Write what was gathered, to each page what it may see: one write per page."""
        while self._dirty:
            dirty, self._dirty = self._dirty, {}
            for page, record in dirty.items():
                frames, record.frames = record.frames, []
                if not page.may_administer:
                    frames = [f.public if type(f) is Guarded else f for f in frames]
                # A selection for a page that does not count may be empty: nothing would drain.
                is_out = page.write(frames) if frames else not record.in_flight_bytes
                if is_out:
                    self.on_drained(page)
                else:
                    self.on_written(record)
        changed, self._changed = self._changed, set()
        for seat in changed:
            self.on_changed(seat)

    def forget(self, page: Page) -> PageRecord | None:
        """The page is gone."""
        self._dirty.pop(page, None)
        return self.records.pop(page, None)


def _ignore(_changed: object) -> None:
    pass
