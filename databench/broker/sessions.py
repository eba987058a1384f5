"""The life of a session: a page begins it and leaves it; it is closed when no page returns."""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Callable
from typing import Any

from .._version import __version__
from ..protocol import budget, text
from ..protocol import messages as m
from ..protocol.clients import Client
from ..protocol.saved import RESTARTED
from ..protocol.session import SMALL_BYTES, Session
from .holdings import SLACK_BYTES
from .opening import Opening
from .reclaim import Reclaim
from .requests import Requests
from .specs import Page
from .tables import Entry, Group, PageRecord, Seat, Tables

logger = logging.getLogger("databench.broker")

OTHERS = 20  # sessions of one person that a page is told of


class Sessions:
    """Begins and closes sessions.

    Args:
        tables: The broker's.
        requests: Tells pages.
        opening: Tells kernels of sessions.

    Attributes:
        on_closed: Called with the kernel of a session that was closed.
        reclaim: Closes those that must go.
    """

    def __init__(self, tables: Tables, requests: Requests, opening: Opening) -> None:
        self.on_closed: Callable[[Entry], None] = _ignore
        self._tables = tables
        self._requests = requests
        self._opening = opening
        tables.outbox.on_drained = self.drain
        tables.keeper.on_trouble = self._tell_pages
        tables.holdings.load(tables.keeper.list_kept())
        self.reclaim = Reclaim(tables, self.close)

    def find(self, id_: str | None, group: Group, place: Callable[[Group], Entry]) -> Seat | None:
        """The session of that id, if the analysis has it, or had it in an earlier server.

        Args:
            id_: What the page says.
            group: The analysis.
            place: Gives a kernel to a session of an earlier server.
        """
        if not id_:
            return None
        seat = self._tables.seats.get(id_)
        if seat is not None:
            return seat if seat.entry.group is group else None
        session = self._tables.keeper.revive(id_, group.spec.name)
        if session is None:
            return None
        waiting = self._tables.holdings.unload(id_)
        client = waiting.client if waiting else Client("", session.person)
        return self._seat(session, place(group), client, restored=RESTARTED)

    def is_there(self, analysis: str, id_: str) -> bool:
        """Whether the analysis has a session of that id, or had it in an earlier server."""
        seat = self._tables.seats.get(id_)
        if seat is not None:
            return seat.entry.group.spec.name == analysis
        return self._tables.keeper.has_kept(id_, analysis)

    def admit(
        self, client: Client, connect: text.Connect, group: Group, place: Callable[[Group], Entry]
    ) -> tuple[Seat | None, str]:
        """The session for a page that comes: the one that it names, or else a new one.

        Args:
            client: Whose page it is.
            connect: What it said.
            group: The analysis.
            place: Gives a kernel to a session that has none.

        Returns:
            The session; `None` and why there is none.
        """
        seat = self.find(connect.session, group, place)
        if seat is not None:
            if problem := self._find_crowd(seat):
                self._tables.holdings.rest(seat)
                return None, problem
        elif problem := self.reclaim.make_room(client):
            return None, problem
        return seat or self._begin(place(group), connect, client), ""

    def attach(self, page: Page, seat: Seat, client: Client) -> PageRecord:
        """A page of that client looks at a session from now on."""
        if not seat.session.views and seat.class_writes != seat.entry.store.writes:
            self._catch_up(seat)
            self._tables.outbox.touch(seat)
        record = self._tables.outbox.records[page] = PageRecord(page, seat, client=client)
        self._tables.holdings.wake(seat)
        return record

    def _catch_up(self, seat: Seat) -> None:
        """What of `class_data` was written while the session had no page: the latest of each."""
        for key, frame in seat.entry.store.list_changed(seat.class_writes):
            seat.session.set_class_value(key, b"", frame)  # appended: no page has to drain
        seat.class_writes = seat.entry.store.writes

    def _begin(self, entry: Entry, connect: text.Connect, client: Client) -> Seat:
        """A new session of a kernel."""
        session = Session(
            secrets.token_urlsafe(16),
            epoch=secrets.token_urlsafe(6),
            request_args=connect.request_args,
            limits=self._tables.settings,
            person=client.person,
        )
        return self._seat(session, entry, client)

    def _find_crowd(self, seat: Seat) -> str:
        """Why no further page may look at this session; empty: one may."""
        window_bytes = self._tables.settings.replay_window_bytes
        if self._tables.holdings.budget.is_over and seat.session.held_bytes > window_bytes:
            return budget.SHORT
        pages, limit = len(seat.session.views), self._tables.settings.session_pages
        if pages < limit:
            return ""
        logger.warning("a page was turned away: its session has %d pages, limit %d", pages, limit)
        return (
            f"This session is open in {pages} pages, and {limit} is the limit. Close one of them."
        )

    def answer(
        self, record: PageRecord, connect: text.Connect, at: int, analyses_version: str | None
    ) -> bytes:
        """The first frame for a page that has joined, at that place of the stream."""
        seat, page = record.seat, record.page
        session = seat.session
        return text.compose_connect(
            session.id_,
            backend_version=__version__,
            analyses_version=analyses_version,
            resumed=session.id_ == connect.session,
            at=at,
            epoch=session.epoch,
            running=session.running(self._tables.loop.time()),
            others=self._find_others(seat, page.person),
            is_linked=page.is_linked,
            may_administer=page.may_administer,
            how_to_administer=self._tables.how_to_administer,
        )

    def _find_others(self, own: Seat, person: str) -> list[dict[str, Any]]:
        """The person's further sessions of the analysis that wait for a page, the latest first.

        Those without a page that run something or have an end that no page has seen; of an earlier
        server, those with such an end.
        """
        if not person:
            return []
        tables = self._tables
        now_s, name = tables.loop.time(), own.entry.group.spec.name
        found: list[tuple[float, dict[str, Any]]] = []
        for id_ in tables.holdings.shares.of_person(person):
            seat = tables.seats.get(id_)
            if seat is None:
                if tables.keeper.has_result(id_, name):
                    one = {"id": id_, "running": [], "has_result": True}
                    found.append((math.inf, one))
                continue
            session = seat.session
            if seat.entry.group is not own.entry.group or session.views:
                continue
            if session.requests or session.is_unseen:
                running, is_unseen = session.running(now_s), session.is_unseen
                one = {"id": id_, "running": running, "has_result": is_unseen}
                found.append((-session.detached_s, one))
        found.sort(key=lambda timed: timed[0])
        return [one for _, one in found[:OTHERS]]

    def drain(self, page: Page) -> None:
        """A page has taken everything: credit goes back, and what waited for it follows."""
        outbox = self._tables.outbox
        record = outbox.records.get(page)
        if record is None or record.frames:
            return
        record.in_flight_bytes = record.following_bytes
        if record.counted_bytes:
            self._tables.holdings.settle_page(record)
        if record.replay is not None:
            if not record.is_stepping:
                # In a turn of its own, so that a page which takes everything at once does not
                # hold up the others.
                record.is_stepping = True
                self._tables.loop.call_soon(self._step, record)
            return
        seat = record.seat
        session = seat.session
        before = session.ledger.charges
        session.drain(page)
        seat.uncounted += before - session.ledger.charges
        if seat.uncounted * SMALL_BYTES >= SLACK_BYTES:
            outbox.touch(seat)  # fewer charges are counted off with the next frame
        if session.views[page].is_lagging:
            outbox.replay(record, session.catch_up(page, seat.entry.store))
        if session.pending_class and session.is_drained:
            outbox.publish(seat, session.take_pending_class())
        self._tables.give_credit(seat)

    def _step(self, record: PageRecord) -> None:
        outbox = self._tables.outbox
        if record.page in outbox.records:
            outbox.step(record)
            outbox.flush()

    def welcome_page(self, record: PageRecord, connect: text.Connect) -> None:
        """A page has joined: it is told what it must know of the store, and of what it misses.

        Args:
            record: The page's.
            connect: What it said; it may name another session, which is not there.
        """
        keeper, seat = self._tables.keeper, record.seat
        is_resumed = seat.session.id_ == connect.session
        missed = None if is_resumed else connect.session
        if is_resumed and connect.epoch is None:  # loaded again, not merely connected again
            self._requests.try_again(record)
        keeper.touch(seat)
        if problem := keeper.find_problem(is_missed=bool(missed)):
            self._requests.complain(seat, problem)
        if why := self._tables.holdings.find_reason(missed):
            self._requests.complain(seat, why)

    def note_viewed(self, seat: Seat) -> None:
        """A session has got a page, or has none any more: whether others share its kernel shows."""
        shown = seat.entry.shown
        was_shared = len(shown) > 1
        if seat.session.views:
            shown[seat] = None
        else:
            shown.pop(seat, None)
        if was_shared == (len(shown) > 1):
            return
        for other in [other for other in shown if other is not seat]:
            self._tables.outbox.announce(other, self._tables.compose_kernel(other))
        self._tables.outbox.flush()

    def leave(self, page: Page, record: PageRecord) -> None:
        """A page is gone; its session stays for a while."""
        seat = record.seat
        seat.session.leave(page, self._tables.loop.time())
        self._tables.keeper.touch(seat)
        if not seat.session.views:
            seat.session.take_pending_class()
            seat.class_writes = seat.entry.store.writes
            self.note_viewed(seat)
        self._tables.give_credit(seat)
        if not self._tables.holdings.rest(seat):
            self._tables.holdings.settle(seat)

    def close(self, seat: Seat, reason: str) -> None:
        """End a session; its memory is freed."""
        id_ = seat.session.id_
        self._tables.holdings.end(seat)
        self._tables.seats.pop(id_, None)
        seat.entry.seats.pop(id_, None)
        seat.entry.withheld.pop(seat, None)  # a kernel that reads nothing would hold it for long
        self._tables.keeper.drop(seat)
        if seat.is_open:
            self._tables.send(seat.entry.kernel, m.Close(id_, None, reason))
        self._opening.note_closed(seat)
        logger.debug("session of %r closed: %s", seat.entry.kernel.spec.name, reason)
        self.on_closed(seat.entry)

    def _tell_pages(self, signal: str, message: str) -> None:
        frame = text.compose_value(signal, message)
        for seat in self._tables.seats.values():
            if seat.session.views:
                seat.session.append(frame)
                self._tables.outbox.publish(seat, (frame,))
        self._tables.outbox.flush()

    def _seat(
        self, session: Session, entry: Entry, client: Client, restored: str | None = None
    ) -> Seat:
        seat = Seat(session, entry, client, restored=restored, class_writes=entry.store.writes)
        self._tables.seats[session.id_] = entry.seats[session.id_] = seat
        self._tables.holdings.begin(seat)
        self._tables.keeper.touch(seat)
        self._opening.begin(seat)
        return seat


def _ignore(_entry: Entry) -> None:
    pass
