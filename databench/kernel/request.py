"""One running action, and the word for its interruption."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .calls import Call
    from .desks import Desk
    from .session import Session


class Cancelled(BaseException):  # it is no error: it is what was asked for
    """The page cancelled the action that runs here.

    Raised inside plain actions, and inside coroutines that compute between two awaits; where a
    coroutine waits it is `asyncio.CancelledError`, as usual. `finally` blocks run.
    """


class Request:
    """An action from its arrival to its end, or a step of a session's life.

    Attributes:
        session: Whose it is.
        number: The front's number for it; `None` for the session's own steps.
        name: The action.
        payload: Its arguments, JSON.
        calls: The methods that are still to be called.
        wanted: The highest attempt at cancelling it that was asked for.
        raised: The highest attempt that was carried out: each is, once.
        is_deferred: An attempt waits until the thread leaves what must not be interrupted.
        is_ended: Its end was decided.
        desk: Where it runs, or `None` while it waits for its turn.
        task: The task of its coroutine, or `None`.
        headers: Message headers by signal (and state key), made once.
        progress_s: When it last said how far it is.
        result: What it returned.
    """

    __slots__ = (
        'calls', 'desk', 'headers', 'is_deferred', 'is_ended', 'name', 'number', 'payload',
        'progress_s', 'raised', 'result', 'session', 'task', 'wanted',
    )  # fmt: skip

    def __init__(self, session: Session, number: int | None, name: str, payload: bytes) -> None:
        self.session = session
        self.number = number
        self.name = name
        self.payload = payload
        self.calls: list[Call] = []
        self.wanted = 0
        self.raised = 0
        self.is_deferred = False
        self.is_ended = False
        self.desk: Desk | None = None
        self.task: Any = None
        self.headers: dict[str, bytes] = {}
        self.progress_s = 0.0
        self.result: Any = None


# Which request the running code belongs to; tasks and contexts that it makes inherit it.
current: contextvars.ContextVar[Request | None] = contextvars.ContextVar(
    "databench_request", default=None
)
