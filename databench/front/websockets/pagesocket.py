"""One page's websocket: frames in, frames out, and when they are out of the process.

Theory of operation. `on_message` reads one frame and hands it to the broker; it awaits nothing, so
a Cancel is read while an action runs. `write` makes one write of many frames. In Tornado, only the
connection's stream shows whether bytes have left, so this file, and no other, uses
`ws_connection.stream` (private; the requirement `tornado<7` and a test hold it). One `Watch` looks
after all pages: no task and no timer belongs to a single one. How fast a page is read is in `pace`.

Close codes of ours (RFC 6455 section 7.4.2): 4000 no `__connect` in time, 4001 the page does not
take what is written, 4002 no answer to a ping, 4003 a message that does not end. 1001: the server
stops. 1008: junk before `__connect`. 1009: too large a message. 1013: too many unfinished messages.
"""

from __future__ import annotations

import asyncio
import logging
import struct
import time
from collections.abc import Sequence

import tornado.iostream
import tornado.web
import tornado.websocket

from ...closecodes import JUNK, NO_PONG, NOT_JOINED, STALLED, UNFINISHED
from ...errors import RemoteProtocolError
from ...protocol import text
from ...settings import Settings
from ..security import hosts
from . import pace, pagewatch
from .basesocket import PacedSocket

log = logging.getLogger("databench.front")

_REASON_BYTES = 123  # RFC 6455 section 5.5: 125 with the code
_FIN_TEXT = 0x81  # RFC 6455 section 5.2: FIN, no extension, opcode 1


_SHARED_BYTES = 2**16  # a payload from here on is not copied into a frame for each page


def _frame_head(size_bytes: int) -> bytes:
    if size_bytes < 126:
        return struct.pack("!BB", _FIN_TEXT, size_bytes)
    if size_bytes < 65536:
        return struct.pack("!BBH", _FIN_TEXT, 126, size_bytes)
    return struct.pack("!BBQ", _FIN_TEXT, 127, size_bytes)


def frame_text(payload: bytes) -> bytes:
    """A websocket frame around UTF-8 text, from a server (RFC 6455 section 5.2: unmasked)."""
    return _frame_head(len(payload)) + payload


class _Framer:
    """Frames payloads; the last one is kept, so that a broadcast is framed once.

    The comparison is `is`: the broker hands the same object to each page.
    """

    __slots__ = ("_frame", "_payload")

    def __init__(self) -> None:
        self._payload: bytes | None = None
        self._frame = b""

    def frame(self, payloads: Sequence[bytes]) -> bytes:
        """All of these as one string of bytes."""
        if len(payloads) != 1:
            return b"".join([frame_text(payload) for payload in payloads])
        if payloads[0] is not self._payload:
            self._payload = payloads[0]
            self._frame = frame_text(payloads[0])
        return self._frame

    def split(self, payloads: Sequence[bytes]) -> list[bytes]:
        """The same in pieces: large payloads by themselves, the bytes that other pages get too."""
        if sum(map(len, payloads)) < _SHARED_BYTES:
            return [self.frame(payloads)]
        pieces: list[bytes] = []
        small: list[bytes] = []
        for payload in payloads:
            if len(payload) < _SHARED_BYTES:
                small.append(frame_text(payload))
                continue
            pieces += [b"".join([*small, _frame_head(len(payload))]), payload]
            small.clear()
        return [*pieces, b"".join(small)] if small else pieces


framer = _Framer()


def _send_now(stream: tornado.iostream.IOStream, data: bytes) -> bytes | memoryview:
    """Hand to the system what it takes at once, if nothing waits in the stream before it.

    Nearly every frame fits the system's buffer. The stream's own way there takes twice as long: it
    makes a future and a copy, and asks the loop about the socket.

    Returns:
        What is left for the stream; a failure too, which it then reports in its own way.
    """
    if stream.writing() or stream.closed() or isinstance(stream, tornado.iostream.SSLIOStream):
        return data
    try:
        sent = stream.socket.send(data)
    except OSError:  # would block, or broken
        return data
    return memoryview(data)[sent:] if sent < len(data) else b""  # of a large one no copy is made


class PageSocket(PacedSocket):
    """Tornado's side of one connection; `Connection` is the broker's."""

    def prepare(self) -> None:
        """Refuse a page of another server (Tornado checks again, with a shorter text)."""
        entry = self.context.entry(self.path_args[0])
        if entry.problems:
            raise tornado.web.HTTPError(503, f"analysis {entry.name!r} cannot be served")
        origin = self.request.headers.get("Origin")
        if not hosts.matches_origin(origin, self.request.host):
            host = self.request.host
            log.warning("websocket of a page of %.200r refused, expected %.200r", origin, host)
            self.refuse(403, hosts.tell_foreign(origin, host))
        elif self.request.headers.get("Upgrade", "").lower() != "websocket":
            self.context.watch.note_plain(entry.name)
            self.set_header("Upgrade", "websocket")  # RFC 9110 section 15.5.22
            self.refuse(426, pagewatch.PLAIN)

    @property
    def ping_interval(self) -> float | None:
        """None of Tornado's pings, each a separate task: `Watch` sends ours."""
        return None

    def open(self, name: str) -> None:
        """The handshake is done: wait for `__connect`."""
        self.page = Connection(self, name, self.context.visitors.find(self), self.address)
        self.context.watch.add(self.page)

    def on_message(self, message: str | bytes) -> None:
        """Hand it on; nothing here awaits."""
        self.page.take(message)

    def on_pong(self, data: bytes) -> None:
        """The page is there."""
        self.page.hear()

    def on_close(self) -> None:
        """The connection is gone, from either end."""
        self.context.watch.discard(self.page)
        self.page.leave()


class Connection:
    """A page, as the broker sees it (`databench.broker.Page`).

    Args:
        handler: Tornado's side, open.
        name: The analysis.
        who: The visitor's word.
        address: The visitor's address.
    """

    __slots__ = (
        "_context",
        "_handler",
        "_heard_s",
        "_joined",
        "_junk",
        "_opened_s",
        "_pinged_s",
        "_unsent_s",
        "address",
        "is_linked",
        "may_administer",
        "name",
        "visitor",
    )

    def __init__(self, handler: PageSocket, name: str, who: str = "", address: str = "") -> None:
        self.name = name
        self.may_administer = handler.may_administer
        self.visitor = who
        self.address = address
        self.is_linked = False
        self._handler = handler
        self._context = handler.context
        self._joined = False
        self._junk = 0  # messages that were not understood before `__connect`
        # When the oldest write that is not out was made, or the last one went out since.
        self._unsent_s: float | None = None
        self._heard_s = self._opened_s = time.monotonic()
        self._pinged_s: float | None = None

    # ------------------------------------------------------------ from the page

    def take(self, message: str | bytes) -> None:
        """Hand one message to the broker; junk is answered and the connection stays."""
        self.hear()
        try:
            if isinstance(message, bytes):
                raise RemoteProtocolError("binary frames are reserved; ignored")
            self._receive(text.parse_page(message))
        except RemoteProtocolError as error:
            log.debug("%s: %s", self.name, error)
            self._complain(str(error))

    def _complain(self, problem: str) -> None:
        """Answer what was not understood; a page that does not read has no further answer."""
        limit = self._context.limits.page_junk_messages
        if not self._joined:
            self._junk += 1
            if self._junk > limit:
                self.close(JUNK, f"{self._junk} messages before __connect, limit {limit}")
                return
        stream = self._stream()
        if stream is not None and not stream.writing():
            self._context.broker.complain(self, problem)

    def _receive(self, message: text.PageMessage) -> None:
        if isinstance(message, text.Connect):
            if self._joined:
                raise RemoteProtocolError("__connect again on one connection; ignored")
            self._joined = True
            connect, self.is_linked = self._context.links.follow(self._handler, message)
            self._context.broker.join(self.name, self, connect)
            missed = self._context.saves.find_missed(message.saves)
            if missed is not None:
                self.write([missed])
        elif self._joined:
            self._context.broker.receive(self, message)
        else:
            raise RemoteProtocolError("message before __connect; ignored")

    def hear(self) -> None:
        """The page gave a sign of life."""
        self._heard_s = time.monotonic()
        self._pinged_s = None

    def leave(self) -> None:
        """The connection is gone: report it to the broker, if it knows the page."""
        if self._joined:
            self._joined = False
            self._context.broker.leave(self)

    # ------------------------------------------------------------ to the page

    def _stream(self) -> tornado.iostream.IOStream | None:
        """The open connection's stream (the private use, see the top), or `None`."""
        connection = self._handler.ws_connection
        return None if connection is None or connection.is_closing() else connection.stream

    def write(self, frames: Sequence[bytes]) -> bool:
        """Write text frames in one go; does nothing on a closed connection.

        Args:
            frames: UTF-8 JSON, each one message, in this order.

        Returns:
            Whether everything is out of the process; if not, `delivered` is called when it is.
        """
        stream = self._stream()
        if stream is None or not frames:
            return False
        pieces: list[bytes | memoryview] = [*framer.split(frames)]
        while pieces:
            if rest := _send_now(stream, pieces[0]):  # type: ignore[arg-type]
                pieces[0] = rest
                break
            del pieces[0]
        if not pieces:
            return True
        try:
            written = [stream.write(piece) for piece in pieces][-1]
        except tornado.iostream.StreamClosedError:
            return False
        if not stream.writing():
            return True
        if self._unsent_s is None:
            self._unsent_s = time.monotonic()
        written.add_done_callback(self._on_written)
        return False

    def _on_written(self, written: asyncio.Future[None]) -> None:
        if written.cancelled() or written.exception() is not None:
            return  # the connection is gone; on_close reports it
        if self._unsent_s is not None:
            self._unsent_s = time.monotonic()
        self._tell_written()

    def _tell_written(self) -> None:
        stream = self._stream()
        if stream is None or stream.writing():
            return  # a later write is not out: its own callback reports it
        self._unsent_s = None
        if self._joined:
            self._context.broker.delivered(self)

    def close(self, code: int, reason: str) -> None:
        """Close the connection; does nothing on a closed one."""
        short = reason.encode()[:_REASON_BYTES].decode(errors="ignore")
        self._handler.close(code, short)

    # ------------------------------------------------------------ looked after

    def check(self, now_s: float, limits: Settings) -> None:
        """Close late pages, ping silent ones.

        Args:
            now_s: The monotonic clock.
            limits: The settings in force.
        """
        if not self._joined and now_s - self._opened_s > limits.page_join_limit_s:
            self.close(NOT_JOINED, f"no __connect within {limits.page_join_limit_s:g} s")
        elif self._is_unfinished(now_s, limits.page_message_limit_s):
            self._cut(UNFINISHED, f"a message took more than {limits.page_message_limit_s:g} s")
        elif self._unsent_s is not None:
            self._pinged_s = None  # the pong waits behind what the page has not read
            self._check_stall(now_s - self._unsent_s, limits.stall_limit_s)
        elif limits.page_ping_interval_s > 0:
            self._check_ping(now_s, limits.page_ping_interval_s, limits.page_pong_limit_s)

    def _is_unfinished(self, now_s: float, limit_s: float) -> bool:
        """Whether a message has begun that long ago and has not ended."""
        protocol = self._handler.ws_connection
        began_s = protocol.began_s if isinstance(protocol, pace.PacedProtocol) else None
        return began_s is not None and now_s - began_s > limit_s

    def _check_stall(self, age_s: float, limit_s: float) -> None:
        if age_s <= limit_s:
            return
        log.info("page of %s read nothing for %.0f s, limit %g; closed", self.name, age_s, limit_s)
        self._cut(STALLED, f"the page read nothing for {limit_s:g} s")

    def _cut(self, code: int, reason: str) -> None:
        """Close without an answer, for which a page would have to read or to end its message."""
        stream = self._stream()
        self.close(code, reason)
        if stream is not None:
            stream.close()

    def _check_ping(self, now_s: float, interval_s: float, limit_s: float) -> None:
        if self._pinged_s is not None:
            # As long as a page may take nothing: a program that computes between two reads is
            # there, and costs no more than a page that answers.
            if now_s - self._pinged_s > limit_s:
                log.info("page of %s did not answer for %g s; closed", self.name, limit_s)
                self.close(NO_PONG, f"no pong within {limit_s:g} s")
        elif now_s - self._heard_s > interval_s:
            self._pinged_s = now_s
            try:
                self._handler.ping()
            except tornado.websocket.WebSocketClosedError:
                pass  # it went away just now; on_close reports it
