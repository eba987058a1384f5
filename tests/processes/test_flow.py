"""A page that reads nothing while its action emits: what it costs, and whom it holds up."""

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from benchmarks.client import COUNTING, Page, action
from databench.protocol.flow import GRANTS
from databench.settings import Settings
from tests.processes.server import Server
from tests.processes.visitor import visit

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.timeout(180)]

CODE = """
import os

import databench


class Flood(databench.Analysis):
    @databench.on
    async def flood(self, count, size):
        text = 'x' * size
        for n in range(count):
            await self.emit('tick', [n, text])
            if n % 100 == 0:
                self.set_state(at=n)
            self.emit('log', n)

    @databench.on
    async def echo(self, value):
        await self.emit('echo', value)

    @databench.on
    def pid(self):
        return os.getpid()
"""
COUNT, SIZE_BYTES = 16_000, 64 * 1024  # 1 GB
MIB = 2**20
LIMITS = Settings()
# What one session may hold in either process, with room for the interpreter and the allocator.
MOST_BYTES = 3 * LIMITS.credit_window_bytes + LIMITS.ring_bytes + 40 * MIB


@pytest.fixture
def server(tmp_path: Path):
    (tmp_path / "analyses" / "flood").mkdir(parents=True)
    (tmp_path / "analyses" / "flood" / "analysis.py").write_text(CODE)
    with Server(tmp_path / "analyses") as server:
        yield server


@asynccontextmanager
async def neighbour(server):
    """Another session of the same kernel; yields it with the kernel's and the front's process."""
    async with visit(server.address, "flood") as visitor:
        pid, _ = await visitor.call("pid")
        yield visitor, psutil.Process(pid), psutil.Process(server.pid)


def join(server, session="null", epoch="null", received=0):
    """A raw page that counts: it reads only when it is told to."""
    page = Page(server.port, "flood", (COUNTING % (session, received, epoch)).encode())
    return page, json.loads(page.wait_for(b'"__connect"'))["load"]


async def echo_until_quiet(visitor, progress):
    """Echoes on and on until the flood stands still; how many were answered."""
    answered, seen, still = 0, None, 0
    while still < 200:
        _, frames = await visitor.call("echo", {"value": answered})
        assert [f["load"] for f in frames if f["signal"] == "echo"] == [answered]
        answered += 1
        still = still + 1 if progress() == seen else 0
        seen = progress()
    return answered


def read_flood(page):
    """All that is left of the flood: numbers of emits, lines dropped, gaps, and the end."""
    numbers, logs, gaps = [], [], []
    while True:
        for payload in page.receive():
            if payload.startswith(b'{"signal":"tick"'):
                numbers.append(int(payload[25:40].partition(b",")[0]))
            elif payload.startswith((b'{"signal":"log"', b'{"signal":"warn"')):
                logs.append(json.loads(payload)["load"])
            elif payload.startswith(b'{"signal":"__gap"'):
                gaps.append(json.loads(payload)["load"]["missed"])
            elif payload.startswith(b'{"signal":"__process"') and b'"end"' in payload:
                return numbers, logs, gaps, json.loads(payload)["load"]


def begin_flood(page, count=COUNT):
    load = {"count": count, "size": SIZE_BYTES, "__process_id": 1}
    page.send(action("flood", json.dumps(load)))


async def test_a_page_that_reads_nothing_costs_its_limits_and_gets_everything_in_the_end(server):
    async with neighbour(server) as (visitor, kernel, front):
        before = kernel.memory_info().rss, front.memory_info().rss
        page, _ = join(server)
        begin_flood(page)
        await echo_until_quiet(visitor, lambda: kernel.io_counters().write_bytes)
        grown = kernel.memory_info().rss - before[0], front.memory_info().rss - before[1]
        assert max(grown) < MOST_BYTES, grown
        numbers, logs, gaps, end = await asyncio.to_thread(read_flood, page)
        assert end["outcome"] == "done"
        assert numbers == list(range(COUNT))
        assert gaps == []
        # Lines are dropped where there is no credit, and each that is missing is counted.
        told = [line for line in logs if isinstance(line, int)]
        dropped = sum(int(line.split()[0]) for line in logs if isinstance(line, str))
        assert told == sorted(set(told))
        assert len(told) + dropped <= COUNT
        assert dropped > 0
        grown = kernel.memory_info().rss - before[0], front.memory_info().rss - before[1]
        assert max(grown) < MOST_BYTES, grown
        page.close()


async def test_a_flood_that_no_page_sees_goes_on_to_its_end(server):
    """Its credit comes back at once, more of it than a kernel gets that reads nothing."""
    count = 3 * GRANTS * LIMITS.credit_window_bytes // SIZE_BYTES
    async with neighbour(server) as (visitor, kernel, _):
        page, told = join(server)
        begin_flood(page, count)
        page.wait_for(b'"start"')
        page.close()
        await echo_until_quiet(visitor, lambda: kernel.io_counters().write_bytes)
        page, _ = join(server, f'"{told["analysis_id"]}"', f'"{told["epoch"]}"')
        numbers, _, _, end = await asyncio.to_thread(read_flood, page)
        assert (end["outcome"], numbers[-1]) == ("done", count - 1)
        assert kernel.is_running()
        page.close()


async def test_a_stalled_second_view_delays_neither_the_first_nor_another_session(server):
    async with neighbour(server) as (visitor, kernel, front):
        before = kernel.memory_info().rss, front.memory_info().rss
        page, told = join(server)
        stalled, _ = join(server, f'"{told["analysis_id"]}"', f'"{told["epoch"]}"')
        begin_flood(page)
        reading = asyncio.ensure_future(asyncio.to_thread(read_flood, page))
        while not reading.done():
            await visitor.call("echo", {"value": 1})
        numbers, _, gaps, end = await reading
        assert (end["outcome"], gaps) == ("done", [])
        assert numbers == list(range(COUNT))
        grown = kernel.memory_info().rss - before[0], front.memory_info().rss - before[1]
        assert max(grown) < MOST_BYTES, grown
        numbers, _, gaps, end = await asyncio.to_thread(read_flood, stalled)
        assert end["outcome"] == "done"
        assert numbers == sorted(set(numbers))
        assert len(gaps) >= 1  # it lagged beyond the ring, and was told so
        for raw in (page, stalled):
            raw.close()
