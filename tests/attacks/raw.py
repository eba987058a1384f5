"""A stranger's end of a connection: bytes as they are, well formed or not.

Nothing here is polite: frames can be cut, unmasked, endless or junk, and no client has to read.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import struct

LIMIT_S = 60
_ZERO_MASK = bytes(4)  # a mask that leaves the payload as it is (RFC 6455 section 5.3)

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class ClosedError(Exception):
    """The server closed the connection; `code` is the websocket's, or `None` without one."""

    def __init__(self, code: int | None = None, reason: str = "") -> None:
        super().__init__(f"closed: {code} {reason}")
        self.code = code


def frame(payload: bytes | str, opcode: int = TEXT, *, fin: bool = True) -> bytes:
    """One websocket frame of a browser."""
    body = payload.encode() if isinstance(payload, str) else payload
    first, size = (0x80 if fin else 0) | opcode, len(body)
    if size < 126:
        head = struct.pack("!BB", first, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, size)
    return head + _ZERO_MASK + body


class Socket:
    """A websocket, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self.session = ""
        self._number = 0

    @classmethod
    async def open(cls, address: str, name: str, **headers: str) -> Socket:
        """Do the handshake.

        Raises:
            ClosedError: It was refused.
        """
        host, _, port = address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=2**26)
        fields = {
            "Host": address,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version": "13",
            **headers,
        }
        lines = [f"GET /{name}/ws HTTP/1.1", *(f"{key}: {value}" for key, value in fields.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), LIMIT_S)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            raise ClosedError from None
        if b" 101 " not in head.partition(b"\r\n")[0]:
            writer.close()
            raise ClosedError(int(head.split()[1]))
        return cls(reader, writer)

    @classmethod
    async def join(
        cls, address: str, name: str, session: str | None = None, *, args: str = ""
    ) -> Socket:
        """Open one that sends `__connect` and has its answer."""
        socket = await cls.open(address, name)
        await socket.send({"__connect": session, "__request_args": args, "__received": 0})
        answer = await socket.wait(lambda message: message["signal"] == "__connect")
        socket.session = answer["load"]["analysis_id"]
        return socket

    async def send(self, message: object) -> None:
        """Send a message as JSON."""
        await self.send_bytes(frame(json.dumps(message)))

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes, whatever they are.

        Raises:
            ClosedError: The server has closed the connection.
        """
        try:
            self.writer.write(data)
            await asyncio.wait_for(self.writer.drain(), LIMIT_S)
        except ConnectionError:
            raise ClosedError from None

    async def read_frame(self) -> tuple[int, bytes]:
        """Opcode and payload of the next frame.

        Raises:
            ClosedError: There is none.
        """
        try:
            first, size = await self._reader.readexactly(2)
            if size == 126:
                (size,) = struct.unpack("!H", await self._reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self._reader.readexactly(8))
            payload = await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise ClosedError from None
        if first & 15 == CLOSE:
            code = struct.unpack("!H", payload[:2])[0] if len(payload) > 1 else None
            raise ClosedError(code, payload[2:].decode(errors="replace"))
        return first & 15, payload

    async def read(self) -> dict:
        """The next message, parsed; pings are answered."""
        while True:
            opcode, payload = await asyncio.wait_for(self.read_frame(), LIMIT_S)
            if opcode == PING:
                await self.send_bytes(frame(payload, PONG))
            elif opcode == TEXT:
                return json.loads(payload)

    async def wait(self, is_it) -> dict:
        """The next message that satisfies the condition."""
        while not is_it(message := await self.read()):
            pass
        return message

    async def run(self, action: str, **load: object) -> dict:
        """Run an action; its end."""
        self._number += 1
        number = self._number + 10**6
        await self.send({"signal": action, "load": {**load, "__process_id": number}})
        answer = await self.wait(
            lambda m: (
                m["signal"] == "__process"
                and m["load"]["id"] == number
                and m["load"]["status"] == "end"
            )
        )
        return answer["load"]

    async def close(self) -> None:
        """Cut the connection."""
        self.writer.transport.abort()
        # Two turns: the transport calls its protocol back, which ends the writer.
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def request(
    address: str, path: str, *, method: str = "GET", body: bytes = b"", **headers
) -> tuple[int, bytes]:
    """One HTTP request on a new connection: the status and the body; status 0: cut."""
    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    fields = {"Host": address, "Connection": "close", **headers}
    if body:
        fields["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{key}: {value}" for key, value in fields.items())]
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        answer = await asyncio.wait_for(reader.read(), LIMIT_S)
    except ConnectionError:
        return 0, b""
    finally:
        writer.transport.abort()
    head, _, rest = answer.partition(b"\r\n\r\n")
    return (int(head.split()[1]), rest) if head else (0, b"")
