"""Sessions' comings and goings: begun by a page, opened in a kernel, closed when nobody returns."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from typing import Any

from .._version import __version__
from ..protocol import grace, text
from ..protocol import messages as m
from ..protocol.saved import RESTARTED
from ..protocol.session import Session
from .requests import Requests
from .specs import Page
from .tables import Entry, Group, PageRecord, Seat, Tables

logger = logging.getLogger("databench.broker")

OTHERS = 20  # sessions of one person that a page is told of


class Sessions:
    """Begins, opens and closes sessions.

    Args:
        tables: The broker's.
        requests: Sends what waited for a kernel.

    Attributes:
        on_closed: Called with the kernel of a session that was closed.
    """

    def __init__(self, tables: Tables, requests: Requests) -> None:
        self.on_closed: Callable[[Entry], None] = _ignore
        self._tables = tables
        self._requests = requests
        tables.outbox.on_drained = self.drain
        tables.keeper.on_trouble = self._tell_pages

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
        return self._seat(session, place(group), restored=RESTARTED) if session else None

    def is_there(self, analysis: str, id_: str) -> bool:
        """Whether the analysis has a session of that id, or had it in an earlier server."""
        seat = self._tables.seats.get(id_)
        if seat is not None:
            return seat.entry.group.spec.name == analysis
        return self._tables.keeper.has_kept(id_, analysis)

    def begin(self, entry: Entry, connect: text.Connect, person: str) -> Seat:
        """A new session of a kernel."""
        session = Session(
            secrets.token_urlsafe(16),
            epoch=secrets.token_urlsafe(6),
            request_args=connect.request_args,
            limits=self._tables.settings,
            person=person,
        )
        return self._seat(session, entry)

    def find_crowd(self, seat: Seat) -> str:
        """Why no further page may look at this session; empty: one may."""
        pages, limit = len(seat.session.views), self._tables.settings.session_pages
        if pages < limit:
            return ""
        logger.warning("a page was turned away: its session has %d pages, limit %d", pages, limit)
        return (
            f"This session is open in {pages} pages, and {limit} is the limit. Close one of them."
        )

    def answer(
        self,
        seat: Seat,
        page: Page,
        at: int,
        *,
        resumed: bool,
        analyses_version: str | None,
    ) -> bytes:
        """The first frame for a page that has joined."""
        session = seat.session
        return text.compose_connect(
            session.id_,
            backend_version=__version__,
            analyses_version=analyses_version,
            resumed=resumed,
            at=at,
            epoch=session.epoch,
            running=session.running(self._tables.loop.time()),
            others=self._find_others(seat, page.person),
            is_replaced=page.is_linked and not resumed,
        )

    def _find_others(self, own: Seat, person: str) -> list[dict[str, Any]]:
        """The person's further sessions of the analysis that wait for a page, the latest first.

        Those without a page that run something or have an end that no page has seen; of an earlier
        server, those with such an end.
        """
        if not person:
            return []
        now_s = self._tables.loop.time()
        found = [
            {
                "id": session.id_,
                "running": session.running(now_s),
                "has_result": session.is_unseen,
            }
            for session in (seat.session for seat in own.entry.group.seats)
            if session.person == person
            and not session.views
            and (session.requests or session.is_unseen)
        ]
        found.sort(key=lambda told: -self._tables.seats[str(told["id"])].session.detached_s)
        name = own.entry.group.spec.name
        for id_ in self._tables.keeper.find_waiting(name, person):
            found.append({"id": id_, "running": [], "has_result": True})
        return found[:OTHERS]

    def welcome(self, entry: Entry, cli_args: tuple[str, ...]) -> None:
        """The kernel said hello: give it the class's values, its sessions, and what waited."""
        values = list(entry.store)
        self._tables.send(
            entry.kernel,
            m.Welcome(
                None,
                None,
                window_bytes=self._tables.settings.credit_window_bytes,
                debug=self._tables.debug,
                cli_args=cli_args,
                class_keys=tuple((key, value.version) for key, value in values),
                further=tuple(value.stored for _, value in values),
            ),
        )
        # First those where somebody waits for it.
        seats = list(dict.fromkeys([*entry.shown, *entry.seats.values()]))
        self._tables.parts.begin(self._open_all(entry, seats))

    def _open_all(self, entry: Entry, seats: list[Seat]) -> Iterator[None]:
        generation = entry.kernel.life.generation
        for seat in seats:
            life = entry.kernel.life
            if life.generation != generation or not life.takes_actions:
                return
            if not seat.is_open and entry.seats.get(seat.session.id_) is seat:
                self.open(seat)
            yield

    def open(self, seat: Seat) -> None:
        """Tell the kernel of a session, with the state that it had, then what waited for it."""
        session = seat.session
        seat.is_open = True
        seat.entry.kernel.growth.begin(session.id_)
        # What was deleted is kept for pages only, which have seen it.
        values = {key: value.stored for key, value in session.data.items() if value.stored}
        self._tables.send(
            seat.entry.kernel,
            m.Open(
                session.id_,
                None,
                session.request_args,
                seat.restored,
                tuple(values),
                b"",
                tuple(values.values()),
            ),
        )
        self._requests.send_waiting(seat)

    def drain(self, page: Page) -> None:
        """A page has taken everything: credit goes back, and what waited for it follows."""
        outbox = self._tables.outbox
        record = outbox.records.get(page)
        if record is None or record.frames:
            return
        record.in_flight_bytes = record.following_bytes
        if record.replay is not None:
            if not record.is_stepping:
                # In a turn of its own, so that a page which takes everything at once does not
                # hold up the others.
                record.is_stepping = True
                self._tables.loop.call_soon(self._step, record)
            return
        seat = record.seat
        session = seat.session
        session.drain(page)
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

    def welcome_page(self, seat: Seat, *, is_missed: bool) -> None:
        """A page has joined: it is told what it must know of the store.

        Args:
            seat: Its session.
            is_missed: Whether it named another one, which is not there.
        """
        keeper = self._tables.keeper
        keeper.touch(seat)
        if problem := keeper.find_problem(is_missed=is_missed):
            self._requests.complain(seat, problem)

    def leave(self, page: Page, record: PageRecord) -> None:
        """A page is gone; its session stays for a while."""
        seat = record.seat
        seat.session.leave(page, self._tables.loop.time())
        self._tables.keeper.touch(seat)
        if not seat.session.views:
            seat.session.take_pending_class()
        self._tables.give_credit(seat)

    def sweep(self) -> None:
        """Close the sessions to which nobody came back, those of an earlier server too."""
        tables = self._tables
        now_s = tables.loop.time()
        detached = [
            seat.session.detached() for seat in tables.seats.values() if not seat.session.views
        ]
        detached += tables.keeper.detached(now_s)
        for id_, reason in grace.choose_closed(detached, now_s, tables.settings):
            if reason is grace.NO_ROOM:
                logger.warning(
                    "a session was closed with a result that no page saw: all such sessions "
                    "hold more than %d bytes, limit of result_bytes",
                    tables.settings.result_bytes,
                )
            if seat := tables.seats.get(id_):
                self.close(seat, reason)
            else:
                tables.keeper.forget(id_)

    def close(self, seat: Seat, reason: str) -> None:
        """End a session; its memory is freed."""
        id_ = seat.session.id_
        self._tables.seats.pop(id_, None)
        seat.entry.seats.pop(id_, None)
        self._tables.keeper.drop(seat)
        if seat.is_open:
            self._tables.send(seat.entry.kernel, m.Close(id_, None, reason))
            seat.entry.kernel.growth.end(id_)
        logger.debug("session of %r closed: %s", seat.entry.kernel.spec.name, reason)
        self.on_closed(seat.entry)

    def _tell_pages(self, signal: str, message: str) -> None:
        frame = text.compose_value(signal, message)
        for seat in self._tables.seats.values():
            if seat.session.views:
                seat.session.append(frame)
                self._tables.outbox.publish(seat, (frame,))
        self._tables.outbox.flush()

    def _seat(self, session: Session, entry: Entry, restored: str | None = None) -> Seat:
        seat = Seat(session, entry, restored=restored)
        self._tables.seats[session.id_] = entry.seats[session.id_] = seat
        self._tables.keeper.touch(seat)
        if entry.kernel.life.takes_actions:
            self.open(seat)
        return seat


def _ignore(_entry: Entry) -> None:
    pass
