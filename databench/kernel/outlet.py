"""The messages of one session: emits, state, log lines, progress, ends; with its credit.

The fastest path of the kernel: a coroutine that awaits thousands of small emits spends its time
here. So headers are made once per signal, and no message object is made at all.
"""

from __future__ import annotations

import functools
import json
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from logging import Logger
from typing import Any

from ..analysis import LEVELS, MISSING
from ..datastore import Datastore, telling
from ..payload import encode
from ..protocol import messages as m
from ..protocol.codec import encode as encode_message
from ..protocol.codec import encode_done_header, encode_emit_header
from ..settings import Settings
from .channel import KernelChannel, checkpoint
from .request import Cancelled, KernelRequest, current, settle
from .send_window import SendWindow, WaitingMessage
from .steps import LoopWorker

_SPECIAL = {*LEVELS, "data", "class_data"}
# Signals of one request whose headers are kept: code may make a new name for each emit.
_HEADERS_LIMIT = 256
# How long a step of a coroutine that only emits may take before others have their turn.
_STEP_S = 0.002
# Twenty times a second: a visitor sees no faster movement of a bar.
_PROGRESS_S = 0.05
_monotonic = time.monotonic
_get_ident = threading.get_ident
_get_current = current.get


class Sent:
    """The result of `emit` when the message has gone: awaiting it does not wait."""

    __slots__ = ()

    # Without a frame of Python: a loop awaits thousands of these.
    __await__: Callable[..., Any] = staticmethod(functools.partial(iter, ()))

    def done(self) -> bool:
        """Whether the message has gone."""
        return True


SENT = Sent()


class Tick(Sent):
    """The same, but awaiting it lets the loop turn once: the step has taken long enough."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, None]:
        yield


TICK = Tick()


class PendingEmit:
    """The result of `emit` on the loop when the page is slow: awaiting it waits for credit."""

    __slots__ = ("_entry", "_outlet")

    def __init__(self, outlet: SessionOutlet, entry: WaitingMessage) -> None:
        self._outlet = outlet
        self._entry = entry

    def __await__(self) -> Generator[Any, None, None]:
        return self._outlet.wait_sent(self._entry)

    def done(self) -> bool:
        """Whether the message has gone."""
        return self._entry.is_sent


class SessionOutlet:
    """One session's way out.

    Args:
        id_: The session's.
        channel: The socket.
        worker: The loop's thread.
        window: The session's credit.
        settings: The kernel's.
        logger: The analysis' own.
        start_inner: Runs the generator of a handler that another handler has called.
    """

    def __init__(
        self,
        id_: str,
        channel: KernelChannel,
        worker: LoopWorker,
        window: SendWindow,
        *,
        settings: Settings,
        logger: Logger,
        start_inner: Callable[[Any], Awaitable[Any]],
    ) -> None:
        self.id_ = id_
        self.window = window
        self.is_closed = False
        # The stores whose changes the kernel reports, by signal.
        self.told: dict[str, Datastore] = {}
        self._channel = channel
        self._lock = channel.lock
        self._worker = worker
        self._quiet_emits: int = settings.batch_quiet_emits
        self._plain_emits: int = settings.batch_plain_emits
        self._quiet_s: float = settings.batch_wait_s
        self._limit_bytes: int = settings.kernel_message_bytes
        # Stands for code that runs outside of any action (timers, ended actions' tasks).
        self._outside = KernelRequest(self, None, "", b"")
        self._logger = logger
        self._start_inner = start_inner

    # -- what an analysis calls

    def emit(self, signal: str, message: Any = MISSING) -> Awaitable[None]:
        """Send a signal; see `Analysis.emit`."""
        payload = b"" if message is MISSING else encode(message)
        if signal in _SPECIAL and (sent := self._emit_special(signal, message, payload)):
            return sent
        request = _get_current()
        if request is None or request.is_ended or request.owner is not self:
            request = self._outside
        header = request.headers.get(signal) or self._make_header(request, signal)
        frames = [header, payload]
        size_bytes = len(header) + len(payload)
        if size_bytes > self._limit_bytes:
            self._channel.check_size(f"emit {signal!r:.80}", size_bytes)
        entry, now_s = None, 0.0
        with self._lock:
            checkpoint()
            window = self.window
            if window.credit > 0 and not window.waiting:
                window.credit -= size_bytes
                now_s = self._transmit(frames, size_bytes)
            elif not self.is_closed:
                entry = window.put(frames, request)
        if request.is_deferred:
            settle()
        if entry is not None:
            return self._wait(entry, request)
        if now_s - self._worker.step_s > _STEP_S:
            return TICK
        return SENT

    def _emit_special(self, signal: str, message: Any, payload: bytes) -> Awaitable[None] | None:
        if signal in LEVELS:
            return self._log(signal, message, payload)
        return SENT if self._is_told(signal, message) else None

    def _is_told(self, signal: str, message: Any) -> bool:
        """Whether this repeats a change of state that is reported without it.

        The user's `init_datastores` may emit the changes of its stores.
        """
        change = telling.get()
        if change is None or not isinstance(message, dict) or list(message) != [change[1]]:
            return False
        store = self.told.get(signal)
        return store is not None and (store.domain, store.get(change[1])) == (
            change[0],
            message[change[1]],
        )

    def progress(self, value: float, total: float | None) -> None:
        """Report the progress of the running action; at most 20 times a second, and at its end."""
        request = _get_current()
        if request is None or request.number is None or request.is_ended:
            return
        now_s = _monotonic()
        if now_s - request.progress_s < _PROGRESS_S and value != total:
            return
        request.progress_s = now_s
        total = total if total is None or abs(total) <= 2**53 else None
        message = m.Progress(session=self.id_, request=request.number, value=value, total=total)
        self._send_latest(("progress", request.number), encode_message(message), request)
        settle()

    def start(self, generator: Any) -> Awaitable[Any]:
        """Run the generator of a handler that was called by another."""
        return self._start_inner(generator)

    # -- what the kernel calls

    def check_state(self, key: str, payload: bytes, stored: bytes | None) -> None:
        """Refuse a value that cannot be sent, before it is stored.

        Raises:
            ValueError: It is too large.
            LocalProtocolError: Its key is too long or no Unicode text.
        """
        self._channel.check_size(f"data {key!r:.80}", len(payload) + len(stored or b""))
        encode_message(m.StateChange(session=self.id_, scope="data", key=key, base=None))

    def send_state(self, key: str, payload: bytes, stored: bytes | None) -> None:
        """Send a value of `data`; without credit, only the latest one."""
        request = self._request()
        header = request.headers.get(f"\0{key}")
        if header is None:
            message = m.StateChange(
                session=self.id_, request=request.number, scope="data", key=key, base=None
            )
            header = self._keep(request, f"\0{key}", encode_message(message)[0])
        frames = [header, payload] if stored is None else [header, payload, stored]
        self._send_latest(("state", key), frames, request)

    def send_done(self, request: KernelRequest, number: int, payload: bytes) -> None:
        """Send the good end of a request, behind everything that it emitted."""
        self._send_end(request, [encode_done_header(self.id_, number), payload])

    def send_end(self, request: KernelRequest, message: m.Message) -> None:
        """Send any end of a request; as `send_done`."""
        self._send_end(request, encode_message(message))

    def _send_end(self, request: KernelRequest, frames: list[bytes]) -> None:
        with self._lock:
            checkpoint()
            window = self.window
            if self.is_closed or (window.waiting and window.put_end(frames, request)):
                return
            size_bytes = sum(map(len, frames))
            window.credit -= size_bytes
            if _get_ident() == self._worker.ident:
                # Those of one turn of the loop go together, behind its emits.
                self._channel.send_soon(frames, size_bytes, _monotonic())
            else:
                self._channel.send(frames)

    def send(self, message: m.Message) -> None:
        """Send a message that belongs to no request; it needs no credit, but costs some."""
        with self._lock:
            checkpoint()
            if not self.is_closed:
                self._pay(encode_message(message))

    def grant(self, size_bytes: int) -> None:
        """Credit has come back."""
        with self._lock:
            for entry in self.window.grant(size_bytes):
                self._channel.send_soon(entry.frames, entry.size_bytes, _monotonic())
                self._wake(entry)
            self._channel.flush()

    def close(self) -> None:
        """Send nothing any more; waiting callers are let go."""
        with self._lock:
            self.is_closed = True
            for entry in self.window.close():
                self._wake(entry)
            self.window.credit = 0

    def disown(self) -> None:
        """In a fork of the kernel's process: nothing waits, since nothing will ever come."""
        self.window.close()
        self.window.credit = 2**53

    def wait_sent(self, entry: WaitingMessage) -> Generator[Any, None, None]:
        """Wait, on the loop, until the entry has gone."""
        if not entry.is_sent:
            with self._lock:
                self.window.awaited(entry)
                if not entry.is_sent:
                    entry.waiter = future = self._worker.loop.create_future()
            if not entry.is_sent:
                yield from future

    # -- inside

    def _transmit(self, frames: list[bytes], size_bytes: int) -> float:
        """Send at once or batch; for the thread that holds the lock."""
        now_s = _monotonic()
        channel = self._channel
        # Of the whole kernel: many sessions with an emit each are not a quiet spell.
        if now_s - channel.last_s > self._quiet_s:
            channel.burst = 0
        channel.last_s = now_s
        # The first of a turn goes at once in any case: a page that sends one action after the
        # other waits for it, and not for what the turn does behind it.
        if _get_ident() != self._worker.ident:
            is_quiet = channel.burst < self._plain_emits
        else:
            is_quiet = channel.is_fresh or channel.burst < self._quiet_emits
        if is_quiet:
            channel.is_fresh = False
            channel.burst += 1
            channel.send(frames)
        else:
            channel.send_soon(frames, size_bytes, now_s)
        return now_s

    def _pay(self, frames: list[bytes]) -> None:
        size_bytes = sum(map(len, frames))
        self.window.spend(size_bytes)
        self._transmit(frames, size_bytes)

    def _send_latest(self, key: Any, frames: list[bytes], request: KernelRequest) -> None:
        with self._lock:
            checkpoint()
            if self.is_closed:
                return
            if self.window.is_open:
                self._pay(frames)
            else:
                self.window.put_latest(key, frames, request)

    def _log(self, level: str, message: Any, payload: bytes) -> Awaitable[None]:
        self._channel.check_size(f"emit {level!r}", len(payload))
        # A text is logged as it is, without the quotes and escapes of JSON.
        text = message if isinstance(message, str) else payload.decode("utf-8", "replace")
        self._logger.log(LEVELS[level], "%s", text[:2000])
        request = self._request()
        frames = encode_message(
            m.Log(session=self.id_, request=request.number, level=level, payload=payload)
        )
        with self._lock:
            checkpoint()
            if self.window.dropped and self.window.is_open and not self.is_closed:
                self._say_dropped()  # which may take what credit there is
            if self.is_closed or not self.window.is_open:
                self.window.dropped += 1
                return SENT
            self._pay(frames)
        settle()
        return SENT

    def _say_dropped(self) -> None:
        count, self.window.dropped = self.window.dropped, 0
        text = json.dumps(f"{count} log messages were dropped: the page is slow").encode()
        self._pay(encode_message(m.Log(session=self.id_, level="warn", payload=text)))

    def _wait(self, entry: WaitingMessage, request: KernelRequest) -> Awaitable[None]:
        """On the loop: something to await. In another thread: wait here."""
        if _get_ident() == self._worker.ident:
            return PendingEmit(self, entry)
        gate = threading.Lock()
        gate.acquire()
        try:
            with self._lock:
                checkpoint()
                self.window.awaited(entry)
                if not entry.is_sent:
                    entry.waiter = gate
                self._channel.flush()  # nothing is left lying while this waits
            settle()
            while not entry.is_sent:
                # A signal interrupts this in the main thread, `Interrupts.strike` in others.
                gate.acquire()
                settle()
        except Cancelled:
            with self._lock:
                self.window.withdraw(entry)
            raise
        return SENT

    def _wake(self, entry: WaitingMessage) -> None:
        """Release the waiter of an entry; for the thread that holds the lock."""
        waiter, entry.waiter = entry.waiter, None
        if waiter is None:
            return
        if hasattr(waiter, "release"):
            _open_gate(waiter)
        else:
            self._worker.loop.call_soon(_resolve, waiter)

    def wake_for(self, request: KernelRequest) -> None:
        """Let a thread look up that waits in an emit of this request."""
        with self._lock:
            for entry in self.window.waiting:
                if entry.owner is request and hasattr(entry.waiter, "release"):
                    _open_gate(entry.waiter)

    def _request(self) -> KernelRequest:
        request = _get_current()
        if request is None or request.is_ended or request.owner is not self:
            return self._outside
        return request

    def _make_header(self, request: KernelRequest, signal: str) -> bytes:
        if not isinstance(signal, str):
            raise TypeError(f"emit: the signal {signal!r:.80} is not a string; not sent")
        header = encode_emit_header(self.id_, request.number, signal)
        return self._keep(request, signal, header)

    def _keep(self, request: KernelRequest, name: str, header: bytes) -> bytes:
        if len(request.headers) >= _HEADERS_LIMIT:
            request.headers.clear()
        request.headers[name] = header
        return header


def _open_gate(gate: Any) -> None:
    # Only the holder of the channel's lock opens gates, so it cannot be opened in between.
    if gate.locked():
        gate.release()


def _resolve(future: Any) -> None:
    if not future.done():
        future.set_result(None)
