"""One action from its arrival to its end: which thread runs it, and how it is interrupted.

Owns what every part of the kernel knows of a running action, so that none has to know the session:
the request, the thread that runs it (`Worker`), and the kernel's open requests by number.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Any, Protocol

from .channel import checkpoint

# How a call runs (`plain`, `coroutine`, `generator`, `asyncgen`, or `here`: at once) and what.
Call = tuple[str, Callable[[], Any]]
# Cancels may come for requests that never do (they were lost on the way): the oldest go.
_EARLY_LIMIT = 1024


class Cancelled(BaseException):  # not an error: it is what the page asked for
    """The page cancelled the action that runs here.

    Raised inside plain actions, and inside coroutines that compute between two awaits; where a
    coroutine waits it is `asyncio.CancelledError`, as usual. `finally` blocks run.
    """


class RequestOwner(Protocol):
    """Whose request it is: its session's way out, as far as others need it."""

    def wake_for(self, request: KernelRequest) -> None:
        """Let a thread look up that waits in an emit of this request."""


class KernelRequest:
    """An action from its arrival to its end, or a step of a session's life.

    Attributes:
        owner: Its session's way out; `None` in tests.
        number: The front's number for it; `None` for the session's own steps.
        name: The action.
        payload: Its arguments, JSON.
        calls: The methods that are still to be called; `None` until they are known.
        wanted: The highest attempt at cancelling it that was asked for.
        raised: The highest attempt that was carried out: each is, once.
        is_deferred: An attempt waits until the thread leaves what must not be interrupted.
        is_ended: Its end was decided.
        worker: The thread that runs it, or `None` while it waits for its turn.
        task: The task of its coroutine, or `None`.
        headers: Message headers by signal (and state key), made once.
        progress_s: When it last reported its progress.
        result: Its return value.
    """

    __slots__ = (
        'calls', 'headers', 'is_deferred', 'is_ended', 'name', 'number', 'owner', 'payload',
        'progress_s', 'raised', 'result', 'task', 'wanted', 'worker',
    )  # fmt: skip

    def __init__(
        self, owner: RequestOwner | None, number: int | None, name: str, payload: bytes
    ) -> None:
        self.owner = owner
        self.number = number
        self.name = name
        self.payload = payload
        self.calls: list[Call] | None = None
        self.wanted = 0
        self.raised = 0
        self.is_deferred = False
        self.is_ended = False
        self.worker: Worker | None = None
        self.task: Any = None
        self.headers: dict[str, bytes] = {}
        self.progress_s = 0.0
        self.result: Any = None


class Worker:
    """A thread that runs user code, one request at a time.

    Args:
        lock: The channel's; the thread that interrupts holds it.

    Attributes:
        current: The request that it runs.
        ident: The thread's identifier.
        is_main: Whether signals reach it.
    """

    is_main = False

    def __init__(self, lock: threading.RLock) -> None:
        self.lock = lock
        self.current: KernelRequest | None = None
        self.ident = 0

    def barrier(self) -> Cancelled | None:
        """Let an interruption that was set before `current` was taken away come out.

        The thread that interrupts holds the lock from reading `current` to setting the exception;
        so once the lock was held here, none is on its way, and none can come.
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


class OpenRequests(dict[int, KernelRequest]):
    """A kernel's open requests by number; the code that ends one takes it out.

    A cancel comes through the interrupt pipe too, which may be read before the action's message: it
    is kept until its request arrives.

    Theory of operation: the main thread reads the pipe, the loop's thread the messages. Each first
    writes what it has and then looks for what the other wrote, so that one of the two sees both: a
    cancel that both missed would never come again where the action holds the loop.
    """

    def __init__(self) -> None:
        super().__init__()
        self._early: dict[int, int] = {}  # attempts for requests that have not arrived

    def open(self, number: int, request: KernelRequest) -> None:
        """A request has arrived."""
        self[number] = request
        if self._early and (attempt := self._early.pop(number, None)) is not None:
            request.wanted = max(request.wanted, attempt)

    def want(self, number: int, attempt: int) -> KernelRequest | None:
        """Note an attempt at cancelling; returns the request, if it has arrived and not ended."""
        if number not in self:
            while len(self._early) >= _EARLY_LIMIT:
                self._early.pop(next(iter(self._early)), None)
            self._early[number] = attempt
        request = self.get(number)
        if request is None:
            return None
        self._early.pop(number, None)
        request.wanted = max(request.wanted, attempt)
        return request


# Which request the running code belongs to; tasks and contexts that it makes inherit it.
current: contextvars.ContextVar[KernelRequest | None] = contextvars.ContextVar(
    "databench_request", default=None
)


def settle() -> None:
    """Raise an interruption that was deferred; called after the channel's lock was left."""
    request = current.get()
    if request is not None and request.is_deferred:
        request.is_deferred = False
        worker = request.worker
        is_running = worker is not None and worker.current is request
        if is_running and request.wanted > request.raised:
            request.raised = request.wanted
            raise Cancelled
