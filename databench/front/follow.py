"""`/_reload`: for pages without an analysis, such as the gallery, which follow what is saved.

The websocket speaks the front's words, of which it needs two: `__connect` and `__reload`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import tornado.web
import tornado.websocket

from .._version import __version__
from ..protocol import text
from . import hosts
from .handlers import Headers

if TYPE_CHECKING:
    from .app import Front

PATH = "/_reload"
SCRIPT = '<script src="/_static/databench.js"></script><script>Databench.follow();</script>'
_MESSAGE_BYTES = 65536


class Followers:
    """The open ones."""

    def __init__(self) -> None:
        self.sockets: set[FollowSocket] = set()
        self.epoch = secrets.token_urlsafe(6)

    def announce(self, frame: bytes) -> None:
        """Write a frame to each."""
        for socket in list(self.sockets):
            socket.tell(frame)

    def close_all(self, code: int, reason: str) -> None:
        """Close each."""
        for socket in list(self.sockets):
            socket.close(code, reason)


class FollowSocket(Headers, tornado.websocket.WebSocketHandler):
    """One page."""

    application: Front

    def prepare(self) -> None:
        """Refuse a page of another server, and all where nothing is watched."""
        if not self.application.is_watched:
            raise tornado.web.HTTPError(404, "nothing is watched here")
        if not hosts.matches_origin(self.request.headers.get("Origin"), self.request.host):
            raise tornado.web.HTTPError(403, "the page's origin is none of this server")

    @property
    def max_message_size(self) -> int:
        """Nothing of use is longer."""
        return _MESSAGE_BYTES

    def open(self) -> None:
        """The handshake is done."""
        self.application.followers.sockets.add(self)

    def on_message(self, message: str | bytes) -> None:
        """Whatever a page says, it is answered as if it had joined."""
        self.tell(
            text.compose_connect(
                "",
                backend_version=__version__,
                analyses_version=None,
                resumed=False,
                at=0,
                epoch=self.application.followers.epoch,
            )
        )

    def tell(self, frame: bytes) -> None:
        """Write a frame, if the page is still there."""
        try:
            self.write_message(frame)
        except tornado.websocket.WebSocketClosedError:
            pass

    def on_close(self) -> None:
        """The page is gone."""
        self.application.followers.sockets.discard(self)
