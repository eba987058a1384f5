"""The life of a session: a page begins it and leaves it; it is closed when no page returns."""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Callable
from typing import Any

from ..._version import __version__
from ...protocol import budget, text
from ...protocol import messages as m
from ...protocol.clients import Client
from ...protocol.saved import RESTARTED
from ...protocol.session import SMALL_BYTES, Session
from ..records import HostedSession, KernelPool, KernelRecord, PageRecord
from ..specs import Page
from ..tables import Tables
from .class_values import ClassValues
from .holdings import SLACK_BYTES
from .opening import Opening
from .reclaim import Reclaim
from .requests import Requests

logger = logging.getLogger("databench.broker")

OTHERS = 20  # sessions of one visitor that a page gets in its list


class Sessions:
    """Begins and closes sessions.

    Args:
        tables: The broker's.
        requests: Reports to pages.
        opening: Opens sessions in kernels.
        class_values: Shows values of `class_data`.

    Attributes:
        on_closed: Called with the kernel of a session that was closed.
        reclaim: Closes those that must go.
    """

    def __init__(
        self, tables: Tables, requests: Requests, opening: Opening, class_values: ClassValues
    ) -> None:
        self.on_closed: Callable[[KernelRecord], None] = _ignore
        self._tables = tables
        self._requests = requests
        self._opening = opening
        self._class_values = class_values
        tables.outbox.on_delivered = self.note_delivered
        tables.persistence.on_trouble = self._tell_pages
        tables.holdings.load(tables.persistence.list_kept())
        self.reclaim = Reclaim(tables, self.close)

    def find(
        self, id_: str | None, pool: KernelPool, place: Callable[[KernelPool], KernelRecord]
    ) -> HostedSession | None:
        """The session of that id, if the analysis has it, or had it in an earlier server.

        Args:
            id_: The id that the page sends.
            pool: The analysis.
            place: Gives a kernel to a session of an earlier server.
        """
        if not id_:
            return None
        hosted = self._tables.sessions.get(id_)
        if hosted is not None:
            return hosted if hosted.record.pool is pool else None
        session = self._tables.persistence.revive(id_, pool.spec.name)
        if session is None:
            return None
        waiting = self._tables.holdings.unload(id_)
        client = waiting.client if waiting else Client("", session.visitor)
        return self._host(session, place(pool), client, restored=RESTARTED)

    def is_there(self, analysis: str, id_: str) -> bool:
        """Whether the analysis has a session of that id, or had it in an earlier server."""
        hosted = self._tables.sessions.get(id_)
        if hosted is not None:
            return hosted.record.pool.spec.name == analysis
        return self._tables.persistence.has_kept(id_, analysis)

    def admit(
        self,
        client: Client,
        connect: text.Connect,
        pool: KernelPool,
        place: Callable[[KernelPool], KernelRecord],
    ) -> tuple[HostedSession | None, str]:
        """The session for a page that comes: the one that it names, or else a new one.

        Args:
            client: Whose page it is.
            connect: The page's `__connect`.
            pool: The analysis.
            place: Gives a kernel to a session that has none.

        Returns:
            The session; `None` and why there is none.
        """
        hosted = self.find(connect.session, pool, place)
        if hosted is not None:
            if problem := self._find_crowd(hosted):
                self._tables.holdings.rest(hosted)
                return None, problem
        elif problem := self.reclaim.make_room(client):
            return None, problem
        return hosted or self._begin(place(pool), connect, client), ""

    def attach(self, page: Page, hosted: HostedSession, client: Client) -> PageRecord:
        """A page of that client looks at a session from now on."""
        self._class_values.catch_up(hosted)
        page_record = self._tables.outbox.page_records[page] = PageRecord(
            page, hosted, client=client
        )
        self._tables.holdings.wake(hosted)
        return page_record

    def _begin(self, record: KernelRecord, connect: text.Connect, client: Client) -> HostedSession:
        """A new session of a kernel."""
        session = Session(
            secrets.token_urlsafe(16),
            epoch=secrets.token_urlsafe(6),
            request_args=connect.request_args,
            limits=self._tables.settings,
            visitor=client.visitor,
        )
        return self._host(session, record, client)

    def _find_crowd(self, hosted: HostedSession) -> str:
        """Why no further page may look at this session; empty: one may."""
        window_bytes = self._tables.settings.replay_window_bytes
        if self._tables.holdings.budget.is_over and hosted.session.held_bytes > window_bytes:
            return budget.SHORT
        pages, limit = len(hosted.session.views), self._tables.settings.session_pages
        if pages < limit:
            return ""
        logger.warning("a page was refused: its session has %d pages, limit %d", pages, limit)
        return f"This session is open in {pages} pages; the limit is {limit}. Close one of them."

    def answer(
        self, page_record: PageRecord, connect: text.Connect, at: int, analyses_version: str | None
    ) -> bytes:
        """The first frame for a page that has joined, at that offset of the stream."""
        hosted, page = page_record.hosted, page_record.page
        session = hosted.session
        return text.compose_connect(
            session.id_,
            backend_version=__version__,
            analyses_version=analyses_version,
            resumed=session.id_ == connect.session,
            at=at,
            epoch=session.epoch,
            running=session.running(self._tables.loop.time()),
            others=self._find_others(hosted, page.visitor),
            is_linked=page.is_linked,
            may_administer=page.may_administer,
            how_to_administer=self._tables.how_to_administer,
        )

    def _find_others(self, own: HostedSession, visitor: str) -> list[dict[str, Any]]:
        """The visitor's further sessions of the analysis that wait for a page, the latest first.

        Those without a page that run something or have an end that no page has seen; of an earlier
        server, those with such an end.
        """
        if not visitor:
            return []
        tables = self._tables
        now_s, name = tables.loop.time(), own.record.pool.spec.name
        found: list[tuple[float, dict[str, Any]]] = []
        for id_ in tables.holdings.shares.of_visitor(visitor):
            hosted = tables.sessions.get(id_)
            if hosted is None:
                if tables.persistence.has_result(id_, name):
                    one = {"id": id_, "running": [], "has_result": True}
                    found.append((math.inf, one))
                continue
            session = hosted.session
            if hosted.record.pool is not own.record.pool or session.views:
                continue
            if session.requests or session.is_unseen:
                running, is_unseen = session.running(now_s), session.is_unseen
                one = {"id": id_, "running": running, "has_result": is_unseen}
                found.append((-session.detached_s, one))
        found.sort(key=lambda timed: timed[0])
        return [one for _, one in found[:OTHERS]]

    def note_delivered(self, page: Page) -> None:
        """A page has taken everything: credit goes back, and what waited for it follows."""
        outbox = self._tables.outbox
        page_record = outbox.page_records.get(page)
        if page_record is None or page_record.frames:
            return
        page_record.in_flight_bytes = page_record.following_bytes
        if page_record.counted_bytes:
            self._tables.holdings.settle_page(page_record)
        if page_record.replay is not None:
            if not page_record.is_stepping:
                # In a separate turn, so that a page which takes everything at once does not
                # block the others.
                page_record.is_stepping = True
                self._tables.loop.call_soon(self._step, page_record)
            return
        hosted = page_record.hosted
        session = hosted.session
        before = session.receive_window.charges
        session.deliver(page)
        hosted.uncounted += before - session.receive_window.charges
        if hosted.uncounted * SMALL_BYTES >= SLACK_BYTES:
            outbox.touch(hosted)  # fewer charges are counted off with the next frame
        if session.views[page].is_lagging:
            outbox.replay(page_record, session.catch_up(page, hosted.record.store))
        if session.pending_class and session.is_delivered:
            outbox.publish(hosted, session.take_pending_class())
        self._tables.give_credit(hosted)

    def _step(self, page_record: PageRecord) -> None:
        outbox = self._tables.outbox
        if page_record.page in outbox.page_records:
            outbox.step(page_record)
            outbox.flush()

    def welcome_page(self, page_record: PageRecord, connect: text.Connect) -> None:
        """A page has joined: send it what it must know of the store, and what it missed.

        Args:
            page_record: The page's.
            connect: The page's; it may name another session, which does not exist.
        """
        persistence, hosted = self._tables.persistence, page_record.hosted
        is_resumed = hosted.session.id_ == connect.session
        missed = None if is_resumed else connect.session
        if is_resumed and connect.epoch is None:  # loaded again, not merely connected again
            self._requests.try_again(page_record)
        persistence.touch(hosted)
        if problem := persistence.find_problem(is_missed=bool(missed)):
            self._requests.complain(hosted, problem)
        if why := self._tables.holdings.find_reason(missed):
            self._requests.complain(hosted, why)

    def note_viewed(self, hosted: HostedSession) -> None:
        """A session has got a page, or has none any more: whether others share its kernel shows."""
        shown = hosted.record.shown
        was_shared = len(shown) > 1
        if hosted.session.views:
            shown[hosted] = None
        else:
            shown.pop(hosted, None)
        if was_shared == (len(shown) > 1):
            return
        for other in [other for other in shown if other is not hosted]:
            self._tables.outbox.announce(other, self._tables.compose_kernel(other))
        self._tables.outbox.flush()

    def leave(self, page: Page, page_record: PageRecord) -> None:
        """A page is gone; its session stays for a while."""
        hosted = page_record.hosted
        hosted.session.leave(page, self._tables.loop.time())
        self._tables.persistence.touch(hosted)
        if not hosted.session.views:
            self._class_values.note_left(hosted)
            self.note_viewed(hosted)
        self._tables.give_credit(hosted)
        if not self._tables.holdings.rest(hosted):
            self._tables.holdings.settle(hosted)

    def close(self, hosted: HostedSession, reason: str) -> None:
        """End a session; its memory is freed."""
        id_ = hosted.session.id_
        self._tables.holdings.end(hosted)
        self._tables.sessions.pop(id_, None)
        hosted.record.sessions.pop(id_, None)
        hosted.record.withheld.pop(
            hosted, None
        )  # a kernel that reads nothing would hold it for long
        self._tables.persistence.drop(hosted)
        if hosted.is_open:
            self._tables.send(hosted.record.kernel, m.Close(session=id_, reason=reason))
        self._opening.note_closed(hosted)
        logger.debug("session of %r closed: %s", hosted.record.kernel.spec.name, reason)
        self.on_closed(hosted.record)

    def _tell_pages(self, signal: str, message: str) -> None:
        frame = text.compose_value(signal, message)
        for hosted in self._tables.sessions.values():
            if hosted.session.views:
                hosted.session.append(frame)
                self._tables.outbox.publish(hosted, (frame,))
        self._tables.outbox.flush()

    def _host(
        self, session: Session, record: KernelRecord, client: Client, restored: str | None = None
    ) -> HostedSession:
        hosted = HostedSession(
            session, record, client, restored=restored, class_writes=record.store.writes
        )
        self._tables.sessions[session.id_] = record.sessions[session.id_] = hosted
        self._tables.holdings.begin(hosted)
        self._tables.persistence.touch(hosted)
        self._opening.begin(hosted)
        return hosted


def _ignore(_entry: KernelRecord) -> None:
    pass
