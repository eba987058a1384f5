"""`/_reload`: for pages without an analysis, such as the gallery, which reload after a save.

The websocket uses two of the front's messages: `__connect` and `__reload`.
"""

from __future__ import annotations

import tornado.web

from ...errors import RemoteProtocolError
from ...protocol import text
from .basesocket import OwnSocket

PATH = "/_reload"


def make_script(saves: int) -> str:
    """The tags that make a page follow saves, after this count of them."""
    return (
        f'<meta name="databench-saves" content="{saves}">'
        '<script src="/_static/databench.js"></script><script>Databench.follow();</script>'
    )


class FollowSocket(OwnSocket):
    """One page."""

    _is_answered = False

    def prepare(self) -> None:
        """Refuse a page of another server, and all pages if no files are watched."""
        if not self.context.is_watched:
            raise tornado.web.HTTPError(404, "this server does not watch files")
        super().prepare()

    def open(self) -> None:
        """The handshake is done."""
        self.context.followers.add(self)

    def on_message(self, message: str | bytes) -> None:
        """The page's first frame, of any content, is answered like a join; later frames are not.

        Answers to all, to a page that reads none, would fill the memory.
        """
        if self._is_answered:
            return
        self._is_answered = True
        try:
            said = text.parse_page(message)
        except RemoteProtocolError:
            said = None
        self.answer_join()
        missed = self.context.saves.find_missed(getattr(said, "saves", None))
        if missed is not None:
            self.tell(missed)

    def on_close(self) -> None:
        """The page is gone."""
        self.context.followers.discard(self)
