"""One page: the rules of `databench/client`, over a real websocket, and what it may never see."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections import deque

import tornado.websocket

from .checks import Stream

UNCOUNTED = ("__connect", "__kernel", "__gap", "__reload")
JOIN_LIMIT_S = 30.0
NUMBERS = itertools.count(1)


class Page:
    """Joins, acts, loses its connection, comes back; `run` until it is asked to stop.

    Attributes:
        open: The requests without an end, by id: phase, text, token.
        acknowledged: For each increment that ended well, when (the loop's time).
        may_double: Tokens of what was open when the stream was lost with its server.
    """

    def __init__(self, name: str, analysis: str, chance: random.Random) -> None:
        self.name, self.analysis, self.chance = name, analysis, chance
        self.port = 0
        self.session: str | None = None
        self.epoch: str | None = None
        self.received = 0
        self.is_joined = False
        self.open: dict[int, list[str]] = {}
        self.ended: set[int] = set()
        self.results: dict[int, object] = {}
        self.data: dict[str, object] = {}
        self.class_data: dict[str, object] = {}
        self.stream = Stream()
        self.sent: list[str] = []
        self.acknowledged: list[float] = []
        self.may_double: set[str] = set()
        self.gaps = self.joins = self.messages = 0
        self.events: deque[str] = deque(maxlen=30)
        self.socket: tornado.websocket.WebSocketClientConnection | None = None
        self._is_over = False
        self._task: asyncio.Task[None] | None = None

    # -- its life

    def start(self, port: int) -> None:
        self.port = port
        self._task = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        self._is_over = True
        if self.socket is not None:
            self.socket.close()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=30)
            self.raise_failure()

    def raise_failure(self) -> None:
        """What it saw and may not have seen, if anything."""
        if self._task is not None and self._task.done() and not self._task.cancelled():
            self._task.result()

    async def _run(self) -> None:
        attempt = 0
        while not self._is_over:
            if await self._live():
                attempt = 0
            delay_s = min(2.0, 0.1 * 2**attempt) * self.chance.uniform(0.5, 1)
            attempt += 1
            await asyncio.sleep(delay_s)

    async def _live(self) -> bool:
        """One connection; whether it was joined."""
        url = f"ws://127.0.0.1:{self.port}/{self.analysis}/ws"
        try:
            socket = await asyncio.wait_for(tornado.websocket.websocket_connect(url), JOIN_LIMIT_S)
        except Exception:  # refused, reset, nothing in time: another one follows
            return False
        self.socket = socket
        said: dict[str, object] = {"__connect": self.session, "__request_args": ""}
        said["__received"] = self.received
        if self.epoch is not None:
            said["__epoch"] = self.epoch
        was_joined = False
        try:
            await socket.write_message(json.dumps(said))
            while (text := await socket.read_message()) is not None:
                if self.socket is not socket:
                    break  # it was of the page before its reload
                self._take(json.loads(text))
                was_joined = True
        except tornado.websocket.WebSocketClosedError:
            pass
        except AssertionError as error:
            events = "\n  ".join(self.events)
            raise AssertionError(f"{self.name} ({self.analysis}): {error}\n  {events}") from None
        finally:
            if self.socket is socket:
                self.is_joined = False
                self.socket = None
            socket.close()
        return was_joined

    def reload(self) -> None:
        """As after F5: what is kept over it is the session's id."""
        self.events.append("is reloaded")
        self.epoch, self.received = None, 0
        self.open.clear()
        self.ended.clear()
        self.data.clear()
        self.class_data.clear()
        self.stream.restart()
        self.is_joined = False
        socket, self.socket = self.socket, None
        if socket is not None:
            socket.close()

    # -- what it does

    def request(self, action: str, **load: object) -> int:
        number = next(NUMBERS)
        token = f"{self.name}.{number}"
        if action != "tell":
            load["token"] = token
            self.sent.append(token)
        text = json.dumps({"signal": action, "load": {**load, "__process_id": number}})
        self.open[number] = ["waiting", text, token, action]
        if self.is_joined:
            self._send(text)
            self.open[number][0] = "sent"
        return number

    def cancel(self) -> None:
        if self.is_joined and self.open:
            self._send(json.dumps({"__cancel": self.chance.choice(list(self.open))}))

    def _send(self, text: str) -> None:
        try:
            assert self.socket is not None
            future = self.socket.write_message(text)
        except tornado.websocket.WebSocketClosedError:
            return  # sent again after the next join
        future.add_done_callback(lambda done: done.exception())

    # -- what it gets

    def _take(self, frame: dict) -> None:
        self.messages += 1
        signal, load = frame["signal"], frame.get("load")
        if not frame.get("snapshot") and signal not in UNCOUNTED:
            self.received += 1
        if signal == "out":
            self.stream.take(load["run"], load["n"])
        elif signal in ("data", "class_data"):
            getattr(self, signal).update(load)
        elif signal == "__connect":
            self._join(load)
        elif signal == "__gap":
            self.events.append(f"gap of {load['missed']} to {load['at']}")
            self.received = load["at"]
            self.gaps += 1
            self.stream.jump()
        elif signal == "__process":
            self._hear_of(load)

    def _join(self, load: dict) -> None:
        is_new = self.session not in (None, load["analysis_id"])
        is_lost = self.epoch is not None and (is_new or self.epoch != load["epoch"])
        self.events.append(f"joins at {load['at']}, stream lost: {is_lost}, new: {is_new}")
        if is_new:
            self.stream.restart()
        if is_lost:
            self.stream.jump()
            self.data, self.class_data = {}, {}
        self.session, self.epoch, self.received = load["analysis_id"], load["epoch"], load["at"]
        running = {one["id"] for one in load["running"]}
        for id_, (phase, _, token, _) in list(self.open.items()):
            if is_lost:
                self.may_double.add(token)
                if phase == "started" and id_ not in running:
                    self._end(id_, {"outcome": "lost"})
        self.is_joined = True
        self.joins += 1
        for process in self.open.values():
            if process[0] in ("waiting", "sent"):
                self._send(process[1])
                process[0] = "sent"

    def _hear_of(self, load: dict) -> None:
        id_ = load["id"]
        if load["status"] == "end":
            self._end(id_, load)
        elif id_ in self.open:
            self.open[id_][0] = "started"

    def _end(self, id_: int, load: dict) -> None:
        process = self.open.pop(id_, None)
        if process is None:
            return  # of a page before its reload, or sent again after a gap
        assert id_ not in self.ended, f"request {id_} ended twice"
        self.ended.add(id_)
        self.results[id_] = load.get("result")
        if process[3] == "count" and load["outcome"] == "done":
            self.acknowledged.append(asyncio.get_running_loop().time())
