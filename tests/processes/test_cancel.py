"""Cancel, from a page's websocket down to whatever the action is just doing."""

import asyncio
from pathlib import Path

import psutil
import pytest

from tests.processes.server import LIMIT_S, Server
from tests.processes.visitor import Visitor, visit

ANALYSES = Path(__file__).resolve().parents[1] / "analyses"

pytestmark = [pytest.mark.slow, pytest.mark.process]


@pytest.fixture(scope="module")
def server():
    with Server(ANALYSES) as server:
        yield server


async def read_until(visitor: Visitor, signal: str):
    while (frame := await visitor.read())["signal"] != signal:
        pass
    return frame.get("load")


async def read_end(visitor: Visitor, number: int) -> dict:
    while True:
        load = await read_until(visitor, "__process")
        if load["id"] == number and load["status"] == "end":
            return load


async def wait_child(kernel: psutil.Process) -> psutil.Process:
    """The process that the action has started, once it runs its own program."""

    async def look() -> psutil.Process:
        while True:
            for child in kernel.children():
                if child.name() == "sleep":
                    return child
            await asyncio.sleep(0.01)

    return await asyncio.wait_for(look(), LIMIT_S)


async def expect_next_runs(visitor: Visitor) -> None:
    """The request after the cancelled one runs, and ends as itself."""
    await visitor.send(signal="echo", load={"value": "next", "__process_id": 2})
    assert await read_until(visitor, "echo") == "next"
    assert (await read_end(visitor, 2))["outcome"] == "done"


@pytest.mark.parametrize("action", ["coroutine", "generator", "loop", "nap", "division"])
async def test_cancel_ends_what_runs_and_leaves_the_next_alone(action, server):
    async with visit(server.address, "stubborn") as visitor:
        await visitor.send(signal=action, load={"__process_id": 1})
        await read_until(visitor, "begun")
        kernel = server.kernel("stubborn")
        await visitor.send(__cancel=1)
        assert (await read_end(visitor, 1))["outcome"] == "cancelled"
        await expect_next_runs(visitor)
        assert server.kernel("stubborn").pid == kernel.pid


async def test_cancel_ends_the_process_that_the_action_waits_for(server):
    async with visit(server.address, "stubborn") as visitor:
        await visitor.send(signal="child", load={"__process_id": 1})
        await read_until(visitor, "begun")
        kernel = server.kernel("stubborn")
        child = await wait_child(kernel)
        assert child.cmdline() == ["sleep", "60"]
        await visitor.send(__cancel=1)
        assert (await read_end(visitor, 1))["outcome"] == "cancelled"
        assert not child.is_running()
        await expect_next_runs(visitor)
        assert server.kernel("stubborn").pid == kernel.pid


async def test_cancel_while_a_process_is_being_started_ends_that_process_too(server):
    """Whoever is interrupted in between has no handle yet to end it by."""
    async with visit(server.address, "stubborn") as visitor:
        await visitor.call("echo", {"value": "there"})
        kernel = server.kernel("stubborn")
        before = set(kernel.children())
        await visitor.send(signal="slow_start", load={"__process_id": 1})
        await read_until(visitor, "begun")
        while not set(kernel.children()) - before:
            await asyncio.sleep(0.01)
        await visitor.send(__cancel=1)
        assert (await read_end(visitor, 1))["outcome"] == "cancelled"
        assert set(kernel.children()) == before
        await expect_next_runs(visitor)


async def test_cancel_of_a_waiting_action_keeps_it_from_running(server):
    """A plain action holds back the session's next ones: one of them is cancelled in its place."""
    async with visit(server.address, "stubborn") as visitor:
        await visitor.send(signal="nap", load={"__process_id": 1})
        await read_until(visitor, "begun")
        await visitor.send(signal="echo", load={"value": "never", "__process_id": 3})
        await visitor.send(__cancel=3)
        await visitor.send(__cancel=1)
        ends = {}
        while len(ends) < 2:
            frame = await visitor.read()
            assert frame["signal"] != "echo"
            if frame["signal"] == "__process" and frame["load"]["status"] == "end":
                ends[frame["load"]["id"]] = frame["load"]["outcome"]
        assert ends == {1: "cancelled", 3: "cancelled"}
        await expect_next_runs(visitor)
