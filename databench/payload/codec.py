"""From a value to JSON text, and from JSON text to a value.

orjson writes nearly everything, and asks `forms` about types that it does not know. `writer` writes
the few things that orjson still refuses (integers over 64 bits, keys that are not strings, lone
surrogates), and finds the place of a value that can't be sent. Both give a value the same meaning.

msgspec reads, because orjson would turn integers over 64 bits into floats. Values that Python wrote
are read `exact`: a number that a float would round comes back as a `Decimal`. Values of a page are
not: its numbers are floats anyway, and a `Decimal` among them would make most computations fail.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import orjson

from .forms import form_of
from .writer import write

# Dataclasses come to `forms`: orjson would send whatever else was set on one, and leave out a field
# whose value is the class' own.
_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS
# A float holds any number of 15 digits; with a point and the zero before it, 17 characters.
_MAY_BE_LONG = re.compile(rb"[0-9.]{16}|[0-9][eE][+-]?[0-9]{3}")
_dumps = orjson.dumps
_loads = msgspec.json.decode


class LongIntegerError(ValueError):
    """JSON with an integer of more digits than Python reads."""


def encode(value: Any, *, name: str = "message", key: str | None = None) -> bytes:
    """The value as JSON text.

    Args:
        value: Anything that docs/reference/values.md lists.
        name: What the value is called in an error.
        key: The value's key within `name`, if it has one.

    Raises:
        TypeError: Something in it can't be sent; the text names its place.
    """
    try:
        return _dumps(value, form_of, _OPTIONS)
    except (TypeError, RecursionError) as error:
        # orjson makes a TypeError of whatever `form_of` lets through, a cancel among it.
        cause = error.__cause__
        if cause is not None and not isinstance(cause, Exception):
            raise cause from None
    return write(value, name if key is None else f"{name}[{key!r}]")


def clone(value: Any, *, name: str = "message", key: str | None = None) -> tuple[bytes, Any]:
    """The value as JSON text, and an independent plain copy of it.

    Args:
        value: As of `encode`.
        name: As of `encode`.
        key: As of `encode`.

    Raises:
        TypeError: As in `encode`.
    """
    try:
        text = _dumps(value, None, _OPTIONS)
    except (TypeError, RecursionError):
        text = encode(value, name=name, key=key)
        return text, decode(text, exact=True)
    return text, _loads(text)


def decode(text: bytes, *, exact: bool = False) -> Any:
    """The value of a JSON text.

    Args:
        text: The JSON text.
        exact: Whether a number that a float would round becomes a `Decimal`.

    Raises:
        ValueError: It is not JSON.
        LongIntegerError: It has an integer with more digits than Python reads.
    """
    if exact and _MAY_BE_LONG.search(text):
        return _load_slowly(text, _exact_number)
    try:
        return _loads(text)
    except (ValueError, msgspec.DecodeError):
        # Lone surrogates and numbers beyond float64 are JSON, but msgspec refuses them.
        return _load_slowly(text, None)


def _load_slowly(text: bytes, parse_float: Callable[[str], Any] | None) -> Any:
    return json.loads(
        text, parse_float=parse_float, parse_int=_integer, parse_constant=_refuse_constant
    )


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        limit = sys.get_int_max_str_digits()
        raise LongIntegerError(f"an integer has more than {limit:,} digits") from None


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _exact_number(text: str) -> float | Decimal:
    """The float whose own text means this number, or the `Decimal` if there is none."""
    number = float(text)
    if repr(number) == text:
        return number
    decimal = Decimal(text)
    return number if Decimal(repr(number)) == decimal else decimal
