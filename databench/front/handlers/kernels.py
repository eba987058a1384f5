"""`/_kernels`: the state of each kernel, live, with buttons to interrupt, restart and stop it.

Theory of operation: the page is a template and shows what its websocket sends: `kernels` once a
second and after each command, while a page is open. Commands come only over that websocket, whose
`Origin` is checked: no link and no form of another site can send one. The page, its websocket and
the same as JSON are for requests that have the right to administer the server (`security.access`).
"""

from __future__ import annotations

import logging

import msgspec
import tornado.web

from ..._version import __version__
from ...errors import RemoteProtocolError
from ...protocol import text
from ..basehandler import wants_page
from ..content.templates import PACKAGED
from ..websockets.basesocket import OwnSocket
from .basepage import PageHandler

log = logging.getLogger("databench.front")

PATH = "/_kernels"
_REFUSAL = "This page shows and ends the kernels of all visitors, so it is for the administrator. "


class KernelPage(PageHandler):
    """The page, or its content as JSON."""

    async def get(self) -> None:
        """Show it."""
        self.set_header("Vary", "Accept")
        is_page = wants_page(self.request.headers.get("Accept", ""))
        if not self.may_administer:
            self._refuse(is_page)
        elif is_page:
            await self._show_page()
        else:
            self.set_header("Cache-Control", "no-store")
            self.finish({"version": __version__, "kernels": self.context.describe_kernels()})

    head = get

    async def _show_page(self) -> None:
        plan, index = self.plan("", PATH), self.context.index
        if not await self.send_kept(plan):
            names = {"title": "Kernels", "site_title": index.title, "version": index.version}
            file = str(PACKAGED / "kernels.html")
            await self.show(file, {**names, "author": index.author}, plan)

    def _refuse(self, is_page: bool) -> None:
        access = self.context.access
        if is_page:
            self.refuse(403, _REFUSAL + access.how, title="Kernels")
            return
        self.set_status(403)
        # By the project `databench kernels` finds the token that is kept for it.
        self.finish({"message": _REFUSAL + access.how, "project": access.project})


class KernelSocket(OwnSocket):
    """One page that looks."""

    def prepare(self) -> None:
        """Refuse without the right, and pages of other servers."""
        if not self.may_administer:
            raise tornado.web.HTTPError(403, _REFUSAL + self.context.access.how)
        super().prepare()

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

    def on_close(self) -> None:
        """The page is gone."""
        self.context.lookers.discard(self)

    def _join(self) -> None:
        self.answer_join()
        self.tell(self.context.lookers.compose())
        self.context.lookers.add(self)

    def _command(self, said: text.Request) -> None:
        context = self.context
        try:
            kernel = str(msgspec.json.decode(said.payload)["kernel"])
        except (msgspec.MsgspecError, LookupError, TypeError):
            problem = f"{said.action!r:.60} names no kernel; nothing done"
        else:
            problem = context.broker.command_kernel(kernel, said.action)
            log.info("kernel page: %.60s %.60s: %s", said.action, kernel, problem or "done")
        if problem:
            self.tell(text.compose_value("error", problem))
        context.lookers.sweep()
