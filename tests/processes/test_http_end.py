"""The server's end as its pages see it: what runs may finish, nobody new comes in, then 1001."""

import http.client
import json
import signal
import socket

import pytest

from tests.processes.server import LIMIT_S, Server
from tests.processes.visitor import visit

ANALYSIS = """
import asyncio, pathlib, time
import databench

GO = pathlib.Path(__file__).parent / "go"

class Ends(databench.Analysis):
    @databench.on
    async def waits(self):
        self.emit("begun")
        while not GO.exists():
            await asyncio.sleep(0.01)
        return "waited"

    @databench.on
    def works(self):
        self.emit("begun")
        while not GO.exists():
            time.sleep(0.01)
        return "worked"

    @databench.on
    async def never(self):
        self.emit("begun")
        await asyncio.Event().wait()
"""

pytestmark = [pytest.mark.slow, pytest.mark.process]


@pytest.fixture
def folder(tmp_path):
    analysis = tmp_path / "analyses" / "ends"
    analysis.mkdir(parents=True)
    (analysis / "analysis.py").write_text(ANALYSIS)
    (analysis / "index.html").write_text("<p>a page</p>")
    return analysis


async def begin(visitor, action, number):
    await visitor.send(signal=action, load={"__process_id": number})
    await visitor.read_until("begun")


async def read_to_the_close(visitor):
    """The frames until the server closes."""
    frames = []
    while (text := await visitor.socket.read_message()) is not None:
        frames.append(json.loads(text))
    return frames


def ends(frames):
    loads = [f["load"] for f in frames if f["signal"] == "__process"]
    return {load["id"]: load for load in loads if load["status"] == "end"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_running_actions_finish_and_nobody_new_comes_in(folder, number):
    with Server(folder.parent) as server:
        idle = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_S)
        idle.request("GET", "/")
        assert idle.getresponse().read()
        async with visit(server.address, "ends") as one, visit(server.address, "ends") as two:
            await begin(one, "waits", 1)
            await begin(two, "works", 2)
            server.signal(number)
            server.wait_printed("2 actions are still running; waiting up to 3.[0-9] s")
            assert idle.sock.recv(1) == b""  # a connection that was kept alive
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", server.port), LIMIT_S)
            await one.send(signal="never", load={"__process_id": 3})  # too late
            (folder / "go").touch()
            frames = await read_to_the_close(one)
            assert ends(frames)[1]["result"] == "waited"
            assert "the server stops; not run" in ends(frames)[3]["error"]["message"]
            assert ends(await read_to_the_close(two))[2]["result"] == "worked"
            for page in (one, two):
                assert page.socket.close_code == 1001
                assert page.socket.close_reason == "the server stops"
            server.wait_ended()  # with status 0, and nothing is left
        idle.close()


async def test_action_beyond_the_limit_is_lost_and_its_page_told(folder):
    with Server(folder.parent, "--shutdown-limit-s", "1") as server:
        async with visit(server.address, "ends") as page:
            await begin(page, "never", 1)
            server.signal(signal.SIGTERM)
            frames = await read_to_the_close(page)
            end = ends(frames)[1]
            assert end["outcome"] in ("cancelled", "lost")
            assert page.socket.close_code == 1001
            server.wait_ended()
            assert "1 action took more than 0.7 s, the limit; ended" in server.printed


async def test_second_ctrl_c_waits_for_nothing(folder):
    with Server(folder.parent, "--shutdown-limit-s", "1000") as server:
        async with visit(server.address, "ends") as page:
            await begin(page, "never", 1)
            server.signal(signal.SIGINT)
            server.wait_printed("still running")
            while "stopping now" not in server.printed:  # an echo of the first one is none
                server.signal(signal.SIGINT)
                server.wait_printed("still running|stopping now")
            await read_to_the_close(page)
            server.wait_ended()


async def test_status_has_kernels_and_sessions(folder):
    token = "a-token-of-a-test"
    with Server(folder.parent, "--no-debug", "--admin-token", token) as server:
        async with visit(server.address, "ends") as page:
            await begin(page, "never", 1)
            pid = server.kernel("ends").pid
            status = ask(server, "/status", {"Authorization": f"Bearer {token}"})
            (kernel,) = status["kernels"]
            assert (status["status"], status["sessions"], status["pages"]) == ("ok", 1, 1)
            assert (kernel["analysis"], kernel["state"], kernel["pid"]) == ("ends", "busy", pid)
            assert ask(server, "/status/live") == {"status": "ok"}
            stranger = ask(server, "/status")
            assert stranger["kernels"] == [{"state": "busy", "generation": 1, "deaths": 0}]
            await page.send(__cancel=1)
            await page.read_until("__process")


def ask(server, path, headers=None):
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_S)
    client.request("GET", path, headers=headers or {})
    answer = client.getresponse()
    document = json.loads(answer.read())
    client.close()
    assert answer.status == 200
    return document
