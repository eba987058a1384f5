"""From an action's payload to the arguments of a method; pure."""

from __future__ import annotations

import difflib
import functools
import inspect
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..errors import DatabenchError
from ..payload import LongIntegerError, decode

PROCESS_ID = "__process_id"
# Parameters that every analysis has: no use as a hint.
_COMMON = {
    "*", "connect", "args", "connected", "disconnected",
    "set_state", "set_class_state", "log", "warn", "error",
}  # fmt: skip
_LISTED = 10


class ActionError(DatabenchError):
    """An action that cannot be run as it was asked for."""


def read_payload(payload: bytes) -> tuple[list[Any], dict[str, Any]]:
    """Positional and keyword arguments of an action.

    A list gives positional arguments, an object keyword arguments (without `__process_id`),
    anything else the first argument, an empty payload none.

    Raises:
        ActionError: The payload is not JSON.
    """
    if not payload:
        return [], {}
    try:
        value = decode(payload)
    except LongIntegerError as error:
        raise ActionError(f"the arguments can't be read: {error}; the action is not run") from None
    except (ValueError, RecursionError) as error:
        raise ActionError(f"the arguments are not JSON ({error}); the action is not run") from None
    if isinstance(value, list):
        return value, {}
    if isinstance(value, dict):
        value.pop(PROCESS_ID, None)
        return [], value
    return [value], {}


@dataclass(frozen=True, slots=True)
class Fit:
    """Which arguments surely fit a method: binding takes longer than what many methods do.

    Attributes:
        least: The fewest positional arguments.
        most: The most.
        required: The names that have no default.
        names: All of them.
    """

    least: int = 1
    most: int = 0
    required: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


def find_fit(function: Callable[..., Any], is_bound: bool) -> Fit:
    """A call that surely fits a function, without the instance that it is bound to."""
    signature = _find_signature(function, is_bound)
    parameters = list(signature.parameters.values()) if signature is not None else []
    if signature is None or any(p.kind is not p.POSITIONAL_OR_KEYWORD for p in parameters):
        return Fit()
    required = frozenset(p.name for p in parameters if p.default is p.empty)
    names = frozenset(p.name for p in parameters)
    return Fit(len(required), len(parameters), required, names)


def check_arguments(
    name: str, method: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]
) -> None:
    """See that the method takes these arguments.

    Raises:
        ActionError: It does not; the text names its parameters.
    """
    function = getattr(method, "__func__", method)
    signature = _find_signature(function, function is not method)
    if signature is None:
        return  # written in C, and without a signature: the call itself raises
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        bare = signature.replace(return_annotation=inspect.Signature.empty)
        raise ActionError(
            f"action {name!r}: the arguments do not fit: {error}; it takes {bare}"
        ) from None


@functools.lru_cache(maxsize=1024)
def _find_signature(function: Callable[..., Any], is_bound: bool) -> inspect.Signature | None:
    # Reading a signature takes longer than all else that the kernel does for a small action.
    try:
        return inspect.signature(types.MethodType(function, object()) if is_bound else function)
    except (TypeError, ValueError):
        return None


def no_such_action(name: str, known: Iterable[str], values: Iterable[str] = ()) -> ActionError:
    """The error for an action that is not there; names the nearest one.

    Args:
        name: The name that was asked for.
        known: The actions.
        values: What inputs may write by its name: the nearest one may be such, and none is listed.
    """
    names = sorted(set(known) - _COMMON)
    near = difflib.get_close_matches(name, [*names, *values], n=1)
    listed = ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
    hint = f"; did you mean {near[0]!r}?" if near else f"; known: {listed}" if names else ""
    return ActionError(f"no action {name!r:.200}{hint}")
