"""Echoes that are sent by the clock while another page's loop computes and emits."""

from __future__ import annotations

import collections
import contextlib
import http.client
import select
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.client import ANSWER_TIMEOUT_S, Page, PageError, action

PERIOD_S = 0.005
SETTLE_S = 0.3
_BURN = "import sys\nx = 0\nwhile True: x = sum(i * i for i in range(2000))"


class Loop:
    """A page whose action computes; its emits are read and counted.

    Args:
        page: one that nothing else uses.
        signal: ``loop`` or ``loop_plain``.
        duration_s: how long it computes.
    """

    def __init__(self, page: Page, signal: str, duration_s: float) -> None:
        self.page = page
        self.emits = 0
        self.is_over = False
        self._started_s = time.perf_counter()
        page.send(action(signal, f"{duration_s:.3f}"))

    def read(self) -> None:
        """Take what has arrived."""
        for payload in self.page.receive():
            self.emits += b'"tick"' in payload
            self.is_over = self.is_over or b'"loop_end"' in payload

    def finish(self) -> float:
        """Wait for its end; return how many emits per second arrived."""
        self.page.sock.setblocking(True)
        self.page.sock.settimeout(30)
        while not self.is_over:
            self.read()
        return self.emits / (time.perf_counter() - self._started_s)


class Probe:
    """Sends an echo every `PERIOD_S`, whether the one before was answered or not.

    Args:
        page: one that nothing else uses.
        loop: read meanwhile; it must outlast the probe.
    """

    def __init__(self, page: Page, loop: Loop | None = None) -> None:
        self.samples_s: list[float] = []
        self._page = page
        self._loop = loop
        self._asked: collections.deque[float] = collections.deque()
        self._frame = action("echo", "1234567")

    def run(self, duration_s: float) -> list[float]:
        """Latencies, in seconds, of all echoes that were sent.

        Raises:
            PageError: the loop ended first (it then proves nothing), or echoes were not answered.
        """
        with select.epoll() as poll:
            for page in [self._page] + ([self._loop.page] if self._loop else []):
                page.sock.setblocking(False)
                poll.register(page, select.EPOLLIN)
            if self._loop:
                _read_until(poll, self._loop, time.perf_counter() + SETTLE_S)
            self._ask(poll, time.perf_counter() + duration_s)
            if self._loop and self._loop.is_over:
                raise PageError("the loop ended before the echoes beside it: nothing was measured")
            while self._asked:
                self._read(poll, ANSWER_TIMEOUT_S)
        self._page.sock.settimeout(ANSWER_TIMEOUT_S)
        return self.samples_s

    def _ask(self, poll: select.epoll, over_s: float) -> None:
        next_s = time.perf_counter()
        while (now_s := time.perf_counter()) < over_s:
            if now_s >= next_s:
                self._asked.append(now_s)
                self._page.send_nowait(self._frame)
                next_s = max(next_s + PERIOD_S, now_s)
            self._read(poll, max(0.0, next_s - time.perf_counter()))

    def _read(self, poll: select.epoll, timeout_s: float) -> None:
        ready = {fd for fd, _ in poll.poll(timeout_s)}
        if not ready and timeout_s == ANSWER_TIMEOUT_S:
            raise PageError(f"{len(self._asked)} echoes had no answer within {timeout_s:g} s")
        if self._page.fileno() in ready:
            got_s = time.perf_counter()
            for payload in self._page.receive():
                if b"1234567" in payload:
                    self.samples_s.append(got_s - self._asked.popleft())
        if self._loop and self._loop.page.fileno() in ready:
            self._loop.read()


def probe_s(page: Page, duration_s: float, loop: Loop | None = None) -> list[float]:
    """`Probe` in one call."""
    return Probe(page, loop).run(duration_s)


def index_s(port: int, duration_s: float, loop: Loop | None = None) -> list[float]:
    """Times of one request after another for the index page, on one connection, in seconds.

    Args:
        port: of the server.
        duration_s: for how long.
        loop: it must outlast this.

    Raises:
        PageError: the loop ended first, or the page was not answered with 200.
    """
    samples_s = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_TIMEOUT_S)
    over_s = time.perf_counter() + duration_s
    while (asked_s := time.perf_counter()) < over_s:
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise PageError(f"the index page answered {answer.status}")
        samples_s.append(time.perf_counter() - asked_s)
        time.sleep(PERIOD_S)
    connection.close()
    if loop:
        loop.page.sock.setblocking(False)
        if select.select([loop.page], [], [], 0)[0]:
            loop.read()
        if loop.is_over:
            raise PageError("the call ended before the requests beside it: nothing was measured")
    return samples_s


def _read_until(poll: select.epoll, loop: Loop, until_s: float) -> None:
    while (wait_s := until_s - time.perf_counter()) > 0:
        if poll.poll(wait_s):
            loop.read()


@contextlib.contextmanager
def burning() -> Iterator[None]:
    """A bare process that computes as the loops do, with nothing to tell anybody."""
    process = subprocess.Popen([sys.executable, "-c", _BURN])
    try:
        time.sleep(SETTLE_S)
        yield
    finally:
        process.kill()
        process.wait()
