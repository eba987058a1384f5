"""A page's end of the websocket, for tests that talk to a real server."""

import asyncio
import json
from contextlib import asynccontextmanager

from tornado.websocket import websocket_connect

_LIMIT_S = 30


class Visitor:
    """A page's websocket: sends, and keeps the state that it gets."""

    def __init__(self, socket) -> None:
        self.socket = socket
        self.data: dict = {}
        self.class_data: dict = {}
        self.joined: dict = {}
        self.progress = 0
        self._number = 100

    async def read(self, strict: bool = True) -> dict:
        text = await asyncio.wait_for(self.socket.read_message(), _LIMIT_S)
        assert text is not None, f"closed: {self.socket.close_code} {self.socket.close_reason}"
        frame = json.loads(text)
        assert not (strict and frame["signal"] == "error"), frame
        if frame["signal"] == "data":
            self.data |= frame["load"]
        if frame["signal"] == "class_data":
            self.class_data |= frame["load"]
        self.progress += frame["signal"] == "__progress"
        return frame

    async def send(self, **frame) -> None:
        await self.socket.write_message(json.dumps(frame))

    async def read_until(self, signal: str, strict: bool = True):
        """The load of the next such frame."""
        while (frame := await self.read(strict))["signal"] != signal:
            pass
        return frame.get("load")

    async def wait_state(self, is_there) -> None:
        """Reads until the state that it gets satisfies a condition."""
        while not is_there(self):
            await self.read()

    async def call(self, action: str, load: dict | None = None, strict: bool = True):
        """Runs an action to its end; its result, and the frames that came meanwhile."""
        self._number += 1
        await self.send(signal=action, load={**(load or {}), "__process_id": self._number})
        frames = []
        while True:
            frame = await self.read(strict)
            if frame["signal"] == "__process" and frame["load"]["id"] == self._number:
                if frame["load"]["status"] == "end":
                    assert frame["load"]["outcome"] == "done", frame
                    return frame["load"].get("result"), frames
            else:
                frames.append(frame)

    async def run(self, strict: bool = True) -> dict:
        """Runs the action `run` to its end."""
        await self.send(signal="run", load={"__process_id": 7})
        while True:
            frame = await self.read(strict)
            if frame["signal"] == "__process" and frame["load"]["status"] == "end":
                return frame["load"]


@asynccontextmanager
async def visit(address: str, name: str, id_: str | None = None, args: str = ""):
    """A page of the analysis, joined: to a session, or as a new one; `args` is its query."""
    visitor = Visitor(await websocket_connect(f"ws://{address}/{name}{'/' if name else ''}ws"))
    try:
        await visitor.send(__connect=id_, __request_args=args)
        frame = await visitor.read()
        assert frame["signal"] == "__connect"
        visitor.joined = frame["load"]
        yield visitor
    finally:
        is_closed = visitor.socket.close_code is not None  # by the server: nothing more comes
        visitor.socket.close()
        while not is_closed and await visitor.socket.read_message() is not None:
            pass
