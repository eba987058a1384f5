"""Visits by HTTP: requests as a browser sends them, one after the other or by the clock.

`python -m benchmarks.visits PORT RATE SECONDS PATH…` loads a page so often in a second, each visit
on a connection of its own, with all of these paths on it; it runs beside the echoes that are
measured, in a process of its own. Prints how many visits there were.
"""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from benchmarks.client import ANSWER_TIMEOUT_S, RECEIVE_BYTES, PageError
from benchmarks.servers import ROOT

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_COOKIE = re.compile(rb"\r\nset-cookie: *([^;\r]*)", re.IGNORECASE)
_ASSET = re.compile(rb'(?:src|href)="/_static/([^"]+)"')
_BATCH = 16  # connections that are open at once while they are counted
_SETTLE_S = 0.3


def compose(port: int, path: str, cookie: str = "") -> bytes:
    """A browser's request."""
    more = f"Cookie: {cookie}\r\n" if cookie else ""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
        "Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n"
        f"{more}\r\n"
    ).encode()


def read_answer(sock: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of one answer.

    Raises:
        PageError: Its status is not 200, or the connection ended before it.
    """
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _receive(sock)
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise PageError(f"a page was answered with {head[:60]!r}")
    length = _LENGTH.search(head)
    size = int(length[1]) if length else 0
    parts = [body]
    left = size - len(body)
    while left > 0:
        parts.append(_receive(sock))
        left -= len(parts[-1])
    return head, b"".join(parts)


def _receive(sock: socket.socket) -> bytes:
    chunk = sock.recv(RECEIVE_BYTES)
    if not chunk:
        raise PageError("the server closed a connection within an answer")
    return chunk


def _connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), ANSWER_TIMEOUT_S)


def visit(port: int, paths: Sequence[str]) -> None:
    """Ask for all of these on one new connection, without a cookie."""
    with _connect(port) as sock:
        for path in paths:
            sock.sendall(compose(port, path))
            read_answer(sock)


def visit_new(port: int, path: str, count: int) -> None:
    """So many visitors that come for the first time."""
    for _ in range(count):
        visit(port, [path])


def visit_again(port: int, path: str, count: int) -> None:
    """One visitor with a cookie who loads a page so often, on one connection."""
    with _connect(port) as sock:
        sock.sendall(compose(port, path))
        cookies = _COOKIE.findall(read_answer(sock)[0])
        request = compose(port, path, b"; ".join(cookies).decode("ascii"))
        for _ in range(count):
            sock.sendall(request)
            read_answer(sock)


def connections_s(port: int, path: str, count: int) -> float:
    """How long so many new connections take, with one request each, some of them at once."""
    request = compose(port, path)
    started_s = time.perf_counter()
    for _ in range(count // _BATCH):
        socks = [_connect(port) for _ in range(_BATCH)]
        try:
            for sock in socks:
                sock.sendall(request)
            for sock in socks:
                read_answer(sock)
        finally:
            for sock in socks:
                sock.close()
    return time.perf_counter() - started_s


def find_assets(port: int, path: str) -> list[str]:
    """The files that a page of Databench brings, below `/_static/`, each once."""
    with _connect(port) as sock:
        sock.sendall(compose(port, path))
        _, body = read_answer(sock)
        if b"<html" not in body:  # it was compressed
            sock.sendall(compose(port, path).replace(b"gzip, deflate, br", b"identity"))
            _, body = read_answer(sock)
    return list(dict.fromkeys(name.decode("ascii") for name in _ASSET.findall(body)))


@contextlib.contextmanager
def visiting(port: int, rate: float, duration_s: float, paths: Sequence[str]) -> Iterator[None]:
    """Visitors come meanwhile, by the clock.

    Raises:
        PageError: Fewer came than were to, or one of them got no page.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.visits", str(port), str(rate), str(duration_s), *paths],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        time.sleep(_SETTLE_S)
        yield
        told, _ = process.communicate(timeout=duration_s + ANSWER_TIMEOUT_S)
    finally:
        process.kill()
        process.wait()
    wanted = int(0.9 * rate * duration_s)
    if process.returncode or int(told or 0) < wanted:
        raise PageError(f"{told.strip() or 'no'} visits in {duration_s:g} s, at least {wanted}")


def main(argv: Sequence[str]) -> None:
    """Visit by the clock; a visit that takes too long delays the next ones."""
    port, rate, duration_s, paths = int(argv[0]), float(argv[1]), float(argv[2]), argv[3:]
    count = 0
    started_s = time.perf_counter()
    while (now_s := time.perf_counter() - started_s) < duration_s:
        if now_s < count / rate:
            time.sleep(count / rate - now_s)
        visit(port, paths)
        count += 1
    print(count)


if __name__ == "__main__":
    main(sys.argv[1:])
