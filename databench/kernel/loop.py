"""The kernel's event loop: asyncio's, whose timers and callbacks any thread may start."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

from .process.streams import say


class KernelLoop(asyncio.SelectorEventLoop):
    """A loop whose `call_soon`, `call_later` and `call_at` may be called from any thread.

    Plain actions run in other threads, and start timers there (tornado's PeriodicCallback).
    """

    _thread_id: int | None
    _catch = False
    _caught: asyncio.Handle | None = None

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """As in asyncio; a handler of logging that raises does not end the loop."""
        try:
            super().default_exception_handler(context)
        except Exception as error:  # noqa: BLE001 - asyncio would log it, by the same handler
            what = f"{type(error).__name__}: {error}"
            say(f"ERROR {context.get('message')}; a handler of logging failed: {what}\n")

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

    def make_task(
        self, coroutine: Coroutine[Any, Any, Any]
    ) -> tuple[asyncio.Task[Any], asyncio.Handle]:
        """Make a task, and have its first step in hand instead of at the loop's next turn."""
        try:
            self._catch = True
            task = asyncio.Task(coroutine, loop=self)
        finally:
            self._catch = False
        handle, self._caught = self._caught, None
        if handle is None:
            raise AssertionError("a new task calls call_soon for its first step")
        return task, handle


def _call(callback: Any, args: Any) -> None:
    callback(*args)


def _run_unless_cancelled(handle: asyncio.TimerHandle) -> None:
    if not handle.cancelled():
        handle._run()
