"""What a generator handler may yield, and how the kernel waits for it.

Everything that `tornado.gen.coroutine` takes: awaitables, futures of asyncio and of executors,
lists and dicts of them, `None` and `tornado.gen.moment`. Also the generator of another handler,
which runs, and any other value, which the `yield` returns: the result of a plain action.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
from collections.abc import Awaitable, Callable, Generator, Iterable
from typing import Any

from ..datastore import Results
from .outlet import Sent


def is_result(returned: Any) -> bool:
    """Whether a handler's value is meant as its result; an emit only shows that a message has gone.

    Actions often return one (`return self.emit(…)`).
    """
    return not isinstance(returned, Sent | Results)


def is_to_await(returned: Any) -> bool:
    """Whether a handler returned what is to be waited for: an awaitable, a generator."""
    if not is_result(returned):
        return False
    return hasattr(returned, "__await__") or isinstance(returned, Generator)


class Ready:
    """An awaitable that does not wait."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __await__(self) -> Generator[Any, None, Any]:
        yield from ()
        return self._value


async def drive_generator(generator: Any) -> Any:
    """Run a generator handler: wait for what it yields, send the result in.

    It does not wait for values that are done already.

    Args:
        generator: The generator, or what a handler returned that was begun before.
    """
    if not isinstance(generator, Generator):
        return await generator
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
        except Exception as error:
            if is_return(error):
                return error.value  # type: ignore[attr-defined]
            raise
        value = None
        try:
            value = await as_awaitable(yielded)
        except BaseException as error:  # noqa: BLE001  # the generator's to deal with
            failure = error


async def drive_coroutine(function: Callable[[], Awaitable[Any]]) -> Any:
    """Call a coroutine handler, and wait for it and for what it returns."""
    result = await function()
    if result is None or not is_to_await(result):
        return result
    return await drive_awaitable(result)


async def drive_asyncgen(generator: Any) -> None:
    """Run an `async def` with `yield`: what it yields is awaited if that is possible."""
    async for yielded in generator:
        if yielded is not None and hasattr(yielded, "__await__"):
            await yielded


async def drive_awaitable(awaitable: Any) -> Any:
    """Wait for what a plain method returned."""
    return await as_awaitable(awaitable)


def is_return(error: BaseException) -> bool:
    """Whether a generator ended by `raise tornado.gen.Return(value)`."""
    tornado_gen = sys.modules.get("tornado.gen")
    return tornado_gen is not None and isinstance(error, tornado_gen.Return)


def as_awaitable(yielded: Any) -> Awaitable[Any]:
    """The awaitable for a yielded value."""
    if yielded is None or _is_moment(yielded):
        return asyncio.sleep(0)
    if hasattr(yielded, "__await__"):
        awaitable: Awaitable[Any] = yielded
        return awaitable
    if isinstance(yielded, Generator):
        return drive_generator(yielded)
    if isinstance(yielded, concurrent.futures.Future):
        return asyncio.wrap_future(yielded)
    if isinstance(yielded, list):
        return _all(yielded)
    if isinstance(yielded, dict):
        return _all_values(yielded)
    return _registered(yielded)


def _registered(yielded: Any) -> Awaitable[Any]:
    """Things that a library has made known to tornado; all else is its own result."""
    tornado_gen = sys.modules.get("tornado.gen")
    if tornado_gen is None:
        return Ready(yielded)
    try:
        converted: Awaitable[Any] = tornado_gen.convert_yielded(yielded)
    except tornado_gen.BadYieldError:
        return Ready(yielded)
    return converted


def _is_moment(yielded: Any) -> bool:
    # Futures in name only: one turn of the loop.
    return type(yielded).__name__ == "_NullFuture"


async def _all_values(yielded: dict[Any, Any]) -> dict[Any, Any]:
    return dict(zip(yielded, await _all(yielded.values()), strict=True))


async def _all(yielded: Iterable[Any]) -> list[Any]:
    """All results; the first exception, after all have ended, as in tornado.

    Cancelling it cancels what it waits for, which it would not in tornado.
    """
    awaitables = [as_awaitable(item) for item in yielded]
    slow = [item for item in awaitables if not isinstance(item, Ready) and not _is_done(item)]
    if not slow:
        return [await item for item in awaitables]
    futures = [asyncio.ensure_future(item) for item in awaitables]
    try:
        await asyncio.wait(futures)
    except asyncio.CancelledError:
        for future in futures:
            future.cancel()
        raise
    failures = [f.exception() for f in futures if not f.cancelled()]
    del failures  # retrieved: asyncio reports exceptions that no code retrieves
    return [future.result() for future in futures]


def _is_done(awaitable: Any) -> bool:
    done = getattr(awaitable, "done", None)
    return done is not None and bool(done())
