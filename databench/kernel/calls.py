"""Which methods an action calls, and with which arguments; pure.

Owns what a page may ask of an analysis: the actions that the class declares, and the values that
inputs without a handler write. Refuses the steps of a session's life (docs/protocol.md, 4.5).
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Collection, Mapping
from typing import Any

from ..analysis import ANY_ACTION, Analysis, bare, find_class_inputs, kind_of
from ..protocol.actions import STEPS, WRITERS, Declared, find_problem
from ..settings import Settings
from .arguments import (
    ActionError,
    Fit,
    check_arguments,
    find_fit,
    no_such_action,
    read_payload,
)
from .request import Call

Handlers = Mapping[str, tuple[str, ...]]
# Methods that code other than a page may call by name, as in 0.7.
BUILT_IN: Handlers = {name: (name,) for name in WRITERS}
# What making an instance goes through, and the attributes that it is given then (a property of the
# user's may stand there).
_MAKERS = (
    *("__new__", "__init__", "__setattr__", "__getattribute__"),
    *("init_databench", "init_datastores", "_tell_changes", "datastore_class"),
)
_GIVEN = (
    *("__getattr__", "data", "class_data", "cli_args", "request_args", "id_", "restored"),
    *("_outlet", "_emit_fn", "_untold"),
)
_STORES = dict(zip(WRITERS, ("data", "class_data"), strict=True))


def find_declared(handlers: Handlers, idempotent: Collection[str] = ()) -> Declared:
    """The actions that a page may ask for; other names may be those of values that inputs write.

    Args:
        handlers: The class' handlers, as `analysis.find_handlers` gives them.
        idempotent: Those that may run twice, as `analysis.find_idempotent` gives them. A step of a
            session's life is not: each process begins a session again in any case.
    """
    names = frozenset(handlers) - {ANY_ACTION, *STEPS}
    return Declared(names, idempotent=names & frozenset(idempotent))


def has_own_making(cls: type[Analysis]) -> bool:
    """Whether making an instance runs code of the user's, which may take any time.

    Args:
        cls: The analysis; most have no constructor: what a session begins with is in `connected`.
    """
    own = [getattr(cls, name) for name in _MAKERS]
    usual = [getattr(Analysis, name) for name in _MAKERS]
    return type(cls) is not type or own != usual or any(hasattr(cls, name) for name in _GIVEN)


def find_page_calls(
    analysis: Analysis,
    handlers: Handlers,
    declared: Declared,
    name: str,
    payload: bytes,
    limits: Settings,
) -> list[Call]:
    """The functions that a page's action calls.

    Args:
        analysis: The instance.
        handlers: The class' handlers.
        declared: What `find_declared` made of them.
        name: The action.
        payload: Its arguments, JSON.
        limits: An object with the settings' attributes.

    Raises:
        ActionError: Pages may not call it, there is no such action, it takes other arguments, or it
            writes more than pages may.
    """
    # Most calls are of actions that the class declares, and need no more than this.
    if name not in declared.names or name in WRITERS:
        if problem := find_problem(name, declared):
            raise ActionError(problem)
        if name in WRITERS:
            _check_keys(analysis, name, handlers[name], payload, limits)
        elif not _has_handler(handlers, name):
            _check_size(name, payload, limits)
    return find_calls(analysis, handlers, name, payload)


def find_calls(analysis: Analysis, handlers: Handlers, name: str, payload: bytes) -> list[Call]:
    """The functions that an action calls, for any caller.

    Args:
        analysis: The instance.
        handlers: The class' handlers.
        name: The action.
        payload: Its arguments, JSON.

    Raises:
        ActionError: There is no such action, or it takes other arguments.
    """
    args, kwargs = read_payload(payload)
    if _has_handler(handlers, name):
        names = handlers.get(ANY_ACTION, ())
        if name != ANY_ACTION:  # its name is not an action's: it would be called twice
            names = handlers.get(name, ()) + names
        return [make_call(analysis, name, attribute, args, kwargs) for attribute in names]
    # An input without a handler of its name writes the value of that name: one that the analysis
    # has or has declared, so that a typo makes no new one.
    shared = find_class_inputs(type(analysis))
    writable = {*getattr(analysis.data, "declared", ()), *(analysis.data or ())}
    if name not in shared and name not in writable:
        raise no_such_action(name, handlers, sorted({*shared, *writable}))
    store = analysis.class_data if name in shared else analysis.data
    value = args if payload[:1] == b"[" else args[0] if args else kwargs or None
    return [("here", functools.partial(store.set_state, {name: value}))]


def make_call(
    analysis: Analysis, name: str, attribute: str, args: list[Any], kwargs: dict[str, Any]
) -> Call:
    """The call of one handler.

    Raises:
        ActionError: It takes other arguments.
    """
    method = getattr(analysis, attribute)
    function = getattr(method, "__func__", method)
    kind, inner, fit = _look_at(function, function is not method)
    if kwargs:
        is_sure = not args and kwargs.keys() <= fit.names and kwargs.keys() >= fit.required
    else:
        is_sure = fit.least <= len(args) <= fit.most
    if not is_sure:
        check_arguments(name, method, args, kwargs)
    if inner is not function:
        method = inner if function is method else types.MethodType(inner, method.__self__)
    return kind, functools.partial(method, *args, **kwargs)


@functools.lru_cache(maxsize=1024)
def _look_at(function: Callable[..., Any], is_bound: bool) -> tuple[str, Callable[..., Any], Fit]:
    """How a handler runs, what is run of it, and which arguments surely fit."""
    return kind_of(function), bare(function), find_fit(function, is_bound)


def _has_handler(handlers: Handlers, name: str) -> bool:
    return name in handlers or ANY_ACTION in handlers


def _check_size(name: str, payload: bytes, limits: Settings) -> None:
    if len(payload) > limits.page_value_bytes:
        raise ActionError(
            f"{name!r:.200} writes {len(payload)} bytes, limit {limits.page_value_bytes} "
            "(page_value_bytes); not stored: send less, or add an action of that name"
        )


def _check_keys(
    analysis: Analysis, name: str, attributes: Collection[str], payload: bytes, limits: Settings
) -> None:
    """See that a page that writes values of any name makes no more of them than it may."""
    built_in = getattr(Analysis, name)
    if all(getattr(type(analysis), attribute) is not built_in for attribute in attributes):
        return  # an action of the class' own, which looks for itself
    _check_size(name, payload, limits)
    args, kwargs = read_payload(payload)
    store = getattr(analysis, _STORES[name])
    given = {*kwargs, *(args[0] if args and isinstance(args[0], dict) else ())}
    count = len({*store, *given})
    if count > limits.page_keys and not given <= {*store}:
        raise ActionError(
            f"{name!r}: {count} values including those that it adds, limit {limits.page_keys} "
            "(page_keys); not stored"
        )
