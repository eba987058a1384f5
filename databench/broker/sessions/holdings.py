"""The memory that sessions and pages hold, in one account, and which sessions wait for a page.

Owns no rule: `protocol.budget`, `.shares` and `.waiting` decide. Each change of a session or a page
is reported here, so that nothing is ever summed over all of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...protocol.budget import Budget
from ...protocol.shares import Shares
from ...protocol.waiting import Waiting, WaitingRoom
from ...settings import Settings
from .. import machine

if TYPE_CHECKING:
    from ..records import HostedSession, PageRecord

logger = logging.getLogger("databench.broker")

# A session or page whose size has changed by less keeps the one that is counted: most exchanges are
# small, and to count them all would cost a fiftieth of each.
SLACK_BYTES = 1024
TELL_S = 10.0  # between two lines of the log about the same


def make_budget(settings: Settings) -> Budget:
    """The budget that these settings give the server, or else its machine."""
    return Budget(settings.memory_budget_bytes or machine.find_budget())


class Holdings:
    """Counts what is held.

    Args:
        settings: The limits.
        loop: Its clock.
        budget: In which other holders count too; a new one when `None`.

    Attributes:
        budget: In which all is counted; others take from it too.
        room: The sessions that wait for a page.
        shares: How many sessions each client has.
    """

    def __init__(
        self,
        settings: Settings,
        loop: asyncio.AbstractEventLoop,
        budget: Budget | None = None,
    ) -> None:
        self.budget = budget or make_budget(settings)
        self.room = WaitingRoom()
        self.shares = Shares()
        self._settings = settings
        self._loop = loop
        self._closed: OrderedDict[str, str] = OrderedDict()
        self._told: dict[str, tuple[float, int]] = {}

    # ------------------------------------------------------------ sessions

    def begin(self, hosted: HostedSession) -> None:
        """A session has begun, or come back from an earlier server."""
        self.shares.begin(hosted.session.id_, hosted.client)
        hosted.counted_bytes = 0
        self.settle(hosted)

    def end(self, hosted: HostedSession) -> None:
        """A session is closed."""
        if hosted.counted_bytes is None:
            return
        self.wake(hosted)
        self.shares.end(hosted.session.id_, hosted.client)
        self.budget.give(hosted.client, hosted.counted_bytes)
        hosted.counted_bytes = None

    def rest(self, hosted: HostedSession) -> bool:
        """A session may have no page and run nothing: then it is settled, and waits from now on.

        Returns:
            Whether it has begun to wait.
        """
        session = hosted.session
        if hosted.counted_bytes is None or not session.is_waiting or session.id_ in self.room:
            return False
        self.settle(hosted)
        now_s, is_unseen = self._loop.time(), session.is_unseen
        self.room.enter(Waiting(session.id_, hosted.client, now_s, is_unseen, hosted.counted_bytes))
        hosted.record.waiting += 1
        return True

    def wake(self, hosted: HostedSession) -> None:
        """A page comes to a session, or it is closed: it does not wait any more."""
        if self.room.leave(hosted.session.id_) is not None:
            hosted.record.waiting -= 1

    def settle(self, hosted: HostedSession) -> None:
        """A session may hold more or less than before."""
        counted_bytes = hosted.counted_bytes
        if counted_bytes is None:
            return
        session, hosted.uncounted = hosted.session, 0
        grown_bytes = session.held_bytes - counted_bytes
        if -SLACK_BYTES < grown_bytes < SLACK_BYTES:
            return
        if grown_bytes > 0 and not self.budget.has_room(grown_bytes):
            # Its oldest frames make room for the new ones: a page that comes back gets a gap.
            session.ring.trim(session.ring.frames_bytes - grown_bytes)
            grown_bytes = session.held_bytes - counted_bytes
        hosted.counted_bytes = counted_bytes + grown_bytes
        self.budget.take(hosted.client, grown_bytes)
        self.room.resize(session.id_, hosted.counted_bytes)

    def find_problem(self, hosted: HostedSession, key: str, shown: bytes) -> str | None:
        """Why there is no memory for a value of a session's `data`, or `None`."""
        before = hosted.session.data.get(key)
        grown_bytes = len(shown) - (before.size_bytes if before else 0)
        if grown_bytes < SLACK_BYTES or self.budget.has_room(2 * grown_bytes):  # and its frame
            return None
        return f"state {key!r}: the server is short of memory; not kept"

    # ------------------------------------------------------------ sessions of an earlier server

    def load(self, kept: Iterable[Waiting]) -> None:
        """The sessions that an earlier server kept, those that wait longest in front."""
        for waiting in kept:
            self.room.enter(waiting)
            self.shares.begin(waiting.id_, waiting.client)
            self.budget.take(waiting.client, waiting.size_bytes)

    def unload(self, id_: str) -> Waiting | None:
        """One of those comes back or is closed."""
        waiting = self.room.leave(id_)
        if waiting is not None:
            self.shares.end(id_, waiting.client)
            self.budget.give(waiting.client, waiting.size_bytes)
        return waiting

    # ------------------------------------------------------------ pages

    def settle_page(self, page_record: PageRecord) -> None:
        """A page may have more or less in flight than before."""
        grown_bytes = page_record.in_flight_bytes - page_record.counted_bytes
        if not -SLACK_BYTES < grown_bytes < SLACK_BYTES:
            page_record.counted_bytes = page_record.in_flight_bytes
            self.budget.take(page_record.client, grown_bytes)

    def forget_page(self, page_record: PageRecord) -> None:
        """A page is gone, and what was in flight to it."""
        self.budget.give(page_record.client, page_record.counted_bytes)
        page_record.counted_bytes = 0

    # ------------------------------------------------------------ reasons

    def note_closed(self, id_: str, why: str) -> None:
        """A page that comes back to this session is to be shown why it was closed."""
        self._closed[id_] = why
        while len(self._closed) > self._settings.closed_sessions:
            self._closed.popitem(last=False)

    def find_reason(self, id_: str | None) -> str:
        """Why that session was closed; empty: unknown."""
        return self._closed.get(id_ or "", "")

    def tell(self, text: str) -> None:
        """Log a warning, at most one of a kind within `TELL_S`; the next one has the count."""
        now_s = self._loop.time()
        told_s, count = self._told.get(text, (-TELL_S, 0))
        if now_s - told_s < TELL_S:
            self._told[text] = (told_s, count + 1)
            return
        self._told[text] = (now_s, 0)
        more = f" ({count} more times since the last such line)" if count else ""
        logger.warning("%s%s", text, more)
