"""The checks of each request: it is counted, refused with a reason, its body watched.

Theory of operation. The door stands before the application, and behind Tornado's reader of
X-Forwarded headers, so that it knows a visitor's address. It may refuse a request at its headers.
An answer that is complete before the body has come is sent at once. If the connection were closed
then, it would be reset, and the answer lost. So bytes that come within a moment are thrown away,
and the connection ends after that, whether the door answered or a handler that needs no body. If
the rest of the body is malformed then, no answer reports it: a request has one answer.
"""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

import tornado.httputil

_THROWN_S = 2.0
_THROWN_BYTES = 2**40


class DoorServer(Protocol):
    """The part of the server that the door uses."""

    def find_refusal(self, server_conn: Any, address: str) -> str:
        """Why the connection's request is not answered; empty: it is, and counts."""

    def hold(self, address: str, held_bytes: int, change_bytes: int) -> str:
        """A visitor's body holds so much, so many bytes more; why it may not, or empty."""

    def note_headers(self, server_conn: object) -> None:
        """A request has begun."""

    def note_handler(self, handler: object) -> None:
        """A request's handler has begun."""

    def refusal_headers(self, *, is_secure: bool) -> Mapping[str, str]:
        """The headers of an answer that no handler makes."""


class Door(tornado.httputil.HTTPServerConnectionDelegate):
    """Stands before the application.

    Args:
        server: Knows what its connections may do.
        inner: The application.
    """

    def __init__(
        self, server: DoorServer, inner: tornado.httputil.HTTPServerConnectionDelegate
    ) -> None:
        self._server = server
        self._inner = inner

    def start_request(
        self, server_conn: Any, request_conn: tornado.httputil.HTTPConnection
    ) -> tornado.httputil.HTTPMessageDelegate:
        """A request may follow."""
        watched = _Watched(self._server, server_conn, request_conn, self._inner)
        server_conn.stream.on_malformed = watched.compose_malformed
        return watched


class _Watched(tornado.httputil.HTTPMessageDelegate):
    """Passes a request on, and reports it to the server."""

    def __init__(
        self,
        server: DoorServer,
        server_conn: Any,
        request_conn: Any,
        application: tornado.httputil.HTTPServerConnectionDelegate,
    ) -> None:
        self._server = server
        self._server_conn = server_conn
        self._request_conn = request_conn
        self._application = application
        # The application's, from the headers on: many a connection ends without a further request.
        self._inner: tornado.httputil.HTTPMessageDelegate | None = None
        self._address = ""
        self._held_bytes = 0
        self._is_answered = self._is_expecting = False
        self._refused: asyncio.Future[None] | None = None
        self._finish = request_conn.finish

    def headers_received(
        self,
        start_line: tornado.httputil.RequestStartLine | tornado.httputil.ResponseStartLine,
        headers: tornado.httputil.HTTPHeaders,
    ) -> Awaitable[None] | None:
        assert isinstance(start_line, tornado.httputil.RequestStartLine)
        self._server.note_headers(self._server_conn)
        if _has_body(headers):
            self._is_expecting = "Expect" in headers
            self._request_conn.finish = self._finish_early
        self._address = self._request_conn.context.remote_ip
        refusal = self._server.find_refusal(self._server_conn, self._address)
        if refusal:
            self._refuse(refusal, start_line.method)
            return None
        self._inner = self._application.start_request(self._server_conn, self._request_conn)
        return self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        if self._inner is None or self._is_answered:
            return None
        self._held_bytes += len(chunk)
        if refusal := self._server.hold(self._address, self._held_bytes, len(chunk)):
            self._refuse(refusal, "POST")
            return None
        return self._inner.data_received(chunk)

    def finish(self) -> None:
        self._end_body()
        if self._is_answered:
            self._finish()
            if self._refused is not None:
                self._refused.add_done_callback(lambda _: self._server_conn.stream.close())
        elif self._inner is not None:
            self._inner.finish()
            self._server.note_handler(_find_handler(self._inner))

    def on_connection_close(self) -> None:
        self._end_body()
        if self._inner is not None:
            self._inner.on_connection_close()

    def _end_body(self) -> None:
        """The body is there, or will not come: it is the application's now."""
        if "finish" in vars(self._request_conn):
            del self._request_conn.finish
        held_bytes, self._held_bytes = self._held_bytes, 0
        if held_bytes:
            self._server.hold(self._address, 0, -held_bytes)

    def _finish_early(self) -> None:
        """The answer is complete, and the body is not: see the top."""
        self._is_answered = True
        if self._is_expecting:  # and so has sent nothing: the connection ends with the answer
            self._finish()
            return
        self._request_conn.set_max_body_size(_THROWN_BYTES)
        self._request_conn.set_body_timeout(_THROWN_S)

    def compose_malformed(self) -> bytes:
        """The answer to a request that cannot be read; empty if it has one."""
        if self._is_answered:
            return b""
        line = b"HTTP/1.1 400 Bad Request\r\n"
        body = b"The request is not valid HTTP.\n"
        lines = [f"{name}: {value}\r\n" for name, value in self._find_headers(body).items()]
        return line + "".join(lines).encode("latin-1", "replace") + b"\r\n" + body

    def _find_headers(self, body: bytes) -> dict[str, str]:
        is_secure = self._request_conn.context.protocol == "https"
        return {
            **self._server.refusal_headers(is_secure=is_secure),
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Length": str(len(body)),
            "Connection": "close",
        }

    def _refuse(self, text: str, method: str) -> None:
        """Answer 503 in words, and take nothing more on this connection."""
        inner, self._inner = self._inner, None
        if inner is not None and self._held_bytes:
            inner.on_connection_close()
        body = f"{text}\n".encode()
        answer = tornado.httputil.HTTPHeaders(self._find_headers(body))
        line = tornado.httputil.ResponseStartLine("HTTP/1.1", 503, http.client.responses[503])
        chunk = None if method == "HEAD" else body
        self._refused = self._request_conn.write_headers(line, answer, chunk)
        self._request_conn.finish()


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
