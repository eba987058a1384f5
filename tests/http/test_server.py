"""A server that drains: what its connections are doing, and how they end."""

import asyncio
import socket
import ssl

import pytest
import tornado.httpclient
import tornado.web
import tornado.websocket

from databench.http import bind
from databench.http.connections import Limits
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
        if message == "prompt?":
            connected = self.ws_connection.stream.socket
            message = str(connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
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


# ---------------------------------------------------------------- limits of connections


@pytest.fixture
async def limited():
    """A server whose limits a test says before it connects."""
    application = tornado.web.Application(
        [("/slow", Slow), ("/fast", Fast), ("/ws", Echo), ("/up", Upload)],
        begun=asyncio.Event(),
        gate=asyncio.Event(),
        closed=[],
    )
    servers = []

    def make(context=None, *, xheaders=False, **limits):
        server = Server(application, xheaders=xheaders, limits=Limits(**limits))
        sockets = bind("127.0.0.1", 0)
        if context is None:
            server.add_sockets(sockets)
        else:
            server.add_tls_sockets(sockets, context)
        server.port = sockets[0].getsockname()[1]
        server.application = application
        servers.append(server)
        return server

    yield make
    application.settings["gate"].set()
    for server in servers:
        server.stop()
        await server.close_all_connections()


async def read_to_end(reader):
    try:
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionResetError:
        return b""


@pytest.mark.slow
@pytest.mark.parametrize("text", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_connection_that_does_not_ask_is_closed(limited, text):
    server = limited(idle_limit_s=0.1, header_limit_s=0.1)
    reader, writer = await connect(server, text)
    assert await read_to_end(reader) == b""
    await close(writer)


@pytest.mark.slow
async def test_answered_connection_is_idle_again_and_a_running_request_is_not(limited):
    server = limited(idle_limit_s=0.1, header_limit_s=0.1)
    fast, fast_writer = await connect(server, b"GET /fast HTTP/1.1\r\nHost: x\r\n\r\n")
    slow, slow_writer = await connect(server, REQUEST)
    websocket = await tornado.websocket.websocket_connect(f"ws://127.0.0.1:{server.port}/ws")
    assert b"127.0.0.1" in await read_to_end(fast)
    server.application.settings["gate"].set()
    assert (await slow.readuntil(b"slow")).startswith(b"HTTP/1.1 200")
    assert await read_to_end(slow) == b""
    await websocket.write_message("still there")
    assert await websocket.read_message() == "still there"
    websocket.close()
    await close(fast_writer)
    await close(slow_writer)


@pytest.mark.slow
async def test_handshake_that_does_not_end_is_closed(limited):
    server = limited(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), header_limit_s=0.1)
    reader, writer = await connect(server, b"")
    assert await read_to_end(reader) == b""
    await close(writer)


@pytest.mark.slow
async def test_body_that_does_not_end_is_cut(limited):
    server = limited(body_limit_s=0.1)
    head = b"PUT /up HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"
    reader, writer = await connect(server, head)
    assert await read_to_end(reader) == b""
    await close(writer)


class Full:
    """The process's descriptors, as a test wants them."""

    def __init__(self, monkeypatch):
        self.used = 0
        monkeypatch.setattr("databench.descriptors.count", lambda: self.used)
        monkeypatch.setattr("databench.descriptors.limit", lambda: 1000)


@pytest.mark.slow
@pytest.mark.expected_log("descriptors are in use; no connection is accepted")
async def test_server_without_descriptors_accepts_none_until_some_are_free(
    limited, monkeypatch, caplog
):
    full = Full(monkeypatch)
    server = limited()
    kept, kept_writer = await connect(server, REQUEST)
    await server.application.settings["begun"].wait()
    full.used = 880
    waiting = [await connect(server, b"GET /fast HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(9)]
    server.application.settings["gate"].set()
    assert b"slow" in await kept.readuntil(b"slow")  # what was accepted is answered
    kept_writer.write(b"GET /fast HTTP/1.1\r\nHost: x\r\n\r\n")
    await kept.readuntil(b"127.0.0.1")
    assert all(not reader._buffer for reader, _ in waiting)
    full.used = 100
    for reader, writer in waiting:
        assert await asyncio.wait_for(reader.readuntil(b"127.0.0.1"), 10)
        await close(writer)
    await close(kept_writer)
    assert len([r for r in caplog.records if "no connection is accepted" in r.message]) == 1


@pytest.mark.slow
@pytest.mark.expected_log("descriptors are in use; no connection is accepted")
async def test_idle_connections_make_room_for_those_that_wait(limited, monkeypatch):
    full = Full(monkeypatch)
    server = limited()
    idle, idle_writer = await connect(server, b"GET /fast HTTP/1.1\r\n")
    while not server._known:
        await asyncio.sleep(0.001)
    full.used = 880
    reader, writer = await connect(server, b"GET /fast HTTP/1.1\r\nHost: x\r\n\r\n")
    assert await read_to_end(idle) == b""
    full.used = 100
    await asyncio.wait_for(reader.readuntil(b"127.0.0.1"), 10)
    await close(idle_writer)
    await close(writer)


async def test_request_that_may_take_the_last_descriptors_is_refused(limited, monkeypatch):
    full = Full(monkeypatch)
    server = limited()
    reader, writer = await connect(server, b"")
    while not server._known:
        await asyncio.sleep(0.001)
    full.used = 990
    writer.write(b"GET /fast HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = await read_to_end(reader)
    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable")
    assert b"no descriptor left" in answer
    await close(writer)


async def test_refused_request_is_answered_although_its_body_comes(limited, monkeypatch):
    full = Full(monkeypatch)
    server = limited()
    reader, writer = await connect(server, b"")
    while not server._known:
        await asyncio.sleep(0.001)
    full.used = 990
    writer.write(b"PUT /up HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n")
    writer.write(bytes(3_000_000))
    await writer.drain()
    answer = await read_to_end(reader)
    assert answer.startswith(b"HTTP/1.1 503")
    assert not server.application.settings["begun"].is_set()
    await close(writer)


@pytest.mark.expected_log("the system refuses connections")
@pytest.mark.slow
async def test_failed_accept_is_said_once_and_tried_again(limited, caplog):
    server = limited()
    for _ in range(2):
        server._on_failed_accept(OSError(23, "Too many open files in system"))
    reader, writer = await connect(server, b"GET /fast HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.wait_for(reader.readuntil(b"127.0.0.1"), 10)
    await close(writer)
    assert len(caplog.records) == 1


async def test_address_beyond_its_share_is_answered_in_words(limited, monkeypatch):
    monkeypatch.setattr("databench.http.server.find_share", lambda address: "somebody")
    server = limited(per_address=2)
    request = b"GET /fast HTTP/1.1\r\nHost: x\r\n\r\n"
    held = [await connect(server, request) for _ in range(2)]
    for reader, _ in held:
        await reader.readuntil(b"127.0.0.1")
    reader, writer = await connect(server, request)
    answer = await read_to_end(reader)
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"holds 2 connections to this server, the limit" in answer
    await close(writer)
    await close(held[0][1])
    while server._shares._counts["somebody"] > 1:
        await asyncio.sleep(0.001)
    reader, writer = await connect(server, request)
    await reader.readuntil(b"127.0.0.1")
    await close(writer)
    await close(held[1][1])


async def test_own_machine_has_no_share(limited):
    server = limited(per_address=1)
    for _ in range(3):
        reader, writer = await connect(server, b"GET /fast HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"127.0.0.1")
        writer.close()


async def test_behind_a_proxy_the_visitors_requests_and_websockets_count(limited):
    server = limited(xheaders=True, per_address=2)

    def head(path, address):
        return f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {address}\r\n\r\n".encode()

    request = tornado.httpclient.HTTPRequest(
        f"ws://127.0.0.1:{server.port}/ws", headers={"X-Forwarded-For": "203.0.113.7"}
    )
    websocket = await tornado.websocket.websocket_connect(request)
    _, slow_writer = await connect(server, head("/slow", "203.0.113.7"))
    await server.application.settings["begun"].wait()
    reader, writer = await connect(server, head("/fast", "203.0.113.8"))
    assert b"203.0.113.8" in await reader.readuntil(b"203.0.113.8")
    writer.write(head("/fast", "203.0.113.7"))  # on the proxy's connection, which it keeps
    answer = await read_to_end(reader)
    assert b"203.0.113.7 has 2 requests and websockets open" in answer
    await close(writer)
    websocket.close()
    while server._shares._counts["203.0.113.7"] > 1:
        await asyncio.sleep(0.001)
    reader, writer = await connect(server, head("/fast", "203.0.113.7"))
    await reader.readuntil(b"203.0.113.7")
    await close(writer)
    await close(slow_writer)
    while len(server._shares):
        await asyncio.sleep(0.001)


async def test_nagle_is_off_on_a_websocket(served):
    page = await tornado.websocket.websocket_connect(f"ws://127.0.0.1:{served.port}/ws")
    await page.write_message("prompt?")
    assert await page.read_message() == "1"
    page.close()
