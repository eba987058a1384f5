"""The only ZeroMQ socket in the front: one ROUTER, bytes in and bytes out (docs/protocol.md, 2).

Theory of operation: libzmq's descriptor is edge-triggered, so it says only that something changed:
the socket is read until it has nothing more, and its `EVENTS` are looked at again after each send.
At most `drain_messages` are taken per turn of the loop, then the broker flushes once, so that many
small messages of kernels become one write per page and no kernel holds up the loop.

High-water marks are 0 in both directions: with a mark, a ROUTER drops what it reported as sent, and
the last messages of a killed kernel get lost (docs/design/architecture.md has the measurements).
What may be in flight is limited by credit and by `kernel_queue_bytes` instead.
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import zmq

logger = logging.getLogger("databench.broker")

PATH_BYTES = 107  # sockaddr_un.sun_path, less its final zero: unix(7)


class Channel:
    """Owns the ROUTER.

    Args:
        endpoint: `ipc://…`; the directory must exist and be private.
        on_message: Called with the routing id and the frames behind it.
        on_flush: Called once after each group of messages.
        drain_messages: The most messages per group.
        drain_turn_s: After this a group takes no further message: one may be a batch of many.
        message_bytes: Largest frame that libzmq accepts; a peer that sends more is disconnected.
        message_frames: The most frames of a message; more is counted as junk and dropped.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        on_message: Callable[[bytes, list[bytes]], None],
        on_flush: Callable[[], None],
        drain_messages: int,
        drain_turn_s: float,
        message_bytes: int,
        message_frames: int,
    ) -> None:
        self.endpoint = endpoint
        self.junk = 0
        self._on_message = on_message
        self._on_flush = on_flush
        self._drain_messages = drain_messages
        self._drain_turn_s = drain_turn_s
        self._message_bytes = message_bytes
        self._message_frames = message_frames
        self._context = zmq.Context()
        self._socket: zmq.Socket[bytes] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_scheduled = False

    def bind(self) -> None:
        """Bind the socket and listen on the running loop.

        Raises:
            OSError: The path is too long, or the endpoint cannot be bound.
        """
        path = self.endpoint.removeprefix("ipc://")
        if len(path.encode()) >= PATH_BYTES:
            raise OSError(f"socket path {path!r} is too long, limit {PATH_BYTES} bytes")
        socket = self._context.socket(zmq.ROUTER)
        socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        socket.setsockopt(zmq.SNDHWM, 0)
        socket.setsockopt(zmq.RCVHWM, 0)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.MAXMSGSIZE, self._message_bytes)
        self._socket = socket
        try:
            socket.bind(self.endpoint)
        except zmq.ZMQError as error:  # is no OSError
            raise OSError(error.errno, f"cannot bind {self.endpoint}: {error.strerror}") from None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(socket.fileno(), self._on_readable)

    def send(self, routing_id: bytes, frames: Sequence[bytes]) -> bool:
        """Hand a message to libzmq.

        Returns:
            Whether there is such a peer.
        """
        if self._socket is None:
            return False
        try:
            self._socket.send_multipart([routing_id, *frames], zmq.DONTWAIT, copy=True)
        except zmq.ZMQError as error:
            if error.errno not in (zmq.EHOSTUNREACH, zmq.EAGAIN):
                raise
            return False
        finally:
            self._check_again()
        return True

    def knows(self, routing_id: bytes) -> bool:
        """Whether a peer of that name is there, or was and has not been read to its end.

        An empty message asks: libzmq refuses it once the peer's pipe has ended, which is behind
        the last message of the peer. Nobody reads it: this is for kernels that have ended.
        """
        return self.send(routing_id, [b""])

    def drain(self) -> None:
        """Take everything that has arrived; for the end of a kernel, before it is called lost."""
        while self._take(self._drain_messages):
            pass
        self._on_flush()

    def close(self) -> None:
        """Close the socket; nothing that still waits is sent."""
        socket, self._socket = self._socket, None
        if socket is not None:
            if self._loop is not None:
                self._loop.remove_reader(socket.fileno())
            socket.close(0)
        self._context.term()

    def _on_readable(self) -> None:
        self._is_scheduled = False
        if self._socket is None:
            return
        self._take(self._drain_messages)
        self._on_flush()
        self._check_again()

    def _check_again(self) -> None:
        # Edge-triggered: what arrived during a send or was left here wakes nobody again.
        socket = self._socket
        if socket is None or self._is_scheduled:
            return
        if int(socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
            assert self._loop is not None
            self._is_scheduled = True
            self._loop.call_soon(self._on_readable)

    def _take(self, limit: int) -> int:
        socket = self._socket
        if socket is None:
            return 0
        until_s = time.monotonic() + self._drain_turn_s
        for taken in range(limit):
            if taken and time.monotonic() >= until_s:
                return taken
            try:
                frames = socket.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                return taken
            if not 1 <= len(frames) - 1 <= self._message_frames:
                self.junk += 1
                logger.debug("message of %d frames dropped", len(frames) - 1)
                continue
            try:
                self._on_message(frames[0], frames[1:])
            except Exception:  # our mistake with one message must not stop the others
                logger.exception("a message of %r could not be handled; dropped", frames[0])
        return limit


def make_directory() -> Path:
    """A fresh folder for the socket, of mode 0700, where the socket's path fits.

    Raises:
        OSError: It cannot be made.
    """
    longest = os.path.join(tempfile.gettempdir(), "databench-12345678", "front")
    folder = None if len(os.fsencode(longest)) < PATH_BYTES else "/tmp"
    return Path(tempfile.mkdtemp(prefix="databench-", dir=folder))
