"""The front: one Tornado application of pages, files and websockets, over one broker."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
import re
import time
from pathlib import Path
from typing import Any, Protocol

import tornado.httputil
import tornado.ioloop
import tornado.routing
import tornado.web
import tornado.websocket

from .. import http
from ..broker import Broker
from ..config import Entry, Index
from ..settings import Settings
from . import (
    bodies,
    cookies,
    kernels,
    links,
    pace,
    script,
    watched,
    websocket,
)
from .access import Access
from .authored import Authored
from .earlier import Runs
from .folders import Place
from .handlers import Exchange, Headers, NotFound, Refused, find_own_headers
from .hosts import Hosts, tell_unknown
from .kept import Kept
from .readmes import Readmes
from .reload import build, livereload
from .routes import Routes
from .static import pattern_of
from .templates import Loader
from .visitors import Visitors, make_key

log = logging.getLogger("databench.front")

_WARM_UP_S = 0.5  # after the first page, which needs none of it
# The same wherever an analysis' page is: a script's page at `/` leaves them alone.
_SHARED = r"/(favicon\.ico|_.+|node_modules/.*|status(/.*)?)"
_ACTIONS_PART = 0.75  # of the time to drain: the rest is for kernels that do not end by themselves


class Routing(Protocol):
    """Which handler answers which address (`rules`, which knows the handlers, as this does not)."""

    def find_rules(self, front: Front) -> list[Any]:
        """As `tornado.web.Application` takes them, in their order."""

    def log_request(self, handler: tornado.web.RequestHandler) -> None:
        """Log a request that was answered."""


class Front(http.Application):
    """The application.

    Args:
        index: What to serve.
        broker: Runs the analyses; started and stopped with the application.
        limits: The settings in force.
        routing: Its handlers.
        hosts: The names that it answers to.
        debug: Whether this is development: what is saved shows at once.
        access: Who may administer the server; nobody by default.
        extra_routes: Further handlers of a script whose page is at `/`.
        place: Where the analyses are, for their `routes.py`; `None`: none is looked for.
        visitors: Knows browsers again; `None`: by words of this run alone.
        runs: Keeps over restarts which files analyses wrote; `None`: nothing does.
    """

    must_start = True
    one_process = (
        "the front is one process, because it holds every session; analyses run in other processes"
    )

    def __init__(
        self,
        index: Index,
        broker: Broker,
        limits: Settings,
        routing: Routing,
        *,
        hosts: Hosts,
        debug: bool = False,
        access: Access | None = None,
        extra_routes: script.Routes = (),
        place: Place | None = None,
        visitors: Visitors | None = None,
        runs: Runs | None = None,
    ) -> None:
        self.index = index
        self.visitors = visitors or Visitors(
            make_key(), port=0, project=cookies.find_project(index.folder)
        )
        self.links = links.Links(self.visitors, limits, self._has_session)
        self.broker, self.limits, self.hosts = broker, limits, hosts
        self.debug, self.place = debug, place
        self.access = access or Access()
        self.authored = Authored(limits.project_files, takes_new=debug, runs=runs)
        self.loader = Loader(index.folder, self.authored, follows_saves=debug)
        check_s = 0.0 if debug else limits.kept_check_s  # who saves a file looks at once
        self.kept = Kept(limits.kept_bytes, check_s, time.monotonic)
        self.watch, self.pacer = watched.PageWatch(limits), pace.Pacer(limits, broker.budget)
        self.hold_body = functools.partial(bodies.hold, broker.budget)  # asked by `http.Server`
        self.is_watched = False  # whether saves reload pages: then they follow them
        self.followers, self.saves = livereload.Followers(), livereload.Saves()
        self.offered: dict[str, tuple[str, ...]] = {}  # by analysis: what its page last offered
        self.lookers, self.routes = kernels.Lookers(self), Routes(self)
        self.builder = build.Builder(limits, around=self.authored.building)
        self.authored.learn(_find_folders(index))
        if index.single is not None:
            self.routes.add(index.single, extra_routes)
        wanted = {"default_handler_class": NotFound, "log_function": routing.log_request}
        super().__init__(routing.find_rules(self), **wanted)
        self._is_started = False
        self.on_start_callbacks.append(Front._start_broker)
        self.on_shutdown_callbacks.append(_stop_watch)

    @functools.cached_property
    def readmes(self) -> Readmes:
        """Makes readmes into HTML for pages."""
        return Readmes(self.limits)

    async def drain(self, limit_s: float) -> None:
        """Let actions end, then end kernels; pages are still there and hear of it."""
        await self.builder.stop()
        if self._is_started:
            began_s = time.monotonic()
            await self.broker.wind_down(limit_s * _ACTIONS_PART)
            await self.broker.stop(limit_s - (time.monotonic() - began_s))
            await self.authored.close()

    async def _start_broker(self, io_loop: tornado.ioloop.IOLoop) -> None:
        self._load_routes()  # on the loop, where what they begin is to run
        self.authored.open()
        await self.broker.start()
        self._is_started = True
        asyncio.get_running_loop().call_later(_WARM_UP_S, self.readmes.warm_up, self.index)

    def _has_session(self, analysis: str, session: str) -> bool:
        return self.broker.has_session(analysis, session)

    def swap(self, index: Index) -> None:
        """Serve what another `index.yaml` says; of one that cannot be read, the problems show."""
        if not index.is_read:
            index = dataclasses.replace(self.index, problems=index.problems)
        if index.settings != self.index.settings:
            log.warning("index.yaml: settings have changed; restart Databench to apply them")
        before, now = build.plan(self.index), build.plan(index)
        self.index = index
        self.authored.learn_new(_find_folders(index))
        self._load_routes()
        self.builder.forget(now)
        self.builder.begin(index, [name for name in now if before.get(name) != now[name]])

    def _load_routes(self) -> None:
        if self.place is not None:
            self.routes.load(self.index, self.place)

    def find_faults(self, name: str) -> list[str]:
        """What is wrong around an analysis that is served all the same; "": with the project."""
        of_project = self.builder.faults.get(build.PROJECT, ())
        of_analysis = self.builder.faults.get(name, ()) if name else ()
        return [*self.routes.problems(name), *of_analysis, *of_project]

    def entry(self, name: str) -> Entry:
        """The analysis of that name.

        Raises:
            HTTPError: 404, there is none.
        """
        entry = self.index.entries.get(name)
        if entry is None:
            raise tornado.web.HTTPError(404, f"there is no analysis {name!r:.200}")
        return entry

    def find_refusal_headers(self, *, is_secure: bool) -> dict[str, str]:
        """What an answer that no handler makes says to browsers.

        Args:
            is_secure: Whether the browser is connected over TLS.
        """
        return find_own_headers(self, is_secure=is_secure, has_scripts=False)

    def find_handler(self, request: tornado.httputil.HTTPServerRequest, **kwargs: Any) -> Any:
        """Refuse a foreign `Host` before any route is looked at."""
        if not self.hosts.is_allowed(request.host):
            return self.get_handler_delegate(request, Refused, {"text": tell_unknown(request.host)})
        if self.access.brings_token(request):
            return self.get_handler_delegate(request, Exchange)
        if self.index.single is not None and not self._is_shared(request.path):
            request.path = f"/{self.index.single}{request.path}"
        return super().find_handler(request, **kwargs)

    def get_handler_delegate(
        self,
        request: tornado.httputil.HTTPServerRequest,
        target_class: type[tornado.web.RequestHandler],
        target_kwargs: dict[str, Any] | None = None,
        path_args: list[bytes] | None = None,
        path_kwargs: dict[str, bytes] | None = None,
    ) -> tornado.web._HandlerDelegate:
        """Refuse a body at the headers that nobody would look at."""
        refusal = self._find_body_refusal(request, target_class)
        if refusal is None:
            rest = (target_kwargs, path_args, path_kwargs)
            return super().get_handler_delegate(request, target_class, *rest)
        status, text = refusal
        return super().get_handler_delegate(request, Refused, {"text": text, "status": status})

    def _find_body_refusal(
        self, request: tornado.httputil.HTTPServerRequest, target: type[tornado.web.RequestHandler]
    ) -> tuple[int, str] | None:
        body = bodies.find_body(request.headers)
        # Whoever reads a body as it comes has limits of their own (the mark that Tornado makes).
        if body is None or getattr(target, "_stream_request_body", False):
            return None
        method = request.method or ""
        own = getattr(target, method.lower(), None)
        form_bytes = self.limits.form_bytes
        if body.is_form and body.size_bytes is None:
            request.connection.set_max_body_size(form_bytes)  # type: ignore[union-attr]
        return bodies.find_refusal(
            body,
            method,
            is_allowed=own is not getattr(tornado.web.RequestHandler, method.lower(), None),
            is_read=not issubclass(target, Headers) or method not in ("GET", "HEAD"),
            limit_bytes=self.limits.page_message_bytes,
            form_bytes=form_bytes,
        )

    def _is_shared(self, path: str) -> bool:
        """Whether this address is the same, wherever an analysis' page is."""
        if path in ("/", "/ws"):
            return False  # the page, whatever a pattern says
        patterns = [_SHARED, *(pattern_of(pattern) for pattern, _ in self.index.static)]
        return any(re.fullmatch(pattern, path) for pattern in patterns)


def _find_folders(index: Index) -> list[Path]:
    """Where templates of a project may be."""
    entries = index.entries.values()
    of_functions = [entry.functions.templates for entry in entries if entry.functions]
    return [index.folder, *(entry.folder for entry in entries), *of_functions]


def _stop_watch(front: Front) -> None:
    front.watch.close_all(websocket.GOING_AWAY, "the server stops")
    front.followers.close_all(websocket.GOING_AWAY, "the server stops")
    front.lookers.close_all(websocket.GOING_AWAY, "the server stops")
