"""HTML files that an analysis wrote, over restarts of a real server in production."""

import pytest
import tornado.httpclient
import tornado.websocket

from tests.processes.server import Server
from tests.processes.visitor import Visitor

pytestmark = [pytest.mark.slow, pytest.mark.process]

CODE = """
import pathlib

import databench


class X(databench.Analysis):
    @databench.on
    def report(self, words):
        pathlib.Path(__file__).with_name('report.html').write_text(words)
        self.emit('written')
"""
WORDS = "{{ 6 * 7 }} of a visitor"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "analyses"
    (folder / "x").mkdir(parents=True)
    (folder / "x" / "analysis.py").write_text(CODE)
    (folder / "x" / "index.html").write_text("{{ 40 + 2 }}")
    return folder


async def write_report(server):
    socket = await tornado.websocket.websocket_connect(f"ws://{server.address}/x/ws")
    visitor = Visitor(socket)
    await visitor.send(__connect=None)
    await visitor.send(signal="report", load=WORDS)
    await visitor.read_until("written")
    socket.close()


async def get(server, path):
    client = tornado.httpclient.AsyncHTTPClient(force_instance=True)
    try:
        return (await client.fetch(f"{server.url}{path}")).body.decode()
    finally:
        client.close()


@pytest.mark.parametrize("is_killed", [False, True])
async def test_visitors_words_are_run_by_no_later_server(folder, is_killed):
    with Server(folder, "--no-debug") as server:
        await write_report(server)
        server.kill() if is_killed else server.stop()
        for _ in range(2):
            server.restart()
            assert await get(server, "/x/report.html") == WORDS
            assert await get(server, "/x/") == "42"
            assert "Not run as templates" in server.printed and "report.html'. If" in server.printed
            server.stop()
        (folder / "x" / "report.html").write_text("{{ 40 + 3 }} by the author")
        server.restart()  # saved between two servers
        assert await get(server, "/x/report.html") == "43 by the author"
