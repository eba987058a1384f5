"""How plain functions become the methods of a class, as the first release's style has them.

Owns in which session a function runs: `functions.SESSION` is set for each step of it, and in
nothing that runs between. The signal of a function that is marked inside another is read from the
source of the outer one, since a kernel declares its actions before any of them runs.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import inspect
import textwrap
from collections.abc import Callable, Generator, Iterator
from typing import Any

from ...analysis import Analysis, on_action
from ...functions import SESSION, FunctionAnalysis, FunctionSignals

# The step of a session that is named differently today.
_STEPS = {"disconnect": "disconnected"}
_Function = Callable[..., Any]


def make_class(made: FunctionAnalysis) -> type[Analysis]:
    """The class whose methods call the functions; one instance per session.

    Args:
        made: What `databench.Analysis('name', __name__)` gave, with its functions.
    """
    members: dict[str, Any] = {"__module__": made.import_name, "__doc__": made.description}
    functions = made.signals.functions
    for number, (signal, function) in enumerate(functions):
        # In the order in which they were marked: a class' handlers run in that of their names.
        action = _STEPS.get(signal, signal)
        members[f"function_{number:04}"] = on_action(action)(_make_method(function))
    inner = {signal for _, function in functions for signal in _find_inner_signals(function)}
    for number, signal in enumerate(sorted(inner)):
        method = _make_inner_method(made.signals, signal)
        members[f"inner_{number:04}"] = on_action(_STEPS.get(signal, signal))(method)
    return type(made.name, (Analysis,), members)


def _make_method(function: _Function) -> _Function:
    method: _Function
    if inspect.iscoroutinefunction(function):

        async def method(self: Analysis, *args: Any, **kwargs: Any) -> Any:
            SESSION.set(self)  # in its own task, and in those that it starts
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
    token = SESSION.set(session)
    try:
        yield
    finally:
        SESSION.reset(token)


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
    """The arguments, or the whole message if only that fits."""
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
