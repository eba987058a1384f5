"""A server whose descriptors strangers hold: it lives, serves who is there, and recovers."""

import resource
import socket

import pytest
import tornado.httpclient

from tests.processes.server import Server
from tests.processes.visitor import visit

pytestmark = [pytest.mark.slow, pytest.mark.process]

CODE = """
import databench


class Held(databench.Analysis):
    @databench.on
    def double(self, n):
        return 2 * n
"""


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "analyses" / "held"
    folder.mkdir(parents=True)
    (folder / "analysis.py").write_text(CODE)
    with Server(tmp_path / "analyses") as server:
        yield server


async def test_idle_connections_of_a_stranger_end_nothing_and_nobody(server):
    """libzmq ends the process when a kernel connects and there is no descriptor for it."""
    assert len(set(resource.prlimit(server.pid, resource.RLIMIT_NOFILE))) == 1  # raised at start
    async with visit(server.address, "held") as page:
        assert (await page.call("double", {"n": 1}))[0] == 2
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (160, 160))
        idle = [socket.create_connection(("127.0.0.1", server.port), 10) for _ in range(400)]
        try:
            await page.send(__kernel="restart")
            assert (await page.call("double", {"n": 2}, strict=False))[0] == 4
        finally:
            for each in idle:
                each.close()
        fetched = await tornado.httpclient.AsyncHTTPClient().fetch(f"{server.url}/held/")
        assert fetched.code == 200
    assert server.printed.count("no connection is accepted until some are free") == 1
    assert "Traceback" not in server.printed
