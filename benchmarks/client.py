"""A raw websocket page: plain sockets, frames taken apart in bulk.

Cheap on purpose, so that the load generator is not what is measured: a client's frames are
masked with the key 0 (RFC 6455, section 5.3 leaves the key to the client), so masking costs
nothing here, and `Frames.feed` needs about 0.3 us for a small frame.
"""

from __future__ import annotations

import base64
import os
import select
import socket
import struct
import time
from collections.abc import Callable, Iterable, Sequence

RECEIVE_BYTES = 1 << 16
ANSWER_TIMEOUT_S = 30.0
CONNECT = b'{"__connect": null, "__request_args": ""}'
# As a page that counts the stream, and has it up to `received`.
COUNTING = '{"__connect": %s, "__request_args": "", "__received": %d, "__epoch": %s}'

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10


class PageError(Exception):
    """A server broke an exchange: it closed, said nothing in time, or answered wrongly."""


def client_frame(payload: bytes, *, opcode: int = _TEXT) -> bytes:
    """One masked, final frame as a browser sends it."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + b"\0\0\0\0" + payload


class Frames:
    """Takes a server's unmasked frames out of a byte stream."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._have = 0
        self._need = 0
        self.pings: list[bytes] = []
        self.is_closed = False
        self.last_words = b""  # of a close frame: its code, and why

    def feed(self, chunk: bytes) -> list[bytes]:
        """Payloads of the text and binary frames that `chunk` completes, in order."""
        if self._parts:
            self._parts.append(chunk)
            self._have += len(chunk)
            if self._have < self._need:
                return []
            chunk = b"".join(self._parts)
            self._parts = []
        payloads: list[bytes] = []
        position, end = 0, len(chunk)
        while True:
            size, start = _head(chunk, position, end)
            after = start + size
            if after > end:
                break
            opcode = chunk[position] & 15
            if opcode < _CLOSE:
                payloads.append(chunk[start:after])
            else:
                self._control(opcode, chunk[start:after])
            position = after
        if position < end:
            self._parts = [chunk[position:]]
            self._have = end - position
            self._need = after - position
        return payloads

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == _PING:
            self.pings.append(payload)
        elif opcode == _CLOSE:
            self.is_closed = True
            self.last_words = payload


def _head(chunk: bytes, position: int, end: int) -> tuple[int, int]:
    """Size and start of the payload at `position`; beyond `end` when that is not known yet."""
    if end - position < 2:
        return 0, position + 2
    size = chunk[position + 1]
    if size < 126:
        return size, position + 2
    start = position + (4 if size == 126 else 10)
    if start > end:
        return 0, start
    return int.from_bytes(chunk[position + 2 : start], "big"), start


class Page:
    """One open websocket.

    Args:
        port: of the server, on 127.0.0.1.
        analysis: the name in the websocket's path.
        connect: the first frame.
    """

    def __init__(self, port: int, analysis: str = "bench", connect: bytes = CONNECT) -> None:
        self._frames = Frames()
        self._unsent = b""
        self.sock = socket.create_connection(("127.0.0.1", port), ANSWER_TIMEOUT_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._early = self._upgrade(port, analysis)
            self.send(client_frame(connect))
        except BaseException:
            self.sock.close()
            raise

    def _upgrade(self, port: int, analysis: str) -> bytes:
        key = base64.b64encode(os.urandom(16)).decode()
        self.sock.sendall(
            f"GET /{analysis}/ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Origin: http://127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            chunk = self.sock.recv(RECEIVE_BYTES)
            if not chunk:
                break
            answer += chunk
        head, _, rest = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            status = head.partition(b"\r\n")[0].decode("latin-1")
            raise PageError(f"websocket /{analysis}/ws was refused: {status!r}")
        return rest

    def fileno(self) -> int:
        """For epoll."""
        return self.sock.fileno()

    def close(self) -> None:
        """Close without a goodbye, as a closed laptop does."""
        self.sock.close()

    def send(self, frame: bytes) -> None:
        """Send whole; waits while the server does not read."""
        self.sock.sendall(frame)

    @property
    def is_sending(self) -> bool:
        """Whether `send_nowait` kept something back."""
        return bool(self._unsent)

    def send_nowait(self, frames: bytes) -> bool:
        """Send what fits and keep the rest; True when nothing is left over."""
        if self._unsent:
            frames = self._unsent + frames
        try:
            sent = self.sock.send(frames) if frames else 0
        except BlockingIOError:
            sent = 0
        self._unsent = frames[sent:] if sent < len(frames) else b""
        return not self._unsent

    def receive(self) -> list[bytes]:
        """The payloads that one read completes; empty when it completes none."""
        if self._early:
            chunk, self._early = self._early, b""
        else:
            try:
                chunk = self.sock.recv(RECEIVE_BYTES)
            except BlockingIOError:
                return []
            except TimeoutError:
                raise PageError(f"no frame within {ANSWER_TIMEOUT_S:g} s") from None
            if not chunk:
                raise PageError("the server closed the websocket")
        payloads = self._frames.feed(chunk)
        if self._frames.is_closed:
            raise PageError(f"the server closed the websocket: {self._frames.last_words!r}")
        while self._frames.pings:
            self.send(client_frame(self._frames.pings.pop(), opcode=_PONG))
        return payloads

    def wait_for(self, marker: bytes) -> bytes:
        """The next payload that contains `marker`; those before it are passed over.

        Raises:
            PageError: it did not come in time, or the analysis reported an error.
        """
        until_s = time.monotonic() + ANSWER_TIMEOUT_S
        while time.monotonic() < until_s:
            for payload in self.receive():
                if marker in payload:
                    return payload
                if payload[:40].replace(b" ", b"").startswith(b'{"signal":"error"'):
                    raise PageError(f"waiting for {marker!r}, the page got {payload[:2000]!r}")
        raise PageError(f"no {marker!r} within {ANSWER_TIMEOUT_S:g} s")


def open_pages(port: int, count: int, analysis: str = "bench") -> list[Page]:
    """Open `count` pages and wait until each has echoed once, so that all are in use."""
    pages: list[Page] = []
    try:
        for number in range(count):
            page = Page(port, analysis)
            pages.append(page)
            page.send(action("echo", f'"hello {number}"'))
            page.wait_for(b'"hello ')
    except BaseException:
        close_pages(pages)
        raise
    return pages


def close_pages(pages: Iterable[Page]) -> None:
    """Close them all."""
    for page in pages:
        page.close()


def action(signal: str, load: str) -> bytes:
    """The frame of one action; `load` is JSON text. The relay looks for exactly this spacing."""
    return client_frame(f'{{"signal": "{signal}", "load": {load}}}'.encode())


class Pump:
    """Reads many pages at once; use it as a context manager around `run`.

    Args:
        pages: each is made non-blocking until the end.
    """

    def __init__(self, pages: Sequence[Page]) -> None:
        self._by_fd = {page.fileno(): page for page in pages}
        self._poll = select.epoll()
        for page in pages:
            page.sock.setblocking(False)
            self._poll.register(page, select.EPOLLIN)

    def __enter__(self) -> Pump:
        return self

    def __exit__(self, *_error: object) -> None:
        self._poll.close()
        for page in self._by_fd.values():
            page.sock.settimeout(ANSWER_TIMEOUT_S)

    def send(self, page: Page, frames: bytes) -> None:
        """Send what fits now, and the rest while `run` reads."""
        was_waiting = page.is_sending
        is_waiting = not page.send_nowait(frames)
        if is_waiting != was_waiting:
            self._poll.modify(page, select.EPOLLIN | (select.EPOLLOUT if is_waiting else 0))

    def run(
        self, on_payloads: Callable[[Page, list[bytes]], bytes], is_over: Callable[[], bool]
    ) -> None:
        """Read until `is_over`; what `on_payloads` returns is sent on that page.

        Raises:
            PageError: nothing arrived within `ANSWER_TIMEOUT_S`.
        """
        by_fd, poll = self._by_fd, self._poll.poll
        while not is_over():
            events = poll(ANSWER_TIMEOUT_S)
            if not events:
                raise PageError(f"no frame on {len(by_fd)} pages within {ANSWER_TIMEOUT_S:g} s")
            for fd, event in events:
                page = by_fd[fd]
                answer = on_payloads(page, page.receive()) if event & ~select.EPOLLOUT else b""
                if answer or page.is_sending:
                    self.send(page, answer)
