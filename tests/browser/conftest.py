"""One Chromium for the browser tests, pages that must log nothing, separate servers.

A page may log no error, throw nothing, and ask nothing of another host than its server's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.processes.server import Server

FLAGS = (
    "--no-sandbox",  # tests run as root too
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Long, for machines that do other things as well: no test waits for it when all is well.
LIMIT_MS = 20_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def browser(chromium_path: str | None) -> Iterator[Browser]:
    expect.set_options(timeout=LIMIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=list(FLAGS))
        yield browser
        browser.close()


class Pages:
    """Opens pages, and notes what they should not do."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list = []
        self._allowed: list[str] = []
        self.complaints: list[str] = []

    def allow(self, *patterns: str) -> None:
        """These errors are the test's own doing."""
        self._allowed += patterns

    def open(self, server: Server, path: str = "/", *, is_trusted: bool = True, **options) -> Page:
        """A separate tab, as of another visitor, who may administer a server in development."""
        context = self._browser.new_context(**options)
        cookie = getattr(server, "cookie", None) if is_trusted else None
        if cookie:
            name, value = cookie
            context.add_cookies([{"name": name, "value": value, "url": server.url}])
        context.set_default_timeout(LIMIT_MS)
        self._contexts.append(context)
        return self.tab(context, server, path)

    def tab(self, context, server: Server, path: str = "/") -> Page:
        """One more tab of the same visitor."""
        page = context.new_page()
        page.on("request", lambda request: self._check_host(server, request.url))
        page.on("websocket", lambda socket: self._check_host(server, socket.url))
        page.on("pageerror", lambda error: self._complain(f"thrown: {error}"))
        page.on("console", self._note)
        page.goto(server.url + path)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _check_host(self, server: Server, url: str) -> None:
        if not re.match(rf"(http|ws)://{re.escape(server.address)}/|data:|blob:", url):
            self._complain(f"asked of another host: {url}")

    def _note(self, message) -> None:
        if message.type in ("error", "warning"):
            self._complain(f"{message.type}: {message.text}")

    def _complain(self, text: str) -> None:
        if not any(re.search(pattern, text) for pattern in self._allowed):
            self.complaints.append(text)


@pytest.fixture
def pages(browser: Browser) -> Iterator[Pages]:
    pages = Pages(browser)
    yield pages
    pages.close()
    assert pages.complaints == []


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts a server; it ends with the test."""
    servers: list[Server] = []

    def start(analyses: Path | None = None, *options: str, script: Path | None = None) -> Server:
        server = Server(analyses, *options, script=script)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.__exit__()


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    """A server of the packaged analyses."""
    return serve()
