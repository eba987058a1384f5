"""Which methods an action calls, and with what; pure."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from ..analysis import ANY_ACTION, Analysis, bare, kind_of
from .arguments import check_arguments, no_such_action, read_payload

# How it runs (`plain`, `coroutine`, `generator`, `asyncgen`, or `here`: at once) and what.
Call = tuple[str, Callable[[], Any]]


def find_calls(
    analysis: Analysis, handlers: Mapping[str, tuple[str, ...]], name: str, payload: bytes
) -> list[Call]:
    """What an action of a page calls.

    Args:
        analysis: The instance.
        handlers: The class' handlers, as `analysis.find_handlers` gives them.
        name: The action.
        payload: Its arguments, JSON.

    Raises:
        ActionError: There is no such action, or it takes other arguments.
    """
    args, kwargs = read_payload(payload)
    names = handlers.get(name, ()) + handlers.get(ANY_ACTION, ())
    if names:
        return [make_call(analysis, name, attribute, args, kwargs) for attribute in names]
    writable = {*getattr(analysis.data, "declared", ()), *(analysis.data or ())}
    if name not in writable:
        raise no_such_action(name, [*handlers, *sorted(writable)])
    # An input without a handler of its name writes the value of that name: one that the analysis
    # has or has declared, so that a typo makes no new one.
    value = args if payload[:1] == b"[" else args[0] if args else kwargs or None
    return [("here", functools.partial(analysis.data.set_state, {name: value}))]


def make_call(
    analysis: Analysis, name: str, attribute: str, args: list[Any], kwargs: dict[str, Any]
) -> Call:
    """The call of one handler.

    Raises:
        ActionError: It takes other arguments.
    """
    method = getattr(analysis, attribute)
    check_arguments(name, method, args, kwargs)
    return kind_of(method), functools.partial(bare(method), *args, **kwargs)
