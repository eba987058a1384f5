"""The style of the first release: an analysis made of functions, without a class.

Owns how plain functions become the methods of a class, so that all else knows classes only: each
session is an instance as ever. Which session a function runs in is a context variable, set for each
step of it.

A function that is marked inside another, as `connect` of some examples marks one for what the page
sends, belongs to the session in which the other runs. Its signal is read from the source of the
outer function, since a kernel declares its actions before any of them runs.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import inspect
import textwrap
import weakref
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextvars import ContextVar
from typing import Any, TypeVar

from .analysis import MISSING, Analysis, on_action

F = TypeVar("F", bound=Callable[..., Any])

_SESSION: ContextVar[Analysis] = ContextVar("databench_session")
# The step of a session that is named differently today.
_STEPS = {"disconnect": "disconnected"}
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
        self._inner: weakref.WeakKeyDictionary[Analysis, dict[str, list[_Function]]]
        self._inner = weakref.WeakKeyDictionary()

    def on(self, signal: str) -> Callable[[F], F]:
        """Mark a function: it is called when the page emits `signal`.

        `connect` is emitted once, when a session begins, and `disconnect` when it ends. A list that
        the page sends gives positional arguments, an object keyword arguments where they fit; a
        function with one parameter gets anything else whole. A function that is marked inside
        another hears the session in which the other runs.

        Raises:
            TypeError: `signal` is no name, or what is marked is no function; inside another
                function, it is a coroutine or a generator.
        """
        if not isinstance(signal, str):
            raise TypeError(
                f"{self._name}.signals.on: {signal!r:.80} is no name of a signal; "
                f"write @{self._name}.signals.on('connect')"
            )

        def mark(function: F) -> F:
            if not callable(function):
                raise TypeError(f"{self._name}.signals.on: {function!r:.80} is no function")
            session = _SESSION.get(None)
            if session is None:
                self.functions.append((signal, function))
            else:
                self._mark_inner(session, signal, function)
            return function

        return mark

    def _mark_inner(self, session: Analysis, signal: str, function: _Function) -> None:
        if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
            raise TypeError(
                f"{self._name}.signals.on({signal!r}): {function.__name__} is marked inside "
                "another function and waits; write it with a plain def, or mark it outside"
            )
        own = self._inner.setdefault(session, {})
        # `connect` runs again after a crash: the function that it marks then takes the place.
        same = [f for f in own.get(signal, ()) if f.__qualname__ != function.__qualname__]
        own[signal] = [*same, function]

    def find_inner(self, session: Analysis, signal: str) -> list[_Function]:
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
        signals: Its signals, where `databench.Signals(name)` made them before; or the description.
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

    def make_class(self) -> type[Analysis]:
        """The class whose methods call the functions; one instance per session."""
        members: dict[str, Any] = {"__module__": self.import_name, "__doc__": self.description}
        functions = self.signals.functions
        for number, (signal, function) in enumerate(functions):
            # In the order in which they were marked: a class' handlers run in that of their names.
            action = _STEPS.get(signal, signal)
            members[f"function_{number:04}"] = on_action(action)(_make_method(function))
        inner = {signal for _, function in functions for signal in _find_inner_signals(function)}
        for number, signal in enumerate(sorted(inner)):
            method = _make_inner_method(self.signals, signal)
            members[f"inner_{number:04}"] = on_action(_STEPS.get(signal, signal))(method)
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


def _make_inner_method(signals: FunctionSignals, signal: str) -> _Function:
    """A method that calls what the session's own functions have marked, if anything."""

    def method(self: Analysis, *args: Any, **kwargs: Any) -> None:
        for function in signals.find_inner(self, signal):
            own_args, own_kwargs = _fit(function, args, kwargs)
            with _within(self):
                function(*own_args, **own_kwargs)

    method.__name__ = signal
    return method


def _find_inner_signals(function: _Function) -> set[str]:
    """The signals that functions inside of this one are marked for, as its source names them."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return set()  # without a source, as in a console
    inner = (
        node
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(outer)
        if isinstance(node, ast.FunctionDef) and node is not outer
    )
    marks = (mark for node in inner for mark in node.decorator_list)
    return {signal for mark in marks if (signal := _signal_of(mark)) is not None}


def _signal_of(mark: ast.expr) -> str | None:
    """`x` of `@analysis.signals.on('x')` or `@signals.on('x')`."""
    if not isinstance(mark, ast.Call) or not isinstance(mark.func, ast.Attribute):
        return None
    word = mark.args[0] if mark.args else None
    is_on = mark.func.attr == "on" and ast.unparse(mark.func.value).endswith("signals")
    is_text = isinstance(word, ast.Constant) and isinstance(word.value, str)
    return word.value if is_on and is_text else None  # type: ignore[union-attr]


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
