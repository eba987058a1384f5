"""`/_kernels`: the state of each kernel, live, with buttons to interrupt, restart and stop it.

Theory of operation: the page is a template and shows what its websocket says: `kernels` once a
second and after each command, while somebody looks. Commands come over that websocket only, whose
`Origin` is checked: no link and no form of another site can send one. The page, its websocket and
the same as JSON are for requests that have the right to administer the server (`access`).
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
import tornado.web
import tornado.websocket

from .._version import __version__
from ..errors import RemoteProtocolError
from ..protocol import text
from . import hosts, pace
from .handlers import Headers, wants_page
from .page import PageHandler
from .templates import PACKAGED

if TYPE_CHECKING:
    from .app import Front

log = logging.getLogger("databench.front")

PATH = "/_kernels"
_MESSAGE_BYTES = 65536
_TICK_S = 1.0
_REFUSAL = "This page shows and ends the kernels of all visitors, so it is for the administrator. "


def describe(front: Front) -> list[dict[str, Any]]:
    """The broker's kernels, each with the address of its page."""
    single = front.index.single
    return [
        {**kernel, "address": "/" if single else f"/{quote(kernel['analysis'])}/"}
        for kernel in front.broker.kernels()
    ]


class KernelPage(PageHandler):
    """The page, or its content as JSON."""

    async def get(self) -> None:
        """Show it."""
        front = self.application
        self.set_header("Vary", "Accept")
        is_page = wants_page(self.request.headers.get("Accept", ""))
        if not self.may_administer:
            self._refuse(is_page)
        elif is_page:
            await self._show_page()
        else:
            self.set_header("Cache-Control", "no-store")
            self.finish({"version": __version__, "kernels": describe(front)})

    head = get

    async def _show_page(self) -> None:
        plan, index = self.plan("", PATH), self.application.index
        if not await self.send_kept(plan):
            names = {"title": "Kernels", "site_title": index.title, "version": index.version}
            file = str(PACKAGED / "kernels.html")
            await self.show(file, {**names, "author": index.author}, plan)

    def _refuse(self, is_page: bool) -> None:
        access = self.application.access
        if is_page:
            self.refuse(403, _REFUSAL + access.how, title="Kernels")
            return
        self.set_status(403)
        # By the project `databench kernels` finds the token that is kept for it.
        self.finish({"message": _REFUSAL + access.how, "project": access.project})


class Lookers:
    """The pages that look at the kernels, told once a second by one timer.

    Args:
        front: Whose kernels these are.
    """

    def __init__(self, front: Front) -> None:
        self.sockets: set[KernelSocket] = set()
        self._front = front
        self._timer: asyncio.TimerHandle | None = None

    def add(self, socket: KernelSocket) -> None:
        """One more looks."""
        self.sockets.add(socket)
        if self._timer is None:
            self._set_timer()

    def discard(self, socket: KernelSocket) -> None:
        """One looks no more."""
        self.sockets.discard(socket)

    def tell(self) -> None:
        """Tell each what there is now."""
        frame = text.compose_value("kernels", describe(self._front))
        for socket in list(self.sockets):
            socket.show(frame)

    def close_all(self, code: int, reason: str) -> None:
        """Close each, and stop the timer."""
        for socket in list(self.sockets):
            socket.close(code, reason)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_TICK_S, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self.sockets:
            self._set_timer()
            self.tell()


class KernelSocket(Headers, pace.Paced):
    """One page that looks."""

    application: Front

    def initialize(self) -> None:
        """Nothing was written."""
        self._written: asyncio.Future[None] | None = None
        self._shown: asyncio.Future[None] | None = None

    def prepare(self) -> None:
        """Refuse where there is no such page, and pages of other servers."""
        if not self.may_administer:
            raise tornado.web.HTTPError(403, _REFUSAL + self.application.access.how)
        if not hosts.matches_origin(self.request.headers.get("Origin"), self.request.host):
            raise tornado.web.HTTPError(403, "the page's origin is not this server")

    @property
    def message_bytes(self) -> int:
        """Nothing of use is longer."""
        return _MESSAGE_BYTES

    def on_message(self, message: str | bytes) -> None:
        """A page joins, or asks for something."""
        try:
            said = text.parse_page(message)
        except RemoteProtocolError as error:
            self.tell(text.compose_value("error", str(error)))
            return
        if isinstance(said, text.Connect):
            self._join()
        elif isinstance(said, text.Request):
            self._command(said)

    def tell(self, frame: bytes) -> None:
        """Write a frame, if the page is still there."""
        try:
            self._written = self.write_message(frame)
        except tornado.websocket.WebSocketClosedError:
            pass

    def show(self, frame: bytes) -> None:
        """Write what there is now; a page that has not taken what was before it waits."""
        if self._shown is None or self._shown.done():
            self.tell(frame)
            self._shown = self._written

    def on_close(self) -> None:
        """The page is gone."""
        self.application.lookers.discard(self)

    def _join(self) -> None:
        answer = text.compose_connect(
            "",
            backend_version=__version__,
            analyses_version=None,
            resumed=False,
            at=0,
            epoch=self.application.followers.epoch,
        )
        front = self.application
        self.tell(answer)
        self.tell(text.compose_value("kernels", describe(front)))
        front.lookers.add(self)

    def _command(self, said: text.Request) -> None:
        front = self.application
        try:
            kernel = str(msgspec.json.decode(said.payload)["kernel"])
        except (msgspec.MsgspecError, LookupError, TypeError):
            problem = f"{said.action!r:.60} names no kernel; nothing done"
        else:
            problem = front.broker.command_kernel(kernel, said.action)
            log.info("kernel page: %.60s %.60s: %s", said.action, kernel, problem or "done")
        if problem:
            self.tell(text.compose_value("error", problem))
        front.lookers.tell()
