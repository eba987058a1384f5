"""Tornado's HTTP server, which also knows what its connections are doing, so that it can drain.

Theory of operation. Tornado asks `start_request` for each request that may come on a connection,
before its first byte, and so again when the request before has been answered. A connection is busy
from a request's headers until then; a websocket's leaves the server when it is upgraded. While it
drains, an idle connection is closed at once and a busy one after its answer. Encrypted connections
are accepted elsewhere and served here, so that there is one account of all.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import weakref
from collections.abc import Awaitable, Iterable
from typing import Any

import tornado.httpserver
import tornado.httputil
import tornado.iostream
import tornado.tcpserver
import tornado.websocket

log = logging.getLogger("databench.http")

GOING_AWAY = 1001  # RFC 6455 section 7.4.1
_LOOK_S = 0.01


class Server(tornado.httpserver.HTTPServer):
    """Serves; drains when it is told to."""

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Take the arguments of Tornado's server."""
        super().initialize(*args, **kwargs)
        self._known: set[Any] = set()
        self._busy: set[Any] = set()
        self._at_rest = asyncio.Event()
        self._at_rest.set()
        self._is_draining = False
        self._sockets_open: weakref.WeakSet[tornado.websocket.WebSocketHandler] = weakref.WeakSet()
        self._encrypted: list[_Encrypted] = []

    def add_tls_sockets(self, sockets: Iterable[socket.socket], context: ssl.SSLContext) -> None:
        """Serve on these too, with encryption."""
        acceptor = _Encrypted(self, context)
        acceptor.add_sockets(sockets)
        self._encrypted.append(acceptor)

    def stop(self) -> None:
        """Stop listening."""
        super().stop()
        for acceptor in self._encrypted:
            acceptor.stop()

    # ------------------------------------------------------------ asked by Tornado

    def start_request(
        self, server_conn: object, request_conn: tornado.httputil.HTTPConnection
    ) -> tornado.httputil.HTTPMessageDelegate:
        """A request may follow on this connection; the one before has been answered."""
        self._known.add(server_conn)
        self._rest(server_conn)
        if self._is_draining:
            _close(server_conn)
        return _Watched(self, server_conn, super().start_request(server_conn, request_conn))

    def on_close(self, server_conn: object) -> None:
        """The connection is gone, or has become a websocket."""
        super().on_close(server_conn)
        self._known.discard(server_conn)
        self._rest(server_conn)

    # ------------------------------------------------------------ the end

    @property
    def busy(self) -> int:
        """How many requests are being answered."""
        return len(self._busy)

    def drain(self) -> None:
        """Stop listening, and close each connection once it has nothing to answer."""
        self.stop()
        self._is_draining = True
        self.conn_params.no_keep_alive = True
        for connection in self._known - self._busy:
            _close(connection)

    async def wait_answered(self) -> None:
        """Until every request has been answered."""
        await self._at_rest.wait()

    async def close_websockets(self, reason: str) -> None:
        """Close each with 1001, and wait until the other sides have agreed."""
        streams = []
        for handler in list(self._sockets_open):
            connection = handler.ws_connection
            if connection is not None:
                streams.append(connection.stream)
                handler.close(GOING_AWAY, reason)
        while any(stream is not None and not stream.closed() for stream in streams):
            await asyncio.sleep(_LOOK_S)

    # ------------------------------------------------------------ noted by `_Watched`

    def note_headers(self, server_conn: object) -> None:
        """A request has begun."""
        self._busy.add(server_conn)
        self._at_rest.clear()

    def note_handler(self, handler: object) -> None:
        """A request's handler has begun."""
        if isinstance(handler, tornado.websocket.WebSocketHandler):
            self._sockets_open.add(handler)

    def _rest(self, server_conn: object) -> None:
        self._busy.discard(server_conn)
        if not self._busy:
            self._at_rest.set()


class _Encrypted(tornado.tcpserver.TCPServer):
    """Accepts encrypted connections, and has the server serve them."""

    def __init__(self, server: Server, context: ssl.SSLContext) -> None:
        super().__init__(ssl_options=context, max_buffer_size=server.max_buffer_size)
        self._server = server

    def handle_stream(self, stream: tornado.iostream.IOStream, address: tuple[Any, ...]) -> None:
        self._server.handle_stream(stream, address)


class _Watched(tornado.httputil.HTTPMessageDelegate):
    """Passes a request on, and tells the server of it."""

    def __init__(
        self, server: Server, server_conn: object, inner: tornado.httputil.HTTPMessageDelegate
    ) -> None:
        self._server = server
        self._server_conn = server_conn
        self._inner = inner

    def headers_received(
        self,
        start_line: tornado.httputil.RequestStartLine | tornado.httputil.ResponseStartLine,
        headers: tornado.httputil.HTTPHeaders,
    ) -> Awaitable[None] | None:
        self._server.note_headers(self._server_conn)
        return self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._inner.data_received(chunk)

    def finish(self) -> None:
        self._inner.finish()
        self._server.note_handler(_find_handler(self._inner))

    def on_connection_close(self) -> None:
        self._inner.on_connection_close()


def _find_handler(delegate: object) -> object:
    """The handler of a request that has begun, or `None`.

    Tornado's delegates hold one another as `delegate`, and the last one the handler (private
    classes; the requirement `tornado<7` and a test hold it).
    """
    while delegate is not None and not hasattr(delegate, "handler"):
        delegate = getattr(delegate, "delegate", None)
    return getattr(delegate, "handler", None)


def _close(server_conn: Any) -> None:
    server_conn.stream.close()
