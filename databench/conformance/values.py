"""Whether a value that came back is the one that was sent. Pure."""

from __future__ import annotations

import json
from reprlib import repr as shorten
from typing import Any


def find_difference(found: Any, expected: Any) -> str:
    """How a JSON value differs from the expected one, to be read after "it"; empty: it does not.

    Unlike `==`, `true` is not 1, and 1.0 is not 1.
    """
    if _write(found) == _write(expected):
        return ""
    return f"is {shorten(found)}, expected {shorten(expected)}"


def nest(depth: int) -> Any:
    """Lists and objects by turns around the number 1, that deep."""
    value: Any = 1
    for level in range(depth):
        value = [value] if level % 2 else {"in": value}
    return value


def _write(value: Any) -> str:
    try:
        return json.dumps(value, sort_keys=True)
    except (TypeError, ValueError):
        return f"not JSON: {value!r}"
