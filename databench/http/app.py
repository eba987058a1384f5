"""Callbacks around an application's life: before the loop, at the start, at the end.

`CallbackManager` holds them for any application; `Application` is Tornado's with them. Both call
them; when that happens is the runner's business.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar

import tornado.httputil
import tornado.ioloop
import tornado.web

log = logging.getLogger("databench.http")

BeforeRun = Callable[[Any, tornado.ioloop.IOLoop], None]
OnStart = Callable[[Any, tornado.ioloop.IOLoop], Awaitable[None] | None]
OnShutdown = Callable[[Any], Awaitable[None] | None]


class CallbackManager:
    """The callbacks of one application.

    A base class beside `tornado.web.Application`, or a wrapper: `CallbackManager(application)`.

    Args:
        tornado_application: What serves, and what the callbacks get; `None`: this object itself.
        args: For the next base class.
        runner_callbacks: Lists to begin with, by `before_run`, `on_start` and `shutdown`.
        kwargs: For the next base class.

    Attributes:
        before_run_callbacks: Called `(application, io_loop)` after the fork and before the loop
            starts; what one raises is logged and ends the process with status 70.
        on_start_callbacks: Called `(application, io_loop)` on the running loop, side by side, in
            this order; they may be coroutines. What one raises is logged.
        on_shutdown_callbacks: Called `(application)` when the requests have been answered; they
            may return awaitables. What one raises is logged, and the others run.
        ready_to_serve: Set once every `on_start` callback has ended well (see `on_started`), and
            cleared when the application stops. `StatusHandler` answers by it.
        must_start: Whether a failed `on_start` callback ends the process with status 70; else it
            serves on, and is never ready.
        one_process: Why it cannot be run in several processes, or "" where it can.
    """

    must_start: ClassVar[bool] = False
    one_process: ClassVar[str] = ""

    def __init__(
        self,
        tornado_application: tornado.web.Application | None = None,
        *args: Any,
        runner_callbacks: Mapping[str, list[Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        given = {} if runner_callbacks is None else runner_callbacks
        self._tornado_application = tornado_application
        self.before_run_callbacks: list[BeforeRun] = given.get("before_run", [])
        self.on_start_callbacks: list[OnStart] = given.get("on_start", [])
        self.on_shutdown_callbacks: list[OnShutdown] = given.get("shutdown", [])
        self.ready_to_serve = asyncio.Event()
        super().__init__(*args, **kwargs)
        if tornado_application is not None:
            # Its handlers know the application, not what is around it.
            vars(tornado_application)["ready_to_serve"] = self.ready_to_serve

    @property
    def tornado_application(self) -> tornado.web.Application:
        """What serves: the wrapped application, or this one."""
        own = self if self._tornado_application is None else self._tornado_application
        assert isinstance(own, tornado.web.Application), "no application to serve was given"
        return own

    # ------------------------------------------------------------ called by the runner

    def start(self, io_loop: tornado.ioloop.IOLoop) -> asyncio.Task[bool]:
        """Call what comes before the loop, and spawn the rest on it.

        Args:
            io_loop: Need not run yet.

        Returns:
            A task: whether every `on_start` callback ended well.

        Raises:
            Exception: Whatever a `before_run` callback raised; none after it was called.
        """
        own = self._subject()
        if isinstance(own, tornado.web.Application):
            _name_server(own)
        for callback in self.before_run_callbacks:
            try:
                callback(own, io_loop)
            except Exception:
                log.exception("before_run callback %r failed; the start is cancelled", callback)
                raise
        loop: asyncio.AbstractEventLoop = io_loop.asyncio_loop  # type: ignore[attr-defined]
        return loop.create_task(self._start(io_loop))

    def on_started(self) -> None:
        """Every `on_start` callback has ended well: sets `ready_to_serve`.

        To be overridden by an application that becomes ready at another time.
        """
        self.ready_to_serve.set()

    async def drain(self, limit_s: float) -> None:
        """Let work that is no HTTP request come to its end; nothing by default.

        Runs beside the last requests, when nobody can connect any more and websockets are still
        open.

        Args:
            limit_s: After this it is cancelled.
        """

    async def shut_down(self, limit_s: float) -> bool:
        """Call the shutdown callbacks side by side; what one raises is logged, the others run.

        Args:
            limit_s: After this what still runs is cancelled.

        Returns:
            Whether all of them ended in time.
        """
        own = self._subject()
        tasks = [
            asyncio.ensure_future(_call("shutdown", callback, own))
            for callback in self.on_shutdown_callbacks
        ]
        if not tasks:
            return True
        try:
            _, late = await asyncio.wait(tasks, timeout=limit_s)
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
            raise
        for task in late:
            task.cancel()
        if late:
            log.warning(
                "%d callbacks at shutdown took more than %g s, limit; cut", len(late), limit_s
            )
        return not late

    # ------------------------------------------------------------ parts

    def _subject(self) -> Any:
        return self if self._tornado_application is None else self._tornado_application

    async def _start(self, io_loop: tornado.ioloop.IOLoop) -> bool:
        own = self._subject()
        spawned = [
            asyncio.ensure_future(_call("on_start", callback, own, io_loop))
            for callback in self.on_start_callbacks
        ]
        is_good = all(await asyncio.gather(*spawned))
        if is_good:
            self.on_started()
        return is_good


class Application(CallbackManager, tornado.web.Application):
    """A Tornado application with callbacks around its life.

    Args:
        args: As for `tornado.web.Application`: handlers first.
        settings: As for `tornado.web.Application`, and those of `databench.http.run`.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(None, *args, **settings)


def wrap_application(
    application: CallbackManager | tornado.web.Application,
    before_run: Sequence[BeforeRun] | None = None,
    on_start: Sequence[OnStart] | None = None,
    shutdown: Sequence[OnShutdown] | None = None,
) -> CallbackManager:
    """What can be run: the application itself, or one around it; with these callbacks added.

    Args:
        application: One that is a `CallbackManager`, or any of Tornado's; lists that are in its
            attribute `runner_callbacks` are taken over.
        before_run: Further `before_run_callbacks`.
        on_start: Further `on_start_callbacks`.
        shutdown: Further `on_shutdown_callbacks`.

    Raises:
        TypeError: It is no application.
    """
    if isinstance(application, CallbackManager):
        wrapped = application
    elif not isinstance(application, tornado.web.Application):
        raise TypeError(f"{application!r:.200} is no application: expected one of Tornado's")
    else:
        given = getattr(application, "runner_callbacks", None)
        wrapped = CallbackManager(application, runner_callbacks=given)
    wrapped.before_run_callbacks.extend(before_run or ())
    wrapped.on_start_callbacks.extend(on_start or ())
    wrapped.on_shutdown_callbacks.extend(shutdown or ())
    return wrapped


def _name_server(application: tornado.web.Application) -> None:
    """The setting `server`, or else `service/version`, becomes each answer's `Server` header."""
    settings = application.settings
    words = [str(settings[key]) for key in ("service", "version") if settings.get(key)]
    name = settings.get("server") or (settings.get("service") and "/".join(words))
    if not name:
        return

    class _Named(tornado.web.OutputTransform):
        def transform_first_chunk(
            self,
            status_code: int,
            headers: tornado.httputil.HTTPHeaders,
            chunk: bytes,
            finishing: bool,
        ) -> tuple[int, tornado.httputil.HTTPHeaders, bytes]:
            headers["Server"] = str(name)
            return status_code, headers, chunk

    application.add_transform(_Named)


async def _call(when: str, callback: Callable[..., Any], *args: Any) -> bool:
    try:
        answer = callback(*args)
        if inspect.isawaitable(answer):
            await answer
    except Exception:
        log.exception("%s callback %r failed; the others run", when, callback)
        return False
    return True
