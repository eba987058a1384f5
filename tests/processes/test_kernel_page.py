"""What a person sees of a running server's kernels in the terminal, and over `/_kernels`."""

import asyncio
import json
import os
import re
import subprocess
import sys
import urllib.request

import pytest

from tests.processes.server import LIMIT_S, REPOSITORY, Server
from tests.processes.visitor import visit

ANALYSIS = """
import asyncio, sys
import databench

class Long(databench.Analysis):
    @databench.on
    async def holds(self):
        print("a word on stderr", file=sys.stderr, flush=True)
        self.emit("begun")
        await asyncio.Event().wait()

    @databench.on
    async def ready(self):
        pass

    @databench.on
    async def fails(self):
        raise ValueError("a fault of its own")
"""

pytestmark = [pytest.mark.slow, pytest.mark.process]


TOKEN = "a-token-of-a-test"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernels") / "analyses"
    (folder / "long").mkdir(parents=True)
    (folder / "long" / "analysis.py").write_text(ANALYSIS)
    return folder


@pytest.fixture(scope="module", params=["development", "production"])
def server(request, folder):
    options = () if request.param == "development" else ("--no-debug", "--admin-token", TOKEN)
    with Server(folder, *options) as server:
        yield server


def kernels(server, *options):
    """The command, as a person runs it."""
    argv = [sys.executable, "-m", "databench", "kernels", "--port", str(server.port), *options]
    environ = {k: v for k, v in os.environ.items() if k not in ("HOST", "PORT")}
    if not server.token:
        environ["DATABENCH_ADMIN_TOKEN"] = TOKEN
    return subprocess.run(
        argv,
        env=environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )


def test_server_without_kernels_says_so(server):
    done = kernels(server)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("no kernel is running")


async def test_running_action_is_in_the_table_and_in_the_json(server):
    async with visit(server.address, "long") as page:
        await page.send(signal="holds", load={"__process_id": 1})
        await page.read_until("begun")
        table = kernels(server).stdout
        told = json.loads(kernels(server, "--json").stdout)
    pid = server.kernel("long").pid
    expected = rf"long +busy +1 +{pid} +\d+ s +\d+\.\d MiB +\d+ % +1 +0 +holds \d+ s"
    assert re.search(expected, table), table
    (kernel,) = told["kernels"]
    assert kernel["stderr"] == ["a word on stderr"]
    assert kernel["address"] == "/long/"


class Proxy:
    """A reverse proxy that adds no header: bytes in, bytes out, from the loopback interface."""

    def __init__(self, server):
        self._target = ("127.0.0.1", server.port)
        self._tasks = set()
        self._writers = []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_error):
        self._server.close()
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        closing = (writer.wait_closed() for writer in self._writers)
        await asyncio.gather(*closing, return_exceptions=True)

    async def _serve(self, reader, writer):
        up, down = await asyncio.open_connection(*self._target)
        self._writers += [writer, down]
        for ends in ((reader, down), (up, writer)):
            task = asyncio.ensure_future(self._copy(*ends))
            self._tasks.add(task)

    @staticmethod
    async def _copy(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def ask(self, path, **headers):
        """What a stranger gets: the status, and the rest as text."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = [f"GET {path} HTTP/1.1"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        answer = await asyncio.wait_for(self._read(reader), LIMIT_S)
        writer.close()
        await writer.wait_closed()
        return int(answer.split()[1]), answer

    @staticmethod
    async def _read(reader):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        size = re.search(r"(?i)\r\ncontent-length: (\d+)", head)
        return head + (await reader.readexactly(int(size[1]) if size else 0)).decode()


HTML, JSON = "text/html", "application/json"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
}


@pytest.fixture(scope="module", params=[(), ("--debug",)], ids=["recipe", "debug"])
def proxied(request, folder):
    """What the documents say for a proxy, and the same in development that was asked for."""
    with Server(folder, "--allow-host", "analyses.example", *request.param) as server:
        assert bool(server.token) is bool(request.param)
        yield server


HOSTS = ("analyses.example", "localhost", "127.0.0.1")


async def test_stranger_behind_a_proxy_that_adds_no_header_sees_no_names(proxied):
    async with Proxy(proxied) as proxy, visit(proxied.address, "long") as page:
        await page.call("ready")
        pid = str(proxied.kernel("long").pid)
        for host in HOSTS:
            for accept in (HTML, JSON):
                status, answer = await proxy.ask("/_kernels", Host=host, Accept=accept)
                assert (status, pid in answer) == (403, False)
            status, _ = await proxy.ask("/_kernels/ws", Host=host, **UPGRADE)
            assert status == 403
            status, answer = await proxy.ask("/status", Host=host)
            assert (status, "long" in answer) == (200, False)


async def test_stranger_behind_a_proxy_sees_no_traceback_and_ends_nothing_shared(proxied):
    async with Proxy(proxied) as proxy, visit(proxied.address, "long") as page:
        await page.call("ready")
        async with visit(f"127.0.0.1:{proxy.port}", "long") as stranger:
            await stranger.send(signal="fails", load={"__process_id": 5})
            load = {"status": "start"}
            while load["status"] != "end":
                load = await stranger.read_until("__process", strict=False)
            assert load["error"] == {
                "type": "ValueError",
                "message": "ValueError: a fault of its own",
                "traceback": None,
            }
            pid = proxied.kernel("long").pid
            await stranger.send(__kernel="restart")
            said = await stranger.read_until("error", strict=False)
            assert said.startswith("The kernel was not restarted: other sessions use it too")
            await page.call("ready")
            assert proxied.kernel("long").pid == pid


async def test_token_of_the_terminal_is_exchanged_once_and_outlives_the_server(folder):
    with Server(folder) as server:
        token = server.token
        async with Proxy(server) as proxy:
            status, answer = await proxy.ask(f"/long/?a=1&token={token}&b=2", Host="localhost")
            assert status == 302
            assert "\r\nLocation: ./?a=1&b=2\r\n" in answer
            cookie = re.search(r"\r\nSet-Cookie: (.*)\r\n", answer)[1]
            assert {"HttpOnly", "Path=/", "SameSite=Lax"} < set(cookie.split("; "))
            assert token not in answer
            pair = cookie.partition(";")[0]
            status, _ = await proxy.ask("/_kernels", Host="localhost", Cookie=pair, Accept=JSON)
            assert status == 200
        assert token not in server.printed.replace(f"?token={token}", "")
        assert server.printed.count(token) == 1
        server.stop()
        server.restart()
        assert server.token == token
        async with Proxy(server) as proxy:
            status, _ = await proxy.ask("/_kernels", Host="localhost", Cookie=pair, Accept=JSON)
            assert status == 200


def test_gallery_is_there_without_the_token_and_says_where_to_find_it(folder):
    with Server(folder) as server:
        with urllib.request.urlopen(f"{server.url}/") as answer:
            shown = answer.read().decode()
        assert "/long/" in shown
        assert "the address with ?token= that the terminal shows" in shown
        with urllib.request.urlopen(f"{server.url}/?token={server.token}") as answer:
            assert answer.url == f"{server.url}/"


def test_short_token_is_no_token(folder):
    argv = [sys.executable, "-m", "databench", "--analyses", str(folder), "--admin-token", "secret"]
    environ = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 2
    assert "(--admin-token) has 6 characters, minimum 16" in done.stderr


def test_kernel_does_not_hear_the_administrators_token(folder, monkeypatch):
    monkeypatch.setenv("DATABENCH_ADMIN_TOKEN", TOKEN)
    with Server(folder, "--no-debug") as server:
        asyncio.run(_open(server))
        assert "DATABENCH_ADMIN_TOKEN" not in server.kernel("long").environ()


async def _open(server):
    async with visit(server.address, "long") as page:
        await page.call("ready")


def test_no_server_is_status_1():
    argv = [sys.executable, "-m", "databench", "kernels", "--port", "1"]
    environ = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=LIMIT_S)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no server answers at 127.0.0.1:1" in done.stderr
