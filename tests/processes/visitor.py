"""A page's end of the websocket, for tests that talk to a real server."""

import asyncio
import json
from contextlib import asynccontextmanager

from tornado.websocket import websocket_connect

_LIMIT_S = 30


class Visitor:
    """A page's websocket: sends, and keeps the state that it is told."""

    def __init__(self, socket) -> None:
        self.socket = socket
        self.data: dict = {}
        self.progress = 0

    async def read(self, strict: bool = True) -> dict:
        text = await asyncio.wait_for(self.socket.read_message(), _LIMIT_S)
        assert text is not None, f"closed: {self.socket.close_code} {self.socket.close_reason}"
        frame = json.loads(text)
        assert not (strict and frame["signal"] == "error"), frame
        if frame["signal"] == "data":
            self.data |= frame["load"]
        self.progress += frame["signal"] == "__progress"
        return frame

    async def send(self, **frame) -> None:
        await self.socket.write_message(json.dumps(frame))

    async def run(self, strict: bool = True) -> dict:
        """Runs the action `run` to its end."""
        await self.send(signal="run", load={"__process_id": 7})
        while True:
            frame = await self.read(strict)
            if frame["signal"] == "__process" and frame["load"]["status"] == "end":
                return frame["load"]


@asynccontextmanager
async def visit(address: str, name: str):
    """A page of the analysis, joined."""
    visitor = Visitor(await websocket_connect(f"ws://{address}/{name}/ws"))
    try:
        await visitor.send(__connect=None, __request_args="")
        assert (await visitor.read())["signal"] == "__connect"
        yield visitor
    finally:
        visitor.socket.close()
        while await visitor.socket.read_message() is not None:
            pass
