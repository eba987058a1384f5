"""Writes values that the fast encoder refuses, and finds the place of one that can't be sent.

It gives the same values the same forms, and also writes integers of any size up to Python's own
limit of digits, lone surrogates, and keys that are not strings. A key is the text that its value
would have. Keys that become the same text are an error: one of their values would be lost.
"""

from __future__ import annotations

import datetime
import enum
import json
import sys
import uuid
from collections.abc import Iterable
from typing import Any

import orjson

from .forms import NoFormError, fields_dict, fields_of, form_of

_DEPTH_LIMIT = 254  # orjson's
_PATH_CHARACTERS = 200
_KEY_CHARACTERS = 80
# Types that orjson writes without asking for another form, apart from text, integers, containers.
_LEAVES = {
    float, type(None), datetime.datetime, datetime.date, datetime.time, uuid.UUID, orjson.Fragment,
}  # fmt: skip
_dumps = orjson.dumps


def write(value: Any, name: str) -> bytes:
    """The value as JSON text.

    Args:
        value: As of `encode`.
        name: What the value is called in an error.

    Raises:
        TypeError: Something in it can't be sent; the text names its place.
    """
    writer = _Writer()
    try:
        writer.write(value)
    except NoFormError as error:
        place = _shortened(name + "".join(reversed(error.steps)))
        raise TypeError(f"{place} {error.text}. {error.hint}") from None
    except _CircleError as error:
        steps = error.steps[::-1]
        place, origin = name + "".join(steps), name + "".join(steps[: error.depth])
        raise TypeError(
            f"{_shortened(place)} is {_shortened(origin)} itself, a circular reference that can't "
            "be sent as JSON. Take it out first."
        ) from None
    return b"".join(writer.parts)


class _CircleError(Exception):
    """A container that stands in itself; `depth` is how deep it stands the first time."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.steps: list[str] = []


class _Writer:
    """The text so far, and the containers that are being written."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._active: dict[int, int] = {}

    def write(self, value: Any) -> None:
        """Write one value, whatever it is."""
        value = _without_enum(value)
        leaf = _leaf(value)
        if leaf is not None:
            self.parts.append(leaf)
            return
        if id(value) in self._active:
            raise _CircleError(self._active[id(value)])
        if len(self._active) >= _DEPTH_LIMIT:
            raise _too_deep()
        self._active[id(value)] = len(self._active)
        try:
            self._write_container(value)
        except RecursionError:
            raise _too_deep() from None
        finally:
            del self._active[id(value)]

    def _write_container(self, value: Any) -> None:
        if isinstance(value, dict):
            self._write_pairs(dict.items(value), "[{!r}]")
        elif isinstance(value, list):
            self._write_items(list.__iter__(value))
        elif isinstance(value, tuple | set | frozenset):
            self._write_items(value)
        elif _is_dataclass(value):
            self._write_pairs(fields_dict(value).items(), ".{}")
        else:
            # It takes a level for its own, so that one that is made of itself comes to an end.
            self.write(form_of(value))

    def _write_items(self, values: Iterable[Any]) -> None:
        parts, index = self.parts, -1
        try:
            for index, value in enumerate(values):
                parts.append(b"," if index else b"[")
                self.write(value)
        except (NoFormError, _CircleError) as error:
            error.steps.append(f"[{index}]")
            raise
        parts.append(b"[]" if index < 0 else b"]")

    def _write_pairs(self, pairs: Iterable[tuple[Any, Any]], step: str) -> None:
        parts = self.parts
        seen: dict[str, Any] = {}
        for key, value in pairs:
            text = key if type(key) is str else _key(key)
            if text in seen:
                raise _same_keys(seen[text], key, text)
            parts += (b"," if seen else b"{", _string(text), b":")
            seen[text] = key
            try:
                self.write(value)
            except (NoFormError, _CircleError) as error:
                error.steps.append(step.format(key)[:_PATH_CHARACTERS])
                raise
        parts.append(b"}" if seen else b"{}")


def _without_enum(value: Any) -> Any:
    while isinstance(value, enum.Enum):
        value = value.value
    return value


def _is_dataclass(value: Any) -> bool:
    kind: Any = type(value)
    return fields_of(kind) is not None


def _leaf(value: Any) -> bytes | None:
    """The text of what holds nothing else; None for containers and what has another form."""
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, int):
        return _integer(value)
    if type(value) in _LEAVES:
        try:
            return _dumps(value)
        except TypeError:  # a time with an offset, or a zone that orjson does not know
            return _dumps(value.isoformat())
    return None


def _string(text: str) -> bytes:
    try:
        return _dumps(text)
    except TypeError:  # lone surrogates
        return json.dumps(text).encode("ascii")


def _integer(number: int) -> bytes:
    try:
        return _dumps(number)
    except TypeError:
        pass
    try:
        return int.__repr__(number).encode("ascii")
    except ValueError:  # more digits than Python would read again
        limit = sys.get_int_max_str_digits()
        text = f"is an integer of more than {limit:,} digits and can't be sent as JSON"
        raise NoFormError(text, "hex(…)") from None


def _key(key: Any) -> str:
    """The text of a key that is not a plain string: that of the value, without its quotes."""
    value = _without_enum(key)
    try:
        while (leaf := _leaf(value)) is None:
            if isinstance(value, dict | list | tuple | set | frozenset) or _is_dataclass(value):
                raise _no_key(key)
            value = _without_enum(form_of(value))
    except NoFormError:
        raise _no_key(key) from None
    return str(json.loads(leaf)) if leaf[:1] == b'"' else leaf.decode("ascii")


def _no_key(key: Any) -> NoFormError:
    kind, shown = type(key).__name__, _shown(key)
    return NoFormError(f"has the key {shown} of type {kind}, which can't be sent as JSON", "str(…)")


def _same_keys(one: Any, other: Any, text: str) -> NoFormError:
    return NoFormError(
        f"has the keys {_shown(one)} and {_shown(other)}, and both are sent as {_shown(text)}: "
        "one value would be lost",
        "Rename one of them.",
    )


def _too_deep() -> NoFormError:
    text = f"is nested too deep to be sent as JSON; the limit is {_DEPTH_LIMIT} levels"
    return NoFormError(text, "Make it flatter first.")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _KEY_CHARACTERS else text[: _KEY_CHARACTERS - 1] + "…"


def _shortened(path: str) -> str:
    half = _PATH_CHARACTERS // 2
    return path if len(path) <= _PATH_CHARACTERS else f"{path[:half]}…{path[-half:]}"
