"""Turns the messages of kernels into frames of sessions (docs/protocol.md, 4.2).

Owns the checks on what a kernel sent: generation, JSON in UTF-8, credit. A kernel that does not
follow the protocol harms only itself: its frames are dropped and counted (`mistakes`), or it ends.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..errors import RemoteProtocolError
from ..protocol import codec, jsontext, text
from ..protocol import messages as m
from ..protocol.lifecycle import State
from ..protocol.violations import Names
from .code import Code
from .mistakes import Mistakes
from .records import HostedSession, KernelRecord
from .sessions.class_values import ClassValues
from .sessions.opening import Opening
from .sessions.requests import Requests
from .strangers import Strangers
from .supervision.memory_limit import look_now
from .tables import Tables

logger = logging.getLogger("databench.broker")

DECLARATIONS = (m.Actions, m.Idempotent)
RESERVED = frozenset({"__connect", "__kernel", "__gap", "__process", "__progress", "__reload"})


class Inbound:
    """Handles the messages of kernels.

    Args:
        tables: The broker's.
        requests: Ends requests.
        opening: Gets the sessions that have begun.
        code: Gets the files that kernels have read.
        class_values: Takes values of `class_data`.
        mistakes: Notes what is not as specified.
    """

    def __init__(
        self,
        tables: Tables,
        requests: Requests,
        opening: Opening,
        code: Code,
        class_values: ClassValues,
        mistakes: Mistakes,
    ) -> None:
        self._late = 0  # came when their kernel, or their session, was no longer there
        self._tables = tables
        self._requests = requests
        self._opening = opening
        self._code = code
        self._class_values = class_values
        self._mistakes = mistakes
        self._strangers = Strangers(tables)
        self._handlers: dict[type[m.Message], Callable[[HostedSession, Any, int], None]] = {
            m.Emit: self._emit,
            m.StateChange: self._state,
            m.Log: self._log,
            m.Done: self._done,
            m.Error: self._error,
            m.Cancelled: self._cancelled,
            m.Progress: self._progress,
            m.Opened: self._opened,
        }

    @property
    def dropped(self) -> int:
        """How many messages were not as specified, or came too late."""
        return self._mistakes.count + self._late

    def receive(self, routing_id: bytes, frames: Sequence[bytes]) -> None:
        """A message of some kernel."""
        record = self._tables.by_routing.get(routing_id)
        if record is None:
            self._late += 1  # of an older generation, or of no kernel that we started
            self._strangers.meet(routing_id, frames)
            return
        try:
            self._take(record, frames)
        except RemoteProtocolError as error:
            names = self._mistakes.note_message(record, str(error), frames)
            self._spend(record, frames)
            if names.kind == m.Hello.KIND:
                record.kernel.reject(str(error))

    def _take(self, record: KernelRecord, frames: Sequence[bytes]) -> None:
        if len(frames) > (limit := self._tables.settings.kernel_message_frames):
            raise RemoteProtocolError(f"{len(frames)} frames, limit {limit}; dropped")
        message = codec.decode_from_kernel(frames)
        if message is None:
            self._mistakes.note_unknown(record, frames)
            self._spend(record, frames)  # a word of a later protocol
        elif type(message) is m.Hello:
            record.kernel.receive_hello(message)
        elif type(message) is m.Sources:
            self._code.take_sources(record, message)
            self._spend(record, frames)
        elif isinstance(message, DECLARATIONS):
            _declare(record, message)
            self._spend(record, frames)
        elif record.kernel.is_ready:
            record.kernel.heard(is_working=record.open_requests > 0)
            self._dispatch(record, message, frames)
        else:
            self._late += 1
            self._spend(record, frames)

    def _spend(self, record: KernelRecord, frames: Sequence[bytes]) -> None:
        """A message that no session's credit pays for costs what the kernel has for such."""
        stray, kernel = record.stray, record.kernel
        stray.spend(sum(map(len, frames)))
        if stray.is_spent and not kernel.life.is_ending and kernel.life.state is not State.STOPPING:
            kernel.end(
                f"it sent more than {stray.window_bytes} bytes that belong to no open session, "
                "the limit (credit_window_bytes)"
            )

    def _dispatch(self, record: KernelRecord, message: m.Message, frames: Sequence[bytes]) -> None:
        if type(message) is m.Batch:
            self._dispatch_batch(record, message)
            return
        handler = self._handlers.get(type(message))
        if handler is None:
            self._spend(record, frames)
            self._hear_of_kernel(record, message)
            return
        if message.session is None:
            self._class_state(record, message)
            return
        hosted = record.sessions.get(message.session)
        if hosted is None or not hosted.is_open:
            self._drop_late(record, message, frames)
            return
        handler(hosted, message, sum(map(len, frames)))
        receive_window = hosted.session.receive_window
        # Now: a message that made no frame for a page has no write that could leave.
        self._tables.give_credit(hosted)
        if receive_window.is_overdrawn:
            record.kernel.end(
                f"it sent {receive_window.overdraft_bytes} bytes without credit, "
                f"limit {2 * receive_window.window_bytes}"
            )

    def _drop_late(self, record: KernelRecord, message: m.Message, frames: Sequence[bytes]) -> None:
        """Most often its session was closed while this was on its way."""
        problem = f"{message.KIND}: names a session that is not open; dropped"
        is_end = isinstance(message, m.Done | m.Error | m.Cancelled)
        if is_end and message.request in self._tables.requests:
            self._mistakes.note_message(record, problem, frames)  # it names another session's
        else:
            self._late += 1
            logger.debug("kernel %r: %s", record.kernel.spec.name, problem)
        self._spend(record, frames)

    def _dispatch_batch(self, record: KernelRecord, batch: m.Batch) -> None:
        for inner_frames in codec.split_batch(batch.payload):
            try:
                self._dispatch_inner(record, inner_frames)
            except RemoteProtocolError as error:  # those behind it may be fine
                self._mistakes.note_message(record, str(error), inner_frames)
                self._spend(record, inner_frames)

    def _dispatch_inner(self, record: KernelRecord, frames: Sequence[bytes]) -> None:
        inner = codec.decode_from_kernel(frames)
        if type(inner) in (m.Batch, m.Hello):
            raise RemoteProtocolError(f"batch: holds a {inner.KIND}; dropped")  # type: ignore[union-attr]
        if inner is None:
            self._mistakes.note_unknown(record, frames)
            self._spend(record, frames)
        else:
            self._dispatch(record, inner, frames)

    # ------------------------------------------------------------ one method per kind

    def _emit(self, hosted: HostedSession, message: m.Emit, size_bytes: int) -> None:
        if message.signal in RESERVED:
            problem = f"signal {message.signal!r} is Databench's own; not shown"
            self._requests.complain(hosted, problem, charge_bytes=size_bytes)
            return
        self._publish(hosted, message.signal, message.payload, size_bytes)

    def _log(self, hosted: HostedSession, message: m.Log, size_bytes: int) -> None:
        self._publish(hosted, message.level, message.payload, size_bytes)

    def _state(self, hosted: HostedSession, message: m.StateChange, size_bytes: int) -> None:
        if message.scope != "data":
            raise RemoteProtocolError("state: class_data names a session; dropped")
        stored = message.further[0] if message.further else message.payload
        if problem := jsontext.find_state_problem(message.payload, stored):
            self._refuse_payload(hosted, f"state {message.key!r}", problem, size_bytes)
            return
        excess = hosted.session.data.find_problem(message.key, message.payload, stored)
        excess = excess or self._tables.holdings.find_problem(hosted, message.key, message.payload)
        if excess:
            self._requests.complain(hosted, excess, charge_bytes=size_bytes)
            return
        frame = hosted.session.set_value(
            message.key, message.payload, stored, charge_bytes=size_bytes
        )
        self._tables.persistence.put_value(hosted, message.key, message.payload, stored)
        self._tables.outbox.publish(hosted, (frame,))

    def _done(self, hosted: HostedSession, message: m.Done, size_bytes: int) -> None:
        number = self._known(hosted, message, size_bytes)
        hosted.record.kernel.life.note_completed()
        if message.payload and (problem := jsontext.find_problem(message.payload)):
            problem = f"the kernel sent a result that is {problem}; dropped"
            self._requests.fail(hosted, number, "ProtocolError", problem, size=size_bytes)
            self._mistakes.note(hosted.record, problem, Names())
            return
        self._requests.finish(hosted, number, "done", message.payload, size_bytes)

    def _error(self, hosted: HostedSession, message: m.Error, size_bytes: int) -> None:
        traceback = message.payload
        if traceback and (problem := jsontext.find_string_problem(traceback)):
            self._mistakes.note(hosted.record, f"traceback: {problem}; not shown")
            traceback = b""
        if not self._tables.debug:
            traceback = b""
        if message.request is None:
            self._requests.complain(hosted, message.text, charge_bytes=size_bytes)
            return
        number = self._known(hosted, message, size_bytes)
        hosted.record.kernel.life.note_completed()
        self._requests.fail(hosted, number, message.type, message.text, traceback, size_bytes)

    def _cancelled(self, hosted: HostedSession, message: m.Cancelled, size_bytes: int) -> None:
        number = self._known(hosted, message, size_bytes)
        hosted.record.kernel.life.note_completed()
        self._requests.finish(hosted, number, "cancelled", b"", size_bytes)

    def _progress(self, hosted: HostedSession, message: m.Progress, size_bytes: int) -> None:
        number = self._known(hosted, message, size_bytes)
        process_id = hosted.session.requests[number].process_id
        frames = hosted.session.set_progress(
            number, message.value, message.total, charge_bytes=size_bytes
        )
        self._tables.outbox.publish(hosted, frames, process_id)

    def _opened(self, hosted: HostedSession, _message: m.Opened, size_bytes: int) -> None:
        # Nothing is shown: actions may run before `connected` has ended.
        self._opening.note_opened(hosted)
        # Now, and not later: actions that waited for the session run already.
        look_now(hosted.record.kernel)
        hosted.session.return_charge(size_bytes)

    def _class_state(self, record: KernelRecord, message: m.Message) -> None:
        if not isinstance(message, m.StateChange) or message.scope != "class_data":
            raise RemoteProtocolError(f"{message.KIND}: no session; dropped")
        if problem := self._class_values.receive(record, message):
            self._mistakes.note(record, problem)

    def _hear_of_kernel(self, record: KernelRecord, message: m.Message) -> None:
        if type(message) is m.Bye:
            record.kernel.said_bye(message.reason)
        elif type(message) is m.Pong and record.kernel.heartbeat.is_answer(message.number):
            self._opening.note_read(record)
            self._class_values.tell_stale(record)

    # ------------------------------------------------------------ parts

    def _publish(self, hosted: HostedSession, signal: str, payload: bytes, size_bytes: int) -> None:
        if payload and (problem := jsontext.find_problem(payload)):
            self._refuse_payload(hosted, f"signal {signal!r}", problem, size_bytes)
            return
        frame = text.compose(signal, payload)
        hosted.session.append(frame, charge_bytes=size_bytes)
        self._tables.outbox.publish(hosted, (frame,))

    def _refuse_payload(
        self, hosted: HostedSession, subject: str, problem: str, size_bytes: int
    ) -> None:
        # A browser closes a websocket on bytes that are not UTF-8 (RFC 6455, 8.1).
        problem = f"{subject}: the kernel sent bytes that are {problem}; not shown"
        self._requests.complain(hosted, problem, charge_bytes=size_bytes)
        self._mistakes.note(hosted.record, problem, Names())

    def _known(self, hosted: HostedSession, message: m.Message, size_bytes: int) -> int:
        number = message.request
        if number is None or number not in hosted.session.requests:
            hosted.session.return_charge(size_bytes)
            raise RemoteProtocolError(f"{message.KIND}: request {number} is not open; dropped")
        return number


def _declare(record: KernelRecord, message: m.Actions | m.Idempotent) -> None:
    """The kernel says something of its actions; each of the two leaves what the other one said."""
    names = frozenset(message.names)
    if isinstance(message, m.Idempotent):
        record.declared = replace(record.declared, idempotent=names)
    else:
        record.declared = replace(record.declared, names=names, others=message.others)
