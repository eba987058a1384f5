"""The page's websocket: frames, order, draining, limits, and who may connect."""

import asyncio
import json
import socket
import struct

import pytest
import tornado.httpclient
import tornado.iostream
import tornado.websocket

from databench import closecodes
from databench.front.websockets import pagesocket
from databench.front.websockets.pagesocket import frame_text, framer
from databench.protocol import text
from databench.settings import Settings

ROOM = 8 * 2**20  # more than the kernel's socket buffers take


async def handshake(port: int, *, receive_bytes: int | None = None) -> socket.socket:
    """A websocket that reads only when told to, with a small receive buffer."""
    loop = asyncio.get_running_loop()
    page = socket.socket()
    page.setblocking(False)
    if receive_bytes:
        page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    await loop.sock_connect(page, ("127.0.0.1", port))
    request = (
        f"GET /x/ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await loop.sock_sendall(page, request.encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += await asyncio.wait_for(loop.sock_recv(page, 1), 5)
    assert answer.startswith(b"HTTP/1.1 101")
    return page


async def send(page: socket.socket, payload: bytes, opcode: int = 1) -> None:
    frame = struct.pack("!BB", 0x80 | opcode, 0x80 | len(payload)) + bytes(4) + payload
    await asyncio.get_running_loop().sock_sendall(page, frame)


async def read_until_closed(page: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    received = b""
    try:
        while chunk := await asyncio.wait_for(loop.sock_recv(page, 2**20), 5):
            received += chunk
    except ConnectionResetError:
        pass
    return received


# ---------------------------------------------------------------- frames


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, "8100"),
        (125, "817d"),
        (126, "817e007e"),
        (65535, "817effff"),
        (65536, "817f0000000000010000"),
    ],
)
def test_frame_has_the_length_field_of_its_size(size, head):
    payload = b"x" * size
    assert frame_text(payload) == bytes.fromhex(head) + payload


def test_same_object_is_framed_once_and_an_equal_one_again():
    payload = b"x" * 1000
    equal = bytes(bytearray(payload))
    first = framer.frame([payload])
    assert framer.frame([payload]) is first
    assert framer.frame([equal]) is not first
    assert framer.frame([equal]) == first
    assert framer.frame([payload, b"y"]) == first + frame_text(b"y")


async def test_frames_arrive_in_order_whatever_their_size(serve):
    server = await serve()
    page = await server.connect()
    frames = [b'"%s"' % (b"x" * size) for size in (0, 123, 124, 65533, 65534, 10**6)]
    server.broker.pages[0].write(frames)
    server.broker.pages[0].write([b'"last"'])
    for frame in [*frames, b'"last"']:
        assert (await page.read_message()).encode() == frame
    page.close()


async def test_payload_reaches_the_page_byte_for_byte(serve):
    server = await serve()
    page = await server.connect()
    odd = '{ "a" :1e400,"a":\t[ 1.10 ] , "π":"\\u0000" }'
    server.broker.pages[0].write([odd.encode()])
    assert await page.read_message() == odd
    page.close()


@pytest.mark.parametrize(("xheaders", "address"), [(False, "127.0.0.1"), (True, "192.0.2.7")])
async def test_a_page_has_its_visitors_address(serve, xheaders, address):
    server = await serve(xheaders=xheaders)
    await server.connect(X_Forwarded_For="192.0.2.7")
    assert server.broker.pages[0].address == address


class Socket:
    """A socket that takes so many bytes at once, or fails."""

    def __init__(self, takes):
        self.takes = takes
        self.calls = []

    def send(self, data):
        self.calls.append(bytes(data))
        if isinstance(self.takes, OSError):
            raise self.takes
        return min(self.takes, len(data))


async def test_frames_of_one_call_leave_in_one_write(serve, monkeypatch):
    server = await serve()
    page = await server.connect()
    stream = server.broker.pages[0]._stream()
    socket_, fake = stream.socket, Socket(1000)
    monkeypatch.setattr(stream, "socket", fake)
    assert server.broker.pages[0].write([b"1", b"2", b"3"])
    assert fake.calls == [frame_text(b"1") + frame_text(b"2") + frame_text(b"3")]
    monkeypatch.setattr(stream, "socket", socket_)
    page.close()


@pytest.mark.parametrize("takes", [0, 1, 5, BlockingIOError(), ConnectionResetError()])
async def test_what_the_system_does_not_take_goes_by_the_stream(serve, monkeypatch, takes):
    server = await serve()
    page = await server.connect()
    stream = server.broker.pages[0]._stream()
    original, fake = stream.socket, Socket(takes)
    monkeypatch.setattr(stream, "socket", fake)
    by_stream = []
    monkeypatch.setattr(stream, "write", lambda data: by_stream.append(bytes(data)))
    frame = frame_text(b"hello") + frame_text(b"world")
    server.broker.pages[0].write([b"hello", b"world"])
    taken = takes if isinstance(takes, int) else 0
    assert by_stream == [frame[taken:]]
    monkeypatch.undo()
    assert stream.socket is original
    page.close()


async def test_a_large_payload_is_not_copied_for_each_page(serve, monkeypatch):
    server = await serve()
    page = await server.connect()
    stream = server.broker.pages[0]._stream()
    monkeypatch.setattr(stream, "socket", Socket(BlockingIOError()))
    by_stream = []
    monkeypatch.setattr(stream, "write", lambda data: by_stream.append(data))
    large = b"x" * 2**17
    frames = [b"1", b"2", large, large, b"3"]
    server.broker.pages[0].write(frames)
    assert b"".join(by_stream) == b"".join(map(frame_text, frames))
    assert sum(memoryview(piece).obj is large for piece in by_stream) == 2
    monkeypatch.undo()
    page.close()


async def test_large_and_small_frames_arrive_in_order(serve):
    server = await serve()
    page = await server.connect()
    frames = [b'"%d%s"' % (n, b"x" * size) for n, size in enumerate((0, 2**17, 3, 2**20, 2**16, 1))]
    server.broker.pages[0].write(frames)
    for frame in frames:
        assert (await page.read_message()).encode() == frame
    page.close()


async def test_nothing_overtakes_what_waits_in_the_stream(serve, monkeypatch):
    server = await serve()
    page = await server.connect()
    stream = server.broker.pages[0]._stream()
    fake = Socket(1000)
    monkeypatch.setattr(stream, "socket", fake)
    by_stream = []
    monkeypatch.setattr(stream, "writing", lambda: True)
    monkeypatch.setattr(stream, "write", lambda data: by_stream.append(data) or asyncio.Future())
    assert not server.broker.pages[0].write([b"1"])
    assert (fake.calls, by_stream) == ([], [frame_text(b"1")])
    monkeypatch.undo()
    page.close()


async def test_stream_of_tornado_is_where_we_use_it(serve):
    # The private use: fails when Tornado moves what `write` and `_check_stall` rely on.
    server = await serve()
    page = await server.connect()
    stream = server.broker.pages[0]._stream()
    assert isinstance(stream, tornado.iostream.IOStream)
    assert stream.writing() is False
    assert asyncio.isfuture(stream.write(frame_text(b"1")))
    assert await page.read_message() == "1"
    page.close()


async def test_no_compression_is_agreed_on(serve):
    server = await serve()
    page = await tornado.websocket.websocket_connect(
        f"ws://{server.address}/x/ws", compression_options={}
    )
    server.keep(page)
    assert "Sec-Websocket-Extensions" not in page.headers


# ---------------------------------------------------------------- messages


async def test_messages_reach_the_broker_in_order(serve):
    server = await serve()
    page = await server.connect()
    await page.write_message('{"signal": "run", "load": {"n": 1, "__process_id": 7}}')
    await page.write_message('{"__cancel": 7}')
    await server.broker.wait("receive", 2)
    received = [call[1] for call in server.broker.calls if call[0] == "receive"]
    assert received == [
        text.Request("run", b'{"n": 1, "__process_id": 7}', 7),
        text.PageCancel(7),
    ]
    page.close()
    await server.broker.wait("leave")


async def test_connect_tells_name_session_and_arguments(serve):
    server = await serve()
    page = await server.connect(join=False)
    await page.write_message(
        json.dumps({"__connect": "abc", "__request_args": "?a=1", "__received": 3, "__epoch": "e"})
    )
    await server.broker.wait("join")
    assert server.broker.calls[0] == ("join", "x", text.Connect("abc", "?a=1", 3, "e"))
    page.close()


@pytest.mark.parametrize(
    "junk",
    ["", "{", "[1]", "null", '{"a": 1}', '{"signal": 3}', "[" * 100_000, '{"__connect": null}'],
)
async def test_junk_is_answered_and_the_connection_stays(serve, junk):
    server = await serve()
    page = await server.connect()
    await page.write_message(junk)
    assert await page.read_message() == '{"signal":"error"}'
    await page.write_message('{"signal": "run"}')
    await server.broker.wait("receive")
    assert server.broker.count("complain") == 1
    page.close()


async def test_binary_frame_is_answered_and_the_connection_stays(serve):
    server = await serve()
    page = await server.connect()
    await page.write_message(b"\x00\x01", binary=True)
    assert await page.read_message() == '{"signal":"error"}'
    assert ("complain", "binary frames are reserved; ignored") in server.broker.calls
    page.close()


async def test_message_before_connect_is_answered(serve):
    server = await serve()
    page = await server.connect(join=False)
    await page.write_message('{"signal": "run"}')
    assert await page.read_message() == '{"signal":"error"}'
    assert server.broker.calls == [("complain", "message before __connect; ignored")]
    page.close()


async def test_page_that_never_joined_does_not_leave(serve):
    server = await serve()
    page = await server.connect(join=False)
    page.close()
    second = await server.connect()
    second.close()
    await server.broker.wait("leave")
    assert server.broker.count("leave") == 1


@pytest.mark.parametrize("size", [2000, 5000])
async def test_too_large_a_message_closes(serve, size):
    server = await serve(page_message_bytes=1024)
    page = await server.connect()
    await page.write_message('"%s"' % ("x" * size))
    assert await page.read_message() is None
    if size < 2 * 1024:  # beyond that Tornado drops it unread, and the code may be lost
        assert page.close_code == 1009
        assert "limit 1024" in page.close_reason
    await server.broker.wait("leave")


async def test_message_of_the_largest_size_passes(serve):
    server = await serve(page_message_bytes=1024)
    page = await server.connect()
    await page.write_message('{"signal": "x"}'.ljust(1024))
    await server.broker.wait("receive")
    page.close()


@pytest.mark.expected_log("/nobody/ws 404")
async def test_unknown_analysis_is_refused(serve):
    server = await serve()
    with pytest.raises(tornado.httpclient.HTTPClientError, match="404"):
        await server.connect("nobody")


@pytest.mark.expected_log("/x/ws 503")
async def test_broken_analysis_is_refused(serve, folder):
    (folder / "index.yaml").write_text("analyses: [{name: x, kernel: cobol}]")
    server = await serve()
    with pytest.raises(tornado.httpclient.HTTPClientError, match="503"):
        await server.connect("x")


# ---------------------------------------------------------------- delivered


async def test_write_says_that_all_is_out(serve):
    server = await serve()
    page = await server.connect()
    assert server.broker.pages[0].write([b"1"])
    assert server.broker.pages[0].write([b"2"])
    assert [await page.read_message() for _ in range(2)] == ["1", "2"]
    assert server.broker.count("delivered") == 0  # it was told so already
    page.close()


async def test_drained_is_told_when_the_last_byte_is_out(serve):
    server = await serve()
    page = await handshake(server.port, receive_bytes=65536)
    await send(page, b'{"__connect": null}')
    await server.broker.wait("join")
    mark = server.broker.count("delivered")
    assert not server.broker.pages[0].write([b"x" * ROOM])
    assert not server.broker.pages[0].write([b"y"])
    for _ in range(20):
        await asyncio.sleep(0)
    assert server.broker.count("delivered") == mark
    reading = asyncio.ensure_future(read_until_closed(page))
    await server.broker.wait("delivered", mark + 1)
    assert not server.broker.pages[0]._stream().writing()
    server.broker.pages[0]._stream().close()
    assert (await reading).endswith(frame_text(b"y"))
    page.close()


async def test_drained_waits_for_a_write_that_came_after_one_that_is_out(serve):
    server = await serve()
    page = await handshake(server.port, receive_bytes=65536)
    await send(page, b'{"__connect": null}')
    await server.broker.wait("join")
    mark = server.broker.count("delivered")
    server.broker.pages[0].write([b"1"])
    server.broker.pages[0].write([b"x" * ROOM])
    for _ in range(20):
        await asyncio.sleep(0)
    assert server.broker.count("delivered") == mark
    server.broker.pages[0]._stream().close()
    page.close()


async def test_write_to_a_closed_page_does_nothing(serve):
    server = await serve()
    page = await server.connect()
    page.close()
    await server.broker.wait("leave")
    mark = server.broker.count("delivered")
    assert not server.broker.pages[0].write([b"1"])
    server.broker.pages[0].close(1000, "again")
    await asyncio.sleep(0)
    assert server.broker.count("delivered") == mark


async def test_page_that_goes_away_while_it_is_written_to_is_left(serve):
    server = await serve()
    page = await handshake(server.port, receive_bytes=65536)
    await send(page, b'{"__connect": null}')
    await server.broker.wait("join")
    server.broker.pages[0].write([b"x" * ROOM])
    page.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    page.close()
    await server.broker.wait("leave")


# ---------------------------------------------------------------- looked after


async def test_page_that_never_connects_is_closed(serve):
    server = await serve(page_join_limit_s=0.1)
    page = await server.connect(join=False)
    assert await page.read_message() is None
    assert (page.close_code, page.close_reason) == (4000, "no __connect within 0.1 s")
    assert server.broker.calls == []


async def test_page_that_takes_nothing_is_closed(serve):
    server = await serve(stall_limit_s=0.1)
    page = await handshake(server.port, receive_bytes=65536)
    await send(page, b'{"__connect": null}')
    await server.broker.wait("join")
    server.broker.pages[0].write([b"x" * ROOM])
    await server.broker.wait("leave")
    page.close()


async def test_silent_page_is_pinged_and_stays_while_it_answers(serve):
    server = await serve(page_ping_interval_s=0.1)
    page = await handshake(server.port)
    await send(page, b'{"__connect": null}')
    await server.broker.wait("join")
    loop = asyncio.get_running_loop()
    await loop.sock_recv(page, 1000)
    for _ in range(3):
        assert await asyncio.wait_for(loop.sock_recv(page, 2), 5) == b"\x89\x00"
        await send(page, b"", opcode=10)
    assert server.broker.count("leave") == 0
    page.close()
    await server.broker.wait("leave")


async def test_page_that_does_not_answer_a_ping_is_closed(serve):
    server = await serve(page_ping_interval_s=0.1, page_pong_limit_s=0.2)
    page = await handshake(server.port)
    await send(page, b'{"__connect": null}')
    received = asyncio.ensure_future(read_until_closed(page))
    await server.broker.wait("join")
    while server.context.watch and server.broker.pages[0]._stream() is not None:
        await asyncio.sleep(0.01)
    await send(page, b"\x0f\xa2", opcode=8)
    assert b"\x88" in await received
    assert struct.pack(">H", 4002) + b"no pong within 0.2 s" in received.result()
    page.close()


class _Silent:
    """A handler without a connection, for what `check` decides."""

    ws_connection = None
    may_administer = False
    context = None

    def __init__(self) -> None:
        self.done: list = []

    def close(self, code, reason) -> None:
        self.done.append(code)

    def ping(self) -> None:
        self.done.append("ping")


def test_no_ping_times_out_while_a_write_is_unsent():
    limits = Settings(page_ping_interval_s=10.0, page_pong_limit_s=30.0, stall_limit_s=120.0)
    handler = _Silent()
    page = pagesocket.Connection(handler, "x")
    page._joined = True
    page._heard_s = 0.0
    page.check(11.0, limits)
    assert handler.done == ["ping"]
    page._unsent_s = 12.0
    page.check(25.0, limits)
    page.check(131.0, limits)
    assert handler.done == ["ping"]
    page._unsent_s = None
    page.check(132.0, limits)  # asked again, not closed
    assert handler.done == ["ping", "ping"]
    page.check(162.0, limits)  # one ping, however long the answer takes
    assert handler.done == ["ping", "ping"]
    page.check(162.1, limits)
    assert handler.done == ["ping", "ping", closecodes.NO_PONG]
    page._unsent_s = 200.0
    page.check(320.1, limits)
    assert handler.done[-1] == closecodes.STALLED


async def test_one_timer_serves_all_pages_and_ends_with_them(serve):
    server = await serve()
    pages = [await server.connect() for _ in range(3)]
    assert len(server.context.watch) == 3
    for page in pages:
        page.close()
    await server.broker.wait("leave", 3)
    assert len(server.context.watch) == 0


async def test_idle_connection_has_no_task_of_its_own_beyond_tornados(serve):
    server = await serve()
    before = len(asyncio.all_tasks())
    pages = [await server.connect() for _ in range(5)]
    # Server side: Tornado's loop of frames and its connection. Client side: one.
    assert len(asyncio.all_tasks()) - before <= 5 * 3
    for page in pages:
        page.close()
    await server.broker.wait("leave", 5)


# ---------------------------------------------------------------- who may connect


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("http://{}", True),
        ("http://evil.example", False),
        ("http://127.0.0.1", False),
        ("http://127.0.0.1:1", False),
        ("null", False),
        ("http://[", False),
        ("file://", False),
    ],
)
@pytest.mark.expected_log("/x/ws 403", "refused, expected")
async def test_origin_must_be_the_host(serve, origin, is_allowed):
    server = await serve()
    if is_allowed:
        page = await server.connect(Origin=origin.format(server.address))
        page.close()
        return
    with pytest.raises(tornado.httpclient.HTTPClientError) as caught:
        await server.connect(Origin=origin)
    assert caught.value.code == 403
    assert b"--allow-host" in caught.value.response.body


@pytest.mark.expected_log("analysis 'x': a page asked for its websocket. .* Upgrade", "/x/ws 426")
async def test_a_plain_request_is_answered_with_what_a_proxy_has_to_do(serve, caplog):
    server = await serve()
    for _ in range(3):
        answer = await server.get("/x/ws")
        assert answer.code == 426
        assert answer.headers["Upgrade"] == "websocket"
        assert b"it must forward the headers Upgrade and Connection" in answer.body
    assert caplog.text.count("asked for its websocket") == 1


@pytest.mark.expected_log("/x/ws 403")
async def test_foreign_host_is_refused(serve):
    server = await serve()
    with pytest.raises(tornado.httpclient.HTTPClientError) as caught:
        await server.connect(Host="evil.example")
    assert caught.value.code == 403
    assert b"--allow-host" in caught.value.response.body


async def test_allowed_host_with_its_origin_is_accepted(serve):
    server = await serve(allowed=("lab.example",))
    page = await server.connect(Host="lab.example", Origin="https://lab.example")
    page.close()
