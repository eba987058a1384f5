"""Requests whose body has not come: refused in words, counted, thrown away."""

import asyncio

import pytest
import tornado.web

from databench.http import bind
from databench.http.connections import Limits
from databench.http.server import Server


@tornado.web.stream_request_body
class Early(tornado.web.RequestHandler):
    """Answers at the headers."""

    def prepare(self):
        self.set_status(404)
        self.finish("nothing here")

    def data_received(self, chunk):
        self.settings["chunks"].append(chunk)


class Whole(tornado.web.RequestHandler):
    def post(self):
        self.write(str(len(self.request.body)))


@pytest.fixture
async def serve():
    servers = []

    def make(find_headers=None, **limits):
        application = tornado.web.Application([("/early", Early), ("/whole", Whole)], chunks=[])
        if find_headers is not None:
            application.find_refusal_headers = find_headers
        server = Server(application, limits=Limits(**limits), max_body_size=10**7)
        sockets = bind("127.0.0.1", 0)
        server.add_sockets(sockets)
        server.port = sockets[0].getsockname()[1]
        server.application = application
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.stop()
        await server.close_all_connections()


async def connect(server):
    return await asyncio.open_connection("127.0.0.1", server.port)


def head(path, size, more=""):
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n{more}\r\n".encode()


async def close(writer):
    writer.close()
    await writer.wait_closed()


async def test_answer_at_the_headers_comes_before_the_body_is_sent(serve):
    server = serve()
    reader, writer = await connect(server)
    writer.write(head("/early", 10**6))
    answer = await asyncio.wait_for(reader.readuntil(b"nothing here"), 10)
    assert answer.startswith(b"HTTP/1.1 404")
    await close(writer)


async def test_answer_at_the_headers_arrives_although_the_body_is_sent(serve):
    server = serve()
    reader, writer = await connect(server)
    writer.write(head("/early", 5 * 10**6) + bytes(5 * 10**6))
    await asyncio.wait_for(writer.drain(), 10)
    await asyncio.wait_for(reader.readuntil(b"nothing here"), 10)
    # What came is thrown away, and the connection goes on.
    writer.write(head("/whole", 3) + b"abc")
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n3"), 10)
    assert answer.startswith(b"HTTP/1.1 200")
    assert server.application.settings["chunks"] == []
    assert server.unfinished_bytes == 0
    await close(writer)


async def test_who_waits_for_a_word_before_the_body_is_closed_at_once(serve):
    reader, writer = await connect(serve())
    writer.write(head("/early", 10**6, "Expect: 100-continue\r\n"))
    answer = await asyncio.wait_for(reader.read(), 10)
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"100" not in answer.replace(b"1000000", b"")
    await close(writer)


@pytest.mark.slow
async def test_body_that_is_thrown_away_has_a_moment(serve, monkeypatch):
    monkeypatch.setattr("databench.http.door._THROWN_S", 0.1)
    reader, writer = await connect(serve())
    writer.write(head("/early", 10**6) + b"some")
    answer = await asyncio.wait_for(reader.read(), 10)
    assert answer.endswith(b"nothing here")
    await close(writer)


async def test_bodies_are_counted_until_they_are_whole(serve):
    server = serve(unfinished_bytes=10**6)
    reader, writer = await connect(server)
    writer.write(head("/whole", 1000) + bytes(400))
    while server.unfinished_bytes != 400:
        await asyncio.sleep(0.001)
    writer.write(bytes(600))
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n1000"), 10)
    assert server.unfinished_bytes == 0
    writer.write(head("/whole", 1000) + bytes(400))
    while server.unfinished_bytes != 400:
        await asyncio.sleep(0.001)
    await close(writer)
    while server.unfinished_bytes:
        await asyncio.sleep(0.001)


async def test_bodies_beyond_the_limit_are_refused_in_words(serve):
    server = serve(unfinished_bytes=1000)
    _, first_writer = await connect(server)
    first_writer.write(head("/whole", 2000) + bytes(900))
    while server.unfinished_bytes != 900:
        await asyncio.sleep(0.001)
    second, second_writer = await connect(server)
    second_writer.write(head("/whole", 200) + bytes(200))
    answer = await asyncio.wait_for(second.read(), 10)
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"too many incomplete requests" in answer
    assert server.unfinished_bytes == 900
    first_writer.write(bytes(1100)[:100])
    while server.unfinished_bytes != 1000:
        await asyncio.sleep(0.001)
    await close(first_writer)
    await close(second_writer)


async def test_an_application_counts_bodies_too_and_may_refuse_them_in_words(serve):
    server = serve()
    held = []

    def hold_body(address, held_bytes, change_bytes):
        held.append((address, held_bytes, change_bytes))
        return "No room." if held_bytes > 500 else ""

    server.application.hold_body = hold_body
    reader, writer = await connect(server)
    writer.write(head("/whole", 1000) + bytes(400))
    while server.unfinished_bytes != 400:
        await asyncio.sleep(0.001)
    writer.write(bytes(200))
    answer = await asyncio.wait_for(reader.readuntil(b"No room.\n"), 10)
    assert answer.startswith(b"HTTP/1.1 503")
    await close(writer)
    while server.unfinished_bytes:
        await asyncio.sleep(0.001)
    assert held == [("127.0.0.1", 400, 400), ("127.0.0.1", 600, 200), ("127.0.0.1", 0, -600)]


# ---------------------------------------------------------------- what no handler answers


def find_headers(*, is_secure):
    return {"X-Own": f"said {is_secure}", "X-Content-Type-Options": "nosniff"}


async def ask(server, request):
    """All that comes until the connection ends."""
    reader, writer = await connect(server)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 10)
    await close(writer)
    return answer


@pytest.mark.parametrize(
    "request_",
    [
        b"junk\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX y: z\r\n\r\n",
        head("/whole", "1, 2"),
        head("/whole", "abc"),
        head("/whole", 10**9),
        b"POST /whole HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_request_that_cannot_be_read_is_answered_with_all_headers(serve, request_):
    answer = await ask(serve(find_headers), request_)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    top, _, body = answer.partition(b"\r\n\r\n")
    assert body == b"The request is not valid HTTP.\n"
    lines = top.split(b"\r\n")
    for line in (
        b"X-Own: said False",
        b"X-Content-Type-Options: nosniff",
        b"Content-Length: 31",
        b"Content-Type: text/plain; charset=utf-8",
        b"Connection: close",
    ):
        assert lines.count(line) == 1


async def test_refusal_has_the_applications_headers(serve):
    server = serve(find_headers, unfinished_bytes=10)
    answer = await ask(server, head("/whole", 100) + bytes(100))
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"\r\nX-Own: said False\r\n" in answer
    assert answer.count(b"X-Content-Type-Options: nosniff") == 1


async def test_server_of_any_application_guesses_no_types(serve):
    assert b"\r\nX-Content-Type-Options: nosniff\r\n" in await ask(serve(), b"junk\r\n\r\n")


@pytest.mark.parametrize("more", ["", "Expect: 100-continue\r\n"])
@pytest.mark.parametrize("size", [10**30, "abc", "1, 2", 2**40 + 1])
async def test_absurd_length_has_one_answer(serve, size, more):
    answer = await ask(serve(), head("/early", size, more))
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 404") and answer.endswith(b"nothing here")


async def test_body_that_is_malformed_after_the_answer_has_none(serve):
    reader, writer = await connect(serve())
    writer.write(b"POST /early HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    await asyncio.wait_for(reader.readuntil(b"nothing here"), 10)
    writer.write(b"zz\r\n")
    assert await asyncio.wait_for(reader.read(), 10) == b""
    await close(writer)


async def test_request_after_one_that_was_answered_early_is_judged_by_itself(serve):
    reader, writer = await connect(serve())
    writer.write(head("/early", 3))
    await asyncio.wait_for(reader.readuntil(b"nothing here"), 10)
    writer.write(b"abc" + b"junk\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 10)
    assert answer.startswith(b"HTTP/1.1 400")
    await close(writer)
