"""What kernels say, turned into frames of sessions (docs/protocol.md, 4.2).

Owns the checks on what a kernel sent: generation, JSON in UTF-8, credit, junk. A kernel that does
not keep to the protocol harms only itself: its frames are dropped and counted, or it is ended.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import RemoteProtocolError
from ..protocol import actions, codec, jsontext, text
from ..protocol import messages as m
from ..protocol.lifecycle import State
from .class_values import ClassValues
from .code import Code
from .memory import look_now
from .opening import Opening
from .requests import Requests
from .tables import Entry, Seat, Tables

logger = logging.getLogger("databench.broker")

RESERVED = frozenset({"__connect", "__kernel", "__gap", "__process", "__progress", "__reload"})


class Inbound:
    """Handles the messages of kernels.

    Args:
        tables: The broker's.
        requests: Ends requests.
        opening: Hears which sessions have begun.
        code: Hears of the files that kernels have read.
        class_values: Shows values of `class_data`.
    """

    def __init__(
        self,
        tables: Tables,
        requests: Requests,
        opening: Opening,
        code: Code,
        class_values: ClassValues,
    ) -> None:
        self.dropped = 0
        self._tables = tables
        self._requests = requests
        self._opening = opening
        self._code = code
        self._class_values = class_values
        self._handlers: dict[type[m.Message], Callable[[Seat, Any, int], None]] = {
            m.Emit: self._emit,
            m.State: self._state,
            m.Log: self._log,
            m.Done: self._done,
            m.Error: self._error,
            m.Cancelled: self._cancelled,
            m.Progress: self._progress,
            m.Opened: self._opened,
        }

    def receive(self, routing_id: bytes, frames: Sequence[bytes]) -> None:
        """A message of some kernel."""
        entry = self._tables.by_routing.get(routing_id)
        if entry is None:
            self.dropped += 1  # of an older generation, or of nobody that we started
            return
        try:
            if len(frames) > (limit := self._tables.settings.kernel_message_frames):
                raise RemoteProtocolError(f"{len(frames)} frames, limit {limit}; dropped")
            message = codec.decode_from_kernel(frames)
            if message is None:
                self._spend(entry, frames)  # a word of a later protocol
            elif type(message) is m.Hello:
                entry.kernel.receive_hello(message)
            elif type(message) is m.Sources:
                self._code.take_sources(entry, message)
                self._spend(entry, frames)
            elif type(message) is m.Actions:
                entry.declared = actions.Declared(frozenset(message.names), message.others)
                self._spend(entry, frames)
            elif entry.kernel.is_ready:
                entry.kernel.heard(is_working=entry.open_requests > 0)
                self._dispatch(entry, message, frames)
            else:
                self.dropped += 1
                self._spend(entry, frames)
        except RemoteProtocolError as error:
            self._count_junk(entry, str(error))
            self._spend(entry, frames)

    def _spend(self, entry: Entry, frames: Sequence[bytes]) -> None:
        """A message that no session's credit pays for costs what the kernel has for such."""
        stray, kernel = entry.stray, entry.kernel
        stray.spend(sum(map(len, frames)))
        if stray.is_spent and not kernel.life.is_ending and kernel.life.state is not State.STOPPING:
            kernel.end(
                f"it sent more than {stray.window_bytes} bytes that belong to no open session, "
                "limit of credit_window_bytes"
            )

    def _dispatch(self, entry: Entry, message: m.Message, frames: Sequence[bytes]) -> None:
        if type(message) is m.Batch:
            self._dispatch_batch(entry, message)
            return
        handler = self._handlers.get(type(message))
        if handler is None:
            self._spend(entry, frames)
            self._hear_of_kernel(entry, message)
            return
        if message.session is None:
            self._class_state(entry, message)
            return
        seat = entry.seats.get(message.session)
        if seat is None or not seat.is_open:
            self.dropped += 1  # the session was closed while this was on its way
            self._spend(entry, frames)
            return
        handler(seat, message, sum(map(len, frames)))
        ledger = seat.session.ledger
        # Now: what made no frame for a page has no write that could drain.
        self._tables.give_credit(seat)
        if ledger.is_overdrawn:
            entry.kernel.end(
                f"it sent {ledger.overdraft_bytes} bytes without credit, "
                f"limit {2 * ledger.window_bytes}"
            )

    def _dispatch_batch(self, entry: Entry, batch: m.Batch) -> None:
        for inner_frames in codec.split_batch(batch.payload):
            inner = codec.decode_from_kernel(inner_frames)
            if type(inner) in (m.Batch, m.Hello):
                raise RemoteProtocolError(f"batch: holds a {inner.KIND}; rest dropped")  # type: ignore[union-attr]
            if inner is None:
                self._spend(entry, inner_frames)
            else:
                self._dispatch(entry, inner, inner_frames)

    # ------------------------------------------------------------ one method per kind

    def _emit(self, seat: Seat, message: m.Emit, size_bytes: int) -> None:
        if message.signal in RESERVED:
            problem = f"signal {message.signal!r} is Databench's own; not shown"
            self._requests.complain(seat, problem, charge_bytes=size_bytes)
            return
        self._publish(seat, message.signal, message.payload, size_bytes)

    def _log(self, seat: Seat, message: m.Log, size_bytes: int) -> None:
        self._publish(seat, message.level, message.payload, size_bytes)

    def _state(self, seat: Seat, message: m.State, size_bytes: int) -> None:
        if message.scope != "data":
            raise RemoteProtocolError("state: class_data names a session; dropped")
        stored = message.further[0] if message.further else message.payload
        if problem := _find_state_problem(message.payload, stored):
            self._refuse_payload(seat, f"state {message.key!r}", problem, size_bytes)
            return
        excess = seat.session.data.find_problem(message.key, message.payload, stored)
        excess = excess or self._tables.holdings.find_problem(seat, message.key, message.payload)
        if excess:
            self._requests.complain(seat, excess, charge_bytes=size_bytes)
            return
        frame = seat.session.set_value(
            message.key, message.payload, stored, charge_bytes=size_bytes
        )
        self._tables.keeper.put_value(seat, message.key, message.payload, stored)
        self._tables.outbox.publish(seat, (frame,))

    def _done(self, seat: Seat, message: m.Done, size_bytes: int) -> None:
        number = self._known(seat, message, size_bytes)
        seat.entry.kernel.life.note_completed()
        if message.payload and (problem := jsontext.find_problem(message.payload)):
            problem = f"the kernel sent a result that is {problem}; dropped"
            self._requests.fail(seat, number, "ProtocolError", problem, size=size_bytes)
            self._count_junk(seat.entry, problem)
            return
        self._requests.finish(seat, number, "done", message.payload, size_bytes)

    def _error(self, seat: Seat, message: m.Error, size_bytes: int) -> None:
        traceback = message.payload
        if traceback and (problem := jsontext.find_string_problem(traceback)):
            self._count_junk(seat.entry, f"traceback: {problem}; not shown")
            traceback = b""
        if not self._tables.debug:
            traceback = b""
        if message.request is None:
            self._requests.complain(seat, message.text, charge_bytes=size_bytes)
            return
        number = self._known(seat, message, size_bytes)
        seat.entry.kernel.life.note_completed()
        self._requests.fail(seat, number, message.type, message.text, traceback, size_bytes)

    def _cancelled(self, seat: Seat, message: m.Cancelled, size_bytes: int) -> None:
        number = self._known(seat, message, size_bytes)
        seat.entry.kernel.life.note_completed()
        self._requests.finish(seat, number, "cancelled", b"", size_bytes)

    def _progress(self, seat: Seat, message: m.Progress, size_bytes: int) -> None:
        number = self._known(seat, message, size_bytes)
        process_id = seat.session.requests[number].process_id
        frames = seat.session.set_progress(
            number, message.value, message.total, charge_bytes=size_bytes
        )
        self._tables.outbox.publish(seat, frames, process_id)

    def _opened(self, seat: Seat, _message: m.Opened, size_bytes: int) -> None:
        # Nothing is shown: actions may run before `connected` has ended.
        self._opening.note_opened(seat)
        # Now, and not at the next look: what waited for the session runs already.
        look_now(seat.entry.kernel)
        seat.session.return_charge(size_bytes)

    def _class_state(self, entry: Entry, message: m.Message) -> None:
        if not isinstance(message, m.State) or message.scope != "class_data":
            raise RemoteProtocolError(f"{message.KIND}: no session; dropped")
        stored = message.further[0] if message.further else message.payload
        if not stored:
            raise RemoteProtocolError(f"state {message.key!r}: class_data is not deleted; dropped")
        if problem := _find_state_problem(message.payload, stored):
            self._count_junk(entry, f"state {message.key!r}: {problem}; dropped")
            self._answer_write(entry, message.key, False)  # it waits for this, and keeps its order
            return
        store = entry.store
        try:
            accepted = store.write(message.key, message.payload, stored, base=message.base)
        except OverflowError as error:
            logger.error("analysis %r: %s; not kept", entry.kernel.spec.name, error)
            accepted = False
        if accepted:
            self._class_values.show(entry.group, message.key, message.payload)
        self._answer_write(entry, message.key, accepted)
        if accepted:
            self._class_values.tell_kernels(entry.group, message.key, writer=entry)

    def _answer_write(self, entry: Entry, key: str, accepted: bool) -> None:
        """Tell a kernel what became of its write; one that reads nothing does not fill memory."""
        value = entry.store.get(key)
        answer = m.SetState(
            None,
            None,
            "class_data",
            key,
            value.version if value else 0,
            True,
            accepted,
            value.stored if value else b"null",
        )
        self._tables.send(entry.kernel, answer)
        entry.answer_bytes += len(answer.payload)
        limit = self._tables.settings.class_data_bytes
        if entry.answer_bytes > limit:
            entry.kernel.end(
                f"{entry.answer_bytes} bytes of answers to its writes of class_data wait for it, "
                f"limit {limit}"
            )

    def _hear_of_kernel(self, entry: Entry, message: m.Message) -> None:
        if type(message) is m.Bye:
            entry.kernel.said_bye(message.reason)
        elif type(message) is m.Pong and entry.kernel.pulse.is_answer(message.number):
            self._opening.note_read(entry)
            self._class_values.tell_stale(entry)

    # ------------------------------------------------------------ parts

    def _publish(self, seat: Seat, signal: str, payload: bytes, size_bytes: int) -> None:
        if payload and (problem := jsontext.find_problem(payload)):
            self._refuse_payload(seat, f"signal {signal!r}", problem, size_bytes)
            return
        frame = text.compose(signal, payload)
        seat.session.append(frame, charge_bytes=size_bytes)
        self._tables.outbox.publish(seat, (frame,))

    def _refuse_payload(self, seat: Seat, subject: str, problem: str, size_bytes: int) -> None:
        # A browser closes a websocket on bytes that are no UTF-8 (RFC 6455, 8.1).
        problem = f"{subject}: the kernel sent bytes that are {problem}; not shown"
        self._requests.complain(seat, problem, charge_bytes=size_bytes)
        self._count_junk(seat.entry, problem)

    def _known(self, seat: Seat, message: m.Message, size_bytes: int) -> int:
        number = message.request
        if number is None or number not in seat.session.requests:
            seat.session.return_charge(size_bytes)
            raise RemoteProtocolError(f"{message.KIND}: request {number} is not open; dropped")
        return number

    def _count_junk(self, entry: Entry, problem: str) -> None:
        self.dropped += 1
        entry.junk += 1
        limit = self._tables.settings.junk_messages
        logger.log(
            logging.WARNING if entry.junk == 1 else logging.DEBUG,
            "kernel %r: %s",
            entry.kernel.spec.name,
            problem,
        )
        if entry.junk > limit:
            entry.kernel.end(f"{entry.junk} messages were not understood, limit {limit}")


def _find_state_problem(shown: bytes, stored: bytes) -> str:
    problem = jsontext.find_problem(shown)
    if problem or not stored or stored is shown:
        return problem
    return jsontext.find_problem(stored)
