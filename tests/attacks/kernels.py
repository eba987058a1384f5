"""What a kernel does to the server and to others, by mistake or on purpose."""

from __future__ import annotations

import asyncio
import os
import signal

import psutil

from .raw import Socket
from .world import World


async def print_short_lines(world: World) -> None:
    """A kernel prints short lines without a pause."""
    socket = await Socket.join(world.address, "innocent")
    await socket.run("shout", seconds=world.seconds)
    await socket.close()


async def send_unknown_kinds(world: World) -> None:
    """A kernel sends messages that mean nothing, for sessions that do not exist."""
    await _order(world, f"flood_unknown-{world.scaled(50000)}")


async def forge_frames(world: World) -> None:
    """A kernel's payloads end their envelope, to look like frames of the server."""
    await _order(world, f"forge-{world.scaled(5000)}")


async def send_junk(world: World) -> None:
    """A kernel sends messages that do not fit the protocol."""
    await _order(world, f"fuzz-7-{world.scaled(20000)}")


async def take_names(world: World) -> None:
    """A kernel connects under the names that other kernels may have next."""
    await _order(world, "squat-25")
    socket = await Socket.join(world.address, "mortal")
    end = await socket.run("run")
    assert end["outcome"] == "done", end
    await socket.close()


async def die_beside_a_flow(world: World) -> None:
    """A kernel dies, again and again, while another emits to a session without a page."""
    flowing = await Socket.join(world.address, "innocent")
    await flowing.send({"signal": "flow", "load": {"__process_id": 1}})
    await flowing.wait(lambda message: message["signal"] == "out")
    await flowing.close()
    for _ in range(world.scaled(10)):
        socket = await Socket.join(world.address, "mortal")
        await socket.send({"signal": "die", "load": {"__process_id": 1}})
        await socket.wait(
            lambda message: (
                message["signal"] == "__process" and message["load"].get("outcome") == "lost"
            )
        )
        await socket.close()


async def leave_daemons(world: World) -> None:
    """A kernel starts daemons that hide where they come from, and is killed."""
    socket = await Socket.join(world.address, "mortal")
    daemons = [(await socket.run("daemon"))["result"] for _ in range(world.scaled(50))]
    world.kernel("mortal").kill()
    await socket.close()
    for _ in range(600):
        if not any(map(psutil.pid_exists, daemons)):
            return
        await asyncio.sleep(0.1)
    left = [pid for pid in daemons if psutil.pid_exists(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    raise AssertionError(f"{len(left)} of {len(daemons)} daemons outlive their kernel")


async def die_at_once(world: World) -> None:
    """Kernels die as soon as they are asked, as often as a page asks."""

    async def ask() -> None:
        while not world.is_over:
            with world.until_closed():
                socket = await Socket.join(world.address, "mortal")
                await socket.send({"signal": "die", "load": {"__process_id": 1}})
                await asyncio.sleep(0.1)
                await socket.send({"__kernel": "restart"})
                await socket.close()

    await asyncio.gather(*(ask() for _ in range(4)))


async def die_at_the_start(world: World) -> None:
    """Sessions whose address makes the kernel of all others exit as they begin, and that stay."""

    def is_set_aside(message: dict) -> bool:
        return message["signal"] == "__kernel" and message["load"]["state"] == "failed"

    async def begin(number: int) -> Socket:
        socket = await Socket.join(world.address, "innocent", args=f"?die={number % 4}")
        # Until then, it may end the kernel of the page that comes after the attack.
        await socket.wait(is_set_aside)
        return socket

    for first in range(0, world.scaled(20), 2):
        sockets = await asyncio.gather(begin(first), begin(first + 1))
        for socket in sockets:
            await socket.close()


async def _order(world: World, action: str) -> None:
    """Have the hostile kernel do it; whether it lives to the end is its own affair."""
    socket = await Socket.join(world.address, "hostile")
    await socket.send({"signal": action, "load": {"__process_id": 1}})
    await socket.wait(
        lambda message: message["signal"] == "__process" and message["load"]["status"] == "end"
    )
    await socket.close()
