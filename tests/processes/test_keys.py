"""Keys of sessions: not in the log, whoever asks with one, and words of browsers over a restart."""

import re

import pytest
import tornado.httpclient
import tornado.websocket

from tests.processes.server import Server
from tests.processes.visitor import Visitor

pytestmark = [pytest.mark.slow, pytest.mark.process]

CODE = """
import asyncio

import databench


class Keep(databench.Analysis):
    @databench.on
    async def wait(self):
        self.emit('waits')
        await asyncio.sleep(600)
"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "analyses"
    (folder / "keep").mkdir(parents=True)
    (folder / "keep" / "analysis.py").write_text(CODE)
    return folder


async def get(address, path, **headers):
    request = tornado.httpclient.HTTPRequest(
        f"http://{address}{path}",
        headers={"Accept": "text/html"} | {k.replace("_", "-"): v for k, v in headers.items()},
        follow_redirects=False,
    )
    client = tornado.httpclient.AsyncHTTPClient(force_instance=True)
    try:
        return await client.fetch(request, raise_error=False)
    finally:
        client.close()


async def visit(address, cookie="", query="", session=None):
    """A page's websocket that has joined."""
    request = tornado.httpclient.HTTPRequest(
        f"ws://{address}/keep/ws{query}", headers={"Cookie": cookie} if cookie else {}
    )
    visitor = Visitor(await tornado.websocket.websocket_connect(request))
    await visitor.send(__connect=session, __received=0)
    frame = await visitor.read()
    visitor.joined = frame["load"]
    return visitor


async def leave(visitor):
    visitor.socket.close()
    while await visitor.socket.read_message() is not None:
        pass


def cookies(answer):
    """What a browser sends back."""
    return "; ".join(word.partition(";")[0] for word in answer.headers.get_list("Set-Cookie"))


@pytest.mark.parametrize("options", [(), ("--xheaders",)])
async def test_no_line_of_the_log_has_the_key_of_a_session(folder, options):
    with Server(folder, "--log", "DEBUG", *options) as server:
        first = await visit(server.address)
        key = first.joined["analysis_id"]
        odd = "".join(f"%{ord(letter):02x}" for letter in "session")
        forwarded = {"X_Real_Ip": "10.0.0.1", "X_Scheme": "https"}
        for path in (
            f"/keep/?session={key}",
            f"/keep?a=1&session={key}",
            f"/keep/?{odd}={key}",
            f"/keep/absent.html?session={key}",
            f"/absent/?session={key}",
            f"/?next=%2Fkeep%2F%3Fsession%3D{key}",
            f"/status?session={key}",
        ):
            await get(server.address, path, Referer=f"http://here/keep/?session={key}", **forwarded)
        second = await visit(server.address, query=f"?session={key}", session=key)
        assert second.joined["resumed"]
        for visitor in (first, second):
            await leave(visitor)
        server.wait_printed(r"/status")
        printed = server.printed
    assert key not in printed
    assert re.search(r"GET /keep/\?session=… 302", printed)


async def test_a_link_leads_a_browser_to_its_session_once(folder):
    with Server(folder) as server:
        first = await visit(server.address)
        key = first.joined["analysis_id"]
        answer = await get(server.address, f"/keep/?session={key}")
        assert key not in str(dict(answer.headers))
        second = await visit(server.address, cookies(answer))
        assert second.joined["analysis_id"] == key
        third = await visit(server.address, cookies(answer))
        assert third.joined["analysis_id"] != key
        for visitor in (first, second, third):
            await leave(visitor)


async def test_a_browser_is_known_after_a_restart_with_a_datastore(folder):
    (folder / "index.yaml").write_text("datastore: sqlite:///state.db\nanalyses: [{name: keep}]\n")
    with Server(folder) as server:
        cookie = cookies(await get(server.address, "/keep/"))
        first = await visit(server.address, cookie)
        await first.send(signal="wait", load={"__process_id": 1})
        await first.read_until("waits")
        key = first.joined["analysis_id"]
        await leave(first)
        server.stop()
        server.restart()
        again = await get(server.address, "/keep/", Cookie=cookie)
        assert "Set-Cookie" not in again.headers
        back = await visit(server.address, cookie)
        assert [other["id"] for other in back.joined["others"]] == [key]
        forged = await visit(server.address, cookie.partition("=")[0] + "=" + "A" * 22)
        assert "others" not in forged.joined
        for visitor in (back, forged):
            await leave(visitor)
