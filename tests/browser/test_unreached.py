"""Pages that come through a proxy which does not let them work, and what they say."""

import socket
import socketserver
import threading

import pytest
from playwright.sync_api import expect


class _Forwarder(socketserver.BaseRequestHandler):
    """Passes bytes on, and takes the header Upgrade away, as many proxies do unless they are told.

    The answer is read to its end, since the request asks for the connection to be closed.
    """

    def handle(self) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            part = self.request.recv(65536)
            if not part:
                return
            data += part
        lines = data.split(b"\r\n")
        dropped = (b"upgrade:", b"connection:")
        kept = [line for line in lines[1:] if not line.lower().startswith(dropped)]
        request = b"\r\n".join([lines[0], b"Connection: close", *kept])
        with socket.create_connection(self.server.target) as target:  # type: ignore[attr-defined]
            target.sendall(request)
            while part := target.recv(65536):
                self.request.sendall(part)


class Proxy(socketserver.ThreadingTCPServer):
    """A proxy in front of a server."""

    def __init__(self, server) -> None:
        super().__init__(("127.0.0.1", 0), _Forwarder)
        self.target = ("127.0.0.1", server.port)
        self.address = f"127.0.0.1:{self.server_address[1]}"
        self.url = f"http://{self.address}"


@pytest.fixture
def proxy(server):
    with Proxy(server) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join()


def test_a_proxy_that_passes_on_no_websocket_is_named_on_the_page(server, proxy, pages):
    pages.allow("WebSocket connection to")
    page = pages.open(proxy, "/scaffold_py/")
    alerts = page.locator("#databench-alerts")
    expect(alerts).to_contain_text(f"it cannot open the websocket ws://{proxy.address}/scaffold_py")
    expect(alerts).to_contain_text("forward the headers Upgrade and Connection")
    expect(alerts).not_to_contain_text("Connection lost")


@pytest.mark.parametrize("name", ["scaffold_py", "simplepi_signals"])  # one of each template
def test_a_page_without_its_script_says_so(server, pages, name):
    pages.allow("Failed to load resource", "Databench is not defined", "ERR_FAILED")
    page = pages.open(server, "/")
    notice = page.locator("#d-unreached")
    expect(notice).to_be_hidden()
    page.route("**/_static/databench.js*", lambda route: route.abort())
    page.goto(f"{server.url}/{name}/")
    expect(notice).to_be_visible()
    expect(notice).to_contain_text("below a prefix such as /app/")
