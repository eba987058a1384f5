"""The base of the front's websockets: all are read in turns, some have no session.

Owns the part of Tornado's handler; each handler has its own messages.
"""

from __future__ import annotations

import asyncio

import tornado.web
import tornado.websocket

from ..._version import __version__
from ...protocol import text
from ...protocol.clients import Client, make_client
from ..basehandler import Headers
from ..security import hosts
from .pace import PacedProtocol

_MESSAGE_BYTES = 65536


class PacedSocket(Headers, tornado.websocket.WebSocketHandler):
    """A websocket that is read in turns."""

    @property
    def message_bytes(self) -> int:
        """The largest message."""
        limit: int = self.context.limits.page_message_bytes
        return limit

    @property
    def max_message_size(self) -> int:
        """What Tornado takes of one frame: twice as much, since ours is refused with its code.

        Tornado drops the connection with the message unread, which the page sees as 1006.
        """
        return 2 * self.message_bytes

    def get_websocket_protocol(self) -> PacedProtocol | None:
        """Ours, instead of Tornado's."""
        made = super().get_websocket_protocol()
        if made is None:
            return None
        assert isinstance(made, tornado.websocket.WebSocketProtocol13)
        pacer, limit_bytes = self.context.pacer, self.message_bytes
        return PacedProtocol(self, made.params, pacer, limit_bytes, self._find_client)

    @property
    def address(self) -> str:
        """The visitor's; with --xheaders the forwarded one."""
        return self.request.remote_ip or ""

    def _find_client(self) -> Client:
        return make_client(self.address, self.context.visitors.find(self))


class OwnSocket(PacedSocket):
    """A websocket of the server's own pages, which speak the front's words without a session."""

    def initialize(self) -> None:
        """Nothing was written."""
        self._written: asyncio.Future[None] | None = None
        self._shown: asyncio.Future[None] | None = None

    @property
    def message_bytes(self) -> int:
        """Nothing of use is longer."""
        return _MESSAGE_BYTES

    def prepare(self) -> None:
        """Refuse a page of another server."""
        if not hosts.matches_origin(self.request.headers.get("Origin"), self.request.host):
            raise tornado.web.HTTPError(403, "the page's origin is not this server")

    def tell(self, frame: bytes) -> None:
        """Write a frame, if the page is still there."""
        try:
            self._written = self.write_message(frame)
        except tornado.websocket.WebSocketClosedError:
            pass

    def show(self, frame: bytes) -> None:
        """Write the present state; a page that has not taken the previous one waits."""
        if self._shown is None or self._shown.done():
            self.tell(frame)
            self._shown = self._written

    def answer_join(self) -> None:
        """Answer as a session would that has just begun: the page counts from here."""
        answer = text.compose_connect(
            "",
            backend_version=__version__,
            analyses_version=None,
            resumed=False,
            at=0,
            epoch=self.context.epoch,
        )
        self.tell(answer)
