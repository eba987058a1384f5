"""A server that thinks as little as possible: what the load generator reaches against it is the
most that it can measure. It turns client frames with the masking key 0 into server frames.
"""

from __future__ import annotations

import base64
import hashlib
import re
import select
import socket
import subprocess
import sys

# RFC 6455, section 1.3
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Generator:
    """The server's process; use it as a context manager."""

    def __init__(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = listener.getsockname()[1]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.generator", str(listener.fileno())],
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE,
        )
        listener.close()

    def __enter__(self) -> Generator:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.wait()


class _Peer:
    """One connection: the upgrade, then frames of the size that the first of them has."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = b""
        self._is_open = False

    def answer(self) -> bool:
        """Read once and answer what is complete; False when the connection ended."""
        chunk = self.sock.recv(1 << 20)
        self._buffer += chunk
        if not self._is_open and b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            self.sock.sendall(_upgraded(head))
            self._is_open = True
        if self._is_open:
            self._frames()
        return bool(chunk)

    def _frames(self) -> None:
        answers = []
        position = 0
        while (head := _client_head(self._buffer, position)) is not None:
            start, after = head
            if after > len(self._buffer):
                break
            size = self._buffer[position + 1] & 127
            longer = self._buffer[position + 2 : start - 4]
            answers.append(b"\x81" + bytes([size]) + longer + self._buffer[start:after])
            position = after
        self._buffer = self._buffer[position:]
        self.sock.sendall(b"".join(answers))


def _client_head(buffer: bytes, position: int) -> tuple[int, int] | None:
    """Where the frame at `position` has its payload; None when its head is not whole."""
    if len(buffer) < position + 14 and len(buffer) < position + 6:
        return None
    size = buffer[position + 1] & 127
    wide = 2 if size == 126 else 8 if size == 127 else 0
    if wide:
        size = int.from_bytes(buffer[position + 2 : position + 2 + wide], "big")
    start = position + 2 + wide + 4
    return start, start + size


def _upgraded(head: bytes) -> bytes:
    found = re.search(rb"Sec-WebSocket-Key: (\S+)", head)
    key = found[1] if found else b""
    accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def main(listener: socket.socket) -> None:
    """Answer until the parent closes standard input."""
    peers: dict[int, _Peer] = {}
    with select.epoll() as poll:
        poll.register(listener, select.EPOLLIN)
        poll.register(sys.stdin, select.EPOLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd == sys.stdin.fileno():
                    return
                if fd == listener.fileno():
                    sock, _ = listener.accept()
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    peers[sock.fileno()] = _Peer(sock)
                    poll.register(sock, select.EPOLLIN)
                elif not peers[fd].answer():
                    peers.pop(fd).sock.close()


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
