"""Callbacks around an application's life: before the loop, at the start, at the end.

`CallbackManager` holds them for any application; `Application` is Tornado's with them. Both call
them; the runner decides when.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
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
        tornado_application: The one that serves, and that callbacks get; `None`: this object
            itself.
        args: For the next base class.
        runner_callbacks: Lists to begin with, by `before_run`, `on_start` and `shutdown`; kept.
        kwargs: For the next base class.

    Attributes:
        before_run_callbacks: Called `(application, io_loop)` after the fork and before the loop
            starts; what one raises is logged and ends the process with status 70.
        on_start_callbacks: Called `(application, io_loop)` on the running loop, side by side, in
            this order; they may be coroutines. What one raises is logged.
        on_shutdown_callbacks: Called `(application)` when the requests have been answered; they
            may return awaitables. What one raises is logged, and the others run.
        runner_callbacks: The same lists in a dict, by `before_run`, `on_start` and `shutdown`.
        ready_to_serve: Set once every `on_start` callback has ended well (see `on_started`), and
            cleared when the application stops. `StatusHandler` answers by it. An application that
            has its own event there sets it itself.
        must_start: Whether a failed `on_start` callback ends the process with status 70; else it
            serves on, and is never ready.
        one_process: Why it cannot be run in several processes, or "" if it can.
    """

    must_start: ClassVar[bool] = False
    one_process: ClassVar[str] = ""
    # An event may replace `ready_to_serve` before `__init__` runs.
    _tornado_application: tornado.web.Application | None = None

    def __init__(
        self,
        tornado_application: tornado.web.Application | None = None,
        *args: Any,
        runner_callbacks: dict[str, list[Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        self._tornado_application = tornado_application
        self.runner_callbacks = {} if runner_callbacks is None else runner_callbacks
        for name in ("before_run", "on_start", "shutdown"):
            self.runner_callbacks.setdefault(name, [])
        self._event = asyncio.Event()
        # While a runner serves it: how to end that.
        self.stop_run: Callable[[], None] | None = None
        # Of the application itself: its handlers do not know what is around it.
        if not hasattr(self._subject(), "ready_to_serve"):
            self.ready_to_serve = self._event
        super().__init__(*args, **kwargs)

    @property
    def ready_to_serve(self) -> Any:
        """See `CallbackManager`."""
        return self._ready if self._subject() is self else self._subject().ready_to_serve

    @ready_to_serve.setter
    def ready_to_serve(self, event: Any) -> None:
        if self._subject() is self:
            self._ready = event
        else:
            self._subject().ready_to_serve = event

    @property
    def before_run_callbacks(self) -> list[BeforeRun]:
        """See `CallbackManager`."""
        return self.runner_callbacks["before_run"]

    @before_run_callbacks.setter
    def before_run_callbacks(self, callbacks: list[BeforeRun]) -> None:
        self.runner_callbacks["before_run"] = callbacks

    @property
    def on_start_callbacks(self) -> list[OnStart]:
        """See `CallbackManager`."""
        return self.runner_callbacks["on_start"]

    @on_start_callbacks.setter
    def on_start_callbacks(self, callbacks: list[OnStart]) -> None:
        self.runner_callbacks["on_start"] = callbacks

    @property
    def on_shutdown_callbacks(self) -> list[OnShutdown]:
        """See `CallbackManager`."""
        return self.runner_callbacks["shutdown"]

    @on_shutdown_callbacks.setter
    def on_shutdown_callbacks(self, callbacks: list[OnShutdown]) -> None:
        self.runner_callbacks["shutdown"] = callbacks

    @property
    def tornado_application(self) -> tornado.web.Application:
        """The serving application: the wrapped one, or this one."""
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

        To be overridden by an application that becomes ready at another time. One that has put an
        own event instead of `ready_to_serve` is not ready before it sets that.
        """
        if self.ready_to_serve is self._event:
            self._event.set()

    def on_stopping(self) -> None:
        """The application is about to stop: clears `ready_to_serve`."""
        self.ready_to_serve.clear()

    def stop(
        self,
        io_loop: tornado.ioloop.IOLoop,
        shutdown_limit: float = 5.0,
        wait_timeout: float = 1.0,
    ) -> None:
        """Begin to stop: the shutdown callbacks run, then the loop stops.

        While a `Runner` serves the application, it drains and ends as after a signal.

        Args:
            io_loop: Where it runs.
            shutdown_limit: Seconds after which the loop stops in any case.
            wait_timeout: Accepted for `sprockets.http`, and not needed: nothing is polled.
        """
        if self.stop_run is not None:
            self.stop_run()
            return
        io_loop.add_callback(self._stop_loop, io_loop, shutdown_limit)

    async def drain(self, limit_s: float) -> None:
        """Let work other than HTTP requests come to its end; nothing by default.

        Runs beside the last requests, when no client can connect any more and websockets are still
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
                "%d callbacks at shutdown took more than %g s, the limit; cancelled",
                len(late),
                limit_s,
            )
        return not late

    # ------------------------------------------------------------ parts

    async def _stop_loop(self, io_loop: tornado.ioloop.IOLoop, limit_s: float) -> None:
        loop = asyncio.get_running_loop()
        end_s = loop.time() + limit_s
        self.on_stopping()
        await self.shut_down(limit_s)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=max(end_s - loop.time(), 0))
        io_loop.stop()

    def _subject(self) -> Any:
        return self if self._tornado_application is None else self._tornado_application

    async def _start(self, io_loop: tornado.ioloop.IOLoop) -> bool:
        own = self._subject()
        spawned = [
            asyncio.ensure_future(_call("on_start", callback, own, io_loop))
            for callback in self.on_start_callbacks
        ]
        is_good = True
        for called in asyncio.as_completed(spawned):
            is_good = await called and is_good
            if not is_good and self.must_start:
                return False  # waiting callbacks need not end: the process does
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
    """An application that can run: itself, or one around it; with these callbacks added.

    Args:
        application: One that is a `CallbackManager`, or any of Tornado's; lists that are in its
            attribute `runner_callbacks` are taken over.
        before_run: Further `before_run_callbacks`.
        on_start: Further `on_start_callbacks`.
        shutdown: Further `on_shutdown_callbacks`.

    Raises:
        TypeError: It is not an application.
    """
    if isinstance(application, CallbackManager):
        wrapped = application
    elif not isinstance(application, tornado.web.Application):
        raise TypeError(
            f"{application!r:.200} is not an application, expected a tornado.web.Application"
        )
    else:
        given = getattr(application, "runner_callbacks", None)
        wrapped = CallbackManager(application, runner_callbacks=given)
        vars(application)["runner_callbacks"] = wrapped.runner_callbacks
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
