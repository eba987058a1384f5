"""The websocket as version 0.7 spoke it: its client's frames in, and nothing that it cannot read.

The analyses are the ones in tests/compat, which tests/browser/test_compat.py shows in a browser.
"""

import json
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import websocket_connect

from tests.processes.server import Server

ANALYSES = Path(__file__).resolve().parents[1] / "compat" / "analyses"

pytestmark = [pytest.mark.slow, pytest.mark.process]


@pytest.fixture(scope="module")
def server():
    with Server(ANALYSES) as server:
        yield server


class Page:
    """A page of 2019: it knows `__connect` and `__process`, and throws at other names of ours."""

    def __init__(self, socket) -> None:
        self.socket = socket

    async def send(self, text: str) -> None:
        await self.socket.write_message(text)

    async def read(self) -> dict:
        frame = json.loads(await self.socket.read_message())
        assert set(frame) <= {"signal", "load", "snapshot"}
        assert not frame["signal"].startswith("__") or frame["signal"] in ("__connect", "__process")
        return frame

    async def read_until(self, signal: str, **load) -> list[dict]:
        """The frames up to the first of that signal whose load holds this."""
        frames = []
        while True:
            frames.append(await self.read())
            if frames[-1]["signal"] == signal:
                if not load or load.items() <= frames[-1]["load"].items():
                    return frames


@asynccontextmanager
async def join(server: Server, name: str, id_: str | None = None, args: str = ""):
    page = Page(await websocket_connect(f"ws://{server.address}/{name}/ws"))
    try:
        await page.send(json.dumps({"__connect": id_, "__request_args": args}))
        frame = await page.read()
        assert frame["signal"] == "__connect"
        yield page, frame["load"]
    finally:
        page.socket.close()
        while await page.socket.read_message() is not None:
            pass


async def test_first_answer_tells_the_id_and_the_versions(server):
    async with join(server, "arguments", args="?a=1&a=2") as (page, load):
        assert load["analysis_id"] and load["analyses_version"] == "0.4.1"
        assert load["databench_backend_version"]
        frames = await page.read_until("echo")
    assert frames[-1]["load"] == [{"a": ["1", "2"]}, None, 0, ""]
    assert {"signal": "data", "load": {"request_args": {"a": ["1", "2"]}}} in frames


async def test_action_with_an_id_is_answered_with_its_start_and_end(server):
    async with join(server, "words") as (page, _):
        load = {"sentence": "aab", "__process_id": 99}
        await page.send(json.dumps({"signal": "count-letters", "load": load}))
        frames = await page.read_until("__process", status="end")
    told = [frame for frame in frames if frame["signal"] != "ready"]
    assert told[0] == {"signal": "__process", "load": {"id": 99, "status": "start"}}
    assert {"signal": "counts", "load": {"a": 2, "b": 1}} in told
    assert told[-1]["load"]["id"] == 99


async def test_action_without_an_id_is_run_and_not_told(server):
    async with join(server, "words") as (page, _):
        await page.send('{"signal": "nobody"}')
        await page.send('{"signal": "nobody", "load": null}')
        await page.send('{"signal": "nobody", "load": {"a": 1}}')
        heard = [(await page.read_until("other"))[-1]["load"] for _ in range(3)]
    assert heard == [[[], {}], [[None], {}], [[], {"a": 1}]]


async def test_page_that_comes_back_with_its_id_has_its_state(server):
    async with join(server, "shared") as (page, load):
        await page.send('{"signal": "add"}')
        await page.read_until("data", own=1)
    async with join(server, "shared", load["analysis_id"]) as (page, again):
        assert again["analysis_id"] == load["analysis_id"]
        await page.read_until("data", own=1)


async def test_input_without_a_handler_sets_its_value(server):
    async with join(server, "hooks") as (page, _):
        await page.send('{"signal": "name", "load": "ada l"}')
        frames = await page.read_until("data", name="ADA L")
        await page.send('{"signal": "whisper"}')
        frames = await page.read_until("whispered")
    assert frames[-1]["load"] == "ada l"


async def test_files_are_where_pages_look_for_them(server):
    for path, holds in (
        ("/estimate/analysis.js", "Databench.Connection"),
        ("/estimate/static/analysis.js?v=0.4.1", "Databench.Connection"),
        ("/estimate/analysis.css", "italic"),
        ("/estimate/thumbnail.svg", "<svg"),
        ("/static/shared.js", "fromStatic"),
        ("/libs/small.js", "fromVendor"),
        ("/_static/databench.js", "Databench"),
        ("/_static/databench.css", "text-muted"),
        ("/favicon.ico", ""),
    ):
        answer = await AsyncHTTPClient().fetch(server.url + path, raise_error=False)
        assert answer.code == 200, path
        assert holds in answer.body.decode("latin-1"), path
