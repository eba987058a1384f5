"""A server under attack, and what holds whatever is done to it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Iterator

import psutil

from tests.processes.server import Server

from .raw import ClosedError, Socket, request

_FROM_KERNEL = re.compile(r"[0-9:]{8} \w+ \| ")  # an action's failure has its traceback there
LOG_BYTES = 2**20  # what one attack may make the server log


class World:
    """What an attack is given.

    Args:
        server: Running.
        seconds: How long an attack without an end lasts.
        scale: What numbers in an attack are multiplied with: 1 for the whole of it.
    """

    def __init__(self, server: Server, *, seconds: float, scale: float) -> None:
        self.seconds = seconds
        self.address = server.address
        self.port = server.port
        self._server = server
        self._scale = scale
        self._end_s = time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        """Whether an attack without an end has to stop."""
        return time.monotonic() >= self._end_s

    def scaled(self, number: int) -> int:
        """That number, or fewer in the bounded form."""
        return max(2, int(number * self._scale))

    async def sleep(self, seconds: float) -> None:
        """Leave the server alone with what was done to it."""
        await asyncio.sleep(seconds * self._scale)

    def kernel(self, name: str) -> psutil.Process:
        """The process of an analysis."""
        return self._server.kernel(name)

    @contextlib.contextmanager
    def until_closed(self) -> Iterator[None]:
        """What is inside may be cut off by the server, which is an answer like any other."""
        try:
            yield
        except (ClosedError, OSError):
            pass


async def check(server: Server) -> None:
    """Hold the server to what no attack may change: it answers, others work, its log is readable.

    Raises:
        AssertionError: It does not.
    """
    await _wait_answered(server)
    socket = await _join(server)
    try:
        end = await socket.run("run", n=3)
    finally:
        await socket.close()
    assert end["outcome"] == "done", end
    assert end["result"] == 3, end
    printed = server.printed
    own = [line for line in printed.splitlines() if not _FROM_KERNEL.match(line)]
    assert not any("Traceback" in line for line in own), "\n".join(own)[-5000:]
    assert len(printed) < LOG_BYTES, f"{len(printed)} characters were logged: {printed[-2000:]}"
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", printed), "control characters in the log"


async def _wait_answered(server: Server) -> None:
    """A connection may have to wait until those of the attack have gone."""
    for _ in range(300):
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            if (await request(server.address, "/status/live"))[0] == 200:
                return
        await asyncio.sleep(0.1)
    raise AssertionError("the server answers nothing any more")


async def _join(server: Server) -> Socket:
    """A page of the innocent analysis; it may be turned away while the attack's own rest goes."""
    for _ in range(300):
        with contextlib.suppress(ClosedError, OSError):
            return await Socket.join(server.address, "innocent")
        await asyncio.sleep(0.1)
    raise AssertionError("no page can join any more")
