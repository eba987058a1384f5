"""How long a server keeps others waiting, beside a bare process that is not attacked.

One process asks both in turn, so that what the machine itself withholds shows in the bare one too.
A figure is read as a difference from the bare process, and never asserted in a test.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import psutil

PERIOD_S = 0.02
_LIMIT_S = 120.0

_BARE = """
import asyncio, tornado.web
class Live(tornado.web.RequestHandler):
    def get(self):
        self.write("{}")
async def main():
    server = tornado.web.Application([("/.*", Live)]).listen(0, "127.0.0.1")
    print(next(iter(server._sockets.values())).getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, __import__("sys").stdin.read)
asyncio.run(main())
"""


def find_percentile(values: list[float], part: float) -> float:
    """The value below which that part of them lies; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


async def _time_requests(port: int, is_ending: asyncio.Event) -> list[float]:
    """Answer times of one connection that is kept open; it connects again when it is cut."""
    times: list[float] = []
    streams = None
    while not is_ending.is_set():
        began_s = time.monotonic()
        try:
            if streams is None:
                streams = await asyncio.open_connection("127.0.0.1", port)
            reader, writer = streams
            writer.write(f"GET /status/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _LIMIT_S)
            size = next(
                int(line.split(b":")[1])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length")
            )
            await reader.readexactly(size)
        except (OSError, asyncio.IncompleteReadError, StopIteration):
            streams = None
        times.append(time.monotonic() - began_s)
        await asyncio.sleep(max(0.0, PERIOD_S - times[-1]))
    if streams is not None:
        streams[1].transport.abort()
    return times


async def _measure(ports: list[int]) -> list[list[float]]:
    is_ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    timers = [asyncio.ensure_future(_time_requests(port, is_ending)) for port in ports]
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # until the other side closes it
    is_ending.set()
    return await asyncio.gather(*timers)


class Meter:
    """Measures a server between entering and leaving.

    Args:
        port: The server's.
        pid: The server's process.

    Attributes:
        figures: After leaving: the longest and the p99 answer of the server and of the bare
            process in milliseconds, and by how much the server's memory grew at most, in MiB.
    """

    def __init__(self, port: int, pid: int) -> None:
        self._port = port
        self._process = psutil.Process(pid)
        self.figures: dict[str, float] = {}

    async def __aenter__(self) -> Meter:
        self._bare = _start("-c", _BARE)
        bare_port = int(self._bare.stdout.readline())
        self._timer = _start(__file__, str(self._port), str(bare_port))
        self._timer.stdout.readline()
        self._memory = self._highest = self._process.memory_info().rss
        self._sampler = asyncio.ensure_future(self._sample())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._sampler.cancel()
        loop = asyncio.get_running_loop()
        printed, _ = await loop.run_in_executor(None, self._timer.communicate)
        await loop.run_in_executor(None, self._bare.communicate)
        for name, times in zip(("", "bare "), json.loads(printed), strict=True):
            self.figures[f"{name}longest_ms"] = round(1000 * max(times, default=0.0), 1)
            self.figures[f"{name}p99_ms"] = round(1000 * find_percentile(times, 0.99), 1)
        self.figures["grown_mib"] = round((self._highest - self._memory) / 2**20, 1)

    async def _sample(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            try:
                self._highest = max(self._highest, self._process.memory_info().rss)
            except psutil.Error:
                return  # it has ended, which the attack itself finds


def _start(*arguments: str) -> subprocess.Popen[str]:
    """A process of Python's that ends when its standard input does."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent,
    )


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure([int(port) for port in sys.argv[1:]]))))
