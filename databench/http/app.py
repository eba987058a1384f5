"""Callbacks around an application's life: before the loop, at the start, at the end.

`CallbackManager` holds them for any application; `Application` is Tornado's with them.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import tornado.ioloop
import tornado.web

log = logging.getLogger("databench.http")

BeforeRun = Callable[[Any, tornado.ioloop.IOLoop], None]
OnStart = Callable[[Any, tornado.ioloop.IOLoop], Awaitable[None] | None]
OnShutdown = Callable[[Any], Awaitable[None] | None]


class CallbackManager:
    """The callbacks of one application.

    Attributes:
        before_run_callbacks: Called `(application, io_loop)` before the loop starts; what they
            raise ends the process.
        on_start_callbacks: Called `(application, io_loop)` on the running loop, may be coroutines.
        on_shutdown_callbacks: Called `(application)`, may return awaitables.
    """

    def __init__(self) -> None:
        self.before_run_callbacks: list[BeforeRun] = []
        self.on_start_callbacks: list[OnStart] = []
        self.on_shutdown_callbacks: list[OnShutdown] = []


class Application(tornado.web.Application, CallbackManager):
    """A Tornado application with callbacks around its life."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        CallbackManager.__init__(self)
        tornado.web.Application.__init__(self, *args, **settings)


async def start(application: CallbackManager, io_loop: tornado.ioloop.IOLoop) -> None:
    """Call each start callback, in order; the first that raises ends the start."""
    for callback in application.on_start_callbacks:
        answer = callback(application, io_loop)
        if inspect.isawaitable(answer):
            await answer


async def shut_down(application: CallbackManager, limit_s: float) -> bool:
    """Call the shutdown callbacks side by side; what one raises is logged, the others run.

    Args:
        application: Whose callbacks.
        limit_s: After this what still runs is cancelled.

    Returns:
        Whether all of them ended in time.
    """
    tasks = [
        asyncio.ensure_future(_call(callback, application))
        for callback in application.on_shutdown_callbacks
    ]
    if not tasks:
        return True
    _, late = await asyncio.wait(tasks, timeout=limit_s)
    for task in late:
        task.cancel()
    if late:
        log.warning("%d callbacks at shutdown took more than %g s, limit; cut", len(late), limit_s)
    return not late


async def _call(callback: OnShutdown, application: CallbackManager) -> None:
    try:
        answer = callback(application)
        if inspect.isawaitable(answer):
            await answer
    except Exception:
        log.exception("callback %r at shutdown failed; the others run", callback)
