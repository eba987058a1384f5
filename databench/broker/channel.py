"""The only ZeroMQ socket in the front: one ROUTER, bytes in and bytes out (docs/protocol.md, 2).

Theory of operation: libzmq's descriptor is edge-triggered, so it only shows that something changed:
the channel reads the socket until it has nothing more, and checks its `EVENTS` after each send.
It takes at most `drain_messages` per turn of the loop, then the broker flushes once, so many
small messages of kernels become one write per page and no kernel blocks the loop. Nothing else
reads: a part that waits for the last messages of an ended kernel asks `is_read` now and then.

When libzmq's thread has seen the end of a peer, it refuses to send to it: all that the peer sent
is then in its queue in this process, but not yet read. libzmq takes one message of each queue in
turn (zmq_socket(3): fair-queued). So the queue is empty when the socket has nothing more, or when
another peer had `ROUNDS` messages taken since this one had its last.

High-water marks are 0 in both directions: with a mark, a ROUTER drops what it reported as sent, and
the last messages of a killed kernel get lost (docs/design/architecture.md has the measurements).
What may be in flight is limited by credit and by `kernel_queue_bytes` instead.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence

import zmq

from .. import multipart
from .peers import PeerMonitor
from .socketfolder import PATH_BYTES

logger = logging.getLogger("databench.broker")

ROUNDS = 16  # one is enough, but for queues that end meanwhile: each moves another one back


class Channel:
    """Owns the ROUTER.

    Args:
        on_message: Called with the routing id and the frames behind it.
        on_flush: Called once after each group of messages.
        drain_messages: The most messages per group.
        drain_turn_s: After this a group takes no further message: one may be a batch of many.
        message_bytes: Largest frame that libzmq accepts; a peer that sends more is disconnected.
        on_disconnected: Called with the process group of a peer that was disconnected.
    """

    def __init__(
        self,
        *,
        on_message: Callable[[bytes, list[bytes]], None],
        on_flush: Callable[[], None],
        drain_messages: int,
        drain_turn_s: float,
        message_bytes: int,
        on_disconnected: Callable[[int], None] | None = None,
    ) -> None:
        self._monitor = PeerMonitor(on_disconnected) if on_disconnected else None
        self._on_message = on_message
        self._on_flush = on_flush
        self._drain_messages = drain_messages
        self._drain_turn_s = drain_turn_s
        self._message_bytes = message_bytes
        self._context = zmq.Context()
        self._socket: zmq.Socket[bytes] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_scheduled = False
        # Peers whose end was seen: what was taken of each other one since their last message.
        self._ending: dict[bytes, Counter[bytes]] = {}

    def open(self) -> None:
        """Make the socket, and listen to it on the running loop."""
        socket = self._context.socket(zmq.ROUTER)
        socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        socket.setsockopt(zmq.SNDHWM, 0)
        socket.setsockopt(zmq.RCVHWM, 0)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.MAXMSGSIZE, self._message_bytes)
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(socket.fileno(), self._on_readable)
        if self._monitor is not None:
            self._monitor.open(socket)

    def bind(self, endpoint: str) -> None:
        """Bind the socket at one more endpoint.

        None is ever left: libzmq ends with a listener whatever connected through it.

        Args:
            endpoint: `ipc://…`; the directory must exist and be private.

        Raises:
            OSError: The path is too long, or the endpoint cannot be bound.
        """
        path = endpoint.removeprefix("ipc://")
        if len(path.encode()) > PATH_BYTES:
            raise OSError(f"socket path {path!r} is too long, limit {PATH_BYTES} bytes")
        assert self._socket is not None
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError as error:  # not an OSError
            raise OSError(error.errno, f"cannot bind {endpoint}: {error.strerror}") from None

    def send(self, routing_id: bytes, frames: Sequence[bytes]) -> bool:
        """Hand a message to libzmq.

        Returns:
            Whether there is such a peer.
        """
        if self._socket is None:
            return False
        try:
            multipart.send(self._socket, [routing_id, *frames])
        except zmq.ZMQError as error:
            if error.errno not in (zmq.EHOSTUNREACH, zmq.EAGAIN):
                raise
            return False
        finally:
            self._check_again()
        return True

    def is_read(self, routing_id: bytes) -> bool:
        """Whether everything that a peer sent was handled; for one whose process has ended.

        It reads nothing: ask again after a turn of the loop, and `forget` it in the end.
        """
        if self._socket is None:
            return True
        taken = self._ending.get(routing_id)
        if taken is None:
            # No kernel reads this empty message: libzmq reports whether it has seen the peer's end.
            if self.send(routing_id, [b""]):
                return False
            taken = self._ending[routing_id] = Counter()
        if not multipart.has_message(self._socket):
            return True
        self._check_again()
        return max(taken.values(), default=0) >= ROUNDS

    def forget(self, routing_id: bytes) -> None:
        """No part waits for the last messages of this peer any more."""
        self._ending.pop(routing_id, None)

    def close(self) -> None:
        """Close the socket; nothing that still waits is sent."""
        socket, self._socket = self._socket, None
        if socket is not None:
            if self._loop is not None:
                self._loop.remove_reader(socket.fileno())
            if self._monitor is not None:
                self._monitor.close(socket)
            socket.close(0)
        self._context.term()

    def _on_readable(self) -> None:
        self._is_scheduled = False
        if self._socket is None:
            return
        is_empty = self._take(self._socket)
        self._on_flush()
        if not is_empty:
            self._check_again()

    def _check_again(self) -> None:
        # Edge-triggered: what arrived during a send or was left here wakes no reader again.
        socket = self._socket
        if socket is None or self._is_scheduled:
            return
        if multipart.has_message(socket):
            assert self._loop is not None
            self._is_scheduled = True
            self._loop.call_soon(self._on_readable)

    def _take(self, socket: zmq.Socket[bytes]) -> bool:
        """Hand on what is there, one turn's share of it; whether nothing was left then."""
        until_s = time.monotonic() + self._drain_turn_s
        for taken in range(self._drain_messages):
            if taken and time.monotonic() >= until_s:
                return False
            try:
                frames = multipart.receive(socket)
            except zmq.Again:
                return True
            if self._ending:
                self._note_taken(frames[0])
            try:
                self._on_message(frames[0], frames[1:])
            except Exception:  # our mistake with one message must not stop the others
                # Not the whole name: it is a secret of that kernel.
                name = frames[0].rpartition(b".")[0]
                logger.exception("a message of %.40r could not be handled; dropped", name)
        return False

    def _note_taken(self, routing_id: bytes) -> None:
        for ending, taken in self._ending.items():
            if ending == routing_id:
                taken.clear()
            else:
                taken[routing_id] += 1
