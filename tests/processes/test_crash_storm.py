"""A kernel is killed a hundred times under load: each request ends once, and nothing leaks."""

import asyncio
import json
import os
import signal
import time
from pathlib import Path

import psutil
import pytest
from tornado.websocket import websocket_connect

from databench.protocol import text
from tests.broker.harness import Page, Rig
from tests.processes.server import Server
from tests.processes.storm import Storm

ANALYSES = Path(__file__).resolve().parent / "analyses"
CONNECTIONS = 20
KILLS = 100
WARM_UP = 20  # after these the rings are full
MEMORY_BYTES = 12 * 2**20

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.certain]


class Vitals:
    """What must not grow, of one process."""

    def __init__(self, pid):
        process = psutil.Process(pid)
        self.pid = pid
        self.begun_s = process.create_time()
        self.descriptors = sorted(map(describe_descriptor(pid), os.listdir(f"/proc/{pid}/fd")))
        self.threads = process.num_threads()
        self.children = len(process.children(recursive=True))
        self.memory_bytes = process.memory_info().rss

    def compare(self, before):
        """These are not more than those before."""
        assert self.begun_s == before.begun_s
        assert self.descriptors == before.descriptors
        assert self.threads == before.threads
        assert self.children == before.children
        if self.pid != os.getpid():  # this process holds what the test keeps
            assert self.memory_bytes - before.memory_bytes < MEMORY_BYTES


def describe_descriptor(pid):
    """Names a descriptor without the number that differs from one to the next."""

    def describe(name):
        try:
            return os.readlink(f"/proc/{pid}/fd/{name}").partition(":[")[0]
        except OSError:
            return "directory of this list"

    return describe


async def run(storm, kill, pid):
    """The whole storm on connections that are there."""
    storm.begin()
    for _ in range(WARM_UP):
        await storm.kill(kill)
    await storm.calm()
    before = await settled(storm, pid)
    storm.begin()
    while storm.kills < KILLS:
        await (storm.kill_starting(kill) if storm.kills in (40, 70) else storm.kill(kill))
    await storm.calm()
    after = await settled(storm, pid)
    print(storm.outcomes, after.memory_bytes - before.memory_bytes, "bytes more")
    after.compare(before)
    for line in storm.lines:
        line.check()
    assert storm.kills == KILLS
    assert storm.outcomes["lost"] > KILLS / 2
    assert storm.outcomes["done"] > KILLS


async def settled(storm, pid):
    """The vitals in a quiet moment: one request later, so that a kernel runs."""
    storm.begin()
    await storm.calm()
    return Vitals(pid)


class Websocket:
    """A connection to a real server."""

    def __init__(self, storm, socket):
        self.socket = socket
        self.line = storm.add(self)
        self.storm = storm
        self.is_closing = False
        self.task = asyncio.create_task(self._read())

    def request(self, action, value, id_):
        # The value is the id: the message is read as one argument.
        load = {"__process_id": id_, "value": value}
        self.socket.write_message(json.dumps({"signal": action, "load": load}))

    async def _read(self):
        while (text := await self.socket.read_message()) is not None:
            self.storm.on_frame(self.line, json.loads(text))
        assert self.is_closing, "the server closed the connection"

    async def close(self):
        self.is_closing = True
        self.socket.close()
        await self.task


@pytest.mark.timeout(180)
async def test_a_python_kernel_is_killed_a_hundred_times_under_load():
    begun_s = time.monotonic()
    with Server(ANALYSES, "--restart-limit", "1000", "--log", "ERROR") as server:
        storm = Storm(seed=1)
        connections = []
        for _ in range(CONNECTIONS):
            socket = await websocket_connect(f"ws://{server.address}/storm/ws")
            await socket.write_message(json.dumps({"__connect": None, "__received": 0}))
            connections.append(Websocket(storm, socket))
        pid = server._process.pid
        await run(storm, lambda: server.kernel("storm").kill(), pid)
        assert server._process.poll() is None
        for connection in connections:
            assert not connection.task.done()
            await connection.close()
    print(f"{time.monotonic() - begun_s:.1f} s")


class StormPage(Page):
    """A page in this process."""

    def __init__(self, broker, storm):
        super().__init__(broker)
        self.storm = storm
        self.line = storm.add(self)

    def write(self, frames):
        asyncio.get_running_loop().call_soon(self.broker.delivered, self)
        for frame in frames:
            self.storm.on_frame(self.line, json.loads(frame))

    def request(self, action, value, id_):
        loop = asyncio.get_running_loop()  # never inside of `write`
        loop.call_soon(lambda: Page.request(self, action, value, id_=id_))


@pytest.mark.expected_log("was ended by SIGKILL")
@pytest.mark.timeout(180)
async def test_a_stub_kernel_is_killed_a_hundred_times_under_load():
    rig = Rig("a", restart_limit=1000, backoff_first_s=0.5, backoff_max_s=30.0)
    await rig.broker.start()
    storm = Storm(seed=2, actions=("echo", "stepped", "state_echo"))
    pages = [StormPage(rig.broker, storm) for _ in range(CONNECTIONS)]
    for page in pages:
        rig.broker.join("a", page, text.Connect(received=0))
    try:
        await run(storm, lambda: rig.kill(signal.SIGKILL), os.getpid())
        assert rig.broker._tables.requests == {}
        assert rig.broker.status()["dropped"] == 0
    finally:
        await rig.broker.stop()
