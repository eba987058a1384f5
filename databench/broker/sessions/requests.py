"""The requests of pages: actions, cancels, restarts; and how a request ends."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ...protocol import budget, text
from ...protocol import messages as m
from ...protocol.actions import find_problem
from ...protocol.lifecycle import Event, State
from ...protocol.placement import SESSION
from ...protocol.poison import make_fingerprint
from ...protocol.rates import Rates
from ...protocol.records import Acceptance, OpenRequest, ProcessId
from ..records import HostedSession, KernelRecord, PageRecord
from ..specs import Page
from ..tables import Tables

SMALL_BYTES = 1024  # arguments that are taken while the front is short of memory


class Requests:
    """Carries out what pages ask for.

    Args:
        tables: The broker's.

    Attributes:
        on_retry: Called with a session that was set aside and that a visitor has tried again.
    """

    def __init__(self, tables: Tables) -> None:
        self.on_retry: Callable[[HostedSession], None] = _ignore
        self._tables = tables
        self._restarts = Rates(tables.settings.restart_rate_s)

    def receive(self, page_record: PageRecord, message: text.PageMessage) -> None:
        """Any frame of a page after `__connect`."""
        if isinstance(message, text.Request):
            self._request(page_record.hosted, page_record.page, message)
        elif isinstance(message, text.PageCancel):
            self._cancel(page_record, message)
        elif isinstance(message, text.Control):
            self._control(page_record, message)
        else:
            self.complain(
                page_record.hosted, "__connect was sent before on this connection; ignored"
            )

    def complain(
        self, hosted: HostedSession, problem: str, *, level: str = "error", charge_bytes: int = 0
    ) -> None:
        """Write a line of the log to the session's stream."""
        frame = text.compose_value(level, problem)
        hosted.session.append(frame, charge_bytes=charge_bytes)
        self._tables.outbox.publish(hosted, (frame,))

    def send_waiting(self, hosted: HostedSession) -> None:
        """Send what waited for the kernel, in the order of arrival.

        A suspect of a crash begins without its actions: nothing else may run beside it.
        """
        if _is_alone(hosted):
            return
        for request in hosted.session.waiting():
            self._send_action(hosted, request)

    def finish(
        self, hosted: HostedSession, number: int, outcome: str, result: bytes, size: int
    ) -> None:
        """A request ended well or was cancelled."""
        process_id = self._count_off(hosted, number)
        frames = hosted.session.finish(number, outcome, result, charge_bytes=size)
        self._settle(hosted, frames, process_id)

    def requeue(self, hosted: HostedSession, request: OpenRequest) -> None:
        """A request that was lost with its kernel waits for the next one.

        It never ended: it keeps its place before what its session asked for later, and what is
        counted of open requests and of their payloads counts it once.
        """
        # No more than that: a dead kernel neither rests nor waits for new code.
        hosted.record.open_requests -= 1
        hosted.record.kernel.blame.growth.end(request.number)
        request.requeue()

    def fail(
        self,
        hosted: HostedSession,
        number: int,
        type_: str,
        problem: str,
        traceback: bytes = b"",
        size: int = 0,
        *,
        outcome: str = "error",
    ) -> None:
        """A request failed, or was lost."""
        process_id = self._count_off(hosted, number)
        frames = hosted.session.fail(
            number, type_, problem, traceback, outcome=outcome, charge_bytes=size
        )
        self._settle(hosted, frames, process_id)

    def try_again(self, page_record: PageRecord) -> None:
        """A visitor reloads a page, or asks for a start: a session that was set aside may begin."""
        hosted = page_record.hosted
        is_aside = hosted.session.id_ in hosted.record.kernel.blame.starts.aside
        if is_aside and self._may_start_another(page_record):
            self.on_retry(hosted)

    def reload_idle(self, record: KernelRecord) -> None:
        """Restart a kernel whose code was changed while it worked, unless it works again."""
        if record.code_change and record.open_requests == 0:
            record.kernel.restart(f"{text.CODE_CHANGED}{record.code_change}", is_reload=True)

    def interrupt(self, hosted: HostedSession) -> None:
        """Ask the kernel to end all that it runs for a session."""
        for request in list(hosted.session.requests.values()):
            if request.is_sent:
                self._ask_to_end(hosted, request)
            elif request.is_rerun:  # it has begun, as far as its page knows
                self.finish(hosted, request.number, "cancelled", b"", 0)

    # ------------------------------------------------------------ parts

    def _request(self, hosted: HostedSession, page: Page, message: text.Request) -> None:
        tables = self._tables
        number = next(tables.numbers)
        verdict, frames = hosted.session.accept(
            message, number=number, view=page, now_s=tables.loop.time()
        )
        tables.persistence.touch(hosted)
        tables.outbox.publish(hosted, frames, message.process_id)
        if verdict is not Acceptance.ACCEPTED:
            return
        tables.requests[number] = hosted
        kernel = hosted.record.kernel
        if tables.is_draining:
            problem = f"action {message.action!r}: the server stops; not run"
            self.fail(hosted, number, "ServerStops", problem)
        elif kernel.life.state is State.FAILED:
            self.fail(hosted, number, "KernelFailed", kernel.reason, tables.last_words(kernel))
        elif hosted.set_aside_for:
            self.fail(hosted, number, "SessionSetAside", hosted.set_aside_for)
        elif len(message.payload) > SMALL_BYTES and tables.holdings.budget.is_over:
            self.fail(hosted, number, "ServerShortOfMemory", budget.SHORT)
        elif self._take_room(hosted, hosted.session.requests[number]):
            if hosted.is_open and kernel.life.takes_actions and not _is_alone(hosted):
                self._send_action(hosted, hosted.session.requests[number])

    def _take_room(self, hosted: HostedSession, request: OpenRequest) -> bool:
        """Count the payload against the kernel's queue, sent or not, until the request ends."""
        record = hosted.record
        size_bytes = len(request.payload)
        held_bytes = record.open_bytes + size_bytes
        limit = self._tables.settings.kernel_queue_bytes
        if held_bytes > limit:
            problem = (
                f"action {request.action!r}: {held_bytes} bytes wait for its kernel, "
                f"limit {limit}; not run"
            )
            self.fail(hosted, request.number, "KernelQueueFull", problem)
            return False
        request.size_bytes = size_bytes
        record.open_bytes = held_bytes
        self._tables.holdings.budget.take(hosted.client, size_bytes)
        return True

    def _send_action(self, hosted: HostedSession, request: OpenRequest) -> None:
        record, payload = hosted.record, request.payload
        # Here and not when it comes: by now its kernel has declared its actions.
        if problem := find_problem(request.action, record.declared):
            self.fail(hosted, request.number, "ActionError", problem)
            return
        request.fingerprint = make_fingerprint(request.action, payload)
        if problem := record.pool.poison.find_problem(
            request.action, request.fingerprint, session=hosted.session.id_
        ):
            self.fail(hosted, request.number, "PoisonedAction", problem)
            return
        request.is_idempotent = request.action in record.declared.idempotent
        if request.is_rerun and not self._start_again(hosted, request):
            return
        if request.is_rerun or not request.is_idempotent:
            request.payload = b""  # else it is needed once more, should the kernel be lost
        request.is_sent = True
        record.kernel.blame.growth.begin(request.number, hosted.session.id_)
        record.is_restoring = False
        record.restore_deaths = 0
        record.open_requests += 1
        if record.open_requests == 1:
            record.kernel.note(Event.WORK)
        message = m.Action(
            session=hosted.session.id_, request=request.number, name=request.action, payload=payload
        )
        self._tables.send(record.kernel, message)

    def _start_again(self, hosted: HostedSession, request: OpenRequest) -> bool:
        """A request goes to its second kernel, if that one lets it run twice too.

        It may have been started with other code than the one that was lost.
        """
        if not request.is_idempotent:
            problem = (
                f"action {request.action!r} was lost with its kernel; the next kernel's code does "
                "not mark it as idempotent; not run again"
            )
            self.fail(hosted, request.number, "KernelLost", problem, outcome="lost")
            return False
        frames = hosted.session.start_again(request.number)
        self._tables.outbox.publish(hosted, frames, request.process_id)
        return True

    def _cancel(self, page_record: PageRecord, message: text.PageCancel) -> None:
        hosted = page_record.hosted
        number = hosted.session.ids.get(message.process_id)
        if number is None:
            return  # it ended meanwhile: its end is on the way
        request = hosted.session.requests[number]
        kernel = hosted.record.kernel
        if not request.is_sent:
            self.finish(hosted, number, "cancelled", b"", 0)
            return
        request.is_cancelled = True  # also if the rest is refused: no page wants it to run again
        if message.force and not self._may_end(page_record, "ended"):
            return
        # If the kernel has no other session, no other visitor is affected: then do not ask.
        if message.force or (not kernel.can_interrupt and len(hosted.record.sessions) == 1):
            if self._may_start_another(page_record):
                kernel.life.wish_end()
                kernel.end(f"ended by a page that cancelled {request.action!r}")
            return
        self._ask_to_end(hosted, request)
        if request.cancels == 1 and hosted.record.pool.spec.sharing.isolation == SESSION:
            limit_s = kernel.settings.cancel_limit_s
            self._tables.loop.call_later(limit_s, self._carry_out, hosted, request, limit_s)

    def _carry_out(self, hosted: HostedSession, request: OpenRequest, limit_s: float) -> None:
        """A cancel has not ended its request: end the process, which no other session shares."""
        if hosted.session.requests.get(request.number) is request:
            why = f"cancelled {request.action!r} did not end within {limit_s:g} s (cancel_limit_s)"
            hosted.record.kernel.life.wish_end()
            hosted.record.kernel.end(why)

    def _control(self, page_record: PageRecord, message: text.Control) -> None:
        if message.command != "restart":
            self.interrupt(page_record.hosted)
        elif page_record.hosted.set_aside_for:
            self.try_again(page_record)
        elif self._may_end(page_record, "restarted") and self._may_start_another(page_record):
            page_record.hosted.record.kernel.restart("restarted by a page")

    def _may_start_another(self, page_record: PageRecord) -> bool:
        """Whether a page may replace its kernel's process; if not, its session gets the reason."""
        settings, page = self._tables.settings, page_record.page
        keys = [
            (("kernel", page_record.hosted.record), settings.kernel_restarts),
            (("address", page.address), settings.address_restarts),
        ]
        if page.visitor:
            keys.append((("visitor", page.visitor), settings.visitor_restarts))
        wait_s = self._restarts.ask(keys, self._tables.loop.time())
        if wait_s:
            problem = (
                "The kernel was not restarted: pages have asked for too many restarts within "
                f"{settings.restart_rate_s:g} s. Try again in {math.ceil(wait_s)} s."
            )
            self.complain(page_record.hosted, problem)
        return not wait_s

    def _may_end(self, page_record: PageRecord, asked: str) -> bool:
        """Whether a page may end its session's kernel; if not, it gets the reason.

        Each may end a kernel that only its session uses, and start one without a process.
        """
        hosted = page_record.hosted
        is_running = hosted.record.kernel.pid is not None
        if page_record.page.may_administer or not (is_running and hosted.record.is_shared(hosted)):
            return True
        problem = (
            f"The kernel was not {asked}: other sessions use it too, and only an administrator "
            f"may end what they run. {self._tables.how_to_administer}"
        )
        self.complain(hosted, problem.rstrip())
        return False

    def _ask_to_end(self, hosted: HostedSession, request: OpenRequest) -> None:
        kernel = hosted.record.kernel
        request.is_cancelled = True
        if request.cancels >= kernel.settings.cancel_attempts:
            return  # a kernel that reads nothing would hold each of them
        request.cancels += 1
        if not hosted.is_cancelling:
            hosted.is_cancelling = True
            self._tables.announcer.show([hosted])
        # First the pipe and SIGINT: a kernel that holds its interpreter lock reads no message.
        kernel.interrupt(request.number, request.cancels)
        self._tables.send(
            kernel,
            m.Cancel(session=hosted.session.id_, request=request.number, attempt=request.cancels),
        )

    def _count_off(self, hosted: HostedSession, number: int) -> ProcessId | None:
        self._tables.requests.pop(number, None)
        if not self._tables.requests:
            self._tables.at_rest.set()
        request = hosted.session.requests.get(number)
        if request is None:
            return None
        self._tables.persistence.touch(hosted)
        record = hosted.record
        record.open_bytes -= request.size_bytes
        self._tables.holdings.budget.give(hosted.client, request.size_bytes)
        if request.is_sent:
            record.open_requests -= 1
            record.kernel.blame.growth.end(number)
            if record.open_requests == 0:
                record.kernel.note(Event.REST)
                if record.code_change:  # the end itself comes first
                    self._tables.loop.call_soon(self.reload_idle, record)
        return request.process_id

    def _settle(
        self, hosted: HostedSession, frames: Sequence[bytes], process_id: ProcessId | None
    ) -> None:
        outbox = self._tables.outbox
        outbox.publish(hosted, frames, process_id)
        if hosted.is_cancelling and not any(r.cancels for r in hosted.session.requests.values()):
            hosted.is_cancelling = False
            outbox.announce(hosted, self._tables.compose_kernel(hosted))
        self._tables.holdings.rest(hosted)


def _is_alone(hosted: HostedSession) -> bool:
    """Whether the session is a suspect of a crash, and begins by itself now."""
    return hosted.record.kernel.blame.starts.alone == hosted.session.id_


def _ignore(_host: HostedSession) -> None:
    pass
