"""`/_reload`: for pages without an analysis, such as the gallery, which follow what is saved.

The websocket speaks the front's words, of which it needs two: `__connect` and `__reload`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

import tornado.web
import tornado.websocket

from ..._version import __version__
from ...errors import RemoteProtocolError
from ...protocol import text
from .. import hosts, pace
from ..handlers import Headers

if TYPE_CHECKING:
    from ..app import Front

PATH = "/_reload"
_MESSAGE_BYTES = 65536


def make_script(saves: int) -> str:
    """What makes a page follow; it was made when this was the count of saves."""
    return (
        f'<meta name="databench-saves" content="{saves}">'
        '<script src="/_static/databench.js"></script><script>Databench.follow();</script>'
    )


class Saves:
    """What was saved since the server began, so that a page hears of what it was too late for.

    A page is made with the count of saves and says it when it joins: what was announced between is
    told to it alone.
    """

    def __init__(self) -> None:
        # Higher than every count of a server before this one, whose pages are still open.
        self.count = time.time_ns() // 1_000_000
        self._last: dict[str, int] = {}

    def add(self, paths: Collection[str]) -> bytes:
        """Something at these paths was saved; the frame that tells it."""
        self.count += 1
        self._last.update(dict.fromkeys(paths, self.count))
        return text.compose_reload(sorted(paths), self.count)

    def find_missed(self, count: int | None) -> bytes | None:
        """What was saved since a page was made with this count; `None`: nothing."""
        paths = () if count is None else [p for p, last in self._last.items() if last > count]
        return text.compose_reload(sorted(paths), self.count, missed=True) if paths else None


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


class FollowSocket(Headers, pace.Paced):
    """One page."""

    application: Front
    _is_answered = False

    def prepare(self) -> None:
        """Refuse a page of another server, and all where nothing is watched."""
        if not self.application.is_watched:
            raise tornado.web.HTTPError(404, "this server does not watch files")
        if not hosts.matches_origin(self.request.headers.get("Origin"), self.request.host):
            raise tornado.web.HTTPError(403, "the page's origin is not this server")

    @property
    def message_bytes(self) -> int:
        """Nothing of use is longer."""
        return _MESSAGE_BYTES

    def open(self) -> None:
        """The handshake is done."""
        self.application.followers.sockets.add(self)

    def on_message(self, message: str | bytes) -> None:
        """Whatever a page says first, it is answered as if it had joined; nothing after it is.

        Answers to all, to a page that reads none, would fill the memory.
        """
        if self._is_answered:
            return
        self._is_answered = True
        try:
            said = text.parse_page(message)
        except RemoteProtocolError:
            said = None
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
        missed = self.application.saves.find_missed(getattr(said, "saves", None))
        if missed is not None:
            self.tell(missed)

    def tell(self, frame: bytes) -> None:
        """Write a frame, if the page is still there."""
        try:
            self.write_message(frame)
        except tornado.websocket.WebSocketClosedError:
            pass

    def on_close(self) -> None:
        """The page is gone."""
        self.application.followers.sockets.discard(self)
