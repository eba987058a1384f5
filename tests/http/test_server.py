"""A server that drains: what its connections are doing, and how they end."""

import asyncio
import ssl

import pytest
import tornado.httpclient
import tornado.web
import tornado.websocket

from databench.http import bind
from databench.http.server import Server

REQUEST = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"


class Slow(tornado.web.RequestHandler):
    async def get(self):
        self.settings["begun"].set()
        await self.settings["gate"].wait()
        self.write("slow")


class Fast(tornado.web.RequestHandler):
    def get(self):
        self.write(self.request.remote_ip)


class Echo(tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        self.write_message(message)

    def on_close(self):
        self.settings["closed"].append((self.close_code, self.close_reason))


@tornado.web.stream_request_body
class Upload(tornado.web.RequestHandler):
    def data_received(self, chunk):
        self.settings["begun"].set()

    def put(self):
        self.write("all of it")


@pytest.fixture
async def served():
    application = tornado.web.Application(
        [("/slow", Slow), ("/fast", Fast), ("/ws", Echo), ("/up", Upload)],
        begun=asyncio.Event(),
        gate=asyncio.Event(),
        closed=[],
    )
    server = Server(application, xheaders=True)
    sockets = bind("127.0.0.1", 0)
    server.add_sockets(sockets)
    server.port = sockets[0].getsockname()[1]
    server.application = application
    yield server
    application.settings["gate"].set()
    server.stop()
    await server.close_all_connections()


async def connect(server, text):
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(text)
    return reader, writer


async def close(writer):
    writer.close()
    await writer.wait_closed()


async def test_request_under_way_is_answered_and_its_connection_closed(served):
    reader, writer = await connect(served, REQUEST)
    await served.application.settings["begun"].wait()
    assert served.busy == 1
    served.drain()
    waiting = asyncio.ensure_future(served.wait_answered())
    await asyncio.sleep(0)
    assert not waiting.done()
    served.application.settings["gate"].set()
    answer = await asyncio.wait_for(reader.read(), 5)  # to the end: it is closed
    assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"slow")
    await asyncio.wait_for(waiting, 5)
    assert served.busy == 0
    await close(writer)


async def test_body_that_is_being_sent_counts_as_under_way(served):
    reader, writer = await connect(
        served, b"PUT /up HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab"
    )
    await served.application.settings["begun"].wait()
    served.drain()
    writer.write(b"cd")
    assert (await asyncio.wait_for(reader.read(), 5)).endswith(b"all of it")
    await close(writer)


async def test_idle_connection_is_closed_at_once(served):
    reader, writer = await connect(served, REQUEST.replace(b"slow", b"fast"))
    await reader.readuntil(b"127.0.0.1")
    for _ in range(1000):
        if not served.busy:
            break
        await asyncio.sleep(0)
    served.drain()
    assert await asyncio.wait_for(reader.read(), 5) == b""
    await asyncio.wait_for(served.wait_answered(), 5)
    await close(writer)


async def test_nobody_can_connect_any_more(served):
    served.drain()
    with pytest.raises(ConnectionRefusedError):
        await connect(served, REQUEST)


async def test_request_whose_other_side_has_gone_holds_nothing_up(served):
    _, writer = await connect(served, REQUEST)
    await served.application.settings["begun"].wait()
    served.drain()
    await close(writer)
    await asyncio.wait_for(served.wait_answered(), 5)


async def test_websocket_is_no_request_and_is_closed_with_1001(served):
    page = await tornado.websocket.websocket_connect(f"ws://127.0.0.1:{served.port}/ws")
    await page.write_message("a")
    assert await page.read_message() == "a"
    served.drain()
    await asyncio.wait_for(served.wait_answered(), 5)
    reading = asyncio.ensure_future(page.read_message())
    await asyncio.wait_for(served.close_websockets("the end"), 5)
    assert await reading is None
    assert (page.close_code, page.close_reason) == (1001, "the end")
    assert served.application.settings["closed"] == [(1001, None)]  # the page agrees
    page.close()
    await asyncio.wait_for(served.close_websockets("nobody"), 5)


async def test_forwarded_address_is_passed_on(served):
    client = tornado.httpclient.AsyncHTTPClient(force_instance=True)
    answer = await client.fetch(
        f"http://127.0.0.1:{served.port}/fast", headers={"X-Real-Ip": "203.0.113.9"}
    )
    assert answer.body == b"203.0.113.9"
    client.close()


async def test_encrypted_listening_ends_with_the_other(served):
    (encrypted,) = bind("127.0.0.1", 0)
    address = encrypted.getsockname()
    served.add_tls_sockets([encrypted], ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    _, writer = await asyncio.open_connection(*address)
    await close(writer)
    served.drain()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)
