"""Coroutines and generators: run on the loop, each step of them bracketed.

Owns the loop's desk: which request the loop's thread computes for at this moment, so that one that
computes between two awaits can be interrupted, and nothing else ever is.

Theory of operation: a handler runs in a real `asyncio.Task` (people use `asyncio.timeout` and its
like), around a coroutine of ours that brackets every step. The task's first step is taken at once
instead of at the loop's next turn: an action has run as far as its first real wait when the next
one starts.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from .desks import Desk
from .request import Cancelled, Request, current

Ended = Callable[[Request, Any, BaseException | None], None]


class KernelLoop(asyncio.SelectorEventLoop):
    """A loop whose `call_soon`, `call_later` and `call_at` may be called from any thread.

    Plain actions run in other threads, and start timers there (tornado's PeriodicCallback).
    """

    _thread_id: int | None
    _catch = False
    _caught: asyncio.Handle | None = None

    def call_soon(  # type: ignore[override]  # typed by TypeVarTuple there
        self, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.Handle:
        """As in asyncio; thread-safe."""
        if self._thread_id is not None and threading.get_ident() != self._thread_id:
            return self.call_soon_threadsafe(callback, *args, context=context)
        if self._catch:
            self._catch = False
            self._caught = asyncio.Handle(callback, args, self, context)
            return self._caught
        return super().call_soon(callback, *args, context=context)

    def call_at(  # type: ignore[override]  # likewise
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        """As in asyncio; thread-safe."""
        if self._thread_id is None or threading.get_ident() == self._thread_id:
            return super().call_at(when, callback, *args, context=context)
        handle = asyncio.TimerHandle(when, _call, (callback, args), self, context)
        self.call_soon_threadsafe(self._adopt, handle)
        return handle

    def _adopt(self, handle: asyncio.TimerHandle) -> None:
        """Let a timer of another thread run here; cancelling it stays possible all the time."""
        if not handle.cancelled():
            super().call_at(handle.when(), _run_unless_cancelled, handle)

    def start_now(self, coroutine: Coroutine[Any, Any, Any], request: Request) -> None:
        """Make a task and take its first step, in a context that belongs to the request."""
        token = current.set(request)
        try:
            self._catch = True
            request.task = asyncio.Task(coroutine, loop=self)
        finally:
            self._catch = False
            current.reset(token)
        handle, self._caught = self._caught, None
        if handle is None:
            raise AssertionError("a new task calls call_soon for its first step")
        handle._run()


def _call(callback: Any, args: Any) -> None:
    callback(*args)


def _run_unless_cancelled(handle: asyncio.TimerHandle) -> None:
    if not handle.cancelled():
        handle._run()


class LoopDesk(Desk):
    """The loop's thread.

    Attributes:
        loop: Its loop.
        step_s: When the current step began (monotonic).
    """

    def __init__(self, lock: threading.RLock, loop: KernelLoop) -> None:
        super().__init__(lock)
        self.loop = loop
        self.step_s = 0.0

    def start(self, request: Request, coroutine: Coroutine[Any, Any, Any], ended: Ended) -> None:
        """Run a coroutine for a request, as far as its first real wait.

        Args:
            request: Whose it is.
            coroutine: A native coroutine.
            ended: Called with request, result and exception.
        """
        request.desk = self
        self.loop.start_now(_Bracket(self, request, coroutine, ended), request)


class _Bracket(Coroutine[Any, Any, Any]):
    """Passes each step to the coroutine while the desk knows whose step it is."""

    __slots__ = ("_coroutine", "_desk", "_ended", "_request")

    def __init__(self, desk: LoopDesk, request: Request, coroutine: Any, ended: Ended) -> None:
        self._desk = desk
        self._request = request
        self._coroutine = coroutine
        self._ended = ended

    def send(self, value: Any) -> Any:
        """One step."""
        return self._step(self._coroutine.send, value)

    def throw(self, kind: Any, value: Any = None, traceback: Any = None) -> Any:
        """One step that begins with an exception."""
        error = kind if value is None else value
        return self._step(self._coroutine.throw, error)

    def close(self) -> None:
        """End it without a step."""
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        raise AssertionError("a task drives it")

    def _step(self, step: Callable[[Any], Any], value: Any) -> Any:
        """Take the step; an interruption may come out at any line before the barrier."""
        desk, coroutine = self._desk, self._coroutine
        while True:
            yielded: Any = None
            result: Any = None
            failure: BaseException | None = None
            has_returned = False
            late: BaseException | None = None
            desk.step_s = time.monotonic()
            try:
                desk.current = self._request
                try:
                    yielded = step(value)
                    desk.current = None
                except StopIteration as stop:
                    desk.current = None
                    result, has_returned = stop.value, True
                except BaseException as error:  # noqa: BLE001  # a task's edge: becomes its end
                    desk.current = None
                    failure = error
                late = desk.barrier()
            except Cancelled as error:
                late = desk.leave(error)
            if coroutine.cr_frame is None:
                self._ended(self._request, result, failure if has_returned else failure or late)
                raise StopIteration
            if (value := late or failure) is None:
                return yielded
            step = coroutine.throw  # it came just behind the step: met where the coroutine waits


async def drive_generator(generator: Generator[Any, Any, Any]) -> Any:
    """Run a generator handler: wait for what it yields, send the result in.

    What is done already does not wait. Lists, dicts and tornado's own things are left to tornado.
    """
    value: Any = None
    failure: BaseException | None = None
    while True:
        try:
            if failure is None:
                yielded = generator.send(value)
            else:
                error, failure = failure, None
                yielded = generator.throw(error)
        except StopIteration as stop:
            return stop.value
        value = None
        try:
            if yielded is None:
                await asyncio.sleep(0)
            else:
                value = await _awaitable(yielded)
        except BaseException as error:  # noqa: BLE001  # the generator's to deal with
            failure = error


async def drive_asyncgen(generator: Any) -> None:
    """Run an `async def` with `yield`: what it yields is awaited where that is possible."""
    async for yielded in generator:
        if yielded is not None and hasattr(yielded, "__await__"):
            await yielded


async def drive_awaitable(awaitable: Any) -> Any:
    """Wait for what a plain method returned."""
    return await _awaitable(awaitable)


def _awaitable(yielded: Any) -> Any:
    if hasattr(yielded, "__await__"):
        return yielded
    # Lists and dicts of futures, concurrent futures: only tornado says what they mean.
    from tornado.gen import convert_yielded

    converted = convert_yielded(yielded)
    # `moment` is a future in name only: it means one turn of the loop.
    return converted if hasattr(converted, "__await__") else asyncio.sleep(0)
