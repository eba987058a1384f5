"""Requests with bodies: which are refused, and that this is before the body is read."""

import asyncio

import pytest

from databench.front.bodies import Body, find_body, find_refusal, hold
from databench.protocol.budget import SHORT, Budget

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, None),
        ({"Content-Length": "0"}, None),
        ({"Content-Length": "12"}, Body(12, False)),
        ({"Content-Length": "-1"}, None),
        ({"Content-Length": "9" * 400}, Body(int("9" * 20), False)),
        ({"Content-Length": "0" * 30 + "12"}, Body(12, False)),
        ({"Content-Length": "12, 12"}, Body(12, False)),  # two headers
        ({"Content-Length": "00"}, None),
        ({"Transfer-Encoding": "chunked"}, Body(None, False)),
        ({"Content-Length": "3", "Content-Type": f"{FORM}; charset=utf-8"}, Body(3, True)),
    ],
)
def test_headers_announce_a_body(headers, body):
    assert find_body(headers) == body


@pytest.mark.parametrize(
    ("body", "facts", "status"),
    [
        (Body(10, False), {"is_allowed": False}, 405),
        (Body(10, False), {"is_read": False}, None),
        (Body(10**6, False), {"is_read": False}, 413),
        (Body(None, False), {"is_read": False}, 413),
        (Body(None, False), {}, None),
        (Body(5000, True), {}, None),
        (Body(5001, True), {}, 413),
        (Body(10_000, False), {}, None),
        (Body(10_001, False), {}, 413),
        (Body(2**63, False), {"is_allowed": False}, 400),
        (Body(2**63 - 1, False), {}, 413),
    ],
)
def test_refusal_follows_from_the_headers(body, facts, status):
    facts = {"is_allowed": True, "is_read": True, **facts}
    refusal = find_refusal(body, "POST", limit_bytes=10_000, form_bytes=5000, **facts)
    assert (refusal and refusal[0]) == status


def test_what_comes_of_a_body_counts_until_it_is_whole():
    budget = Budget(100_000)
    assert hold(budget, "10.0.0.1", 1000, 1000) == ""
    assert (budget.total_bytes, budget.find_largest()) == (1000, "10.0.0.1")
    assert hold(budget, "10.0.0.1", 100_001, 99_001) == SHORT
    assert hold(budget, "10.0.0.2", 1000, 1000) == ""  # little goes on
    assert hold(budget, "10.0.0.1", 0, -100_001) == ""
    assert budget.total_bytes == 1000


async def ask(server, text):
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(text.encode())
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    writer.close()
    await writer.wait_closed()
    return int(answer.split()[1])


@pytest.mark.expected_log
@pytest.mark.parametrize(
    ("request_line", "host", "more", "status"),
    [
        ("POST /-nothing", "", "", 404),
        ("POST /x/", "evil.example", "", 403),
        ("POST /nothing/here", "", "", 405),
        ("POST /x/", "", "", 405),
        ("PUT /status", "", "", 405),
        ("PROPFIND /x/", "", "", 405),
        ("GET /x/", "", "", 413),
        ("POST /x/ws", "", "", 405),
    ],
)
async def test_body_that_nobody_would_read_is_refused_at_the_headers(
    serve, request_line, host, more, status
):
    """Of the body comes nothing at all: the answer needs none of it."""
    server = await serve()
    host = host or f"127.0.0.1:{server.port}"
    head = f"{request_line} HTTP/1.1\r\nHost: {host}\r\n{more}Content-Length: 9000000\r\n\r\n"
    assert await ask(server, head) == status


async def test_small_body_with_get_is_read_over(serve):
    server = await serve()
    host = f"127.0.0.1:{server.port}"
    text = f"GET /x/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 3\r\n\r\nabc"
    assert await ask(server, text) == 200


async def test_bodies_count_in_the_servers_memory(serve):
    server = await serve()
    assert server.front.hold_body("10.0.0.1", 10, 10) == ""
    assert server.broker.budget.total_bytes == 10
