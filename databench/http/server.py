"""Tornado's HTTP server, which also knows what its connections are doing, so that it can drain.

Theory of operation. Tornado asks `start_request` for each request that may come on a connection,
before its first byte, and so again when the request before has been answered. A connection is busy
from a request's headers until then; a websocket's leaves the server when it is upgraded, and counts
until its descriptor is closed. While it drains, an idle connection is closed at once and a busy one
after its answer.

Descriptors: each connection takes one, and the process must keep some (`connections`). So the
server asks before each connection and each request, pauses its sockets, and looks again on a timer
and when a connection ends. What a connection may do is decided in `connections`.
"""

from __future__ import annotations

import asyncio
import http.client
import logging
import socket
import ssl
import time
import weakref
from collections.abc import Awaitable, Iterable
from typing import Any

import tornado.httpserver
import tornado.httputil
import tornado.websocket

from .. import descriptors
from .connections import Accepting, Idlers, Limits, Shares, find_share
from .listening import Listener, Stream, TlsStream

log = logging.getLogger("databench.http")

GOING_AWAY = 1001  # RFC 6455 section 7.4.1
_LOOK_S = 0.01
# While nothing is accepted, the descriptors are counted so often.
_PAUSED_S = 0.25
# Connections beyond their address's share that are kept to be answered with 503; others are cut.
_ANSWERED_OVER = 64
_OVER_LIMIT_S = 2.0
_SWEEP_S = 0.5
# Idle connections that one sweep looks at, so that ten thousand of them hold nothing up.
_SWEEP_MOST = 1000
# Idle connections that are closed at each such count, while others wait.
_PRESSED_MOST = 64
# Of a request that is refused before its body has come.
_THROWN_S = 2.0
_THROWN_BYTES = 2**40


class Server(tornado.httpserver.HTTPServer):
    """Serves; drains when it is told to.

    Args:
        application: Answers the requests.
        limits: Of its connections.
        kwargs: As for Tornado's server.
    """

    def initialize(  # type: ignore[override]
        self,
        application: tornado.httputil.HTTPServerConnectionDelegate,
        *,
        limits: Limits | None = None,
        **kwargs: Any,
    ) -> None:
        """Take the arguments; Tornado's servers are made so."""
        limits = limits or Limits()
        super().initialize(_Door(self, application), body_timeout=limits.body_limit_s, **kwargs)
        self._known: set[Any] = set()
        self._busy: set[Any] = set()
        self._at_rest = asyncio.Event()
        self._at_rest.set()
        self._is_draining = False
        self._sockets_open: weakref.WeakSet[tornado.websocket.WebSocketHandler] = weakref.WeakSet()
        self._idlers = Idlers(limits)
        self._shares = Shares(limits.per_address)
        self._accepting = Accepting()
        self._over: set[Any] = set()
        self._request_shares: dict[Any, str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._listener = Listener(
            self._take,
            may_accept=self._may_accept,
            on_failure=self._on_failed_accept,
            max_buffer_size=self.max_buffer_size,
        )

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Serve on these."""
        for bound in sockets:
            self._listener.add(bound)

    def add_tls_sockets(self, sockets: Iterable[socket.socket], context: ssl.SSLContext) -> None:
        """Serve on these too, with encryption."""
        for bound in sockets:
            self._listener.add(bound, context)

    def stop(self) -> None:
        """Stop listening."""
        self._listener.stop()
        if self._timer is not None and not self._known:
            self._timer.cancel()
            self._timer = None

    # ------------------------------------------------------------ accepting

    def _may_accept(self) -> bool:
        if self._accepting.decide(descriptors.count(), descriptors.limit()):
            return True
        self._pause(
            f"{descriptors.count()} of {descriptors.limit()} descriptors are in use; no connection "
            f"is accepted until some are free. Raise the limit for more (ulimit -n)"
        )
        return False

    def _on_failed_accept(self, error: OSError) -> None:
        self._accepting.is_paused = True
        self._pause(
            f"the system refuses connections: {error.strerror}; accepting again when it can"
        )

    def _pause(self, why: str) -> None:
        self._listener.pause()
        if self._accepting.is_to_say(time.monotonic()):
            log.error("%s", why)
        self._set_timer()

    def _try_again(self) -> None:
        """Accept again, where there is room."""
        if self._accepting.decide(descriptors.count(), descriptors.limit()):
            self._listener.resume()

    def _take(self, stream: Stream | TlsStream, address: Any) -> None:
        """Serve one connection, which counts until its descriptor is closed."""
        # Behind a proxy all have its address; its requests are counted instead.
        share = "" if self.xheaders or not isinstance(address, tuple) else find_share(address[0])
        is_within = self._shares.enter(share)
        stream.on_closed = lambda: self._forget(stream, share)
        if not is_within:
            if len(self._over) >= _ANSWERED_OVER:
                stream.close()
                return
            self._over.add(stream)
            asyncio.get_running_loop().call_later(_OVER_LIMIT_S, stream.close)
        self.handle_stream(stream, address)
        self._set_timer()

    def _forget(self, stream: Stream | TlsStream, share: str) -> None:
        self._shares.leave(share)
        self._shares.leave(self._request_shares.pop(stream, ""))
        self._over.discard(stream)

    # ------------------------------------------------------------ sweeping

    def _set_timer(self) -> None:
        step_s = _PAUSED_S if self._accepting.is_paused else min(self._idlers.step_s, _SWEEP_S)
        if self._timer is None and step_s:
            self._timer = asyncio.get_running_loop().call_later(step_s, self._sweep)

    def _sweep(self) -> None:
        """Close what waited too long for a request; accept again where there is room."""
        self._timer = None
        now_s = time.monotonic()
        for server_conn in list(self._idlers.take_due(now_s, _SWEEP_MOST)):
            stream = server_conn.stream
            if self._idlers.look(server_conn, now_s, has_begun=_has_begun(stream)):
                stream.close()
        if self._accepting.is_paused:
            for server_conn in self._idlers.take_longest(now_s, _PRESSED_MOST):
                server_conn.stream.close()
            self._try_again()
        if self._known or self._accepting.is_paused:
            self._set_timer()

    # ------------------------------------------------------------ asked by Tornado

    def start_request(
        self, server_conn: Any, request_conn: tornado.httputil.HTTPConnection
    ) -> tornado.httputil.HTTPMessageDelegate:
        """A request may follow on this connection; the one before has been answered."""
        self._known.add(server_conn)
        self._rest(server_conn)
        self._shares.leave(self._request_shares.pop(server_conn.stream, ""))
        self._idlers.add(server_conn, time.monotonic())
        if self._is_draining:
            _close(server_conn)
        return super().start_request(server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        """The connection is gone, or has become a websocket."""
        super().on_close(server_conn)
        self._known.discard(server_conn)
        self._idlers.discard(server_conn)
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

    # ------------------------------------------------------------ asked by `_Watched`

    def find_refusal(self, server_conn: Any, address: str) -> str:
        """Why the connection's request is not answered; empty: it is, and counts.

        Args:
            server_conn: The connection.
            address: Of the visitor, by the proxy's word where that is believed.
        """
        most = self._shares.most
        if server_conn.stream in self._over:
            return (
                f"{address} holds {most} connections to this server, the limit "
                "(connections_per_address). Close some of its pages."
            )
        if not self._accepting.has_room(descriptors.count(), descriptors.limit()):
            return "The server has no descriptor left for this request. Try again in a few seconds."
        if self.xheaders:
            share = find_share(address, is_forwarded=True)
            self._request_shares[server_conn.stream] = share
            if not self._shares.enter(share):
                return (
                    f"{address} has {most} requests and websockets open on this server, the limit "
                    "(connections_per_address). Close some of its pages."
                )
        return ""

    def note_headers(self, server_conn: object) -> None:
        """A request has begun."""
        self._idlers.discard(server_conn)
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


class _Door(tornado.httputil.HTTPServerConnectionDelegate):
    """Stands before the application, and behind Tornado's reader of X-Forwarded headers.

    Args:
        server: Knows what its connections may do.
        inner: The application.
    """

    def __init__(
        self, server: Server, inner: tornado.httputil.HTTPServerConnectionDelegate
    ) -> None:
        self._server = server
        self._inner = inner

    def start_request(
        self, server_conn: object, request_conn: tornado.httputil.HTTPConnection
    ) -> tornado.httputil.HTTPMessageDelegate:
        """A request may follow."""
        inner = self._inner.start_request(server_conn, request_conn)
        return _Watched(self._server, server_conn, request_conn, inner)


class _Watched(tornado.httputil.HTTPMessageDelegate):
    """Passes a request on, and tells the server of it."""

    def __init__(
        self,
        server: Server,
        server_conn: Any,
        request_conn: Any,
        inner: tornado.httputil.HTTPMessageDelegate,
    ) -> None:
        self._server = server
        self._server_conn = server_conn
        self._request_conn = request_conn
        self._inner: tornado.httputil.HTTPMessageDelegate | None = inner
        self._refused: asyncio.Future[None] | None = None

    def headers_received(
        self,
        start_line: tornado.httputil.RequestStartLine | tornado.httputil.ResponseStartLine,
        headers: tornado.httputil.HTTPHeaders,
    ) -> Awaitable[None] | None:
        self._server.note_headers(self._server_conn)
        address = self._request_conn.context.remote_ip
        refusal = self._server.find_refusal(self._server_conn, address)
        if self._inner is None or refusal:
            assert isinstance(start_line, tornado.httputil.RequestStartLine)
            self._refuse(503, refusal, start_line.method, headers)
            return None
        return self._inner.headers_received(start_line, headers)

    def _refuse(
        self, code: int, text: str, method: str, headers: tornado.httputil.HTTPHeaders
    ) -> None:
        """Answer in words and close, whether the body has come or not."""
        self._inner = None
        body = f"{text}\n".encode()
        answer = tornado.httputil.HTTPHeaders(
            {
                "Content-Type": "text/plain; charset=utf-8",
                "Content-Length": str(len(body)),
                "Connection": "close",
                "X-Content-Type-Options": "nosniff",
            }
        )
        line = tornado.httputil.ResponseStartLine("HTTP/1.1", code, http.client.responses[code])
        chunk = None if method == "HEAD" else body
        self._refused = self._request_conn.write_headers(line, answer, chunk)
        if "Expect" in headers or not _has_body(headers):
            self._request_conn.finish()
            return
        # A connection that is closed while its body comes is reset, and the answer is lost: what
        # comes within a moment is thrown away.
        self._request_conn.set_max_body_size(_THROWN_BYTES)
        self._request_conn.set_body_timeout(_THROWN_S)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return None if self._inner is None else self._inner.data_received(chunk)

    def finish(self) -> None:
        if self._inner is None:
            self._request_conn.finish()
            if self._refused is not None:
                stream = self._server_conn.stream
                self._refused.add_done_callback(lambda _: stream.close())
            return
        self._inner.finish()
        self._server.note_handler(_find_handler(self._inner))

    def on_connection_close(self) -> None:
        if self._inner is not None:
            self._inner.on_connection_close()


def _find_handler(delegate: object) -> object:
    """The handler of a request that has begun, or `None`.

    Tornado's delegates hold one another as `delegate`, and the last one the handler (private
    classes; the requirement `tornado<7` and a test hold it).
    """
    while delegate is not None and not hasattr(delegate, "handler"):
        delegate = getattr(delegate, "delegate", None)
    return getattr(delegate, "handler", None)


def _has_body(headers: tornado.httputil.HTTPHeaders) -> bool:
    return headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers


def _has_begun(stream: Any) -> bool:
    """Whether a part of a request's headers, or of a handshake, has come.

    Tornado holds what has come of them in `_read_buffer_size` (private; the requirement `tornado<7`
    and a test hold it).
    """
    if isinstance(stream, TlsStream) and not stream.is_shaken:
        return True
    return bool(stream._read_buffer_size)


def _close(server_conn: Any) -> None:
    server_conn.stream.close()
