"""What a stranger does with a websocket, or with many."""

from __future__ import annotations

import asyncio
import json
import signal

from .raw import BINARY, PING, Socket, frame
from .world import World


async def send_small_frames(world: World) -> None:
    """Eight pages send small frames as fast as they can, each of another kind."""
    kinds = [
        frame('{"x": 1}'),
        frame('{"__cancel": 1}'),
        frame("x", PING),
        frame('{"signal": "echo"}'),
        frame("[" * 50),
        frame("x", BINARY),
        frame('{"signal": "nothing"}'),
        frame('{"__kernel": "interrupt"}'),
    ]
    await asyncio.gather(*(_flood(world, data * 500) for data in kinds))


async def send_junk_before_connect(world: World) -> None:
    """Four connections that never join send junk and read no answer."""
    data = frame('{"signal": 1}') * 500
    await asyncio.gather(*(_flood(world, data, is_joined=False) for _ in range(4)))


async def leave_messages_unfinished(world: World) -> None:
    """Messages in fragments that never end, kept alive by pongs."""

    async def send() -> None:
        with world.until_closed():
            socket = await Socket.join(world.address, "innocent")
            await socket.send_bytes(frame(b"[" + b" " * 2**20, fin=False))
            for _ in range(world.scaled(18)):
                await socket.send_bytes(frame(b" " * 2**20, 0, fin=False))
            await world.sleep(5)
            await socket.close()

    await asyncio.gather(*(send() for _ in range(world.scaled(20))))


async def join_without_reading(world: World) -> None:
    """Pages join a session that holds megabytes, again and again, and read nothing."""
    first = await Socket.join(world.address, "innocent")
    await first.run("fill", size=2**20, keys=world.scaled(20))
    hello = json.dumps({"__connect": first.session, "__request_args": "", "__received": 0})
    sockets = []
    for _ in range(world.scaled(200)):
        with world.until_closed():
            socket = await Socket.open(world.address, "innocent")
            sockets.append(socket)
            await socket.send_bytes(frame(hello))
    await world.sleep(3)
    for socket in [*sockets, first]:
        await socket.close()


async def send_one_surrogate(world: World) -> None:
    """Large messages with one lone surrogate, which fast decoders refuse."""
    load = '"' + "x" * world.scaled(9 * 2**20) + '\\ud800"'
    for _ in range(3):
        with world.until_closed():
            socket = await Socket.join(world.address, "innocent")
            await socket.send_bytes(frame('{"signal": "echo", "load": ' + load + "}"))
            await world.sleep(1)
            await socket.close()


async def leave_results_unseen(world: World) -> None:
    """One stranger leaves thousands of sessions behind whose results no page saw."""

    async def leave() -> None:
        with world.until_closed():
            socket = await Socket.join(world.address, "innocent")
            await socket.send({"signal": "run", "load": {"__process_id": 1}})
            await socket.close()

    for _ in range(world.scaled(300)):
        await asyncio.gather(*(leave() for _ in range(20)))


async def cancel_a_hung_kernel(world: World) -> None:
    """A page sends cancels to a kernel that reads nothing."""
    socket = await Socket.join(world.address, "innocent")
    await socket.send({"signal": "flow", "load": {"__process_id": 1}})
    await socket.wait(lambda message: message["signal"] == "out")
    world.kernel("innocent").send_signal(signal.SIGSTOP)
    try:
        with world.until_closed():
            for _ in range(world.scaled(50)):
                await socket.send_bytes(frame('{"__cancel": 1}') * 1000)
                await asyncio.sleep(0)
    finally:
        world.kernel("innocent").send_signal(signal.SIGCONT)
        await socket.close()


async def _flood(world: World, data: bytes, *, is_joined: bool = True) -> None:
    """Send it over and over until the time is over; connect again when that is ended."""
    while not world.is_over:
        socket = None
        with world.until_closed():
            opened = Socket.join if is_joined else Socket.open
            socket = await opened(world.address, "innocent")
            while not world.is_over:
                try:
                    await asyncio.wait_for(socket.send_bytes(data), 1.0)
                except asyncio.TimeoutError:
                    continue  # it takes nothing now, which is its right
        if socket is not None:
            await socket.close()
        await asyncio.sleep(0.01)
