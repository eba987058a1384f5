"""What a stranger does with plain connections and with HTTP."""

from __future__ import annotations

import asyncio

from .raw import request
from .world import World


async def hold_idle_connections(world: World) -> None:
    """Silent connections, more than the server has descriptors."""
    writers = await _connect(world, world.scaled(1200), b"")
    await world.sleep(4)
    _abort(writers)


async def send_endless_headers(world: World) -> None:
    """Requests whose headers never end."""
    start = f"GET / HTTP/1.1\r\nHost: {world.address}\r\n".encode()
    writers = await _connect(world, world.scaled(200), start)
    while not world.is_over:
        for writer in writers:
            writer.write(b"X-Word: x\r\n")
        await asyncio.sleep(0.2)
    _abort(writers)


async def send_unasked_bodies(world: World) -> None:
    """Bodies of ten megabytes for any address and any Host."""
    body = b"x" * world.scaled(10 * 2**20)
    for path, host in (
        ("/nothing", world.address),
        ("/", "elsewhere.example"),
        ("/innocent/", world.address),
    ):
        for kind in ("application/octet-stream", "application/x-www-form-urlencoded"):
            headers = {"Host": host, "Content-Type": kind}
            await asyncio.gather(
                *(
                    request(world.address, path, method="POST", body=body, **headers)
                    for _ in range(4)
                )
            )


async def send_many_parts(world: World) -> None:
    """Forms of many parts, queries of many words, ranges of many pieces."""
    count = world.scaled(20000)
    part = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    form = part * count + b"--b--\r\n"
    kind = "multipart/form-data; boundary=b"
    await request(world.address, "/innocent/", method="POST", body=form, **{"Content-Type": kind})
    await request(world.address, "/?" + "&".join(f"a{i}=1" for i in range(min(count, 5000))))
    ranges = "bytes=" + ",".join(f"{i}-{i}" for i in range(min(count, 5000)))
    await request(world.address, "/static/databench.js", Range=ranges)


async def _connect(world: World, count: int, data: bytes) -> list[asyncio.StreamWriter]:
    writers = []
    for _ in range(count):
        try:
            opening = asyncio.open_connection("127.0.0.1", world.port)
            _, writer = await asyncio.wait_for(opening, 2.0)
        except (OSError, asyncio.TimeoutError):
            break  # the server takes no more: that is its right
        writer.write(data)
        writers.append(writer)
    return writers


def _abort(writers: list[asyncio.StreamWriter]) -> None:
    for writer in writers:
        writer.transport.abort()
