"""Opens sessions in kernels: all at once, or those that are suspected of a crash one by one.

`protocol.starts` decides whom a process is given; this carries it out. Owns what follows when a
session is set aside: its page is shown why, what it had asked for ends, and a person may have it
tried again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from ..protocol import messages as m
from .requests import Requests
from .tables import Entry, Seat, Tables

logger = logging.getLogger("databench.broker")


class Opening:
    """Opens sessions in kernels.

    Args:
        tables: The broker's.
        requests: Sends what waited for a kernel, and ends what will not run.
    """

    def __init__(self, tables: Tables, requests: Requests) -> None:
        self._tables = tables
        self._requests = requests
        requests.on_retry = self._retry

    def welcome(self, entry: Entry, cli_args: tuple[str, ...]) -> None:
        """The kernel said hello: give it the class's values, its sessions, and what waited."""
        self._drop_largest(entry)
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
        entry.is_restoring = any(seat.session.data for seat in entry.seats.values())
        self._go_on(entry)

    def begin(self, seat: Seat) -> None:
        """A session has begun or come back: its kernel may take it now, or does so later."""
        entry = seat.entry
        starts = entry.kernel.blame.starts
        if _takes_sessions(entry) and starts.may_begin(seat.session.id_):
            self._open(seat)

    def note_opened(self, seat: Seat) -> None:
        """The session's start has run to its first wait."""
        entry, id_ = seat.entry, seat.session.id_
        entry.kernel.blame.growth.end(id_)
        wait_s = entry.kernel.blame.starts.opened(id_, self._tables.loop.time())
        if entry.kernel.blame.starts.alone == id_:
            self._release_later(entry, id_, wait_s)
        if entry.unread.opened(id_):
            self._go_on(entry)

    def note_read(self, entry: Entry) -> None:
        """The kernel has read all that it was sent."""
        if self._tables.take_pong(entry):
            self._go_on(entry)

    def note_closed(self, seat: Seat) -> None:
        """The session is closed; another one may have waited for its start."""
        entry, id_ = seat.entry, seat.session.id_
        if seat.is_open:
            entry.kernel.blame.growth.end(id_)
        was_waited_for = not entry.kernel.blame.starts.may_begin("")
        entry.kernel.blame.starts.close(id_)
        if was_waited_for:
            self._tables.loop.call_soon(self._go_on, entry)

    def lose(self, entry: Entry) -> None:
        """The kernel is gone, with what it had; a session's start may be why."""
        self._requests.lose_all(entry)
        guilty = entry.kernel.blame.take_finding().guilty
        seat = entry.seats.get(guilty)
        if seat is None:
            return
        starts, settings = entry.kernel.blame.starts, self._tables.settings
        if seat.was_restored:
            deaths = starts.deaths_of(guilty)
            if deaths >= settings.restore_deaths:
                self._drop_values(seat, deaths)
            starts.retry(guilty)
        else:
            self._set_aside(seat)

    # ------------------------------------------------------------ parts

    def _go_on(self, entry: Entry) -> None:
        """Give the process what it may be given now: the next suspect, or else all the others."""
        starts = entry.kernel.blame.starts
        if not _takes_sessions(entry):
            return
        if seat := entry.seats.get(starts.suspect):
            self._open(seat)
            limit_s = self._tables.settings.start_alone_s
            self._release_later(entry, seat.session.id_, limit_s)
        elif starts.may_begin(""):
            # Those with a page first.
            seats = list(dict.fromkeys([*entry.shown, *entry.seats.values()]))
            self._tables.parts.begin(self._open_all(entry, seats))

    def _open_all(self, entry: Entry, seats: list[Seat]) -> Iterator[None]:
        generation = entry.kernel.life.generation
        for seat in seats:
            if entry.kernel.life.generation != generation or not _takes_sessions(entry):
                return
            id_ = seat.session.id_
            if (
                not seat.is_open
                and entry.seats.get(id_) is seat
                and entry.kernel.blame.starts.may_begin(id_)
            ):
                self._open(seat)
            yield

    def _open(self, seat: Seat) -> None:
        """Tell the kernel of a session, with the state that it had, then what waited for it."""
        session, kernel = seat.session, seat.entry.kernel
        seat.is_open = True
        kernel.blame.growth.begin(session.id_)
        kernel.blame.starts.begin(session.id_)
        # What was deleted is kept for pages only, which have seen it.
        values = {key: value.stored for key, value in session.data.items() if value.stored}
        seat.was_restored = bool(values)
        size_bytes = len(session.request_args) + sum(map(len, values.values()))
        seat.entry.unread.open(session.id_, size_bytes)
        self._tables.send(
            kernel,
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

    def _release_later(self, entry: Entry, id_: str, wait_s: float) -> None:
        """The others wait for a suspect no longer than that."""
        generation = entry.kernel.life.generation
        self._tables.loop.call_later(wait_s, self._release, entry, id_, generation)

    def _release(self, entry: Entry, id_: str, generation: int) -> None:
        kernel = entry.kernel
        if kernel.life.generation != generation or kernel.blame.starts.alone != id_:
            return
        kernel.blame.starts.release(id_)
        self._requests.send_waiting(entry.seats[id_])
        self._go_on(entry)
        self._tables.outbox.flush()

    def _retry(self, seat: Seat) -> None:
        """A person has a session tried again that was set aside."""
        seat.entry.kernel.blame.starts.retry(seat.session.id_)
        self._tables.announcer.show([seat])
        self._go_on(seat.entry)

    def _set_aside(self, seat: Seat) -> None:
        entry = seat.entry
        id_, name = seat.session.id_, entry.kernel.spec.name
        if entry.losses:
            seat.last_words = entry.losses[-1].stderr
        how = entry.kernel.blame.starts.aside[id_]
        reason = entry.kernel.blame.starts.aside[id_] = (
            f"the kernel {how} while this session started. The session is set aside so that others "
            "can go on. Check the values in the address of this page, then reload the page or "
            "press Start again"
        )
        logger.warning("kernel %r %s while a session started; that one is set aside", name, how)
        self._requests.complain(seat, f"{reason[0].upper()}{reason[1:]}.")
        for request in seat.session.waiting():
            self._requests.fail(seat, request.number, "SessionSetAside", reason)
        self._tables.announcer.show([seat])

    def _drop_largest(self, entry: Entry) -> None:
        """State that all together ends each process which gets it back is not given for ever.

        No single session is to blame: the one that holds most is the likeliest.
        """
        deaths = entry.restore_deaths
        if deaths < self._tables.settings.restore_deaths:
            return
        entry.restore_deaths = 0
        seat = max(
            entry.seats.values(), key=lambda seat: seat.session.data.size_bytes, default=None
        )
        if seat is not None and seat.session.data:
            self._drop_values(seat, deaths)

    def _drop_values(self, seat: Seat, deaths: int) -> None:
        """Each value as if the analysis had deleted it, so that pages see it go."""
        session = seat.session
        size_bytes = session.data.size_bytes
        for key, value in list(session.data.items()):
            if value.stored:
                frame = session.set_value(key, b"null", b"", charge_bytes=0)
                self._tables.outbox.publish(seat, [frame], None)
        self._tables.keeper.forget_values(seat)
        logger.warning(
            "kernel %r ended %d times while it got its sessions' state back: the state of one "
            "session, %d bytes, is dropped",
            seat.entry.kernel.spec.name,
            deaths,
            size_bytes,
        )
        problem = (
            f"The state of this session ({size_bytes} bytes) is dropped: its kernel ended {deaths} "
            "times while it got it back. The analysis goes on with an empty state for this page."
        )
        self._requests.complain(seat, problem)


def _takes_sessions(entry: Entry) -> bool:
    """Whether what is opened now is read: by a process that lives, and that has read the others."""
    return entry.kernel.life.takes_actions and not entry.unread.is_full
