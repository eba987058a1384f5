"""A proxy between pages and the server whose connections can stall, be cut, and be half open."""

from __future__ import annotations

import asyncio
import contextlib


class Wire:
    """One connection, from a page to the server."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self._ends = (near, far)
        self.goes = asyncio.Event()
        self.goes.set()

    def stall(self) -> None:
        """Pass nothing on, in either direction, as a network that loses everything does."""
        self.goes.clear()

    def go_on(self) -> None:
        """Pass on again, with all that waited."""
        self.goes.set()

    def cut(self) -> None:
        """End it on both sides at once, with a reset."""
        self.goes.set()
        for end in self._ends:
            end.transport.abort()


class Proxy:
    """Listens on a port, and forwards to one of the server."""

    def __init__(self, port: int) -> None:
        self.server_port = port
        self.wires: set[Wire] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._listener.close()
        for wire in list(self.wires):
            wire.cut()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=10)

    async def _accept(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        try:
            far_reader, far = await asyncio.open_connection("127.0.0.1", self.server_port)
        except OSError:
            near.transport.abort()
            return
        wire = Wire(near, far)
        self.wires.add(wire)
        for source, target in ((reader, far), (far_reader, near)):
            task = asyncio.ensure_future(self._pass_on(wire, source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(
        self, wire: Wire, source: asyncio.StreamReader, target: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                await wire.goes.wait()
                target.write(data)
                await target.drain()
        await wire.goes.wait()
        for end in wire._ends:
            end.close()
        self.wires.discard(wire)
