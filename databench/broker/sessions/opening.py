"""Opens sessions in kernels: all at once, or those that are suspected of a crash one by one.

`protocol.starts` decides which sessions a process gets; this carries it out. Owns what follows when
a session is set aside: its page gets the reason, its requests end, and a visitor may have it
tried again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from ...protocol import messages as m
from ..records import HostedSession, KernelRecord
from ..tables import Tables
from .losses import Losses
from .requests import Requests

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
        self._losses = Losses(tables, requests)
        requests.on_retry = self._retry

    def welcome(self, record: KernelRecord, cli_args: tuple[str, ...]) -> None:
        """The kernel sent hello: give it the class's values, its sessions, and what waited."""
        self._drop_largest(record)
        values = list(record.store)
        self._tables.send(
            record.kernel,
            m.Welcome(
                window_bytes=self._tables.settings.credit_window_bytes,
                debug=self._tables.debug,
                cli_args=cli_args,
                class_keys=tuple((key, value.version) for key, value in values),
                further=tuple(value.stored for _, value in values),
            ),
        )
        record.is_restoring = any(hosted.session.data for hosted in record.sessions.values())
        self._go_on(record)

    def begin(self, hosted: HostedSession) -> None:
        """A session has begun or come back: its kernel may take it now, or does so later."""
        record = hosted.record
        starts = record.kernel.blame.starts
        if _takes_sessions(record) and starts.may_begin(hosted.session.id_):
            self._open(hosted)

    def note_opened(self, hosted: HostedSession) -> None:
        """The session's start has run to its first wait."""
        record, id_ = hosted.record, hosted.session.id_
        record.kernel.blame.growth.end(id_)
        wait_s = record.kernel.blame.starts.opened(id_, self._tables.loop.time())
        if record.kernel.blame.starts.alone == id_:
            self._release_later(record, id_, wait_s)
        if record.unread.opened(id_):
            self._go_on(record)

    def note_read(self, record: KernelRecord) -> None:
        """The kernel has read all that it was sent."""
        if self._tables.take_pong(record):
            self._go_on(record)

    def note_closed(self, hosted: HostedSession) -> None:
        """The session is closed; another one may have waited for its start."""
        record, id_ = hosted.record, hosted.session.id_
        if hosted.is_open:
            record.kernel.blame.growth.end(id_)
        was_waited_for = not record.kernel.blame.starts.may_begin("")
        record.kernel.blame.starts.close(id_)
        if was_waited_for:
            self._tables.loop.call_soon(self._go_on, record)

    def lose(self, record: KernelRecord) -> None:
        """The kernel is gone, with what it had; a session's start may be why."""
        self._losses.lose_all(record)
        guilty = record.kernel.blame.take_finding().guilty
        hosted = record.sessions.get(guilty)
        if hosted is None:
            return
        starts, settings = record.kernel.blame.starts, self._tables.settings
        if hosted.was_restored:
            deaths = starts.deaths_of(guilty)
            if deaths >= settings.restore_deaths:
                self._drop_values(hosted, deaths)
            starts.retry(guilty)
        else:
            self._set_aside(hosted)

    # ------------------------------------------------------------ parts

    def _go_on(self, record: KernelRecord) -> None:
        """Give the process what it may be given now: the next suspect, or else all the others."""
        starts = record.kernel.blame.starts
        if not _takes_sessions(record):
            return
        if hosted := record.sessions.get(starts.suspect):
            self._open(hosted)
            limit_s = self._tables.settings.start_alone_s
            self._release_later(record, hosted.session.id_, limit_s)
        elif starts.may_begin(""):
            # Those with a page first.
            sessions = list(dict.fromkeys([*record.shown, *record.sessions.values()]))
            self._tables.parts.begin(self._open_all(record, sessions))

    def _open_all(self, record: KernelRecord, sessions: list[HostedSession]) -> Iterator[None]:
        generation = record.kernel.life.generation
        for hosted in sessions:
            if record.kernel.life.generation != generation or not _takes_sessions(record):
                return
            id_ = hosted.session.id_
            if (
                not hosted.is_open
                and record.sessions.get(id_) is hosted
                and record.kernel.blame.starts.may_begin(id_)
            ):
                self._open(hosted)
            yield

    def _open(self, hosted: HostedSession) -> None:
        """Send the kernel a session, with the state that it had, then what waited for it."""
        session, kernel = hosted.session, hosted.record.kernel
        hosted.is_open = True
        kernel.blame.growth.begin(session.id_)
        kernel.blame.starts.begin(session.id_)
        # Deleted values are kept only for pages, which have seen them.
        values = {key: value.stored for key, value in session.data.items() if value.stored}
        hosted.was_restored = bool(values)
        size_bytes = len(session.request_args) + sum(map(len, values.values()))
        hosted.record.unread.open(session.id_, size_bytes)
        self._tables.send(
            kernel,
            m.Open(
                session=session.id_,
                request_args=session.request_args,
                restored=hosted.restored,
                data_keys=tuple(values),
                payload=b"",
                further=tuple(values.values()),
            ),
        )
        self._requests.send_waiting(hosted)

    def _release_later(self, record: KernelRecord, id_: str, wait_s: float) -> None:
        """The others wait for a suspect no longer than that."""
        generation = record.kernel.life.generation
        self._tables.loop.call_later(wait_s, self._release, record, id_, generation)

    def _release(self, record: KernelRecord, id_: str, generation: int) -> None:
        kernel = record.kernel
        if kernel.life.generation != generation or kernel.blame.starts.alone != id_:
            return
        kernel.blame.starts.release(id_)
        self._requests.send_waiting(record.sessions[id_])
        self._go_on(record)
        self._tables.outbox.flush()

    def _retry(self, hosted: HostedSession) -> None:
        """A visitor has a session tried again that was set aside."""
        hosted.record.kernel.blame.starts.retry(hosted.session.id_)
        self._tables.announcer.show([hosted])
        self._go_on(hosted.record)

    def _set_aside(self, hosted: HostedSession) -> None:
        record = hosted.record
        id_, name = hosted.session.id_, record.kernel.spec.name
        if record.losses:
            hosted.last_words = record.losses[-1].stderr
        how = record.kernel.blame.starts.aside[id_]
        reason = record.kernel.blame.starts.aside[id_] = (
            f"the kernel {how} while this session started. The session is set aside so that the "
            "others can continue. Check the values in the address of this page, then reload the "
            "page or press Start again"
        )
        logger.warning("kernel %r %s while a session started; that session is set aside", name, how)
        self._requests.complain(hosted, f"{reason[0].upper()}{reason[1:]}.")
        for request in hosted.session.waiting():
            self._requests.fail(hosted, request.number, "SessionSetAside", reason)
        self._tables.announcer.show([hosted])

    def _drop_largest(self, record: KernelRecord) -> None:
        """Stop restoring state that ends each process, although no single session is to blame.

        The session that holds most is the likeliest cause.
        """
        deaths = record.restore_deaths
        if deaths < self._tables.settings.restore_deaths:
            return
        record.restore_deaths = 0
        hosted = max(
            record.sessions.values(),
            key=lambda hosted: hosted.session.data.size_bytes,
            default=None,
        )
        if hosted is not None and hosted.session.data:
            self._drop_values(hosted, deaths)

    def _drop_values(self, hosted: HostedSession, deaths: int) -> None:
        """Each value as if the analysis had deleted it, so that pages see it go."""
        session = hosted.session
        size_bytes = session.data.size_bytes
        for key, value in list(session.data.items()):
            if value.stored:
                frame = session.set_value(key, b"null", b"", charge_bytes=0)
                self._tables.outbox.publish(hosted, [frame], None)
        self._tables.persistence.forget_values(hosted)
        logger.warning(
            "kernel %r ended %d times while it restored its sessions: the state of one session, "
            "%d bytes, is dropped",
            hosted.record.kernel.spec.name,
            deaths,
            size_bytes,
        )
        problem = (
            f"The server dropped the state of this session ({size_bytes} bytes): the kernel ended "
            f"{deaths} times while it restored it. The page continues with an empty state."
        )
        self._requests.complain(hosted, problem)


def _takes_sessions(record: KernelRecord) -> bool:
    """Whether a live process would read a session now, because it has read the others."""
    return record.kernel.life.takes_actions and not record.unread.is_full
