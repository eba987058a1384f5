"""Cancelling: which thread is interrupted and how, and that no other code is ever hit.

Theory of operation: a cancel reaches the kernel twice, as a message (read by the loop's thread)
and as a record in the interrupt pipe followed by SIGINT (read in the main thread, so it works
while the loop's thread is computing). Both only raise `request.wanted`. `strike` carries an attempt
out, once: it compares `wanted` with `raised`. A SIGINT that neither a record nor `strike` announced
comes from user code or from outside, so the user's handler gets it.

* The signal handler interrupts the main thread by raising, only while its worker runs that very
  request and does not hold the channel's lock: otherwise `request.settle` raises later. It does not
  interrupt the start of a process either: the caller would have no handle to end it by. It is then
  repeated.
* Other threads are interrupted by an asynchronous exception, set under the channel's lock and only
  while their worker runs that very request. A thread that waits for the lock meets the exception at
  its checkpoint; one that holds the lock cannot be struck. The worker catches what comes out late.
* If code is traced or profiled (coverage, a debugger), CPython before 3.12 enters no Python
  function in such a thread while an exception waits for another one: a thread that holds the lock
  would hold it forever if the other waits for it. Such threads are not struck: `settle` raises at
  the next emit. It enters none either while a signal waits for the main thread, which may have
  begun to wait in C the moment before. There a timer over the computing time interrupts that wait
  again and again.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
from types import FrameType
from typing import Any

from ..protocol.variables import INTERRUPT
from ..threads import call_later
from .process.dispositions import Dispositions
from .request import Cancelled, KernelRequest, OpenRequests, current
from .workers import PlainWorker

logger = logging.getLogger("databench.kernel")

# After this, what must not be interrupted (the start of a process) has most often ended.
_REPEAT_S = 0.05
_TRACED_REPEAT_S = 0.01  # of computing time
_SET_ASYNC_EXC = ctypes.pythonapi.PyThreadState_SetAsyncExc
_CANCELLED = ctypes.py_object(Cancelled)
_START_PROCESS = subprocess.Popen.__init__.__code__


def _is_traced() -> bool:
    """Whether an exception for one thread may stop all others forever: see the top."""
    if sys.version_info >= (3, 12):
        return False
    set_ = threading.gettrace(), sys.gettrace(), threading.getprofile(), sys.getprofile()
    return any(function is not None for function in set_)


def _is_starting_process(frame: FrameType | None) -> bool:
    """Whether the code that was interrupted is about to get a process that it has to end."""
    while frame is not None:
        if frame.f_code is _START_PROCESS:
            return True
        frame = frame.f_back
    return False


class Interrupts:
    """Carries cancels out.

    Args:
        lock: The channel's lock.
        main: The main thread's worker.
        requests: The open ones.
        fd: The read end of the interrupt pipe, or `None`.
        dispositions: The other handlers of the signal.
    """

    def __init__(
        self,
        lock: threading.RLock,
        main: PlainWorker,
        requests: OpenRequests,
        fd: int | None,
        dispositions: Dispositions,
    ) -> None:
        self.lock = lock
        self.main = main
        self.requests = requests
        self.dispositions = dispositions
        # The system merges signals that wait, so there may be fewer than were announced.
        self._announced = self._seen = 0
        self._is_handling = False
        self._has_more = False
        self._hooked: set[KernelRequest] = set()  # whose dropped interruption is being checked
        self._fd = fd
        if fd is not None:
            os.set_blocking(fd, False)

    def install(self) -> None:
        """Take SIGINT; in the main thread."""
        self.dispositions.take(signal.SIGINT, self._on_sigint)
        sys.unraisablehook = self._on_unraisable
        if _is_traced() and signal.getsignal(signal.SIGVTALRM) == signal.SIG_DFL:
            signal.signal(signal.SIGVTALRM, _nothing)
            signal.setitimer(signal.ITIMER_VIRTUAL, _TRACED_REPEAT_S, _TRACED_REPEAT_S)

    def strike(self, request: KernelRequest) -> None:
        """Interrupt the request if a worker runs it and this attempt was not carried out."""
        with self.lock:
            worker = request.worker
            if worker is None or worker.current is not request or request.wanted <= request.raised:
                return
            if worker.is_main:
                if threading.get_ident() != worker.ident:
                    self._announced += 1
                    self.dispositions.arm()
                    signal.pthread_kill(worker.ident, signal.SIGINT)
                return
            if _is_traced():
                request.is_deferred = True
            else:
                request.raised = request.wanted
                _SET_ASYNC_EXC(ctypes.c_ulong(worker.ident), _CANCELLED)
            # An exception does not wake a thread that waits for credit.
            if request.owner is not None:
                request.owner.wake_for(request)

    def _on_unraisable(self, unraisable: Any) -> None:
        """Repeat an interruption that has interrupted nothing.

        Python drops an exception that comes out in a weak reference's callback or a `__del__`.
        """
        if unraisable.exc_type is not Cancelled:
            sys.__unraisablehook__(unraisable)
            return
        request = current.get()
        if request is not None and not request.is_ended:
            # From another thread: here it would come out in this very hook. Where there is no
            # thread for it, the page's next Cancel repeats it.
            self._hooked.add(request)
            try:
                call_later(_REPEAT_S, self._repeat, request, request.wanted)
            finally:
                self._hooked.discard(request)

    def _repeat(self, request: KernelRequest, attempt: int) -> None:
        if request in self._hooked:  # a busy machine: it would be dropped once more, for good
            call_later(_REPEAT_S, self._repeat, request, attempt)
        elif not request.is_ended and request.wanted == attempt:
            request.raised = attempt - 1
            self.strike(request)

    def _on_sigint(self, number: int, frame: FrameType | None) -> None:
        self._seen += 1
        if self._is_handling:
            # It came while an earlier one is handled: raising here would lose what that one read.
            self._has_more = True
            return
        self._has_more = True
        while self._has_more:
            self._has_more = False
            self._is_handling = True
            try:
                for request in self._read_records():
                    self.strike(request)
            finally:
                self._is_handling = False
        self._pass_on(number, frame)
        running = self.main.current
        if running is None or not self.main.is_running or running.wanted <= running.raised:
            return
        if self.lock._is_owned():  # type: ignore[attr-defined]  # threading.Condition uses it too
            running.is_deferred = True
            return
        if _is_starting_process(frame):
            # Nothing, if another attempt was carried out by then; the session asks again, too.
            call_later(_REPEAT_S, self.strike, running)
            return
        running.raised = running.wanted
        raise Cancelled

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        """Call the user's handler too."""
        if self._seen > self._announced:
            self._seen = self._announced
            self.dispositions.call_current(number, frame)
        else:
            self.dispositions.call_kept(number, frame)

    def _read_records(self) -> list[KernelRequest]:
        """The open requests that the pipe names and that do not run in the main thread."""
        found: list[KernelRequest] = []
        while self._fd is not None:
            try:
                block = os.read(self._fd, INTERRUPT.size * 256)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                logger.debug("the interrupt pipe is closed")
                block = b""
            if not block:
                self._fd = None
                break
            usable = len(block) - len(block) % INTERRUPT.size
            for number, attempt in INTERRUPT.iter_unpack(block[:usable]):
                found += self._want(number, attempt)
        return found

    def _want(self, number: int, attempt: int) -> list[KernelRequest]:
        self._announced += 1
        request = self.requests.want(number, attempt)
        return [] if request is None or request.worker is self.main else [request]


def _nothing(_number: int, _frame: FrameType | None) -> None:
    pass
