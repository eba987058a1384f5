"""How long a handler of `routes.py` blocks the front, which serves all other pages meanwhile.

Measures the time between two waits, not the waits: plain methods as a whole, each step of
coroutines (also of Tornado's older kind).
"""

from __future__ import annotations

import functools
import inspect
import logging
import time
import types
from collections.abc import Callable, Generator
from typing import Any

import tornado.gen

log = logging.getLogger("databench.front")

Told = Callable[[float], None]


# Of each function that `tornado.gen.coroutine` makes. Its mark, `__tornado_coroutine__`, is copied
# by `functools.wraps` to what stands around such a function, and that must not be taken away.
_COROUTINE_CODE = tornado.gen.coroutine(lambda: None).__code__


class BlockingWatch:
    """Logs what took longer than it may.

    Args:
        name: Of the handler, with its analysis.
        limit_s: The longest step that is not logged.
        clock: In seconds.
    """

    def __init__(
        self, name: str, limit_s: float, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._name = name
        self._clock = clock
        self._limit_s = limit_s

    def wrap(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """A method that does the same, and is measured."""
        if getattr(method, "__code__", None) is _COROUTINE_CODE:
            inner: Callable[..., Any] = method.__wrapped__  # type: ignore[attr-defined]
            return tornado.gen.coroutine(self._wrap_generator(inner))
        if inspect.iscoroutinefunction(method):
            return self._wrap_coroutine(method)
        return self._wrap_plain(method)

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function, measured."""
        begun_s = self._clock()
        try:
            return function(*args, **kwargs)
        finally:
            self._tell(function.__name__, self._clock() - begun_s)

    def _call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return self.call(function, *args, **kwargs)
        except (SystemExit, KeyboardInterrupt) as error:
            raise self._make_plain(error) from error

    def _make_plain(self, error: BaseException) -> RuntimeError:
        """An ordinary error in place of one that would end the loop, and so the whole server."""
        text = f"{type(error).__name__}: {error}; only the server may end itself"
        return RuntimeError(f"{self._name}: {text}")

    def _tell(self, method: str, took_s: float) -> None:
        if took_s > self._limit_s:
            log.warning(
                "%s: %s blocked the server for %.0f ms, limit %.0f ms; do this work in an action, "
                "or in a thread (await asyncio.to_thread(…))",
                self._name,
                method,
                1000 * took_s,
                1000 * self._limit_s,
            )

    def _wrap_plain(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def measured(*args: Any, **kwargs: Any) -> Any:
            answer = self._call(method, *args, **kwargs)
            return self._steps(answer, method) if inspect.iscoroutine(answer) else answer

        return measured

    def _wrap_coroutine(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        async def measured(*args: Any, **kwargs: Any) -> Any:
            return await self._steps(method(*args, **kwargs), method)

        return measured

    def _wrap_generator(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def measured(*args: Any, **kwargs: Any) -> Any:
            answer = self._call(method, *args, **kwargs)
            if not inspect.isgenerator(answer):
                return answer
            return self._drive(answer, method.__name__)

        return measured

    @types.coroutine
    def _steps(self, inner: Any, method: Callable[..., Any]) -> Generator[Any, Any, Any]:
        return (yield from self._drive(inner, method.__name__))

    def _drive(self, inner: Any, name: str) -> Generator[Any, Any, Any]:
        """Run a coroutine or a generator to its end, each of its steps measured."""
        resume, value = inner.send, None
        while True:
            begun_s = self._clock()
            try:
                wanted = resume(value)
            except StopIteration as stop:
                return stop.value
            except (SystemExit, KeyboardInterrupt) as error:
                raise self._make_plain(error) from error
            finally:
                self._tell(name, self._clock() - begun_s)
            try:
                value = yield wanted
                resume = inner.send
            except GeneratorExit:
                inner.close()
                raise
            except BaseException as error:  # noqa: BLE001 - handed in where it belongs
                resume, value = inner.throw, error
