"""The class that users extend: `Analysis`, and the marks `on` and `on_action`.

Owns the names of actions, how handlers are found, and what an analysis can do. It does not decide
how a message reaches a page: the kernel (or a test) gives each instance an `Outlet`.
"""

from __future__ import annotations

import functools
import inspect
import logging
import secrets
import types
from collections.abc import AsyncIterable, Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any, Protocol, TypeVar, overload

from .datastore import Datastore, Results, Updater
from .functions import MISSING as MISSING
from .functions import FunctionAnalysis
from .progress import ProgressIterator

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

ANY_ACTION = "*"
# Signals that are also logged.
LEVELS = {"log": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
_MARK = "_databench_actions"
_IDEMPOTENT_MARK = "_databench_idempotent"  # those of them that may be run again


class Outlet(Protocol):
    """The outlet of an analysis' messages.

    One that has its own loop also has `start(generator)`: it runs the generator of a handler
    that another handler calls, and returns what can be awaited.
    """

    def emit(self, signal: str, message: Any = MISSING) -> Awaitable[None]:
        """Send a signal."""

    def progress(self, value: float, total: float | None) -> None:
        """Report the progress of the running action."""


@overload
def on(function: F, /) -> F: ...
@overload
def on(*, idempotent: bool = False) -> Callable[[F], F]: ...
def on(function: Any = None, /, *, idempotent: bool = False) -> Any:
    """Mark a method as the handler of the action of its name.

    Args:
        function: The method, if the mark is used without arguments.
        idempotent: Whether the action may run twice: if its kernel is lost while it runs, it is run
            again once, from its beginning. What it emitted until then stays.
    """

    def mark(method: F) -> F:
        if isinstance(method, str):
            raise TypeError(f"on: {method!r} is not a method; did you mean on_action({method!r})?")
        return _marked(method, getattr(method, "__name__", ""), idempotent)

    return mark if function is None else mark(function)


def on_action(name: str, *, idempotent: bool = False) -> Callable[[F], F]:
    """Mark a method as a handler of the action `name`; `'*'` is every action.

    Args:
        name: As the page sends it.
        idempotent: As in `on`.
    """
    return lambda method: _marked(method, name, idempotent)


def _marked(method: F, name: str, idempotent: bool) -> F:
    if not callable(method):
        raise TypeError(f"on: {method!r:.80} is not a method; put it above a def")
    if inspect.isgeneratorfunction(method):
        method = _begun_when_called(method)
    setattr(method, _MARK, (*getattr(method, _MARK, ()), name))
    if idempotent:
        setattr(method, _IDEMPOTENT_MARK, (*getattr(method, _IDEMPOTENT_MARK, ()), name))
    return method


def _begun_when_called(method: Callable[..., Any]) -> Any:
    """A generator handler that other handlers call like one: it begins at once."""

    @functools.wraps(method)
    def begin(*args: Any, **kwargs: Any) -> Any:
        generator = method(*args, **kwargs)
        start = getattr(getattr(args[0] if args else None, "_outlet", None), "start", None)
        if start is not None:
            return start(generator)
        from tornado.gen import coroutine

        return coroutine(lambda: generator)()

    return begin


def bare(handler: Callable[..., Any]) -> Callable[..., Any]:
    """What a kernel runs of a handler: the generator behind a mark or `tornado.gen.coroutine`.

    Args:
        handler: A method, bound or not.

    Returns:
        It, or the generator function that it was made of, bound alike.
    """
    function = getattr(handler, "__func__", handler)
    inner = _bare(function)
    if inner is function:
        return handler
    instance = getattr(handler, "__self__", None)
    return inner if instance is None else types.MethodType(inner, instance)


@functools.lru_cache(maxsize=1024)
def _bare(function: Callable[..., Any]) -> Callable[..., Any]:
    inner = function
    # Not every `__wrapped__`: other decorators add something, and copy these attributes along.
    while hasattr(inner, "__wrapped__") and (
        getattr(inner, "__globals__", {}).get("__name__") in (__name__, "tornado.gen")
    ):
        inner = inner.__wrapped__
    return inner if inspect.isgeneratorfunction(inner) else function


def find_handlers(cls: type) -> dict[str, tuple[str, ...]]:
    """The methods that handle each action of a class.

    A method that overrides a marked one keeps the mark.

    Returns:
        Action name to names of attributes, in the order in which they run.
    """
    found: dict[str, list[str]] = {}
    for attribute in dir(cls):
        if not callable(getattr(cls, attribute, None)):
            continue
        names = _marks(cls, attribute)
        if attribute.startswith("on_") and len(attribute) > 3:
            names.append(attribute[3:])
        for name in dict.fromkeys(names):
            found.setdefault(name, []).append(attribute)
    return {name: tuple(_own_last(cls, attributes)) for name, attributes in found.items()}


def find_idempotent(cls: type, handlers: Mapping[str, tuple[str, ...]]) -> Collection[str]:
    """The actions of a class that may be run again if their kernel is lost.

    Each handler that an action calls has to be marked, one of `'*'` too. The method that runs
    counts: one that overrides a marked one keeps the action's name, but is other code, which may
    not bear to run twice.

    Args:
        cls: The class.
        handlers: Its handlers, as `find_handlers` gives them.
    """
    every = handlers.get(ANY_ACTION, ())
    if not all(_may_run_twice(cls, attribute, ANY_ACTION) for attribute in every):
        return ()
    return [
        name
        for name, attributes in handlers.items()
        if name != ANY_ACTION and all(_may_run_twice(cls, a, name) for a in attributes)
    ]


def _may_run_twice(cls: type, attribute: str, name: str) -> bool:
    marked = getattr(getattr(cls, attribute), _IDEMPOTENT_MARK, ())
    # `on_fit` handles `fit` without a mark of that name: a mark of any other is meant for it too.
    return name in marked or (attribute == f"on_{name}" and bool(marked))


def find_class_inputs(cls: type) -> Collection[str]:
    """The names of `class_data` that pages may write.

    Raises:
        TypeError: `class_inputs` is one string, whose letters would be the names.
    """
    names: Collection[str] = getattr(cls, "class_inputs", ())
    if isinstance(names, str):
        raise TypeError(
            f"class_inputs of {cls.__name__} is the text {names!r:.80}; write a list of names: "
            f"class_inputs = [{names!r:.80}]"
        )
    return names


def _marks(cls: type, attribute: str) -> list[str]:
    for base in cls.__mro__:
        names = getattr(base.__dict__.get(attribute), _MARK, ())
        if names:
            return list(names)
    return []


def _own_last(cls: type, attributes: list[str]) -> list[str]:
    """Without the defaults of `Analysis` if the class has its own handler."""
    own = [a for a in attributes if getattr(cls, a) is not getattr(Analysis, a, None)]
    return own or attributes


class Analysis:
    """The code of an analysis: one instance per browser session.

    Methods marked with `on` or `on_action`, or named `on_<action>`, are called when the page emits
    that action: a list gives positional arguments, an object keyword arguments, anything else the
    first argument. They may be plain, `async`, or generators that yield what can be awaited.

    A session begins with `connect`, `args` and `connected`, and ends with `disconnected`.

    Attributes:
        data: The session's values; changes reach its pages. `None` before the session begins.
        class_data: Values shared by all sessions of this class; likewise.
        cli_args: The words after Databench's own options on the command line.
        request_args: The page's query, each value a list.
        id_: The session's id.
        restored: Why the session begins again (its kernel was lost or restarted), or `None`.
        class_inputs: Names of `class_data` that every page may write, by an input of that name.
    """

    datastore_class: type[Datastore] = Datastore
    class_inputs: Collection[str] = ()

    data: Datastore
    class_data: Datastore
    cli_args: list[str]
    request_args: dict[str, list[str]]
    id_: str
    restored: str | None
    _outlet: Outlet | None
    _emit_fn: Callable[..., Any] | None
    _untold: list[tuple[str, Datastore]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Give every instance its attributes.

        `Analysis('simplepi', __name__)` makes an analysis of functions, as in the first release.
        """
        if cls is Analysis and ((args and isinstance(args[0], str)) or "name" in kwargs):
            return FunctionAnalysis(*args, **kwargs)
        # Here and not in __init__, so that subclasses need not call super().
        self = super().__new__(cls)
        self.data = self.class_data = None  # type: ignore[assignment]
        self.cli_args, self.request_args = [], {}
        self.id_, self.restored = "", None
        self._outlet = self._emit_fn = None
        self._untold = []
        return self

    # -- set up by the code that runs the session

    def init_databench(self, id_: str | None = None) -> Analysis:
        """Give the instance its id and its datastores; returns the instance."""
        self.id_ = id_ or secrets.token_urlsafe(12)
        self.init_datastores()
        stores: list[tuple[str, Any]] = [("data", self.data), ("class_data", self.class_data)]
        # An init_datastores of the user's may have subscribed to them itself.
        self._untold = [x for x in stores if isinstance(x[1], Datastore) and not x[1].is_heard]
        self._tell_changes()
        return self

    def init_datastores(self) -> None:
        """Make `data` and `class_data`; override it to use another backend."""
        self.data = self.datastore_class(self.id_, release_storage=True)
        self.class_data = self.datastore_class(type(self).__name__)

    def set_emit_fn(self, emit_fn: Callable[..., Any]) -> Analysis:
        """Let `emit` call `emit_fn(signal, message)` instead; returns the instance.

        If no kernel reports them, changes of state go there too, as the
        signals `data` and `class_data`.
        """
        self._emit_fn = emit_fn
        self._tell_changes()
        return self

    def _tell_changes(self) -> None:
        if self._emit_fn is None or self._outlet is not None:
            return
        while self._untold:
            signal, store = self._untold.pop()
            store.on_change(functools.partial(self._tell_change, signal))

    def _tell_change(self, signal: str, key: str, value: Any) -> Awaitable[None]:
        if signal == "data":
            value = as_shown(self, key, value)
        return self.emit(signal, {key: value})

    # -- what an analysis sends

    def emit(self, signal: str, message: Any = MISSING) -> Awaitable[None]:
        """Send a signal to the session's pages, now.

        Args:
            signal: Its name. `log`, `warn` and `error` are also logged.
            message: Anything with a JSON form; left out, the signal has no message.

        Returns:
            What can be awaited (or yielded) to wait while the page is slow, and can be ignored.

        Raises:
            TypeError: The message has no JSON form; the text names the place.
        """
        if self._emit_fn is not None:
            if signal in LEVELS:
                text = message if isinstance(message, str) else repr(message)
                _logger_of(self).log(LEVELS[signal], "%s", text[:2000])
            sent: Awaitable[None] = self._emit_fn(signal, message)
            return sent
        if self._outlet is None:
            raise RuntimeError(
                f"emit({signal!r}) before the session has begun; nothing is sent: "
                "emit in connected() and later, not in __init__"
            )
        return self._outlet.emit(signal, message)

    def progress(
        self, iterable: Iterable[T] | AsyncIterable[T], total: float | None = None
    ) -> ProgressIterator[T]:
        """Iterate (`for` or `async for`) and show the page the progress.

        Args:
            iterable: What to iterate over.
            total: Number of items, if `len(iterable)` does not give it.
        """
        return ProgressIterator(
            iterable, total, None if self._outlet is None else self._outlet.progress
        )

    def toast(self, text: str) -> Awaitable[None]:
        """Show a short notice on the page."""
        return self.emit("toast", text)

    # -- actions that every analysis has

    @on
    def connect(self) -> Any:
        """Begin a session: called first."""
        return Results()  # an override may wait for it, as for any other

    @on
    def args(self, cli_args: list[str], request_args: dict[str, list[str]]) -> Any:
        """Take the arguments of the session: called second."""
        self.cli_args, self.request_args = cli_args, request_args
        return Results()

    @on
    def connected(self) -> Any:
        """Begin the analysis: called third; the place for `self.data.init(...)`."""
        return Results()

    @on
    def disconnected(self) -> Any:
        """Clean up: called when the session ends."""
        return Results()

    @on
    def log(self, *args: Any, **kwargs: Any) -> Any:
        """Log what the page sends as `log`."""
        self._log_page(logging.INFO, args, kwargs)

    @on
    def warn(self, *args: Any, **kwargs: Any) -> Any:
        """Log what the page sends as `warn`."""
        self._log_page(logging.WARNING, args, kwargs)

    @on
    def error(self, *args: Any, **kwargs: Any) -> Any:
        """Log what the page sends as `error`."""
        self._log_page(logging.ERROR, args, kwargs)

    # -- state; no actions: a page would write values of any name

    def set_state(self, updater: Updater | None = None, **kwargs: Any) -> Results:
        """Change values of `data`.

        Args:
            updater: A dict, or a function of `data` that returns one.
            **kwargs: Values by name.
        """
        return self.data.set_state(updater, **kwargs)

    def set_class_state(self, updater: Updater | None = None, **kwargs: Any) -> Results:
        """Change values of `class_data`; like `set_state`."""
        return self.class_data.set_state(updater, **kwargs)

    def _log_page(self, level: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        words = [str(arg) for arg in args] + [f"{k}={v!r}" for k, v in kwargs.items()]
        _logger_of(self, ".page").log(level, "%s", " ".join(words)[:2000])


def as_shown(analysis: Analysis, key: str, value: Any) -> Any:
    """A value of `data` as pages see it: what a method `data_<key>` makes of it."""
    hook = getattr(analysis, f"data_{key}", None)
    return hook(value) if callable(hook) else value


def _logger_of(analysis: Analysis, part: str = "") -> logging.Logger:
    return logging.getLogger(f"databench.kernel.{type(analysis).__module__}{part}")


def kind_of(handler: Callable[..., Any]) -> str:
    """How a handler runs, as `bare` gives it: `plain`, `coroutine`, `generator` or `asyncgen`."""
    return _kind_of_function(getattr(handler, "__func__", handler))


@functools.lru_cache(maxsize=1024)
def _kind_of_function(handler: Callable[..., Any]) -> str:
    handler = _bare(handler)
    function = inspect.unwrap(handler, stop=lambda f: hasattr(f, "__tornado_coroutine__"))
    if inspect.isgeneratorfunction(handler):
        return "generator"
    if hasattr(function, "__tornado_coroutine__"):
        # Decorated with tornado.gen.coroutine: plain to inspect, but it needs the loop.
        return "coroutine"
    if inspect.isasyncgenfunction(handler):
        return "asyncgen"
    return "coroutine" if inspect.iscoroutinefunction(handler) else "plain"
