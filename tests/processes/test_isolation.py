"""Pools and a process per session, with real kernels behind a real server."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.processes.server import Server
from tests.processes.visitor import visit

pytestmark = [pytest.mark.slow, pytest.mark.process]

CODE = """
import os
import time

import databench


class Shared(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.class_data.init(count=0)
        yield self.data.init(note=None)

    @databench.on
    def pid(self):
        return os.getpid()

    @databench.on
    async def add(self, n):
        for _ in range(n):
            await self.class_data.change('count', lambda count: count + 1)

    @databench.on
    def add_plainly(self, n):
        for _ in range(n):
            self.class_data.change('count', lambda count: count + 1)

    @databench.on
    def count(self):
        return self.class_data['count']

    @databench.on
    def keep(self, note):
        self.data['note'] = note

    @databench.on
    def note(self):
        return self.data['note']

    @databench.on
    def endless_c_call(self):
        self.emit('begun')
        sum(range(10 ** 14))  # never looks up: no cancel gets in
"""
INDEX = """
settings: {cancel_limit_s: 0.5}
analyses:
  - name: pooled
    isolation: pool
    processes: 4
  - name: alone
    isolation: session
    preheat: 1
    max_kernels: 4
"""


@pytest.fixture
def server(tmp_path: Path):
    folder = tmp_path / "analyses"
    for name in ("pooled", "alone"):
        (folder / name).mkdir(parents=True)
        (folder / name / "analysis.py").write_text(CODE)
    (folder / "index.yaml").write_text(INDEX)
    with Server(folder) as server:
        yield server


async def read_end(visitor):
    """The end of request 1."""
    while (load := await visitor.read_until("__process", strict=False))["status"] != "end":
        pass
    assert load["id"] == 1
    return load


@pytest.mark.parametrize("name", ["pooled", "alone"])
async def test_changes_from_four_processes_at_once_lose_no_increment(server, name):
    async with AsyncExitStack() as stack:
        visitors = []
        for _ in range(4):
            visitors.append(await stack.enter_async_context(visit(server.address, name)))
            await visitors[-1].call("pid")
        pids = {(await visitor.call("pid"))[0] for visitor in visitors}
        assert len(pids) == 4
        calls = [v.call("add", {"n": 100}) for v in visitors[:2]]
        calls += [v.call("add_plainly", {"n": 100}) for v in visitors[2:]]
        await asyncio.gather(*calls)
        for visitor in visitors:  # every page, and every process
            await visitor.wait_state(lambda v: v.class_data.get("count") == 400)
            assert (await visitor.call("count"))[0] == 400


async def test_a_c_call_that_never_returns_is_ended_with_its_process_alone(server):
    async with visit(server.address, "alone") as first, visit(server.address, "alone") as second:
        await first.call("keep", {"note": "kept"})
        others = (await second.call("pid"))[0]
        await first.send(signal="endless_c_call", load={"__process_id": 1})
        await first.read_until("begun")
        await first.send(__cancel=1)
        load = await read_end(first)
        assert load["outcome"] == "lost"
        assert "did not end within 0.5 s" in load["error"]["message"]
        assert (await first.call("note", strict=False))[0] == "kept"
        assert (await second.call("pid"))[0] == others


async def test_a_killed_process_of_a_pool_comes_back_and_the_others_go_on(server):
    async with visit(server.address, "pooled") as first, visit(server.address, "pooled") as second:
        await first.call("keep", {"note": "kept"})
        victim, other = [(await v.call("pid"))[0] for v in (first, second)]
        await first.send(signal="endless_c_call", load={"__process_id": 1})
        await first.read_until("begun")
        os.kill(victim, signal.SIGKILL)
        assert (await read_end(first))["outcome"] == "lost"
        assert (await second.call("pid"))[0] == other
        assert (await first.call("note", strict=False))[0] == "kept"
        assert (await first.call("pid"))[0] not in (victim, other)
