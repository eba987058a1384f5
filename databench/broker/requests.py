"""What pages ask for: actions, cancels, restarts; and how a request ends."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ..protocol import budget, text
from ..protocol import messages as m
from ..protocol.actions import UNDECLARED, find_problem
from ..protocol.lifecycle import Event, State
from ..protocol.placement import SESSION
from ..protocol.poison import find_suspect, make_fingerprint
from ..protocol.rates import Rates
from ..protocol.records import OpenRequest, ProcessId, Verdict
from .specs import Page
from .tables import Entry, PageRecord, Seat, Tables

SMALL_BYTES = 1024  # arguments that are taken while the front is short of memory


class Requests:
    """Carries out what pages ask for.

    Args:
        tables: The broker's.

    Attributes:
        on_retry: Called with a session that was set aside and that a person has tried again.
    """

    def __init__(self, tables: Tables) -> None:
        self.on_retry: Callable[[Seat], None] = _ignore
        self._tables = tables
        self._restarts = Rates(tables.settings.restart_rate_s)

    def receive(self, record: PageRecord, message: text.PageMessage) -> None:
        """Whatever a page says after `__connect`."""
        if isinstance(message, text.Request):
            self._request(record.seat, record.page, message)
        elif isinstance(message, text.Cancel):
            self._cancel(record, message)
        elif isinstance(message, text.Control):
            self._control(record, message)
        else:
            self.complain(record.seat, "__connect was said before on this connection; ignored")

    def complain(self, seat: Seat, problem: str, *, charge_bytes: int = 0) -> None:
        """Say `error` in the session's stream."""
        frame = text.compose_value("error", problem)
        seat.session.append(frame, charge_bytes=charge_bytes)
        self._tables.outbox.publish(seat, (frame,))

    def send_waiting(self, seat: Seat) -> None:
        """Send what waited for the kernel, in the order of arrival.

        A suspect of a crash begins without its actions: nothing else is to run beside it.
        """
        if _is_alone(seat):
            return
        for request in seat.session.waiting():
            self._send_action(seat, request)

    def finish(self, seat: Seat, number: int, outcome: str, result: bytes, size: int) -> None:
        """A request ended well or was cancelled."""
        process_id = self._count_off(seat, number)
        frames = seat.session.finish(number, outcome, result, charge_bytes=size)
        self._settle(seat, frames, process_id)

    def fail(
        self,
        seat: Seat,
        number: int,
        type_: str,
        problem: str,
        traceback: bytes = b"",
        size: int = 0,
    ) -> None:
        """A request failed."""
        process_id = self._count_off(seat, number)
        frames = seat.session.fail(number, type_, problem, traceback, charge_bytes=size)
        self._settle(seat, frames, process_id)

    def lose_all(self, entry: Entry) -> None:
        """The kernel is gone: end what it had, and, where none follows, what waits for it."""
        kernel = entry.kernel
        words, why = self._tables.last_words(kernel), text.without_file(kernel.reason)
        self._accuse(entry)
        entry.begin_life()
        entry.code_change = ""  # the next process reads the new code
        entry.declared = UNDECLARED  # and says for itself what pages may ask for
        for seat in entry.seats.values():
            seat.is_open = False
            seat.is_cancelling = False
            seat.restored = kernel.reason
            ids = {r.number: r.process_id for r in seat.session.requests.values() if r.is_sent}
            for number, process_id in ids.items():
                self._count_off(seat, number)
                frames = seat.session.fail(number, "KernelLost", why, words, outcome="lost")
                self._tables.outbox.publish(seat, frames, process_id)
            seat.session.begin_ledger()
            self._tables.outbox.touch(seat)
            self._tables.holdings.rest(seat)
            if kernel.life.state in (State.FAILED, State.STOPPING, State.STOPPED):
                for request in seat.session.waiting():
                    self.fail(seat, request.number, "KernelFailed", kernel.reason, words)

    def _accuse(self, entry: Entry) -> None:
        """The process died in a way that may speak against what it ran."""
        if entry.code_change:
            entry.group.poison.forgive()  # the next process reads the new code
            return
        kernel, tables = entry.kernel, self._tables
        if kernel.blame.finding.guilty:
            return  # the start of a session ended it
        if entry.is_restoring and kernel.blame.cause and not kernel.blame.is_excused:
            entry.restore_deaths += 1
        sent = [
            number
            for seat in entry.seats.values()
            for number, request in seat.session.requests.items()
            if request.is_sent
        ]
        suspect = find_suspect(
            kernel.blame.cause, sent, kernel.blame.growth, kernel.settings.kernel_memory_bytes
        )
        if suspect is not None and (seat := tables.requests.get(suspect.number)) is not None:
            session = seat.session
            entry.group.poison.note(
                session.requests[suspect.number].fingerprint,
                kernel.blame.cause,
                session=session.id_,
                person=session.person,
                is_alone=suspect.is_alone,
            )

    def try_again(self, record: PageRecord) -> None:
        """A person reloads a page, or asks for a start: a session that was set aside may begin."""
        seat = record.seat
        is_aside = seat.session.id_ in seat.entry.kernel.blame.starts.aside
        if is_aside and self._may_start_another(record):
            self.on_retry(seat)

    def reload_idle(self, entry: Entry) -> None:
        """Restart a kernel whose code was changed while it worked, unless it works again."""
        if entry.code_change and entry.open_requests == 0:
            entry.kernel.restart(f"{text.CODE_CHANGED}{entry.code_change}", is_reload=True)

    def interrupt(self, seat: Seat) -> None:
        """Ask the kernel to end all that it runs for a session."""
        for request in list(seat.session.requests.values()):
            if request.is_sent:
                self._ask_to_end(seat, request)

    # ------------------------------------------------------------ parts

    def _request(self, seat: Seat, page: Page, message: text.Request) -> None:
        tables = self._tables
        number = next(tables.numbers)
        verdict, frames = seat.session.accept(
            message, number=number, view=page, now_s=tables.loop.time()
        )
        tables.keeper.touch(seat)
        tables.outbox.publish(seat, frames, message.process_id)
        if verdict is not Verdict.ACCEPTED:
            return
        tables.requests[number] = seat
        kernel = seat.entry.kernel
        if tables.is_draining:
            problem = f"action {message.action!r}: the server stops; not run"
            self.fail(seat, number, "ServerStops", problem)
        elif kernel.life.state is State.FAILED:
            self.fail(seat, number, "KernelFailed", kernel.reason, tables.last_words(kernel))
        elif seat.set_aside_for:
            self.fail(seat, number, "SessionSetAside", seat.set_aside_for)
        elif len(message.payload) > SMALL_BYTES and tables.holdings.budget.is_over:
            self.fail(seat, number, "ServerShortOfMemory", budget.SHORT)
        elif self._take_room(seat, seat.session.requests[number]):
            if seat.is_open and kernel.life.takes_actions and not _is_alone(seat):
                self._send_action(seat, seat.session.requests[number])

    def _take_room(self, seat: Seat, request: OpenRequest) -> bool:
        """Count the payload against the kernel's queue, sent or not, until the request ends."""
        entry = seat.entry
        size_bytes = len(request.payload)
        held_bytes = entry.open_bytes + size_bytes
        limit = self._tables.settings.kernel_queue_bytes
        if held_bytes > limit:
            problem = (
                f"action {request.action!r}: {held_bytes} bytes wait for its kernel, "
                f"limit {limit}; not run"
            )
            self.fail(seat, request.number, "KernelQueueFull", problem)
            return False
        request.size_bytes = size_bytes
        entry.open_bytes = held_bytes
        self._tables.holdings.budget.take(seat.client, size_bytes)
        return True

    def _send_action(self, seat: Seat, request: OpenRequest) -> None:
        entry = seat.entry
        payload, request.payload = request.payload, b""
        # Here and not when it comes: by now its kernel has said which actions it has.
        if problem := find_problem(request.action, entry.declared):
            self.fail(seat, request.number, "ActionError", problem)
            return
        request.fingerprint = make_fingerprint(request.action, payload)
        if problem := entry.group.poison.find_problem(
            request.action, request.fingerprint, session=seat.session.id_
        ):
            self.fail(seat, request.number, "PoisonedAction", problem)
            return
        request.is_sent = True
        entry.kernel.blame.growth.begin(request.number, seat.session.id_)
        entry.is_restoring = False
        entry.restore_deaths = 0
        entry.open_requests += 1
        if entry.open_requests == 1:
            entry.kernel.note(Event.WORK)
        message = m.Action(seat.session.id_, request.number, request.action, payload)
        self._tables.send(entry.kernel, message)

    def _cancel(self, record: PageRecord, message: text.Cancel) -> None:
        seat = record.seat
        number = seat.session.ids.get(message.process_id)
        if number is None:
            return  # it ended meanwhile: its end is on the way
        request = seat.session.requests[number]
        kernel = seat.entry.kernel
        if not request.is_sent:
            self.finish(seat, number, "cancelled", b"", 0)
            return
        can_cancel = bool(kernel.capabilities & {"cancel", "interrupt"})
        if message.force and not self._may_end(record, "ended"):
            return
        # Nobody else is touched where it has no other session: then there is nothing to ask.
        if message.force or (not can_cancel and len(seat.entry.seats) == 1):
            if self._may_start_another(record):
                kernel.life.wish_end()
                kernel.end(f"ended by a page that cancelled {request.action!r}")
            return
        kernel.note(Event.CANCEL)
        if not seat.is_cancelling:
            seat.is_cancelling = True
            self._tables.announcer.show([seat])
        self._ask_to_end(seat, request)
        if request.cancels == 1 and seat.entry.group.spec.sharing.isolation == SESSION:
            limit_s = kernel.settings.cancel_limit_s
            self._tables.loop.call_later(limit_s, self._carry_out, seat, request, limit_s)

    def _carry_out(self, seat: Seat, request: OpenRequest, limit_s: float) -> None:
        """A cancel has not ended its request: end the process, which nobody shares."""
        if seat.session.requests.get(request.number) is request:
            why = f"cancelled {request.action!r} did not end within {limit_s:g} s (cancel_limit_s)"
            seat.entry.kernel.life.wish_end()
            seat.entry.kernel.end(why)

    def _control(self, record: PageRecord, message: text.Control) -> None:
        if message.command != "restart":
            self.interrupt(record.seat)
        elif record.seat.set_aside_for:
            self.try_again(record)
        elif self._may_end(record, "restarted") and self._may_start_another(record):
            record.seat.entry.kernel.restart("restarted by a page")

    def _may_start_another(self, record: PageRecord) -> bool:
        """Whether a page may have its kernel's process replaced; if not, its session says why."""
        settings, page = self._tables.settings, record.page
        keys = [
            (("kernel", record.seat.entry), settings.kernel_restarts),
            (("address", page.address), settings.address_restarts),
        ]
        if page.person:
            keys.append((("person", page.person), settings.visitor_restarts))
        wait_s = self._restarts.ask(keys, self._tables.loop.time())
        if wait_s:
            problem = (
                "The kernel was not restarted: pages have asked for too many restarts within "
                f"{settings.restart_rate_s:g} s. Try again in {math.ceil(wait_s)} s."
            )
            self.complain(record.seat, problem)
        return not wait_s

    def _may_end(self, record: PageRecord, asked: str) -> bool:
        """Whether a page may end its session's kernel; if not, it is told why.

        Each may end what its session alone uses, and start what has no process: nothing is lost.
        """
        seat = record.seat
        is_running = seat.entry.kernel.pid is not None
        if record.page.may_administer or not (is_running and seat.entry.is_shared(seat)):
            return True
        problem = (
            f"The kernel was not {asked}: other sessions use it too, and only an administrator "
            f"may end what they run. {self._tables.how_to_administer}"
        )
        self.complain(seat, problem.rstrip())
        return False

    def _ask_to_end(self, seat: Seat, request: OpenRequest) -> None:
        kernel = seat.entry.kernel
        if request.cancels >= kernel.settings.cancel_attempts:
            return  # a kernel that reads nothing would hold each of them
        request.cancels += 1
        # First the pipe and SIGINT: a kernel that holds its interpreter lock reads no message.
        kernel.interrupt(request.number, request.cancels)
        self._tables.send(kernel, m.Cancel(seat.session.id_, request.number, request.cancels))

    def _count_off(self, seat: Seat, number: int) -> ProcessId | None:
        self._tables.requests.pop(number, None)
        if not self._tables.requests:
            self._tables.at_rest.set()
        request = seat.session.requests.get(number)
        if request is None:
            return None
        self._tables.keeper.touch(seat)
        entry = seat.entry
        entry.open_bytes -= request.size_bytes
        self._tables.holdings.budget.give(seat.client, request.size_bytes)
        if request.is_sent:
            entry.open_requests -= 1
            entry.kernel.blame.growth.end(number)
            if entry.open_requests == 0:
                entry.kernel.note(Event.REST)
                if entry.code_change:  # the end itself comes first
                    self._tables.loop.call_soon(self.reload_idle, entry)
        return request.process_id

    def _settle(self, seat: Seat, frames: Sequence[bytes], process_id: ProcessId | None) -> None:
        outbox = self._tables.outbox
        outbox.publish(seat, frames, process_id)
        if seat.is_cancelling and not any(r.cancels for r in seat.session.requests.values()):
            seat.is_cancelling = False
            outbox.announce(seat, self._tables.compose_kernel(seat))
        self._tables.holdings.rest(seat)


def _is_alone(seat: Seat) -> bool:
    """Whether the session is a suspect of a crash, and begins by itself now."""
    return seat.entry.kernel.blame.starts.alone == seat.session.id_


def _ignore(_seat: Seat) -> None:
    pass
