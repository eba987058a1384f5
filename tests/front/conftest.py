"""A front in the test's own loop, over a fake broker, and clients for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import tornado.httpclient
import tornado.httpserver
import tornado.websocket

from databench import http
from databench.broker.sessions.class_values import ClassValues
from databench.broker.tables import Tables
from databench.config import load
from databench.front.app import Front
from databench.front.content import sources
from databench.front.context import FrontContext
from databench.front.folders import Place
from databench.front.security import access
from databench.front.security.hosts import Hosts
from databench.protocol.budget import Budget
from databench.settings import Settings

TEMPLATES = {
    "base.html": "<title>{{ title }}</title>{% block content %}{% end %}",
    "analysis.html": '{% extends "base.html" %}{% block content %}<h1>{{ title }}</h1>'
    "{% if readme %}{% raw readme %}{% end %}{% block analysis %}default page{% end %}{% end %}",
    "index.html": '{% extends "base.html" %}{% block content %}{% for m in meta_infos %}'
    "<a href=\"/{{ m['name'] }}/\">{{ m.title }}</a>{% end %}"
    "{% for problem in problems %}<p>{{ problem }}</p>{% end %}{% end %}",
}


TOKEN = "a-token-of-a-test"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
STATUS = {
    "kernels": [
        {
            "analysis": "x",
            "state": "busy",
            "generation": 2,
            "pid": 4711,
            "deaths": 1,
            "reason": "a",
        }
    ],
    "sessions": 3,
    "pages": 2,
    "dropped": 0,
}


class FakeBroker:
    """Notes its calls. Held to the real one by tests/front/test_serve.py."""

    def __init__(self) -> None:
        self.calls: list[tuple] = []
        self.pages: list = []
        self.sessions: set[tuple] = set()
        self.linked: list[bool] = []
        self.changed = asyncio.Event()
        self.on_receive: Callable = lambda page, message: None
        self.budget = Budget(2**30)
        self.class_values = ClassValues(Tables(Settings(), debug=True))

    def _note(self, *call) -> None:
        self.calls.append(call)
        self.changed.set()

    async def start(self) -> None:
        self._note("start")

    async def wind_down(self, limit_s) -> None:
        self._note("wind_down")

    async def stop(self, limit_s=None) -> None:
        self._note("stop")

    def status(self):
        return STATUS

    def has_session(self, analysis, session) -> bool:
        return (analysis, session) in self.sessions

    def join(self, analysis, page, connect) -> None:
        self.pages.append(page)
        self.linked.append(page.is_linked)
        self._note("join", analysis, connect)
        page.write([b'{"signal":"__connect"}'])

    def receive(self, page, message) -> None:
        self._note("receive", message)
        self.on_receive(page, message)

    def complain(self, page, problem) -> None:
        self._note("complain", problem)
        page.write([b'{"signal":"error"}'])

    def delivered(self, page) -> None:
        self._note("delivered")

    def leave(self, page) -> None:
        self._note("leave")

    def swap(self, specs, kept=(), *, analyses_version=None) -> None:
        self._note("swap", specs)

    def kernels(self):
        return [{"kernel": "k1.2", **STATUS["kernels"][0]}]

    def command_kernel(self, kernel, command):
        self._note("command_kernel", kernel, command)
        return "" if kernel == "k1.2" else "that kernel has already ended"

    def kernel_state(self, analysis) -> str:
        return "none"

    def watch_sources(self, on_sources) -> None:
        self._note("watch_sources")

    def sources(self, analysis):
        return None

    def change_code(self, analysis, what, *, at_once) -> None:
        self._note("change_code", analysis, what, at_once)

    def announce(self, frame) -> None:
        self._note("announce", frame)

    def count(self, word: str) -> int:
        return sum(call[0] == word for call in self.calls)

    async def wait(self, word: str, count: int = 1) -> None:
        """Until it was called that often."""
        while self.count(word) < count:
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), 5)


class Served:
    """A running front; a request has the right to administer it in development alone."""

    def __init__(self, front: Front, broker: FakeBroker, port: int) -> None:
        self.front = front
        self.context = front.context
        self.broker = broker
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self.clients: list[tuple] = []
        cookie = "=".join(front.context.access.cookie(is_secure=False))
        self.own: dict[str, str] = {"Cookie": cookie} if front.context.debug else {}

    async def get(
        self,
        path: str,
        method: str = "GET",
        headers: dict | None = None,
        body: str | None = None,
    ) -> tornado.httpclient.HTTPResponse:
        request = tornado.httpclient.HTTPRequest(
            f"http://{self.address}{path}",
            method=method,
            body=body,
            headers={"Accept": BROWSER, **self.own, **(headers or {})},
            follow_redirects=False,
        )
        client = tornado.httpclient.AsyncHTTPClient(force_instance=True)
        try:
            return await client.fetch(request, raise_error=False)
        finally:
            client.close()

    async def connect(
        self, name: str = "x", *, join: bool = True, **headers: str
    ) -> tornado.websocket.WebSocketClientConnection:
        request = tornado.httpclient.HTTPRequest(
            f"ws://{self.address}/{name}/ws",
            headers={
                **self.own,
                **{key.replace("_", "-"): value for key, value in headers.items()},
            },
        )
        page = await tornado.websocket.websocket_connect(request)
        self.keep(page)
        if join:
            await page.write_message('{"__connect": null}')
            assert await page.read_message() == '{"signal":"__connect"}'
        return page

    async def raw(self, text: str) -> str:
        """Send these lines as they are; the answer's text."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(text.replace("\n", "\r\n").encode("latin-1"))
            return (await asyncio.wait_for(reader.read(65536), 5)).decode("latin-1")
        finally:
            writer.close()
            await writer.wait_closed()

    def keep(self, page: tornado.websocket.WebSocketClientConnection) -> None:
        """Close this one at the end, and wait for it."""
        self.clients.append((page, page.protocol.stream))

    async def close_clients(self) -> None:
        for page, _ in self.clients:
            page.close()
        for _ in range(1000):
            if all(stream.closed() for _, stream in self.clients):
                return
            await asyncio.sleep(0.005)
        raise AssertionError("a websocket stayed open for 5 s")


Serve = Callable[..., Awaitable[Served]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An analyses' folder with its own templates and one analysis, `x`."""
    folder = tmp_path / "analyses"
    (folder / "x" / "static").mkdir(parents=True)
    for name, text in TEMPLATES.items():
        (folder / name).write_text(text)
    (folder / "x" / "analysis.py").write_text("secret = 1\n")
    return folder


@pytest.fixture
async def serve(folder: Path) -> AsyncIterator[Serve]:
    """Starts fronts; stops them at the end."""
    running: list[tuple[Served, tornado.httpserver.HTTPServer]] = []

    async def start(
        *,
        debug: bool = True,
        bound: str = "127.0.0.1",
        allowed: tuple[str, ...] = (),
        xheaders: bool = False,
        place: Place | None = None,
        token: str = TOKEN,
        **limits: float,
    ) -> Served:
        broker = FakeBroker()
        sockets = http.bind("127.0.0.1", 0)
        port = sockets[0].getsockname()[1]
        right = access.Access(token, port=port, project="0a1b2c3d", is_development=debug)
        chosen = Settings(**{"block_limit_s": 30.0, **limits})
        context = FrontContext(load(folder), broker, chosen, debug=debug, access=right)
        front = Front(context, hosts=Hosts(bound, allowed), place=place)
        if place is not None:
            front.routes.load(context.index, place)
        server = tornado.httpserver.HTTPServer(front, xheaders=xheaders)
        server.add_sockets(sockets)
        served = Served(front, broker, port)
        running.append((served, server))
        return served

    yield start
    for served, server in running:
        await served.close_clients()
        served.context.watch.close_all(1001, "the test is over")
        server.stop()
        await server.close_all_connections()


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were written just now are trusted, as if they were older."""
    monkeypatch.setattr(sources, "_YOUNG_NS", 0)
