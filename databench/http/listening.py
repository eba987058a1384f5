"""Accepting connections: on all listening sockets, with and without encryption, until paused.

Owns the sockets and the streams of what they accept. Tornado's own loop would raise out of the
event loop at each failed `accept`, for as long as one fails; here accepting pauses.
"""

from __future__ import annotations

import errno
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any

import tornado.ioloop
import tornado.iostream
import tornado.netutil

log = logging.getLogger("databench.http")

# Of one socket at one event, so that the others, and all else, have their turn.
_AT_ONCE = 64
# The connection was gone before it was accepted (accept(2)): nothing is wrong here.
_GONE = (errno.ECONNABORTED, errno.EPROTO, errno.EINTR, errno.ENETDOWN, errno.EHOSTUNREACH)

# What Tornado writes for a request that it cannot read, past the application (`http1connection`; a
# test holds it).
_BARE = b"HTTP/1.1 400 Bad Request\r\n\r\n"


class _Connection(tornado.iostream.BaseIOStream):
    """A connection that reports when its descriptor is closed, even if it is a websocket by then.

    Attributes:
        on_closed: Called then.
        on_malformed: Makes the answer instead of Tornado's bare 400, whose only line has no
            header; empty if the request is answered already.
    """

    on_closed: Callable[[], None] | None = None
    on_malformed: Callable[[], bytes] | None = None
    _is_prompt = False

    def write(self, data: bytes | memoryview) -> Any:
        """Send it."""
        return super().write(data if data != _BARE else _find_answer(self))

    def set_nodelay(self, value: bool) -> None:
        """Send small writes at once, from the first answer on.

        Tornado would turn Nagle's algorithm on again after each answer, and so for a websocket,
        where it holds back the second of two small messages for 44 ms.
        """
        if value and not self._is_prompt:
            self._is_prompt = True
            super().set_nodelay(True)

    def close_fd(self) -> None:
        """Close it, and report it."""
        super().close_fd()
        _tell_closed(self)


class Stream(_Connection, tornado.iostream.IOStream):
    """One without encryption."""


class TlsStream(_Connection, tornado.iostream.SSLIOStream):
    """An encrypted one."""

    is_shaken = False


def _find_answer(stream: _Connection) -> bytes:
    return _BARE if stream.on_malformed is None else stream.on_malformed()


def _tell_closed(stream: _Connection) -> None:
    tell, stream.on_closed = stream.on_closed, None
    if tell is not None:
        tell()


class Listener:
    """Accepts on some sockets.

    Args:
        on_connection: Takes each stream and the address of its other end.
        may_accept: Asked before each connection.
        on_failure: Takes why the system refuses one; accepting is to pause.
        max_buffer_size: Of each stream.
    """

    def __init__(
        self,
        on_connection: Callable[[Stream | TlsStream, Any], None],
        *,
        may_accept: Callable[[], bool],
        on_failure: Callable[[OSError], None],
        max_buffer_size: int | None = None,
    ) -> None:
        self._on_connection = on_connection
        self._may_accept = may_accept
        self._on_failure = on_failure
        self._max_buffer_size = max_buffer_size
        self._contexts: dict[socket.socket, ssl.SSLContext | None] = {}
        self._heard: set[socket.socket] = set()

    def add(self, bound: socket.socket, context: ssl.SSLContext | None = None) -> None:
        """Accept on this socket too."""
        self._contexts[bound] = context
        self._hear(bound)

    def pause(self) -> None:
        """Leave connections to the system's queue."""
        for bound in list(self._heard):
            tornado.ioloop.IOLoop.current().remove_handler(bound)
        self._heard.clear()

    def resume(self) -> None:
        """Accept again."""
        for bound in self._contexts:
            if bound not in self._heard:
                self._hear(bound)

    def stop(self) -> None:
        """Close the sockets."""
        self.pause()
        for bound in self._contexts:
            bound.close()
        self._contexts.clear()

    def _hear(self, bound: socket.socket) -> None:
        self._heard.add(bound)
        read = tornado.ioloop.IOLoop.READ
        tornado.ioloop.IOLoop.current().add_handler(bound, self._accept, read)

    def _accept(self, bound: socket.socket, events: int) -> None:
        for _ in range(_AT_ONCE):
            if bound not in self._heard or not self._may_accept():
                return
            try:
                connection, address = bound.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _GONE:
                    continue
                self._on_failure(error)
                return
            try:
                self._on_connection(self._wrap(connection, self._contexts[bound]), address)
            except OSError as error:  # it is gone by now
                log.debug("connection of %s: %s", address, error)
                connection.close()

    def _wrap(
        self, connection: socket.socket, context: ssl.SSLContext | None
    ) -> Stream | TlsStream:
        if context is None:
            return Stream(connection, max_buffer_size=self._max_buffer_size)
        encrypted = tornado.netutil.ssl_wrap_socket(
            connection, context, server_side=True, do_handshake_on_connect=False
        )
        stream = TlsStream(encrypted, max_buffer_size=self._max_buffer_size)
        stream.wait_for_handshake().add_done_callback(lambda shaken: _note_shaken(stream, shaken))
        return stream


def _note_shaken(stream: TlsStream, shaken: Any) -> None:
    # Readers get a failure; retrieved here, so that asyncio does not log it.
    stream.is_shaken = not shaken.cancelled() and shaken.exception() is None
