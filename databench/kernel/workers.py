"""Threads that run plain actions: the main one first, then others.

A worker runs one request at a time. `MainWorker` is interrupted by a signal, `PoolWorker` by an
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
from .request import Cancelled, Request, Worker, current

logger = logging.getLogger("databench.kernel")

Finish = Callable[[Request, Any, BaseException | None], None]
_GRACE_S = 0.002


class Job:
    """What a worker runs.

    Attributes:
        request: Whose it is.
        function: The code, without arguments.
        finish: Called on the worker's thread with the request, the result and the exception.
    """

    __slots__ = ("finish", "function", "request")

    def __init__(self, request: Request, function: Callable[[], Any], finish: Finish) -> None:
        self.request = request
        self.function = function
        self.finish = finish


class PlainWorker(Worker):
    """What the main thread and the threads of the pool have in common.

    Attributes:
        loop: The kernel's loop, which the code of an action finds as the thread's.
        on_idle: Called on the worker's thread when it may be given the next job.
    """

    def __init__(self, lock: threading.RLock) -> None:
        super().__init__(lock)
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.on_idle: Callable[[PlainWorker], None] = _nothing
        # Set by who gives a job, taken away by the worker when the job's code has ended: before its
        # end is said, so that the page's next action already finds the worker free.
        self.is_busy = False
        self.given_s = 0.0
        # True exactly while the user's code may be interrupted.
        self.is_running = False
        # Before and after each job: what code has left behind in the process is undone.
        self.look_again: Callable[[], None] = _nothing
        self.put_right: Callable[[], None] = _nothing

    def _invoke(self, job: Job) -> Any:
        """The trampoline: a cancel that came before it is raised in it, none comes around it."""
        request = job.request
        current.set(request)
        self.is_running = True
        try:
            if request.wanted > request.raised:
                request.raised = request.wanted
                raise Cancelled
            return job.function()
        finally:
            self.is_running = False

    def _prepare(self) -> None:
        self.look_again()
        # Code of an earlier action may have taken the loop away (`asyncio.run` does).
        asyncio.set_event_loop(self.loop)

    def _hand_over(self, job: Job, result: Any, failure: BaseException | None) -> None:
        """The job's code has ended, and nothing interrupts this thread any more."""
        # Others that wait come before the next action of this session, which `finish` lets start.
        self.is_busy = False
        self.on_idle(self)
        job.finish(job.request, result, failure)


class MainWorker(PlainWorker):
    """The main thread."""

    is_main = True

    def serve(self) -> None:
        """Run jobs until `None` comes."""
        self.ident = threading.get_ident()
        while (job := self.jobs.get()) is not None:
            self._prepare()
            self._run(job)
            job = None  # nothing of an ended action is kept while the worker waits

    def _run(self, job: Job) -> None:
        result: Any = None
        failure: BaseException | None = None
        self.current = job.request
        try:
            result = contextvars.copy_context().run(self._invoke, job)
        except BaseException as error:  # noqa: BLE001  # a task's edge: becomes its end
            failure = error
        if forks.is_child:
            forks.end(failure)
        self.current = None
        self.put_right()  # an alarm, for one, would meet nobody who expects it
        self._hand_over(job, result, failure)


class PoolWorker(PlainWorker):
    """One further thread.

    Theory of operation: an asynchronous exception is set only while `current` is the request, and
    may come out a little later, when the action has already returned. Until the barrier is behind
    it, any line can be hit.
    """

    def __init__(self, lock: threading.RLock) -> None:
        super().__init__(lock)
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
            self._hand_over(job, *self._run(job))
            job = None  # nothing of an ended action is kept while the worker waits

    def _run(self, job: Job) -> tuple[Any, BaseException | None]:
        result: Any = None
        failure: BaseException | None = None
        has_returned = False
        late: Cancelled | None = None
        try:
            self.current = job.request
            try:
                result = contextvars.copy_context().run(self._invoke, job)
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


class WorkerPool:
    """Gives plain actions to workers; used from the loop's thread.

    The main thread is where an action can be interrupted best. One that finds it taken waits a
    little: most plain actions are short. Where the main thread has been taken for longer than
    that, another worker is as good as it gets.

    Theory of operation: a worker that becomes free wakes the loop only where a job waits. Who lets
    a job wait looks at the main worker afterwards, who becomes free looks at what waits afterwards:
    so one of the two sees what the other did.

    Args:
        main: The main thread's worker.
        make_worker: Makes and starts a further one.
        limit: Most workers beside the main one.
        loop: The kernel's.
    """

    def __init__(
        self,
        main: PlainWorker,
        make_worker: Callable[[], PlainWorker],
        limit: int,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._main = main
        self._others: list[PlainWorker] = []
        self._make_worker = make_worker
        self._limit = limit
        self._loop = loop
        self._waiting: deque[Job] = deque()
        self._is_short = False  # said once
        main.on_idle = self._on_idle

    def submit(self, job: Job) -> None:
        """Run a job as soon as a worker is free."""
        main = self._main
        if not main.is_busy:
            self._give(main, job)
            return
        self._waiting.append(job)
        self.idle(main)  # it may be so since just now: see the top
        if time.monotonic() - main.given_s > _GRACE_S:
            self._spill(job)
        elif self._waiting:
            self._loop.call_later(_GRACE_S, self._spill, job)

    def idle(self, worker: PlainWorker) -> None:
        """Give a job that waits to a worker, if that has none."""
        if self._waiting and not worker.is_busy:
            self._give(worker, self._waiting.popleft())

    def withdraw(self, request: Request) -> bool:
        """Take out a request's job that no worker has; False where there is none."""
        for job in self._waiting:
            if job.request is request:
                self._waiting.remove(job)
                return True
        return False

    def _on_idle(self, worker: PlainWorker) -> None:
        """On the worker's thread."""
        if self._waiting:
            self._loop.call_soon(self.idle, worker)

    def _spill(self, job: Job) -> None:
        """Give a job that still waits to another worker than the main one."""
        if job not in self._waiting:
            return
        worker = next((worker for worker in self._others if not worker.is_busy), None)
        if worker is None and len(self._others) < self._limit:
            worker = self._try_worker()
        if worker is not None:
            self._waiting.remove(job)
            self._give(worker, job)

    def _try_worker(self) -> PlainWorker | None:
        """A further worker; `None` where the system allows no thread: what waits goes on so."""
        try:
            worker = self._make_worker()
        except RuntimeError:
            if not self._is_short:
                self._is_short = True
                logger.warning("%s: plain actions wait for one another", NO_THREAD)
            return None
        self._is_short = False
        worker.on_idle = self._on_idle
        self._others.append(worker)
        return worker

    def _give(self, worker: PlainWorker, job: Job) -> None:
        worker.is_busy = True
        worker.given_s = time.monotonic()
        job.request.worker = worker
        worker.jobs.put(job)


def _nothing(*_worker: PlainWorker) -> None:
    pass
