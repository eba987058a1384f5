"""The style of the first release: an analysis made of functions, without a class.

Owns what such a file calls: `Analysis('name', __name__)` and its signals. The kernel makes a class
of the functions (`kernel/loading/functions.py`), so that all else knows classes only: each session
is an instance as ever. Which session a function runs in is a context variable, set for each step.

A function that is marked inside another, as `connect` of some examples marks one for what the page
sends, belongs to the session in which the other runs.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

# A signal without a message.
MISSING: Any = type("Missing", (), {"__repr__": lambda _self: "<no message>"})()


class Emits(Protocol):
    """A session, as far as functions need it."""

    def emit(self, signal: str, message: Any = MISSING) -> Awaitable[None]:
        """Send a signal to the session's pages."""


# The session in which the running function was called.
SESSION: ContextVar[Emits] = ContextVar("databench_session")
_Function = Callable[..., Any]


class FunctionSignals:
    """The signals of an analysis made of functions.

    Args:
        name: The analysis' name, for errors.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.functions: list[tuple[str, _Function]] = []
        # Those that are marked while a session's function runs; they go with their session.
        self._inner: weakref.WeakKeyDictionary[Emits, dict[str, list[_Function]]]
        self._inner = weakref.WeakKeyDictionary()

    def on(self, signal: str) -> Callable[[F], F]:
        """Mark a function: it is called when the page emits `signal`.

        `connect` is emitted once, when a session begins, and `disconnect` when it ends. A list that
        the page sends gives positional arguments, an object keyword arguments if they fit; a
        function with one parameter gets anything else whole. A function that is marked inside
        another gets the signals of the session in which the other runs.

        Raises:
            TypeError: `signal` is not a name, or the marked object is not a function; inside
                another function, it is a coroutine or a generator.
        """
        if not isinstance(signal, str):
            raise TypeError(
                f"{self._name}.signals.on: {signal!r:.80} is not the name of a signal; "
                f"write @{self._name}.signals.on('connect')"
            )

        def mark(function: F) -> F:
            if not callable(function):
                raise TypeError(f"{self._name}.signals.on: {function!r:.80} is not a function")
            session = SESSION.get(None)
            if session is None:
                self.functions.append((signal, function))
            else:
                self._mark_inner(session, signal, function)
            return function

        return mark

    def _mark_inner(self, session: Emits, signal: str, function: _Function) -> None:
        if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
            raise TypeError(
                f"{self._name}.signals.on({signal!r}): {function.__name__} is marked inside "
                "another function and is a coroutine or a generator; write a plain def, or mark it "
                "outside"
            )
        own = self._inner.setdefault(session, {})
        # `connect` runs again after a crash: the function that it marks then takes the place.
        same = [f for f in own.get(signal, ()) if f.__qualname__ != function.__qualname__]
        own[signal] = [*same, function]

    def find_inner(self, session: Emits, signal: str) -> list[_Function]:
        """The functions that a session's own functions have marked, in that order."""
        return list(self._inner.get(session, {}).get(signal, ()))

    def emit(self, signal: str, message: Any = MISSING) -> Awaitable[None]:
        """Send a signal to the pages of the session in which the calling function runs.

        Args:
            signal: Its name. `log`, `warn` and `error` are also logged.
            message: Anything with a JSON form; left out, the signal has no message.

        Returns:
            What can be awaited while the page is slow, and can be ignored.

        Raises:
            RuntimeError: No session runs the caller, as in a user's own thread.
            TypeError: The message has no JSON form.
        """
        session = SESSION.get(None)
        if session is None:
            raise RuntimeError(
                f"{self._name}.signals.emit({signal!r}) where no session is known; nothing is "
                f"sent: emit in a function marked with @{self._name}.signals.on(...), and start "
                "a thread of your own with contextvars.copy_context().run as its target"
            )
        return session.emit(signal, message)


class FunctionAnalysis:
    """The result of `databench.Analysis('simplepi', __name__)`.

    Args:
        name: The analysis' name; its page is `templates/<name>.html`.
        import_name: The module's `__name__`.
        signals: Its signals, if `databench.Signals(name)` made them before; or the description.
        description: For the gallery, which reads it from the source: a plain string, or `__doc__`.
        thumbnail: An image in the folder `static`, likewise.
    """

    def __init__(
        self,
        name: str,
        import_name: str = "",
        signals: FunctionSignals | str | None = None,
        description: str | None = None,
        thumbnail: str | None = None,
    ) -> None:
        has_signals = isinstance(signals, FunctionSignals)
        self.name = name
        self.import_name = import_name
        self.description = description if signals is None or has_signals else str(signals)
        self.thumbnail = thumbnail
        self.signals = signals if isinstance(signals, FunctionSignals) else FunctionSignals(name)


Signals = FunctionSignals  # as the first release names them
