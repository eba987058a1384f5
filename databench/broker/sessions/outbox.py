"""The frames for pages: gathered while the broker handles messages, written once per page.

Owns the count of bytes that a page has not taken, so which page lags (docs/protocol.md, 9),
and the steps in which a page that comes back is written its replay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ...protocol.guarded import Guarded
from ...protocol.records import ProcessId

if TYPE_CHECKING:
    from ..records import HostedSession, PageRecord
    from ..specs import Page


class Outbox:
    """Gathers frames for pages and writes them.

    Args:
        lag_bytes: A page with more than this in flight gets no more until it has taken that.
        window_bytes: What of a replay is in flight to a page; the frame that fills it goes too.

    Attributes:
        on_delivered: Called during `flush` for a page that took everything at once.
        on_changed: Called at the end of `flush` for each session that got frames.
        on_written: Called for a page that did not take everything at once.
    """

    def __init__(self, lag_bytes: int, window_bytes: int) -> None:
        self.page_records: dict[Page, PageRecord] = {}
        self.on_delivered: Callable[[Page], None] = _ignore
        self.on_changed: Callable[[HostedSession], None] = _ignore
        self.on_written: Callable[[PageRecord], None] = _ignore
        self._lag_bytes = lag_bytes
        self._window_bytes = window_bytes
        self._dirty: dict[Page, PageRecord] = {}
        self._changed: set[HostedSession] = set()

    def publish(
        self, hosted: HostedSession, frames: Sequence[bytes], process_id: ProcessId | None = None
    ) -> None:
        """Frames that were just appended to the session's stream go to all its pages.

        Args:
            hosted: The session.
            frames: As appended, all of them, in order.
            process_id: The request that they are about, for pages that throw on others'.
        """
        session = hosted.session
        self._changed.add(hosted)
        offset = session.ring.offset
        for page, view in session.views.items():
            if view.is_lagging:
                continue
            page_record = self.page_records[page]
            if page_record.in_flight_bytes > self._lag_bytes:
                # What it is not sent is in the ring: it continues from there later.
                view.is_lagging = True
                view.cursor = offset - len(frames)
                continue
            view.cursor = offset
            self.add(page_record, frames if view.is_counting else view.select(frames, process_id))

    def touch(self, hosted: HostedSession) -> None:
        """A session may hold more or less than before: the flush reports it."""
        self._changed.add(hosted)

    def announce(self, hosted: HostedSession, frame: bytes) -> None:
        """A frame outside of the stream, for pages that know such frames."""
        for page, view in hosted.session.views.items():
            if view.is_counting:
                self.add(self.page_records[page], (frame,))

    def add(self, page_record: PageRecord, frames: Iterable[bytes]) -> None:
        """Frames for one page alone; they come behind its replay."""
        if page_record.replay is not None:
            before_bytes = page_record.following_bytes
            for frame in frames:
                page_record.following.append(frame)
                page_record.following_bytes += len(frame)
            page_record.in_flight_bytes += page_record.following_bytes - before_bytes
            return
        for frame in frames:
            page_record.frames.append(frame)
            page_record.in_flight_bytes += len(frame)
        self._dirty[page_record.page] = page_record

    def replay(self, page_record: PageRecord, frames: Iterable[bytes]) -> None:
        """Frames for a page that comes (back), a window at a time, each when it has taken the last.

        Args:
            page_record: The page.
            frames: Taken when they are written: nothing of what is not holds memory for the page.
        """
        page_record.replay = iter(frames)
        self.step(page_record)

    def step(self, page_record: PageRecord) -> None:
        """The next window of a page's replay, and with the last one what came meanwhile."""
        page_record.is_stepping = False
        frames, step_bytes = page_record.replay, 0
        if frames is None:
            return
        for frame in frames:
            page_record.frames.append(frame)
            step_bytes += len(frame)
            if step_bytes >= self._window_bytes:
                break
        else:
            page_record.frames += page_record.following
            page_record.replay, page_record.following, page_record.following_bytes = None, [], 0
        page_record.in_flight_bytes += step_bytes
        self._dirty[page_record.page] = page_record

    def flush(self) -> None:
        """Write what was gathered, to each page what it may see: one write per page."""
        while self._dirty:
            dirty, self._dirty = self._dirty, {}
            for page, page_record in dirty.items():
                frames, page_record.frames = page_record.frames, []
                if not page.may_administer:
                    frames = [f.public if type(f) is Guarded else f for f in frames]
                # A selection for a page that does not count may be empty: nothing would leave.
                is_out = page.write(frames) if frames else not page_record.in_flight_bytes
                if is_out:
                    self.on_delivered(page)
                else:
                    self.on_written(page_record)
        changed, self._changed = self._changed, set()
        for hosted in changed:
            self.on_changed(hosted)

    def forget(self, page: Page) -> PageRecord | None:
        """The page is gone."""
        self._dirty.pop(page, None)
        return self.page_records.pop(page, None)


def _ignore(_changed: object) -> None:
    pass
