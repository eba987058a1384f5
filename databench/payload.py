"""A user's value as JSON text and back.

orjson writes nearly everything. What it refuses (integers over 64 bits, keys that are no strings,
sets, lone surrogates) is rewritten into plain values and left to the standard encoder. What that
cannot say either is a `TypeError` that names the place of the value.

msgspec reads: orjson would make floats of integers over 64 bits.

NaN and the infinities become `null`, as JSON has no word for them.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import orjson

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY
_DEPTH_LIMIT = 250
_dumps = orjson.dumps
_loads = msgspec.json.decode


def encode(value: Any, *, name: str = "message") -> bytes:
    """The value as JSON text.

    Args:
        value: Anything made of dicts, lists, tuples, sets, strings, numbers, booleans, `None`,
            numpy arrays and numbers, dates, dataclasses, enums and UUIDs.
        name: What the value is called in an error.

    Raises:
        TypeError: Something in it has no JSON form; the text names its place.
    """
    try:
        return _dumps(value, None, _OPTIONS)
    except (TypeError, RecursionError):
        return _encode_slowly(value, name)


def clone(value: Any, *, name: str = "message") -> tuple[bytes, Any]:
    """The value as JSON text, and an independent plain copy of it.

    Raises:
        TypeError: As in `encode`.
    """
    try:
        text = _dumps(value, None, _OPTIONS)
    except (TypeError, RecursionError):
        text = _encode_slowly(value, name)
        return text, json.loads(text)
    return text, _loads(text)


def decode(text: bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: It is no JSON.
    """
    try:
        return _loads(text)
    except (ValueError, msgspec.DecodeError):
        # Lone surrogates and numbers beyond float64 are JSON, but msgspec refuses them.
        return json.loads(text, parse_constant=_refuse_constant)


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _encode_slowly(value: Any, name: str) -> bytes:
    plain = _plain(value, name, 0)
    return json.dumps(plain, allow_nan=False, separators=(",", ":")).encode("ascii")


def _plain(value: Any, path: str, depth: int) -> Any:
    if depth > _DEPTH_LIMIT:
        raise TypeError(f"{path[:80]}… is nested deeper than {_DEPTH_LIMIT} levels; not sent")
    if value is None or value is True or value is False:
        return value
    if isinstance(value, enum.Enum):
        return _plain(value.value, path, depth)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_key(k, path): _plain(v, f"{path}[{k!r}]", depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return _plain_items(value, path, depth)
    return _plain_other(value, path, depth)


def _plain_items(values: Iterable[Any], path: str, depth: int) -> list[Any]:
    return [_plain(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(values)]


def _plain_other(value: Any, path: str, depth: int) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [field.name for field in dataclasses.fields(value)]
        return {f: _plain(getattr(value, f), f"{path}.{f}", depth + 1) for f in fields}
    if hasattr(value, "tolist"):
        # numpy: arrays that orjson does not take (not contiguous, other dtypes), and scalars.
        return _plain(value.tolist(), path, depth + 1)
    try:
        # Dates, times and UUIDs: in the form that orjson gives them everywhere else.
        return orjson.loads(_dumps(value))
    except TypeError:
        pass
    kind = type(value).__name__
    hint = "decode it to a string" if isinstance(value, bytes | bytearray) else "convert it"
    raise TypeError(f"{path} is of type {kind}, which has no JSON form; {hint} before sending")


def _key(key: Any, path: str) -> str:
    if isinstance(key, str):
        return str(key)
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    if isinstance(key, int | float):
        return repr(key)
    if hasattr(key, "tolist"):
        return _key(key.tolist(), path)
    raise TypeError(
        f"{path} has the key {key!r:.80}, which is no string; convert it before sending"
    )
