"""How fast pages are read: turns, messages that do not end, messages that are too large."""

import asyncio
import json
import struct

import pytest

from tests.front.websockets.test_pagesocket import handshake, read_until_closed

pytestmark = [pytest.mark.slow]


def frame(payload, opcode=1, fin=True):
    """A masked frame (RFC 6455 section 5.2) with a mask of zeros."""
    if isinstance(payload, str):
        payload = payload.encode()
    head = bytes([(0x80 if fin else 0) | opcode])
    if len(payload) < 126:
        head += bytes([0x80 | len(payload)])
    elif len(payload) < 2**16:
        head += struct.pack("!BH", 0x80 | 126, len(payload))
    else:
        head += struct.pack("!BQ", 0x80 | 127, len(payload))
    return head + bytes(4) + payload


def write(page, data):
    return asyncio.get_running_loop().sock_sendall(page, data)


async def read_close(page):
    """The code and the reason of the close frame; what comes before it is read over."""
    received = b""
    while True:
        while len(received) >= 2:  # the server's frames are not masked
            size = received[1]
            at = 2
            if size == 126 and len(received) >= 4:
                [size] = struct.unpack("!H", received[2:4])
                at = 4
            if len(received) < at + size:
                break
            if received[0] == 0x88:
                return struct.unpack("!H", received[2:4])[0], received[4 : 2 + size].decode()
            received = received[at + size :]
        chunk = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(page, 2**16), 10)
        assert chunk, "the connection ended without a close frame"
        received += chunk


FLOODS = {
    "action": frame('{"signal":"run"}'),
    "junk": frame('{"x":1}'),
    "binary": frame(b"x", 2),
    "cancel": frame('{"__cancel":1}'),
    "ping": frame(b"x", 9),
    "pong": frame(b"x", 10),
    "empty continuations": frame(b"", 0, fin=False),
}


async def count_frames_per_round(server, monkeypatch, pages, flood, rounds):
    """The most frames that one round of the loop handled while all of these flood."""
    from databench.front.websockets.pace import Pacer

    counts = [0]
    real = Pacer.note

    def note(pacer, page, size_bytes):
        counts[-1] += 1
        return real(pacer, page, size_bytes)

    monkeypatch.setattr(Pacer, "note", note)
    for page in pages:
        await write(page, frame('{"__connect":null}'))
    await server.broker.wait("join", len(pages))
    start = frame(b"{", 1, fin=False) if flood == "empty continuations" else b""
    floods = [asyncio.ensure_future(write(page, start + FLOODS[flood] * 2000)) for page in pages]
    while sum(counts) < rounds:
        await asyncio.sleep(0)
        counts.append(0)
    for each in floods:
        each.cancel()
    await asyncio.gather(*floods, return_exceptions=True)
    return max(counts)


@pytest.mark.parametrize("flood", FLOODS)
async def test_flooding_pages_have_a_bounded_part_of_each_round(serve, monkeypatch, flood):
    limits = {"page_turn_frames": 4, "page_turns": 2, "drain_turn_s": 60.0}
    server = await serve(**limits)
    pages = [await handshake(server.port) for _ in range(8)]
    most = await count_frames_per_round(server, monkeypatch, pages, flood, 4000)
    # Each page's first frames are handled at once, in one round; then two pages have four each.
    assert most <= 8 * 4 + 2 * 4
    for page in pages:
        page.close()


async def test_one_page_beside_a_flood_is_answered_before_the_flood_is_done(serve):
    server = await serve(page_turn_frames=4, page_turns=2)
    flooding, quiet = [await handshake(server.port) for _ in range(2)]
    for page in (flooding, quiet):
        await write(page, frame('{"__connect":null}'))
    await server.broker.wait("join", 2)
    await write(flooding, frame('{"signal":"flood"}') * 3000)
    await write(quiet, frame('{"signal":"quiet"}'))

    def actions():
        return [call[1].action for call in server.broker.calls if call[0] == "receive"]

    await server.broker.wait("receive", 3001)
    assert actions().index("quiet") < 2900
    for page in (flooding, quiet):
        page.close()


async def test_order_of_a_page_holds_when_it_waits(serve):
    server = await serve(page_turn_frames=2, page_turns=1)
    page = await handshake(server.port)
    sent = "".join(f"{number:03}" for number in range(200))
    await write(page, frame('{"__connect":null}'))
    await write(page, b"".join(frame(f'{{"signal":"{n:03}"}}') for n in range(200)))
    await server.broker.wait("receive", 200)
    got = "".join(call[1].action for call in server.broker.calls if call[0] == "receive")
    assert got == sent
    page.close()


async def test_page_that_goes_away_while_it_waits_is_forgotten(serve):
    server = await serve(page_turn_frames=1, page_turns=1)
    page = await handshake(server.port)
    await write(page, frame('{"__connect":null}'))
    await write(page, FLOODS["cancel"] * 500)
    await server.broker.wait("receive", 3)
    page.close()
    await server.broker.wait("leave")
    while server.context.pacer._waiting:
        await asyncio.sleep(0.001)
    assert len(server.context.pacer._turns) == 0


# ---------------------------------------------------------------- messages that do not end


@pytest.mark.parametrize(
    "begin",
    [
        frame(b'{"signal":"', 1, fin=False),
        frame(b"x" * 100_000)[:70_000],
        frame(b"x" * 100)[:50],
        b"\x81\x85",
    ],
    ids=["fragments", "large frame", "small frame", "head"],
)
async def test_message_that_does_not_end_is_closed_although_pongs_come(serve, begin):
    server = await serve(page_message_limit_s=0.1)
    page = await handshake(server.port)
    await write(page, frame('{"__connect":null}'))
    await write(page, begin)
    if begin[0] == 1:  # within a frame nothing else can come
        await write(page, FLOODS["pong"] * 20)
    assert await read_close(page) == (4003, "a message took more than 0.1 s")
    await wait_bytes(server.context.pacer, 0)
    page.close()


async def wait_bytes(pacer, size_bytes):
    async def look():
        while pacer.unfinished_bytes != size_bytes:
            await asyncio.sleep(0.001)

    await asyncio.wait_for(look(), 10)


async def test_bytes_of_unfinished_messages_are_counted_until_they_end(serve):
    server = await serve()
    page = await handshake(server.port)
    await write(page, frame('{"__connect":null}'))
    await write(page, frame(b'{"signal":"', 1, fin=False) + frame(b"x" * 1000, 0, fin=False))
    await wait_bytes(server.context.pacer, 1011)
    await write(page, frame(b'"}', 0))
    await server.broker.wait("receive")
    await wait_bytes(server.context.pacer, 0)
    await write(page, frame(b" " * 100_000)[:90_000])
    await wait_bytes(server.context.pacer, 100_000)  # the second part in advance
    page.close()
    await wait_bytes(server.context.pacer, 0)


async def test_unfinished_messages_of_all_pages_have_one_limit(serve):
    server = await serve(unfinished_bytes=2**16)
    first, second = [await handshake(server.port) for _ in range(2)]
    await write(first, frame(b"x" * 60_000, 1, fin=False))
    await wait_bytes(server.context.pacer, 60_000)
    await write(second, frame(b"x" * 60_000, 1, fin=False))
    code, reason = await read_close(second)
    assert (code, reason) == (1013, "the server holds too many incomplete messages")
    await wait_bytes(server.context.pacer, 60_000)
    for page in (first, second):
        page.close()


async def test_unfinished_messages_count_in_the_servers_memory(serve):
    server = await serve()
    budget = server.broker.budget
    page = await handshake(server.port)
    await write(page, frame('{"__connect":null}'))
    await write(page, frame(b"x" * 60_000, 1, fin=False))
    await wait_bytes(server.context.pacer, 60_000)
    assert budget.total_bytes == 60_000
    assert budget.find_largest() == "127.0.0.1"
    page.close()
    await wait_bytes(server.context.pacer, 0)
    assert budget.total_bytes == 0


async def test_beyond_the_budget_small_messages_go_on_and_large_ones_are_refused(serve):
    server = await serve()
    small, large = [await handshake(server.port) for _ in range(2)]
    for page in (small, large):
        await write(page, frame('{"__connect":null}'))
    await server.broker.wait("join", 2)
    server.broker.budget.take(None, 2**31)
    await write(small, frame(b'{"signal":"a', 1, fin=False) + frame(b'"}', 0))
    await server.broker.wait("receive")
    await write(large, frame(b"x" * 200_000, 1)[:150_000])
    code, reason = await read_close(large)
    assert (code, reason) == (1013, "The server is short of memory. Try again in a moment.")
    await wait_bytes(server.context.pacer, 0)
    assert server.broker.budget.total_bytes == 2**31
    for page in (small, large):
        page.close()


# ---------------------------------------------------------------- messages that are too large


@pytest.mark.parametrize("parts", [1, 2, 7])
async def test_message_that_is_too_large_is_thrown_away_and_told(serve, parts):
    server = await serve(page_message_bytes=100_000)
    page = await handshake(server.port)
    await write(page, frame('{"__connect":null}'))
    size = 140_000 // parts
    data = b"".join(
        frame(b"x" * size, 1 if part == 0 else 0, fin=part == parts - 1) for part in range(parts)
    )
    await write(page, data)
    code, reason = await read_close(page)
    assert (code, reason) == (1009, f"message of {parts * size} bytes, limit 100000")
    assert server.broker.count("receive") == 0
    page.close()


async def test_fragments_without_end_are_not_thrown_away_for_ever(serve):
    server = await serve(page_message_bytes=100_000)
    page = await handshake(server.port)
    await write(page, frame(b"x" * 90_000, 1, fin=False))
    sending = asyncio.ensure_future(write(page, frame(b"x" * 90_000, 0, fin=False) * 90))
    await read_until_closed(page)
    await asyncio.gather(sending, return_exceptions=True)
    assert server.context.pacer.unfinished_bytes == 0
    page.close()


# ---------------------------------------------------------------- junk


async def test_junk_before_connect_has_a_few_answers(serve):
    server = await serve(page_junk_messages=3)
    page = await handshake(server.port)
    await write(page, FLOODS["junk"] + FLOODS["binary"] + FLOODS["cancel"] + FLOODS["junk"])
    code, reason = await read_close(page)
    assert (code, reason) == (1008, "4 messages before __connect, limit 3")
    assert server.broker.count("complain") == 3
    page.close()


async def test_page_that_does_not_read_has_no_further_answers(serve, monkeypatch):
    server = await serve()
    page = await handshake(server.port, receive_bytes=2048)
    answer = json.dumps({"signal": "error", "load": "x" * 100_000}).encode()

    def complain(page, problem):
        server.broker._note("complain", problem)
        page.write([answer])

    monkeypatch.setattr(server.broker, "complain", complain)
    await write(page, frame('{"__connect":null}'))
    await write(page, FLOODS["junk"] * 1000 + frame('{"signal":"last"}'))
    await server.broker.wait("receive")
    assert server.broker.count("complain") < 100
    page.close()
