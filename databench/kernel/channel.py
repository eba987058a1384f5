"""The kernel's one socket: a DEALER that any thread may send on.

Owns the frames on their way: sends at once, or batches quick emits. Beyond that, it never
looks into a message.

Theory of operation: `lock` guards the socket and everything that decides what goes next. An
interruption respects it too: only the holder of the lock sets an asynchronous exception, and a
thread that takes the lock first passes `checkpoint()`, where a pending one comes out before
anything was done (see `interrupts`). The socket's descriptor is edge-triggered, and a send may
swallow the edge: so `EVENTS` is checked after every send and receive.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import zmq

from .. import multipart
from ..errors import KernelError
from ..protocol.codec import join_batch
from .process import signals

# Plain numbers: pyzmq's enumerations cost a microsecond per operation.
_POLLIN = int(zmq.POLLIN)
_EVENTS = int(zmq.EVENTS)
_SNDMORE = int(zmq.SNDMORE | zmq.DONTWAIT)
_DONTWAIT = int(zmq.DONTWAIT)
# A batch is joined in memory, which costs more than it saves for messages that are large anyway.
_BATCH_BYTES = 2**18
# How long the end waits for what was sent last: a front that reads nothing must not hold it up.
_LINGER_MS = 1000
# So that timers and coroutines have their turn between, however much the front sends.
RECEIVES_PER_WAKE = 64
# Looks without a batch before the flusher sleeps: waking it costs more than a few looks in vain.
_QUIET_LOOKS = 10


def checkpoint() -> None:
    """Where an interruption that was set before the lock was taken comes out."""


class KernelChannel:
    """The socket and the batch in front of it.

    Args:
        endpoint: Where the front is bound.
        routing_id: This kernel's name there.
        batch_messages: Most messages of a batch.
        batch_wait_s: How old a batch may become while its coroutine continues to emit.
        message_bytes: Largest message; libzmq ends the connection over a larger one.

    Attributes:
        lock: Held by the thread that sends, receives, or interrupts.
        on_readable: Called, from any thread, when a message may be there to be received.
        on_batch: Called when a batch begins, with the lock held.
        burst: Emits since the kernel was quiet.
        is_fresh: Whether the loop's current turn has sent nothing yet.
        is_reading: Whether the loop carries out what was received, and flushes at the end of that.
        last_s: When the last emit was sent or batched (monotonic).
    """

    def __init__(
        self,
        endpoint: str,
        routing_id: str,
        *,
        batch_messages: int,
        batch_wait_s: float,
        message_bytes: int = 64 * 2**20,
    ) -> None:
        self.lock = threading.RLock()
        self.on_readable: Callable[[], object] = _nothing
        self.on_batch: Callable[[], None] = _nothing
        self.batch: list[Sequence[bytes]] = []
        self._batch_bytes = 0
        self.burst = 0
        self.is_fresh = False
        self.is_reading = False
        self.last_s = 0.0
        self._batch_messages = batch_messages
        self._batch_wait_s = batch_wait_s
        self._batch_since_s = 0.0
        self._message_bytes = message_bytes
        self._endpoint = endpoint
        self._connect(endpoint, routing_id)

    def _connect(self, endpoint: str, routing_id: str) -> None:
        self._context = zmq.Context()
        self._socket = socket = self._context.socket(zmq.DEALER)
        socket.setsockopt(zmq.ROUTING_ID, routing_id.encode())
        # No marks: libzmq would block or drop beyond them. Credit bounds what is on its way.
        socket.setsockopt(zmq.SNDHWM, 0)
        socket.setsockopt(zmq.RCVHWM, 0)
        socket.setsockopt(zmq.LINGER, _LINGER_MS)
        socket.connect(endpoint)
        self.fd: int = cast(int, socket.getsockopt(zmq.FD))
        # Past pyzmq's wrapper, which looks for routing ids and groups.
        self._send = super(zmq.Socket, socket).send
        self._get = cast(Callable[[int], int], socket.getsockopt)

    def send(self, frames: Sequence[bytes]) -> None:
        """Send a message now, behind what is batched; for the thread that holds the lock."""
        if self.batch:
            if sum(map(len, frames)) < _BATCH_BYTES:
                self.batch.append(frames)
                self._send_batch()
                return
            self._send_batch()  # together they might be larger than a message may be
        self._send_frames(frames)

    def send_soon(self, frames: Sequence[bytes], size_bytes: int, now_s: float) -> None:
        """Batch a message; for the thread that holds the lock."""
        if size_bytes >= _BATCH_BYTES:
            self.send(frames)
            return
        if not self.batch:
            self._batch_since_s = now_s
            self.on_batch()
        self.batch.append(frames)
        self._batch_bytes += size_bytes
        if (
            len(self.batch) >= self._batch_messages
            or self._batch_bytes >= _BATCH_BYTES
            or now_s - self._batch_since_s >= self._batch_wait_s
        ):
            self._send_batch()

    def post(self, frames: Sequence[bytes]) -> None:
        """Take the lock and send."""
        with self.lock:
            checkpoint()
            self.send(frames)

    def check_size(self, what: str, size_bytes: int) -> None:
        """Refuse what would cost the connection, and all that is on its way with it.

        Args:
            what: Its name in the error.
            size_bytes: All of it together.

        Raises:
            ValueError: It is too large.
        """
        if size_bytes > self._message_bytes:
            raise ValueError(
                f"{what}: {size_bytes} bytes, limit {self._message_bytes} "
                "(kernel_message_bytes); not sent: send it in parts, or raise the limit"
            )

    def flush(self) -> None:
        """Send what is batched."""
        if self.batch:
            with self.lock:
                checkpoint()
                self._send_batch()

    def flush_older(self, age_s: float) -> None:
        """Send the batch if it is older than that; for a thread that checks it."""
        if self.batch and time.monotonic() - self._batch_since_s >= age_s:
            self.flush()

    def receive(self) -> list[list[bytes]]:
        """The messages that are there, at most 64; more may be."""
        messages: list[list[bytes]] = []
        with self.lock:
            while len(messages) < RECEIVES_PER_WAKE and multipart.has_message(self._socket):
                messages.append(multipart.receive(self._socket))
        return messages

    def disown(self) -> None:
        """This process is a fork of the kernel's: libzmq's threads and its lock are not here."""
        self._send = cast(Any, _refuse_fork)
        self.batch = []
        for descriptor in _find_connections(self._endpoint):
            os.close(descriptor)  # the front must see the end of the kernel, not of its children

    def close(self) -> None:
        """Send what is left, within a second, and end."""
        self.flush()
        with self.lock:
            self._socket.close()
        self._context.term()

    def _send_batch(self) -> None:
        batch = self.batch
        if not batch:
            return
        self.batch = []
        self._batch_bytes = 0
        self._send_frames(batch[0] if len(batch) == 1 else join_batch(batch))

    def _send_frames(self, frames: Sequence[bytes]) -> None:
        send = self._send
        for frame in frames[:-1]:
            send(frame, _SNDMORE)
        send(frames[-1], _DONTWAIT)
        if self._get(_EVENTS) & _POLLIN:
            self.on_readable()


class Flusher:
    """Sends batches: the loop does when it has nothing else to do, else a thread.

    The thread looks every `wait_s` while there are batches, and sleeps otherwise: a coroutine or a
    plain loop may compute behind what it has emitted.

    Args:
        channel: Whose batches these are.
        loop: The kernel's, whose thread may send in time itself.
        wait_s: How old a batch may become.
    """

    def __init__(
        self, channel: KernelChannel, loop: asyncio.AbstractEventLoop, wait_s: float
    ) -> None:
        self._channel = channel
        self._loop = loop
        self._wait_s = wait_s
        self._gate = threading.Semaphore(0)
        self._is_parked = True
        self.loop_ident = 0

    def start(self) -> None:
        """Start the thread: later there may be none to be had, and batches would be left lying."""
        threading.Thread(target=self._look, name="databench-flush", daemon=True).start()

    def begin(self) -> None:
        """A batch has begun; called with the channel's lock held."""
        # Behind what the loop has to do now, and before it waits.
        if not self._channel.is_reading and threading.get_ident() == self.loop_ident:
            self._loop.call_soon(self._channel.flush)
        self.wake()

    def wake(self) -> None:
        """Let the thread look after a batch."""
        if self._is_parked:
            self._is_parked = False
            self._gate.release()

    def _look(self) -> None:
        signals.leave_to_main()
        while self._gate.acquire():
            quiet = 0
            while quiet < _QUIET_LOOKS:
                time.sleep(max(self._wait_s, 0.001))
                quiet = 0 if self._channel.batch else quiet + 1
                self._channel.flush_older(self._wait_s)
            with self._channel.lock:
                # Under the lock, where batches begin: none can begin unseen, and none be left.
                self._channel.flush()
                self._is_parked = True


def _find_connections(endpoint: str) -> list[int]:
    """The descriptors of libzmq's, which does not name them, that lead to the endpoint."""
    path, found = endpoint.removeprefix("ipc://"), []
    for name in os.listdir("/dev/fd"):
        try:
            asked = socket.socket(fileno=int(name))
        except OSError:
            continue  # no socket, or the listing's own
        try:
            if asked.family == socket.AF_UNIX and asked.getpeername() == path:
                found.append(asked.fileno())
        except OSError:
            pass  # not connected
        finally:
            asked.detach()
    return found


def _refuse_fork(*_frame: object) -> None:
    raise KernelError(
        "this process is a fork of the kernel, which cannot send to pages; return the value to "
        "the parent process (a queue, a pool's result) and emit it there"
    )


def _nothing() -> None:
    pass
