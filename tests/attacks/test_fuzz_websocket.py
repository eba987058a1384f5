"""20,000 frames that a page would not send: the server answers, closes or ignores each."""

import json
import os
import random

import pytest

from tests.processes.server import Server

from .project import write_project
from .raw import BINARY, PING, PONG, TEXT, ClosedError, Socket, frame
from .world import check

FRAMES = 20_000
GROUP = 100  # so many are sent before one is asked for that has to be answered
SEED = 11

WORDS = ["signal", "load", "__connect", "__request_args", "__received", "__epoch", "__cancel"]
WORDS += ["__kernel", "__saves", "__process_id", "force", "__reload", "", "\ud800", "\0", "é"]
SIGNALS = ["echo", "run", "nothing", "__process", "__init__", "connected", "set_state", "*", ""]
PIECES = [
    "",
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\\",
    "\\u",
    "\\ud800",
    "\0",
    "é",
    "9" * 50,
    "e9",
    "-",
]
NUMBERS = [0, -1, 1, 2**53, 2**63, 10**40, 0.5, 1e308, -0.0]


def make_value(draw: random.Random, depth: int = 0) -> object:
    """Something that JSON can say."""
    kind = draw.randrange(8 if depth < 4 else 5)
    if kind < 2:
        return draw.choice(SIGNALS)
    if kind < 4:
        return draw.choice(NUMBERS)
    if kind == 4:
        return draw.choice([None, True, False])
    if kind == 5:
        return [make_value(draw, depth + 1) for _ in range(draw.randrange(4))]
    return {draw.choice(WORDS): make_value(draw, depth + 1) for _ in range(draw.randrange(5))}


def make_frame(draw: random.Random) -> bytes:
    """One frame: of a message that nearly fits, of a broken one, or of no message at all."""
    message = (
        make_value(draw)
        if draw.random() < 0.3
        else {"signal": draw.choice(SIGNALS), "load": make_value(draw)}
    )
    text = json.dumps(message)
    for _ in range(draw.choice([0, 0, 1, 3])):
        at = draw.randrange(len(text) + 1)
        text = text[:at] + draw.choice(PIECES) + text[at + draw.randrange(3) :]
    body = text.encode()
    if draw.random() < 0.001:  # no text: the connection has to end (RFC 6455 section 8.1)
        body += b"\xff"
    opcode = draw.choices([TEXT, BINARY, PING, PONG], [90, 4, 3, 3])[0]
    data = frame(body if opcode in (TEXT, BINARY) else body[:100], opcode)
    if draw.random() < 0.001:  # bits and codes that mean nothing: likewise (section 5.2)
        data = bytes([draw.choice([0x83, 0x8B, 0x91, 0xC1])]) + data[1:]
    return data


async def send_group(socket: Socket, draw: random.Random) -> None:
    """Send a group, and wait for the end of an action behind it.

    Raises:
        ClosedError: The server closed the connection instead.
    """
    await socket.send_bytes(b"".join(make_frame(draw) for _ in range(GROUP)))
    end = await socket.run("run", n=5)
    assert end["outcome"] == "done", end
    assert end["result"] == 5, end


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.timeout(300)
async def test_no_frame_of_a_page_does_harm(tmp_path):
    seed = int(os.environ.get("SEED", SEED))
    draw = random.Random(seed)
    closed = 0
    with Server(write_project(tmp_path), "--no-debug") as server:
        socket = await Socket.join(server.address, "innocent")
        for _ in range(FRAMES // GROUP):
            try:
                await send_group(socket, draw)
            except ClosedError:
                closed += 1
                await socket.close()
                socket = await Socket.join(server.address, "innocent")
        await socket.close()
        await check(server)
    assert closed < FRAMES / GROUP, "no group was answered"
