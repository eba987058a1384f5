"""A folder of kernel files as they were written for 0.7, served and talked to as it is."""

import urllib.request
from pathlib import Path

import pytest

from tests.processes.server import Server
from tests.processes.visitor import visit

FOLDER = Path(__file__).resolve().parent / "kernels_of_07"
pytestmark = [pytest.mark.slow, pytest.mark.process]


@pytest.fixture(scope="module")
def server():
    with Server(FOLDER) as server:
        yield server


def test_gallery_lists_them(server):
    with urllib.request.urlopen(server.url) as answer:
        text = answer.read().decode()
    assert "Counter" in text
    assert "Mean" in text
    assert "warning" not in server.printed.lower()


async def test_a_file_with_a_guarded_last_line_runs(server):
    async with visit(server.address, "counter_py") as visitor:
        await visitor.wait_state(lambda v: v.data.get("count") == 0)
        _, frames = await visitor.call("add", {"n": 2, "times": 3})
        assert visitor.data == {"count": 6}
        assert {"signal": "log", "load": {"action": "done"}} in frames
        await visitor.call("half")
        assert visitor.data == {"count": 3.0}
        await visitor.send(signal="echo", load=["a", 1])
        assert await visitor.read_until("echo") == ["a", 1]


async def test_a_file_with_an_open_last_line_runs(server):
    async with visit(server.address, "mean_py", args="?a=1") as visitor:
        assert await visitor.read_until("hello") == {"a": ["1"]}
        await visitor.send(signal="mean", load=[1, 2, 6])
        assert await visitor.read_until("mean") == 3.0
        await visitor.wait_state(lambda v: v.class_data == {"last": 3.0})


async def test_one_without_a_kernel_key_runs_beside_them(server):
    async with visit(server.address, "plain") as visitor:
        _, frames = await visitor.call("run")
        assert {"signal": "log", "load": "done"} in frames
