"""Echoes that are sent by the clock while another page's loop computes and emits."""

from __future__ import annotations

import collections
import contextlib
import select
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.client import Page, PageError, action

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


def probe_s(page: Page, duration_s: float, loop: Loop | None = None) -> list[float]:
    """Latencies of echoes sent every `PERIOD_S`, answered or not; `loop` is read meanwhile.

    Raises:
        PageError: the loop ended first (it then proves nothing), or echoes were never answered.
    """
    asked: collections.deque[float] = collections.deque()
    samples: list[float] = []
    frame = action("echo", "1234567")
    with select.epoll() as poll:
        for watched in [page] + ([loop.page] if loop else []):
            watched.sock.setblocking(False)
            poll.register(watched, select.EPOLLIN)
        if loop:
            _read_until(poll, loop, time.perf_counter() + SETTLE_S)
        over_s = time.perf_counter() + duration_s
        next_s = time.perf_counter()
        while (now_s := time.perf_counter()) < over_s or asked:
            if now_s >= next_s and now_s < over_s:
                asked.append(now_s)
                page.send_nowait(frame)
                next_s = max(next_s + PERIOD_S, now_s)
            wait_s = next_s - time.perf_counter() if now_s < over_s else 10.0
            events = poll.poll(max(0.0, wait_s))
            if not events and now_s >= over_s:
                raise PageError(f"{len(asked)} echoes had no answer within 10 s")
            ready = {fd for fd, _ in events}
            if page.fileno() in ready:
                got_s = time.perf_counter()
                for payload in page.receive():
                    if b"1234567" in payload:
                        samples.append(got_s - asked.popleft())
            if loop and loop.page.fileno() in ready:
                loop.read()
                _check_running(loop, now_s < over_s)
    page.sock.setblocking(True)
    return samples


def _read_until(poll: select.epoll, loop: Loop, until_s: float) -> None:
    while (wait_s := until_s - time.perf_counter()) > 0:
        if poll.poll(wait_s):
            loop.read()


def _check_running(loop: Loop, is_needed: bool) -> None:
    if loop.is_over and is_needed:
        raise PageError("the loop ended before the echoes beside it: nothing was measured")


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
