"""Which handler answers which address, and the log line of each request.

Owns the order of the rules, which keeps pages safe from the patterns of a project.
"""

from __future__ import annotations

import logging
from typing import Any

import tornado.httputil
import tornado.routing
import tornado.web
import tornado.websocket

from .basehandler import Headers
from .content import addresses
from .context import ContextApplication, FrontContext
from .handlers import kernels, pages, status
from .handlers.basepage import PageHandler
from .handlers.routes import Routes, first_word
from .handlers.static import Files, OwnFolders
from .security.access import hide_token
from .websockets import livereload, pagesocket

log = logging.getLogger("databench.front")

_NAME = "([A-Za-z0-9][A-Za-z0-9_-]*)"


class OfAnalysis(tornado.routing.PathMatches):
    """Paths that begin with the name of an analysis that there is."""

    def __init__(self, context: FrontContext, rest: str) -> None:
        super().__init__(f"/{_NAME}{rest}")
        self._context = context

    def match(self, request: tornado.httputil.HTTPServerRequest) -> dict[str, Any] | None:
        """The handler's arguments; `None`: it is another handler's address."""
        if first_word(request.path) not in self._context.index.entries:
            return None
        return super().match(request)


def find_rules(application: ContextApplication, routes: Routes) -> list[Any]:
    """As `tornado.web.Application` takes them.

    Routes take the analysis' name from the address: a changed index needs no new ones. The order is
    what keeps pages safe from patterns of `static:` and from those of `routes.py`.

    Args:
        application: Serves the handlers.
        routes: Of the analyses' own.
    """
    context = application.context
    roots = addresses.static_roots(context.index)
    rule = tornado.routing.Rule
    return [
        (r"/", pages.Gallery, {}),
        # No analysis has a name of those that follow: its page and its websocket come first.
        rule(OfAnalysis(context, "/"), pages.AnalysisPage),
        rule(OfAnalysis(context, "/ws"), pagesocket.PageSocket),
        (r"/status", status.Status, {}),
        (r"/status/live", status.Live, {}),
        (r"/(favicon\.ico)", Files, {"roots": roots["_static"]}),
        (r"/_static/(.+)", Files, {"roots": roots["_static"]}),
        (livereload.PATH, livereload.FollowSocket, {}),
        (kernels.PATH, kernels.KernelPage, {}),
        (f"{kernels.PATH}/ws", kernels.KernelSocket, {}),
        rule(OfAnalysis(context, ""), pages.AnalysisRedirect),
        rule(OfAnalysis(context, r"/([^/]+\.html)"), pages.AnalysisPage),
        rule(tornado.routing.AnyMatches(), OwnFolders(application)),
        (rf"/static/({addresses.OLD})", Files, {"roots": (*roots["static"], *roots["_static"])}),
        (r"/static/(.+)", Files, {"roots": roots["static"]}),
        (r"/node_modules/(.+)", Files, {"roots": roots["node_modules"]}),
        (rf"/{_NAME}", pages.AnalysisRedirect, {}),
        (rf"/{_NAME}/", pages.AnalysisPage, {}),
        (rf"/{_NAME}/ws", pagesocket.PageSocket, {}),
        (rf"/{_NAME}/static/(.+)", pages.AnalysisStatic, {}),
        (rf"/{_NAME}/(.+\.html)", pages.AnalysisPage, {}),
        (rf"/{_NAME}/(analysis\.(?:js|css))", pages.AnalysisFile, {}),
        rule(tornado.routing.AnyMatches(), routes),
        (rf"/{_NAME}/(.+)", pages.AnalysisFile, {}),
    ]


def log_request(handler: tornado.web.RequestHandler) -> None:
    """Pages at INFO, files and websockets at DEBUG, refusals at WARNING, faults at ERROR.

    A line of an error has the id that the answer has.
    """
    code = handler.get_status()
    is_page = isinstance(handler, PageHandler)  # which may be a file that is sent as it is
    is_file = isinstance(handler, Files | tornado.websocket.WebSocketHandler)
    level = logging.DEBUG if is_file and not is_page else logging.INFO
    level = logging.ERROR if code >= 500 else logging.WARNING if code >= 400 else level
    if isinstance(handler, status.Status | status.Live):
        level = logging.DEBUG  # asked every few seconds, also while it is not ready
    if not log.isEnabledFor(level):
        return
    request = handler.request
    uri = hide_token(request)
    took_ms = 1000 * request.request_time()
    id_ = ""
    if code >= 400 and isinstance(handler, Headers):
        id_ = f" (request {handler.request_id})"
    log.log(level, "%s %.500s %d %.1f ms%s", request.method, uri, code, took_ms, id_)
