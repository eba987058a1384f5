"""Threads that run plain actions: the main one first, then others.

A worker runs one request at a time. `MainWorker` is interrupted by a signal, `PoolWorker` by an
asynchronous exception; `interrupts` decides when, and this module ensures that neither ever hits
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
from collections.abc import Callable, Sequence
from typing import Any

from ..threads import NO_THREAD
from .process import forks, signals
from .request import Cancelled, KernelRequest, Worker, current

logger = logging.getLogger("databench.kernel")

Finish = Callable[[KernelRequest, Any, BaseException | None], None]
# Most plain actions end within it: for those, to start a thread would take longer than to wait.
_GRACE_S = 0.002


class Job:
    """A job of a worker.

    Attributes:
        request: Whose it is.
        function: The code, without arguments.
        finish: Called on the worker's thread with the request, the result and the exception.
    """

    __slots__ = ("finish", "function", "request")

    def __init__(self, request: KernelRequest, function: Callable[[], Any], finish: Finish) -> None:
        self.request = request
        self.function = function
        self.finish = finish


class PlainWorker(Worker):
    """The common part of the main thread and the threads of the pool.

    Attributes:
        loop: The kernel's loop, which the code of an action finds as the thread's.
        take_next: Called on the worker's thread when it can take another job; returns one that
            waits, or nothing: then the worker is free.
    """

    def __init__(self, lock: threading.RLock) -> None:
        super().__init__(lock)
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.take_next: Callable[[PlainWorker], Job | None] = _become_free
        # Set by the thread that gives a job, taken away when the job's code has ended: before its
        # end is sent, so that the page's next action already finds the worker free.
        self.is_busy = False
        self.given_s = 0.0
        # True exactly while the user's code may be interrupted.
        self.is_running = False
        # Before and after each job: undoes what code has left behind in the process.
        self.look_again: Callable[[], None] = _nothing
        self.put_right: Callable[[], None] = _nothing

    def _serve_jobs(self) -> None:
        self.ident = threading.get_ident()
        while (job := self.jobs.get()) is not None:
            self._work(job)
            job = None  # nothing of an ended action is kept while the worker waits

    def _work(self, job: Job) -> None:
        """Run a job, and those that wait behind it: the loop need not be woken for them."""
        following: Job | None = job
        while following is not None:
            job = following
            self._prepare()
            result, failure = self._run(job)
            # Others that wait come before the next action of this session, which `finish` lets
            # start: a session that always has one more would keep them waiting forever.
            following = self.take_next(self)
            job.finish(job.request, result, failure)

    def _run(self, job: Job) -> tuple[Any, BaseException | None]:
        """Run the job's code; returns its result and its exception, and is not interrupted then."""
        raise NotImplementedError

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


class MainWorker(PlainWorker):
    """The main thread."""

    is_main = True

    def serve(self) -> None:
        """Run jobs until `None` comes."""
        self._serve_jobs()

    def _run(self, job: Job) -> tuple[Any, BaseException | None]:
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
        self.put_right()  # an alarm, for one, would hit code that does not expect it
        return result, failure


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
        self._serve_jobs()

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
    little: most plain actions are short. If the main thread has been taken for longer than
    that, another worker is as good as it gets.

    Theory of operation: a worker whose job has ended takes the next one that waits by itself, on
    its own thread. The lock guards what waits and who is busy; nothing is called under it that
    could wait or raise, and no code of the user's runs under it.

    Args:
        main: The main thread's worker.
        make_worker: Makes and starts a further one.
        limit: Most workers in addition to the main one.
        later: Calls a function with an argument after some seconds, in the loop's thread.
    """

    def __init__(
        self,
        main: PlainWorker,
        make_worker: Callable[[], PlainWorker],
        limit: int,
        later: Callable[[float, Callable[[Job], None], Job], object],
    ) -> None:
        self._main = main
        self._others: list[PlainWorker] = []
        self._make_worker = make_worker
        self._limit = limit
        self._later = later
        self._lock = threading.Lock()
        self._waiting: deque[Job] = deque()
        self._is_short = False  # logged once
        main.take_next = self.take_next

    def submit(self, job: Job) -> None:
        """Run a job as soon as a worker is free."""
        main = self._main
        with self._lock:
            if not main.is_busy:
                _give(main, job)
                return
            self._waiting.append(job)
        if time.monotonic() - main.given_s > _GRACE_S:
            self._spill(job)
        else:
            self._later(_GRACE_S, self._spill, job)

    def take_next(self, worker: PlainWorker) -> Job | None:
        """The job that a worker runs next, or `None`: then it is free; on the worker's thread."""
        with self._lock:
            if not self._waiting:
                # In the same moment as the look: a job that comes now finds the worker free.
                worker.is_busy = False
                return None
            job = self._waiting.popleft()
            _hand(worker, job)
            return job

    def withdraw(self, request: KernelRequest) -> bool:
        """Take out a request's job that no worker has; False if there is none."""
        with self._lock:
            for job in self._waiting:
                if job.request is request:
                    self._waiting.remove(job)
                    return True
        return False

    def _spill(self, job: Job) -> None:
        """Give a job that still waits to another worker than the main one."""
        if self._try_give(job, self._others) or len(self._others) >= self._limit:
            return
        worker = self._try_worker()
        if worker is not None:
            self._try_give(job, [worker])

    def _try_give(self, job: Job, workers: Sequence[PlainWorker]) -> bool:
        """Give the job to one of these that is free; True if it does not wait any more."""
        with self._lock:
            if job not in self._waiting:
                return True
            worker = next((worker for worker in workers if not worker.is_busy), None)
            if worker is None:
                return False
            self._waiting.remove(job)
            _give(worker, job)
            return True

    def _try_worker(self) -> PlainWorker | None:
        """A further worker; `None` if the system allows no thread: what waits continues without."""
        try:
            worker = self._make_worker()
        except RuntimeError:
            if not self._is_short:
                self._is_short = True
                logger.warning("%s: plain actions are waiting for each other", NO_THREAD)
            return None
        self._is_short = False
        worker.take_next = self.take_next
        self._others.append(worker)
        return worker


def _give(worker: PlainWorker, job: Job) -> None:
    worker.is_busy = True
    _hand(worker, job)
    worker.jobs.put(job)


def _hand(worker: PlainWorker, job: Job) -> None:
    worker.given_s = time.monotonic()
    job.request.worker = worker


def _become_free(worker: PlainWorker) -> Job | None:
    worker.is_busy = False
    return None


def _nothing() -> None:
    pass
