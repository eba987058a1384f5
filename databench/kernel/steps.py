"""Coroutines and generators: run on the loop, each step of them bracketed.

Owns the loop's worker: which request the loop's thread computes for at this moment, so that one
that computes between two awaits can be interrupted, and nothing else ever is.

Theory of operation: a handler runs in a real `asyncio.Task` (people use `asyncio.timeout` and its
like), around a coroutine that brackets every step. The task's first step runs at once
instead of at the loop's next turn: an action has run as far as its first real wait when the next
one starts.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from .loop import KernelLoop
from .process import forks
from .request import Cancelled, KernelRequest, Worker, current

Ended = Callable[[KernelRequest, Any, BaseException | None], None]


class LoopWorker(Worker):
    """The loop's thread.

    Attributes:
        loop: Its loop.
        step_s: When the current step began (monotonic).
    """

    def __init__(self, lock: threading.RLock, loop: KernelLoop) -> None:
        super().__init__(lock)
        self.loop = loop
        self.step_s = 0.0

    def start(
        self, request: KernelRequest, coroutine: Coroutine[Any, Any, Any], ended: Ended
    ) -> None:
        """Run a coroutine for a request, as far as its first real wait.

        Args:
            request: Whose it is.
            coroutine: A native coroutine.
            ended: Called with request, result and exception.
        """
        request.worker = self
        bracket = _Bracket(self, request, coroutine, ended)
        token = current.set(request)
        try:
            request.task, handle = self.loop.make_task(bracket)
        finally:
            current.reset(token)
        handle._run()

    def start_inner(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run what an action calls, as far as its first real wait, inside the action's step.

        Args:
            coroutine: A native coroutine.

        Returns:
            Its task, in the context of the caller.
        """
        before, outer = self.current, asyncio.current_task(self.loop)
        task, handle = self.loop.make_task(_Inner(self, current.get(), coroutine, _nothing))
        if outer is not None:
            asyncio.tasks._leave_task(self.loop, outer)
        try:
            handle._run()
        finally:
            if outer is not None:
                asyncio.tasks._enter_task(self.loop, outer)
            self.current = before
        return task


class _Bracket(Coroutine[Any, Any, Any]):
    """Passes each step to the coroutine while the worker knows whose step it is."""

    __slots__ = ("_coroutine", "_ended", "_request", "_worker")

    def __init__(self, worker: LoopWorker, request: Any, coroutine: Any, ended: Ended) -> None:
        self._worker = worker
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
        worker, coroutine = self._worker, self._coroutine
        while True:
            yielded: Any = None
            result: Any = None
            failure: BaseException | None = None
            has_returned = False
            late: BaseException | None = None
            worker.step_s = time.monotonic()
            try:
                worker.current = self._request
                try:
                    yielded = self._take(step, value)
                    worker.current = None
                except StopIteration as stop:
                    worker.current = None
                    result, has_returned = stop.value, True
                except BaseException as error:  # noqa: BLE001  # a task's edge: becomes its end
                    worker.current = None
                    failure = error
                if forks.is_child:
                    forks.end(failure, is_waiting=not (has_returned or failure))
                late = worker.barrier()
            except Cancelled as error:
                late = worker.leave(error)
            if coroutine.cr_frame is None:
                raise self._end(result, failure if has_returned else failure or late)
            if (value := late or failure) is None:
                return yielded
            step = coroutine.throw  # it came just behind the step: met where the coroutine waits

    def _take(self, step: Callable[[Any], Any], value: Any) -> Any:
        request = self._request
        if request is not None and request.wanted > request.raised:
            # It came right before `current` was set, and found no request to interrupt.
            request.raised = request.wanted
            raise Cancelled
        return step(value)

    def _end(self, result: Any, failure: BaseException | None) -> BaseException:
        """The exception that the task gets at the end."""
        self._ended(self._request, result, failure)
        return StopIteration()


class _Inner(_Bracket):
    """The same for what an action calls: its task has the result."""

    __slots__ = ()

    def _end(self, result: Any, failure: BaseException | None) -> BaseException:
        if failure is None:
            return StopIteration(result)
        if isinstance(failure, Cancelled):
            # It was meant for the action, which may not be waiting for this.
            task = self._request.task if self._request is not None else None
            if task is not None:
                task.cancel()
            return asyncio.CancelledError()
        if isinstance(failure, SystemExit | KeyboardInterrupt):
            # These would end the loop.
            ended = RuntimeError(f"an action that was called raised {type(failure).__name__}")
            ended.__cause__ = failure
            return ended
        return failure


def _nothing(_request: KernelRequest, _result: Any, _failure: BaseException | None) -> None:
    pass
