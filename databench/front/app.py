"""The front: one Tornado application of pages, files and websockets, over one broker.

Owns what happens to a request before its handler (its `Host`, its body), and how the application
starts, takes another `index.yaml`, and ends.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tornado.httputil
import tornado.ioloop
import tornado.web

from ..closecodes import GOING_AWAY, SERVER_STOPS
from ..config import Index
from . import bodies, rules
from .basehandler import Exchange, Headers, NotFound, Refused, find_own_headers
from .context import ContextApplication, FrontContext
from .folders import Place
from .handlers.routes import Routes
from .handlers.static import pattern_of
from .reload import build
from .security.hosts import Hosts, tell_unknown

log = logging.getLogger("databench.front")

_WARM_UP_S = 0.5  # after the first page, which does not need it
# The same wherever an analysis' page is: a script's page at `/` leaves them alone.
_SHARED = r"/(favicon\.ico|_.+|node_modules/.*|status(/.*)?)"
_ACTIONS_PART = 0.75  # of the time to drain: the rest is for kernels that do not end by themselves


class Front(ContextApplication):
    """The application.

    Args:
        context: What its handlers share; its broker is started and stopped with the application.
        hosts: The names that it answers to.
        extra_routes: Further handlers of a script whose page is at `/`, as in `ROUTES`.
        place: Where the analyses are, for their `routes.py`; `None`: none is looked for.
    """

    must_start = True
    one_process = (
        "the front is one process, because it holds every session; analyses run in other processes"
    )

    def __init__(
        self,
        context: FrontContext,
        *,
        hosts: Hosts,
        extra_routes: Sequence[Any] = (),
        place: Place | None = None,
    ) -> None:
        self.context, self.hosts, self.place = context, hosts, place
        self.hold_body = functools.partial(bodies.hold, context.broker.budget)  # for `http.Server`
        context.authored.learn(_find_folders(context.index))
        self.routes = Routes(self)
        if context.index.single is not None:
            self.routes.add(context.index.single, extra_routes)
        wanted = {"default_handler_class": NotFound, "log_function": rules.log_request}
        super().__init__(rules.find_rules(self, self.routes), **wanted)
        self._is_started = False
        self.on_start_callbacks.append(Front._start_broker)
        self.on_shutdown_callbacks.append(_close_sockets)

    async def drain(self, limit_s: float) -> None:
        """Let actions end, then end kernels; pages are still connected and learn of it."""
        context = self.context
        await context.builder.stop()
        if self._is_started:
            began_s = time.monotonic()
            await context.broker.wind_down(limit_s * _ACTIONS_PART)
            await context.broker.stop(limit_s - (time.monotonic() - began_s))
            await context.authored.close()

    async def _start_broker(self, io_loop: tornado.ioloop.IOLoop) -> None:
        self._load_routes()  # on the loop, where tasks that they begin have to run
        context = self.context
        context.authored.open()
        await context.broker.start()
        self._is_started = True
        asyncio.get_running_loop().call_later(_WARM_UP_S, context.readmes.warm_up, context.index)

    def swap(self, index: Index) -> None:
        """Serve another `index.yaml`; if it cannot be read, show its problems."""
        context = self.context
        if not index.is_read:
            index = dataclasses.replace(context.index, problems=index.problems)
        if index.settings != context.index.settings:
            log.warning("index.yaml: settings have changed; restart Databench to apply them")
        before, now = build.plan(context.index), build.plan(index)
        context.index = index
        context.authored.learn_new(_find_folders(index))
        self._load_routes()
        context.builder.forget(now)
        context.builder.begin(index, [name for name in now if before.get(name) != now[name]])

    def _load_routes(self) -> None:
        if self.place is not None:
            self.routes.load(self.context.index, self.place)

    def find_refusal_headers(self, *, is_secure: bool) -> dict[str, str]:
        """The headers of an answer that no handler makes.

        Args:
            is_secure: Whether the browser is connected over TLS.
        """
        return find_own_headers(self.context, is_secure=is_secure, has_scripts=False)

    def find_handler(self, request: tornado.httputil.HTTPServerRequest, **kwargs: Any) -> Any:
        """Refuse a foreign `Host` before checking any route."""
        if not self.hosts.is_allowed(request.host):
            return self.get_handler_delegate(request, Refused, {"text": tell_unknown(request.host)})
        if self.context.access.brings_token(request):
            return self.get_handler_delegate(request, Exchange)
        single = self.context.index.single
        if single is not None and not self._is_shared(request.path):
            request.path = f"/{single}{request.path}"
        return super().find_handler(request, **kwargs)

    def get_handler_delegate(
        self,
        request: tornado.httputil.HTTPServerRequest,
        target_class: type[tornado.web.RequestHandler],
        target_kwargs: dict[str, Any] | None = None,
        path_args: list[bytes] | None = None,
        path_kwargs: dict[str, bytes] | None = None,
    ) -> tornado.web._HandlerDelegate:
        """Refuse at the headers a body that no handler would read."""
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
        # A handler that reads a body as it comes has its own limits (the mark that Tornado makes).
        if body is None or getattr(target, "_stream_request_body", False):
            return None
        method = request.method or ""
        own = getattr(target, method.lower(), None)
        form_bytes = self.context.limits.form_bytes
        if body.is_form and body.size_bytes is None:
            request.connection.set_max_body_size(form_bytes)  # type: ignore[union-attr]
        return bodies.find_refusal(
            body,
            method,
            is_allowed=own is not getattr(tornado.web.RequestHandler, method.lower(), None),
            is_read=not issubclass(target, Headers) or method not in ("GET", "HEAD"),
            limit_bytes=self.context.limits.page_message_bytes,
            form_bytes=form_bytes,
        )

    def _is_shared(self, path: str) -> bool:
        """Whether this address is the same, wherever an analysis' page is."""
        if path in ("/", "/ws"):
            return False  # the page, whatever pattern matches
        patterns = [_SHARED, *(pattern_of(pattern) for pattern, _ in self.context.index.static)]
        return any(re.fullmatch(pattern, path) for pattern in patterns)


def _find_folders(index: Index) -> list[Path]:
    """Where templates of a project may be."""
    entries = index.entries.values()
    of_functions = [entry.functions.templates for entry in entries if entry.functions]
    return [index.folder, *(entry.folder for entry in entries), *of_functions]


def _close_sockets(front: Front) -> None:
    context = front.context
    for opened in (context.watch, context.followers, context.lookers):
        opened.close_all(GOING_AWAY, SERVER_STOPS)
