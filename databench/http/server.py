"""Tornado's HTTP server, which also knows what its connections are doing, so that it can drain.

Theory of operation. Tornado asks `start_request` for each request that may come on a connection,
before its first byte, and so again when the request before has been answered. A connection is busy
from a request's headers until then; a websocket's leaves the server when it is upgraded, and counts
until its descriptor is closed. While it drains, an idle connection is closed at once and a busy one
after its answer.

Descriptors: each connection takes one, and the process must keep some (`connections`). So the
server asks before each connection and each request, pauses its sockets, and looks again on a timer
and when a connection ends. `connections` decides what a connection may do.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
import weakref
from collections.abc import Iterable, Mapping
from typing import Any

import tornado.httpserver
import tornado.httputil
import tornado.websocket

from .. import descriptors
from ..closecodes import GOING_AWAY
from .connections import Accepting, ConnectionShares, Idlers, Limits, find_share
from .door import Door
from .listening import Listener, Stream, TlsStream

log = logging.getLogger("databench.http")

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
_USUAL = {"X-Content-Type-Options": "nosniff"}


class Server(tornado.httpserver.HTTPServer):
    """Serves; drains when asked to.

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
        self._application = application
        super().initialize(Door(self, application), body_timeout=limits.body_limit_s, **kwargs)
        if limits.idle_limit_s and limits.header_limit_s:
            self.conn_params.header_timeout = None  # the sweep sees to it, without a timer for each
        self._known: set[Any] = set()
        self._busy: set[Any] = set()
        self._at_rest = asyncio.Event()
        self._at_rest.set()
        self._is_draining = False
        self._sockets_open: weakref.WeakSet[tornado.websocket.WebSocketHandler] = weakref.WeakSet()
        self._idlers = Idlers(limits)
        self._shares = ConnectionShares(limits.per_address)
        self._accepting = Accepting()
        self.unfinished_bytes = 0
        self._unfinished_limit_bytes = limits.unfinished_bytes
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
        if self._accepting.is_far() or self._accepting.decide(
            descriptors.count(), descriptors.limit()
        ):
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
        """Accept again, if there is room."""
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
        """Close what waited too long for a request; accept again if there is room."""
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

    # ------------------------------------------------------------ asked by the door

    def find_refusal(self, server_conn: Any, address: str) -> str:
        """Why the connection's request is not answered; empty: it is, and counts.

        Args:
            server_conn: The connection.
            address: Of the visitor, by the proxy's word if that is believed.
        """
        most = self._shares.most
        if server_conn.stream in self._over:
            return (
                f"{address} holds {most} connections to this server, the limit "
                "(connections_per_address). Close some of its pages."
            )
        if not (
            self._accepting.is_far()
            or self._accepting.has_room(descriptors.count(), descriptors.limit())
        ):
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

    def hold(self, address: str, held_bytes: int, change_bytes: int) -> str:
        """Count the received part of an incomplete body, here and in the application, if it does.

        Args:
            address: Of the visitor.
            held_bytes: The size of the part that is held.
            change_bytes: How much more that is than before.

        Returns:
            Why no more is taken of it; empty: reading continues.
        """
        self.unfinished_bytes += change_bytes
        limit_bytes = self._unfinished_limit_bytes
        hold = getattr(self._application, "hold_body", None)
        refusal: str = "" if hold is None else hold(address, held_bytes, change_bytes)
        if change_bytes > 0 and 0 < limit_bytes < self.unfinished_bytes:
            return "The server holds too many incomplete requests. Try again later."
        return refusal

    def refusal_headers(self, *, is_secure: bool) -> Mapping[str, str]:
        """The headers of an answer that no handler makes, from the application if it has any.

        Args:
            is_secure: Whether the browser is connected over TLS.
        """
        find = getattr(self._application, "find_refusal_headers", None)
        return _USUAL if find is None else find(is_secure=is_secure)

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
