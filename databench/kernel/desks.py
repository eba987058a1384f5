"""Threads that run plain actions: the main one first, then others.

A desk runs one request at a time. `MainDesk` is interrupted by a signal, `WorkerDesk` by an
asynchronous exception; `interrupts` decides when, this module sees to it that neither ever hits
the code around the action, or the next action.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from ..threads import NO_THREAD
from . import forks, signals
from .channel import checkpoint
from .request import Cancelled, Request, current

logger = logging.getLogger("databench.kernel")

Finish = Callable[[Request, Any, BaseException | None], None]
_GRACE_S = 0.002
Idle = Callable[["PlainDesk", Request], None]


class Job:
    """What a desk runs.

    Attributes:
        request: Whose it is.
        function: The code, without arguments.
        finish: Called on the desk's thread with the request, the result and the exception.
    """

    __slots__ = ("finish", "function", "request")

    def __init__(self, request: Request, function: Callable[[], Any], finish: Finish) -> None:
        self.request = request
        self.function = function
        self.finish = finish


class Desk:
    """A thread that runs user code.

    Attributes:
        current: The request that it runs.
        ident: The thread's identifier.
        is_main: Whether signals reach it.
    """

    is_main = False

    def __init__(self, lock: threading.RLock) -> None:
        self.lock = lock
        self.current: Request | None = None
        self.ident = 0

    def barrier(self) -> Cancelled | None:
        """Let an interruption that was set before `current` was taken away come out.

        Whoever interrupts holds the lock from looking at `current` to setting the exception; so
        once the lock was held here, none is on its way, and none can come.
        """
        late: Cancelled | None = None
        while True:
            try:
                with self.lock:
                    checkpoint()
                return late
            except Cancelled as error:
                late = error

    def leave(self, late: Cancelled) -> Cancelled:
        """An interruption came out beside the user's code: take `current` away, and the rest."""
        self.current = None
        self.barrier()
        return late


class PlainDesk(Desk):
    """What the main thread and the worker threads have in common."""

    def __init__(self, lock: threading.RLock, on_idle: Idle) -> None:
        super().__init__(lock)
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self.loop: asyncio.AbstractEventLoop | None = None
        # Set by who gives a job, taken away by the desk when the job's code has ended: before its
        # end is said, so that the page's next action already finds the desk free.
        self.is_busy = False
        self.given_s = 0.0
        # True exactly while the user's code may be interrupted.
        self.is_running = False
        # Before and after each job: what code has left behind in the process is undone.
        self.look_again: Callable[[], None] = _nothing
        self.put_right: Callable[[], None] = _nothing
        self._on_idle = on_idle

    def _invoke(self, job: Job) -> Any:
        """The trampoline: a cancel that came before it is raised in it, none comes around it."""
        self.is_running = True
        try:
            request = job.request
            if request.wanted > request.raised:
                request.raised = request.wanted
                raise Cancelled
            return job.function()
        finally:
            self.is_running = False

    def _in_context(self, job: Job) -> Any:
        current.set(job.request)
        return self._invoke(job)

    def _prepare(self) -> None:
        self.look_again()
        # Code of an earlier action may have taken the loop away (`asyncio.run` does).
        asyncio.set_event_loop(self.loop)


class MainDesk(PlainDesk):
    """The main thread."""

    is_main = True

    def serve(self) -> None:
        """Run jobs until `None` comes."""
        self.ident = threading.get_ident()
        while (job := self.jobs.get()) is not None:
            self._prepare()
            self._run(job)
            self._on_idle(self, job.request)

    def _run(self, job: Job) -> None:
        result: Any = None
        failure: BaseException | None = None
        self.current = job.request
        try:
            result = contextvars.copy_context().run(self._in_context, job)
        except BaseException as error:  # noqa: BLE001  # a task's edge: becomes its end
            failure = error
        if forks.is_child:
            forks.end(failure)
        self.current = None
        self.put_right()  # an alarm, for one, would meet nobody who expects it
        self.is_busy = False
        job.finish(job.request, result, failure)


class WorkerDesk(PlainDesk):
    """One further thread.

    Theory of operation: an asynchronous exception is set only while `current` is the request, and
    may come out a little later, when the action has already returned. Until the barrier is behind
    it, any line can be hit.
    """

    def __init__(self, lock: threading.RLock, on_idle: Idle) -> None:
        super().__init__(lock, on_idle)
        self._thread = threading.Thread(target=self._serve, name="databench-plain", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def _serve(self) -> None:
        signals.leave_to_main()
        self.look_again = signals.leave_to_main  # an action may have taken them
        self.ident = threading.get_ident()
        while (job := self.jobs.get()) is not None:
            self._prepare()
            result, failure = self._run(job)
            self.is_busy = False
            job.finish(job.request, result, failure)
            self._on_idle(self, job.request)
            job = None  # nothing of an ended action is kept while the desk waits

    def _run(self, job: Job) -> tuple[Any, BaseException | None]:
        result: Any = None
        failure: BaseException | None = None
        has_returned = False
        late: Cancelled | None = None
        try:
            self.current = job.request
            try:
                result = contextvars.copy_context().run(self._in_context, job)
                self.current, has_returned = None, True
            except BaseException as error:  # noqa: BLE001  # a task's edge: becomes its end
                self.current = None
                failure = error
            if forks.is_child:
                forks.end(failure)
            late = self.barrier()
        except Cancelled as error:
            late = self.leave(error)
        return result, failure if has_returned else failure or late


class Desks:
    """Gives plain actions to desks; used from the loop's thread.

    The main thread is where an action can be interrupted best. One that finds it taken waits a
    little: most plain actions are short. Where the main thread has been taken for longer than
    that, another desk is as good as it gets.

    Args:
        main: The main thread's desk.
        make_worker: Makes and starts a further one.
        limit: Most desks beside the main one.
        later: Calls a function with an argument after some seconds.
    """

    def __init__(
        self,
        main: PlainDesk,
        make_worker: Callable[[], PlainDesk],
        limit: int,
        later: Callable[[float, Callable[[Job], None], Job], object],
    ) -> None:
        self._main = main
        self._workers: list[PlainDesk] = []
        self._make_worker = make_worker
        self._limit = limit
        self._later = later
        self._waiting: deque[Job] = deque()
        self._is_short = False  # said once

    def submit(self, job: Job) -> None:
        """Run a job as soon as a desk is free."""
        if not self._main.is_busy:
            self._give(self._main, job)
            return
        self._waiting.append(job)
        if time.monotonic() - self._main.given_s > _GRACE_S:
            self._spill(job)
        else:
            self._later(_GRACE_S, self._spill, job)

    def idle(self, desk: PlainDesk) -> None:
        """A desk has done with a job; it may have been given another one meanwhile."""
        if self._waiting and not desk.is_busy:
            self._give(desk, self._waiting.popleft())

    def _spill(self, job: Job) -> None:
        """Give a job that still waits to another desk than the main one."""
        if job not in self._waiting:
            return
        desk = next((desk for desk in self._workers if not desk.is_busy), None)
        if desk is None and len(self._workers) < self._limit:
            desk = self._try_worker()
        if desk is not None:
            self._waiting.remove(job)
            self._give(desk, job)

    def _try_worker(self) -> PlainDesk | None:
        """A further desk; `None` where the system allows no thread: what waits goes on waiting."""
        try:
            desk = self._make_worker()
        except RuntimeError:
            if not self._is_short:
                self._is_short = True
                logger.warning("%s: plain actions wait for one another", NO_THREAD)
            return None
        self._is_short = False
        self._workers.append(desk)
        return desk

    def withdraw(self, request: Request) -> bool:
        """Take out a request's job that no desk has; False where there is none."""
        for job in self._waiting:
            if job.request is request:
                self._waiting.remove(job)
                return True
        return False

    def _give(self, desk: PlainDesk, job: Job) -> None:
        desk.is_busy = True
        desk.given_s = time.monotonic()
        job.request.desk = desk
        desk.jobs.put(job)


def _nothing() -> None:
    pass
