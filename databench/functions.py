"""The style of the first release: an analysis made of functions, without a class.

Owns how plain functions become the methods of a class, so that all else knows classes only: each
session is an instance as ever. Which session a function runs in is a context variable, set for each
step of it.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextvars import ContextVar
from typing import Any, TypeVar

from .analysis import MISSING, Analysis, on_action

F = TypeVar("F", bound=Callable[..., Any])

_SESSION: ContextVar[Analysis] = ContextVar("databench_session")


class FunctionSignals:
    """The signals of an analysis made of functions.

    Args:
        name: The analysis' name, for errors.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.functions: list[tuple[str, Callable[..., Any]]] = []

    def on(self, signal: str) -> Callable[[F], F]:
        """Mark a function: it is called when the page emits `signal`.

        `connect` is emitted once, when a session begins. A list that the page sends gives
        positional arguments, an object keyword arguments where they fit; a function with one
        parameter gets anything else whole.

        Raises:
            TypeError: `signal` is no name, or what is marked is no function.
        """
        if not isinstance(signal, str):
            raise TypeError(
                f"{self._name}.signals.on: {signal!r:.80} is no name of a signal; "
                f"write @{self._name}.signals.on('connect')"
            )

        def mark(function: F) -> F:
            if not callable(function):
                raise TypeError(f"{self._name}.signals.on: {function!r:.80} is no function")
            self.functions.append((signal, function))
            return function

        return mark

    def emit(self, signal: str, message: Any = MISSING) -> Awaitable[None]:
        """Send a signal to the pages of the session in which the calling function runs.

        Args:
            signal: Its name. `log`, `warn` and `error` are also logged.
            message: Anything with a JSON form; left out, the signal has no message.

        Returns:
            What can be awaited while the page is slow, and can be ignored.

        Raises:
            RuntimeError: No session runs the caller, as in a thread of its own.
            TypeError: The message has no JSON form.
        """
        session = _SESSION.get(None)
        if session is None:
            raise RuntimeError(
                f"{self._name}.signals.emit({signal!r}) where no session is known; nothing is "
                f"sent: emit in a function marked with @{self._name}.signals.on(...), and start "
                "a thread of your own with contextvars.copy_context().run as its target"
            )
        return session.emit(signal, message)


class FunctionAnalysis:
    """What `databench.Analysis('simplepi', __name__)` gives.

    Args:
        name: The analysis' name; its page is `templates/<name>.html`.
        import_name: The module's `__name__`.
        signals: Its signals, where `databench.Signals(name)` made them before.
        description: For the gallery, which reads it from the source: a plain string, or `__doc__`.
        thumbnail: An image in the folder `static`, likewise.
    """

    def __init__(
        self,
        name: str,
        import_name: str = "",
        signals: FunctionSignals | None = None,
        description: str | None = None,
        thumbnail: str | None = None,
    ) -> None:
        self.name = name
        self.import_name = import_name
        self.description = description
        self.thumbnail = thumbnail
        self.signals = FunctionSignals(name) if signals is None else signals

    def make_class(self) -> type[Analysis]:
        """The class whose methods call the functions; one instance per session."""
        members: dict[str, Any] = {"__module__": self.import_name, "__doc__": self.description}
        for number, (signal, function) in enumerate(self.signals.functions):
            # In the order in which they were marked: a class' handlers run in that of their names.
            members[f"function_{number:04}"] = on_action(signal)(_make_method(function))
        return type(self.name, (Analysis,), members)


Signals = FunctionSignals  # as the first release names them


def _make_method(function: Callable[..., Any]) -> Callable[..., Any]:
    method: Callable[..., Any]
    if inspect.iscoroutinefunction(function):

        async def method(self: Analysis, *args: Any, **kwargs: Any) -> Any:
            _SESSION.set(self)  # in its own task, and in those that it starts
            args, kwargs = _fit(function, args, kwargs)
            return await function(*args, **kwargs)

    elif inspect.isgeneratorfunction(function):

        def method(self: Analysis, *args: Any, **kwargs: Any) -> Any:
            args, kwargs = _fit(function, args, kwargs)
            return (yield from _in_steps(self, function(*args, **kwargs)))

    else:

        def method(self: Analysis, *args: Any, **kwargs: Any) -> Any:
            args, kwargs = _fit(function, args, kwargs)
            with _within(self):
                return function(*args, **kwargs)

    method.__name__ = getattr(function, "__name__", "function")
    return method


@contextlib.contextmanager
def _within(session: Analysis) -> Iterator[None]:
    token = _SESSION.set(session)
    try:
        yield
    finally:
        _SESSION.reset(token)


def _in_steps(session: Analysis, generator: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Run a generator with the session known in each step, and in nothing that runs between."""
    step: Callable[[], Any] = functools.partial(next, generator)
    while True:
        with _within(session):
            try:
                awaited = step()
            except StopIteration as end:
                return end.value
        try:
            value = yield awaited
        except BaseException as error:  # noqa: BLE001 - handed on to the generator as it is
            step = functools.partial(generator.throw, error)
        else:
            step = functools.partial(generator.send, value)


def _fit(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments, or the message whole where only that fits."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return args, kwargs
    whole = (kwargs,) if kwargs else (list(args),)
    if not _binds(signature, args, kwargs) and _binds(signature, whole, {}):
        return whole, {}
    return args, kwargs


def _binds(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        return False
    return True
