"""How fast the front reads a page: its frames in turns, its incomplete messages within limits.

Theory of operation. Tornado reads a websocket in its own loop, and continues for as long as
bytes are there. So after each frame, the protocol asks the `Pacer`, and waits if the page has used
up its turn (`protocol.turns`). The received part of a message counts, and is thrown away if the
message is too large, so that the close code still arrives.

Held bytes count in the server's memory budget, for the visitor who sends them. While the budget is
used up, a message that is larger than one part is refused with its connection: it has no end that
could be answered.

Tornado has no public place for either. Only this file overrides `_receive_frame_loop`,
`_receive_frame`, `_read_bytes` and `_handle_message` of its protocol (private; the requirement
`tornado<7` and a test of each hold them).
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable
from typing import Any

import tornado.iostream
import tornado.websocket

from ...closecodes import TOO_LARGE, TRY_LATER
from ...protocol.budget import SHORT, Budget
from ...protocol.clients import Client
from ...protocol.turns import Turns
from ...settings import Settings

_PART_BYTES = 2**16
# A turn is checked once this many frames, or a frame of this many bytes, came within its time: a
# round of the loop more for each frame of a quiet page would cost a twentieth of an echo.
_QUIET_FRAMES = 4
_QUIET_BYTES = 2**14


class Pacer:
    """Gives pages their turns, and counts what they have sent of unfinished messages.

    Args:
        limits: The settings in force.
        budget: Of the server's memory.
    """

    def __init__(self, limits: Settings, budget: Budget) -> None:
        self._limits = limits
        self._budget = budget
        self._turns: Turns[PacedProtocol] = Turns(
            page_frames=limits.page_turn_frames,
            page_bytes=limits.page_turn_bytes,
            pages=limits.page_turns,
            turn_s=limits.drain_turn_s,
        )
        self._waiting: dict[PacedProtocol, asyncio.Future[None]] = {}
        self._handle: asyncio.Handle | None = None
        self._began_s = 0.0
        self._frames = 0
        self.unfinished_bytes = 0

    def note(self, page: PacedProtocol, size_bytes: int) -> asyncio.Future[None] | None:
        """A frame of a page was handled.

        Returns:
            What to wait for before the next one is read; `None`: nothing.
        """
        now_s = time.monotonic()
        if self._handle is None:
            if now_s - self._began_s > self._limits.drain_turn_s:
                self._begin(now_s)
            self._frames += 1
            if self._frames >= _QUIET_FRAMES or size_bytes >= _QUIET_BYTES:
                self._handle = asyncio.get_running_loop().call_soon(self._next_turn)
        if not self._turns.note(page, size_bytes, now_s):
            return None
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_soon(self._next_turn)
        waiting = self._waiting[page] = asyncio.get_running_loop().create_future()
        return waiting

    def _begin(self, now_s: float) -> None:
        self._began_s = now_s
        self._frames = 0
        for page in self._turns.begin(now_s):
            waiting = self._waiting.pop(page)
            if not waiting.done():
                waiting.set_result(None)

    def _next_turn(self) -> None:
        self._handle = None
        if len(self._turns):
            # Before those that have the turn continue, in the next round, which ends with this.
            self._handle = asyncio.get_running_loop().call_soon(self._next_turn)
        self._begin(time.monotonic())

    def hold(self, client: Client, held_bytes: int, change_bytes: int) -> str:
        """A page holds so much of an unfinished message, and so many more bytes than before.

        Returns:
            Why it may not; empty: it may.
        """
        self.unfinished_bytes += change_bytes
        limit: int = self._limits.unfinished_bytes
        self._budget.take(client, change_bytes)
        if change_bytes <= 0:
            return ""
        if self.unfinished_bytes > limit:
            return "the server holds too many incomplete messages"
        return SHORT if self._budget.is_over and held_bytes > _PART_BYTES else ""


class PacedProtocol(tornado.websocket.WebSocketProtocol13):
    """Tornado's websocket protocol, which waits for its turns.

    Args:
        handler: The websocket's.
        params: As Tornado makes them of the handler.
        pacer: Gives the turns.
        limit_bytes: Of one message.
        find_client: Asked once whom unfinished messages are counted for.
    """

    def __init__(
        self,
        handler: Any,
        params: Any,
        pacer: Pacer,
        limit_bytes: int,
        find_client: Callable[[], Client],
    ) -> None:
        super().__init__(handler, False, params)
        self._pacer = pacer
        self._limit_bytes = limit_bytes
        self._find_client = find_client
        self._small_bytes = min(_PART_BYTES, limit_bytes)
        self._held_bytes = 0
        self._thrown_bytes = 0  # of a message that is too large
        # When the message that is being read began; control frames between do not change it.
        self.began_s: float | None = None

    async def _receive_frame_loop(self) -> None:
        try:
            await super()._receive_frame_loop()
        finally:
            self._hold(0)

    async def _receive_frame(self) -> None:
        before = self._wire_bytes_in
        await super()._receive_frame()
        buffered = self._fragmented_message_buffer
        if buffered is None:
            self.began_s = None
            if self._held_bytes:
                self._hold(0)
        elif self._thrown_bytes + len(buffered) > self._limit_bytes:
            self._thrown_bytes += len(buffered)
            buffered.clear()
            self._check_thrown()
            self._hold(0)
        else:
            self._hold(len(buffered))
        waiting = self._pacer.note(self, self._wire_bytes_in - before)
        if waiting is not None:
            await waiting

    async def _read_bytes(self, n: int) -> bytes:
        if n <= self._small_bytes:
            data = await self.stream.read_bytes(n)
            if self.began_s is None:
                self.began_s = time.monotonic()
        else:
            data = await self._read_large(n)
        self._wire_bytes_in += n
        return data

    async def _read_large(self, n: int) -> bytes:
        """The payload of a large frame, counted as it comes; empty if it is too large.

        Each part is as large as all before it: so there are few, since each costs a round of the
        loop, and yet a page cannot have twice as much counted as it has sent. The first one alone
        is counted when it is there.
        """
        is_kept = n <= self._limit_bytes
        parts: list[bytes] = []
        read_bytes = 0
        while read_bytes < n:
            part_bytes = min(n - read_bytes, max(read_bytes, _PART_BYTES))
            if is_kept and read_bytes:
                self._hold(self._held_bytes + part_bytes)
            part = await self.stream.read_bytes(part_bytes)
            if not is_kept:
                self._thrown_bytes += part_bytes
                self._check_thrown()
            else:
                parts.append(part)
                if not read_bytes:
                    self._hold(self._held_bytes + part_bytes)
            read_bytes += part_bytes
        return b"".join(parts)

    def _handle_message(self, opcode: int, data: bytes) -> asyncio.Future[None] | None:
        size_bytes = self._thrown_bytes + len(data)
        if size_bytes > self._limit_bytes:
            self.close(TOO_LARGE, f"message of {size_bytes} bytes, limit {self._limit_bytes}")
            self._thrown_bytes = 0
            return None
        return super()._handle_message(opcode, data)

    def _check_thrown(self) -> None:
        """Throw away at most as much again as a message may have.

        Raises:
            StreamClosedError: More came.
        """
        if self._thrown_bytes > 2 * self._limit_bytes:
            self.close(TOO_LARGE, f"message of more than {self._limit_bytes} bytes, the limit")
            raise tornado.iostream.StreamClosedError

    def _hold(self, size_bytes: int) -> None:
        """So much is held of the message that is being read.

        Raises:
            StreamClosedError: It is too much for the server; the page is closed.
        """
        change_bytes = size_bytes - self._held_bytes
        self._held_bytes = size_bytes
        if not change_bytes:
            return
        if problem := self._pacer.hold(self._client, size_bytes, change_bytes):
            self.close(TRY_LATER, problem)
            raise tornado.iostream.StreamClosedError

    @functools.cached_property
    def _client(self) -> Client:
        """Whom it is counted for."""
        return self._find_client()
