"""A server with a datastore is killed: what pages were told is there when they come back."""

import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import asynccontextmanager

import pytest
from tornado.websocket import websocket_connect

from tests.broker.harness import wait_until
from tests.processes.server import REPOSITORY, Server

pytestmark = [pytest.mark.slow, pytest.mark.process]

LIMIT_S = 30
# Half of it is for the system: it may be busy with other tests.
FLUSH_S = 0.6
ANALYSIS = """
import asyncio
import databench


class Keep(databench.Analysis):
    @databench.on
    async def count(self, name):
        number = 0
        while True:
            number += 1
            self.data[name] = number
            await self.class_data.change(name, lambda value: (value or 0) + 1)
            await asyncio.sleep(0.002)

    @databench.on
    async def add(self, key):
        await self.class_data.change(key, lambda value: (value or 0) + 1)

    @databench.on
    def put(self, key, value):
        self.data[key] = value

    @databench.on
    def tell(self):
        self.emit("told", {"data": dict(self.data), "restored": self.restored})
"""


class Page:
    """A page that counts the stream, and notes when it was told what."""

    def __init__(self, address):
        self.address = address
        self.session = self.epoch = None
        self.received = 0
        self.frames = []
        self.told = []
        self.data, self.class_data = {}, {}

    async def connect(self):
        self.socket = await websocket_connect(f"ws://{self.address}/keep/ws")
        self.frames = []
        await self.send(
            __connect=self.session,
            __request_args="?a=1",
            __received=self.received,
            __epoch=self.epoch,
        )
        answer = (await self.until("__connect"))["load"]
        self.session, self.epoch = answer["analysis_id"], answer["epoch"]
        self.received = answer["at"]
        return answer

    async def send(self, **frame):
        await self.socket.write_message(json.dumps(frame))

    async def read(self):
        text = await asyncio.wait_for(self.socket.read_message(), LIMIT_S)
        if text is None:
            return None
        frame = json.loads(text)
        self.frames.append(frame)
        signal = frame["signal"]
        if signal == "__gap":
            self.received = frame["load"]["at"]
        elif not (signal in ("__connect", "__kernel", "__reload") or frame.get("snapshot")):
            self.received += 1
        if signal in ("data", "class_data"):
            getattr(self, signal).update(frame["load"])
            self.told += [(time.monotonic(), signal, k, v) for k, v in frame["load"].items()]
        return frame

    async def until(self, signal, **load):
        while True:
            frame = await self.read()
            assert frame is not None, "the server closed the connection"
            if frame["signal"] == signal and (not load or load.items() <= frame["load"].items()):
                return frame

    async def run(self, action, id_, **load):
        await self.send(signal=action, load=load | {"__process_id": id_})
        return (await self.until("__process", id=id_, status="end"))["load"]

    async def drain(self):
        """Reads until the connection is gone."""
        while await self.read() is not None:
            pass
        self.socket.close()


@pytest.fixture
def folder(tmp_path):
    analyses = tmp_path / "analyses"
    (analyses / "keep").mkdir(parents=True)
    (analyses / "keep" / "analysis.py").write_text(ANALYSIS)
    (analyses / "index.yaml").write_text("datastore: sqlite:///state.db\n")
    return analyses


@asynccontextmanager
async def page_of(server, page=None):
    page = page or Page(server.address)
    await page.connect()
    yield page
    page.socket.close()
    await page.drain()


def counted(page, name):
    """How far the page was told before the last flush of the store."""
    before_s = time.monotonic() - FLUSH_S
    safe = [
        value
        for told_s, scope, key, value in page.told
        if told_s < before_s and (scope, key) == ("data", name)
    ]
    return max(safe, default=0)


async def test_what_pages_were_told_outlives_the_kill_of_a_server(folder):
    with Server(folder, "--flush-interval-s", str(FLUSH_S), "--log", "INFO") as server:
        pages = [Page(server.address) for _ in range(3)]
        for number, page in enumerate(pages):
            await page.connect()
            await page.send(signal="count", load={"name": f"n{number}", "__process_id": 7})
        reads = [asyncio.create_task(page.drain()) for page in pages]
        await wait_until(lambda: all(counted(p, f"n{i}") > 10 for i, p in enumerate(pages)))
        killed_s = time.monotonic()
        await asyncio.to_thread(server.kill)
        await asyncio.gather(*reads)
        await asyncio.to_thread(server.restart)

        for number, page in enumerate(pages):
            session, name = page.session, f"n{number}"
            safe = {
                (scope, key): value
                for told_s, scope, key, value in page.told
                if told_s < killed_s - FLUSH_S
            }
            newest = dict(page.data)
            assert safe["data", name] > 10
            page.data, page.class_data = {}, {}
            answer = await page.connect()
            assert (answer["resumed"], page.session) == (True, session)
            end = await page.until("__process", id=7, status="end")
            assert end["load"]["outcome"] == "lost"
            assert "__gap" in [f["signal"] for f in page.frames]
            for (scope, key), value in safe.items():
                assert getattr(page, scope)[key] >= value
            assert page.data[name] <= newest[name]
            # The id is not run again, and the kernel has what the page was shown.
            await page.send(signal="count", load={"name": name, "__process_id": 7})
            assert (await page.run("tell", 8))["outcome"] == "done"
            told = next(f["load"] for f in page.frames if f["signal"] == "told")
            assert told == {"data": page.data, "restored": "the server was restarted"}
            before = page.class_data[name]
            await page.run("add", 9, key=name)
            assert page.class_data[name] == before + 1
        for page in pages:
            page.socket.close()
            await page.drain()


async def test_sessions_outlive_a_server_that_ends_well_and_a_reload_meanwhile(folder):
    with Server(folder) as server:
        async with page_of(server) as page:
            await page.run("put", 1, key="kept", value={"a": [1, "ä"]})
        server.stop()
        server.restart()
        again = Page(server.address)  # reloaded: it knows nothing but the id
        again.session = page.session
        async with page_of(server, again):
            assert (await again.run("tell", 2))["outcome"] == "done"
            assert again.data == {"kept": {"a": [1, "ä"]}}


async def test_a_second_server_on_the_file_is_refused_and_the_first_goes_on(folder):
    with Server(folder) as server:
        second = subprocess.run(
            [sys.executable, "-m", "databench", "--port", "0", "--analyses", str(folder)],
            capture_output=True,
            text=True,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            timeout=LIMIT_S,
        )
        assert second.returncode == 2
        assert "database is locked (another server uses it); not started" in second.stderr
        async with page_of(server) as page:
            assert (await page.run("put", 1, key="k", value=1))["outcome"] == "done"


async def test_a_damaged_file_is_set_aside_and_pages_are_told(folder):
    file = folder / "state.db"
    with Server(folder) as server:
        async with page_of(server) as page:
            await page.run("put", 1, key="k", value=1)
            server.stop()
            file.write_bytes(file.read_bytes()[:-5000])
            server.restart()
            found = server.wait_printed(r"'(\S+)' is damaged \(.+\): renamed to '(\S+)'")
            assert found[1] == str(file)
            assert found[2] == f"{file}.damaged-1"
            await page.drain()
            session = page.session
            answer = await page.connect()
            assert not answer["resumed"]
            assert page.session != session
            told = await page.until("error")
            assert told["load"] == (
                "the state that the server had stored for this page is lost: its file was damaged"
            )
