"""Shows pages the state of their kernel: only sessions with pages, and a part of them per turn.

Owns the list of sessions that still have to get it. A session that is marked again meanwhile gets
it once, with the latest state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from .outbox import Outbox
from .parts import Parts

if TYPE_CHECKING:
    from ..records import HostedSession


class Announcer:
    """Shows states of kernels.

    Args:
        outbox: Takes the frames.
        compose: Makes the frame for a session, as its kernel is when it is called.
        parts: Does what is more than one turn may hold.
    """

    def __init__(
        self, outbox: Outbox, compose: Callable[[HostedSession], bytes], parts: Parts
    ) -> None:
        self._outbox = outbox
        self._compose = compose
        self._parts = parts
        self._due: dict[HostedSession, None] = {}

    def show(self, sessions: Iterable[HostedSession]) -> None:
        """The state of these sessions' kernel has changed."""
        has_begun = bool(self._due)
        self._due.update(dict.fromkeys(sessions))
        if self._due and not has_begun:
            self._parts.begin(self._show_due())

    def announce(self, frame: bytes) -> None:
        """A frame outside of the stream, for every page that knows such frames."""
        self._parts.begin(self._announce(frame))

    def _show_due(self) -> Iterator[None]:
        while self._due:
            hosted = next(iter(self._due))
            if hosted.session.views:  # its page may have gone meanwhile
                self._outbox.announce(hosted, self._compose(hosted))
            del self._due[hosted]
            yield

    def _announce(self, frame: bytes) -> Iterator[None]:
        page_records = self._outbox.page_records
        for page, page_record in list(page_records.items()):
            if (
                page_records.get(page) is page_record
                and page_record.hosted.session.views[page].is_counting
            ):
                self._outbox.add(page_record, (frame,))
            yield
