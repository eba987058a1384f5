"""The values that a key of `index.yaml` may hold: one function per kind of value.

Each takes the YAML node and the value made of it, returns what the index keeps, and raises
`ValueError` with what was expected. It knows neither files nor lines: `index` adds those.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

import yaml

from .. import settings
from ..errors import SettingError
from .datastore import DatastoreChoice
from .names import INDEX_FILE
from .packages import find_folder

Check = Callable[[yaml.Node, Any], Any]
IMAGES = (".svg", ".png", ".webp", ".jpg", ".jpeg", ".gif", ".avif")


def _text(node: yaml.Node, value: Any) -> str | None:
    # A number is taken as it was written: `version: 1.10` is not 1.1.
    if value is None:
        return None
    if isinstance(node, yaml.ScalarNode) and not isinstance(value, bool) and _is_plain(node.value):
        return str(node.value)
    raise ValueError("text (in quotes if YAML would read it as another type)")


def _texts(node: yaml.Node, value: Any) -> tuple[str, ...]:
    items = [] if value is None else value if isinstance(value, list) else [value]
    if all(isinstance(item, str) and _is_plain(item) for item in items):
        return tuple(items)
    raise ValueError("text or a list of texts")


def _is_plain(text: str) -> bool:
    """Whether a page can show it and a path can hold it: no zero byte, no half of a character."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _flag(node: yaml.Node, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("true or false")


def _count(node: yaml.Node, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise ValueError("a whole number, at least 1")


def _count_or_none(node: yaml.Node, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError("a whole number, at least 0")


_SIZE = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*(?:([kmgt])(i?))?b?\s*", re.IGNORECASE)
_LEAST_BYTES = 2**23  # no interpreter starts with less: the author has left out the unit


def _size(node: yaml.Node, value: Any) -> int:
    expected = "a size such as '2 GiB', '500 MB' or a number of bytes, or 0 for no limit"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(expected)
    found = _SIZE.fullmatch(str(value))
    if not found:
        raise ValueError(expected)
    base = 1024 if found[3] else 1000
    size_bytes = float(found[1]) * base ** " kmgt".index((found[2] or " ").lower())
    if size_bytes and not _LEAST_BYTES <= size_bytes <= settings.MAXIMUM:
        raise ValueError(f"{expected}, from {_LEAST_BYTES} to {settings.MAXIMUM} bytes")
    return int(size_bytes)


def _number(name: str) -> Check:
    """A value that the setting of that name takes."""

    def check(node: yaml.Node, value: Any) -> float:
        try:
            return settings.ROWS[name].parse(value, source=INDEX_FILE)
        except SettingError:
            row = settings.ROWS[name]
            kind = "a whole number" if row.unit == "count" else f"a number in {row.unit}"
            raise ValueError(f"{kind}, at least {row.minimum:g}") from None

    return check


def _choice(*words: str) -> Callable[[yaml.Node, Any], str]:
    def check(node: yaml.Node, value: Any) -> str:
        if isinstance(value, str) and value in words:
            return value
        near = difflib.get_close_matches(str(value), words, n=1)
        hint = f" (nearest: '{near[0]}')" if near else ""
        raise ValueError(f"one of {', '.join(words)}{hint}")

    return check


def _inside(node: yaml.Node, value: Any) -> str | None:
    text = _text(node, value)
    if text is not None and (text.startswith("/") or ".." in PurePosixPath(text).parts):
        raise ValueError("a file below the analysis' folder")
    return text


def _image(node: yaml.Node, value: Any) -> str | None:
    text = _inside(node, value)
    if text is not None and PurePosixPath(text).suffix.lower() not in IMAGES:
        raise ValueError(f"an image ({', '.join(IMAGES)}) below the analysis' folder")
    return text


def _static(node: yaml.Node, value: Any) -> tuple[tuple[str, str], ...]:
    expected = "a map (or list of maps) of a regular expression with one group to a folder"
    pairs: list[tuple[Any, Any]] = []
    for item in [] if value is None else value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            pairs.extend(item.items())
        elif isinstance(item, list) and len(item) == 2:
            pairs.append((item[0], item[1]))
        else:
            raise ValueError(expected)
    for pattern, target in pairs:
        if not isinstance(pattern, str) or not isinstance(target, str):
            raise ValueError(expected)
        if not _is_plain(pattern) or not _is_plain(target):
            raise ValueError(expected)
        try:
            # As it will be used, of the whole path: `(?i)` may stand at the very beginning only.
            groups = re.compile(f"/{pattern.lstrip('/')}$").groups
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"{expected}; {pattern!r}: {error}") from None
        if groups != 1:
            raise ValueError(f"{expected}; {pattern!r} has {groups} groups")
    return tuple((pattern, find_folder(target)) for pattern, target in pairs)


def _header(node: yaml.Node, value: Any) -> str | None:
    """The value of a header, in one line."""
    text = _text(node, value)
    if text is None:
        return None
    text = " ".join(text.split())
    if not (text.isascii() and text.isprintable()):
        raise ValueError("text of ASCII characters, which a header may contain")
    return text


def _datastore(node: yaml.Node, value: Any) -> DatastoreChoice | None:
    if value is None:
        return None
    text = node.value if isinstance(node, yaml.ScalarNode) else value
    return DatastoreChoice(str(text), node.start_mark.line + 1)


GLOBAL_KEYS: Mapping[str, Check] = {
    "title": _text,
    "description": _text,
    "description_html": _text,
    "author": _text,
    "version": _text,
    "build": _texts,
    "watch": _texts,
    "static": _static,
    "datastore": _datastore,
    "content_security_policy": _header,
}
ENTRY_KEYS: Mapping[str, Check] = {
    "title": _text,
    "description": _text,
    "kernel": _text,
    "isolation": _choice("analysis", "pool", "session"),
    "processes": _count,
    "preheat": _count_or_none,
    "max_kernels": _count,
    "watch": _texts,
    "build": _texts,
    "reload": _choice("when idle", "at once"),
    "show_in_index": _flag,
    "thumbnail": _image,
    "readme": _text,
    "version": _text,
}
SHOWN_KEYS = ("title", "description", "show_in_index", "thumbnail", "readme", "version")
# Of an analysis, instead of a setting: the key, the setting and the check.
LIMIT_KEYS: Mapping[str, tuple[str, Check]] = {
    "memory_limit": ("kernel_memory_bytes", _size),
    "processor_limit_s": ("kernel_processor_s", _number("kernel_processor_s")),
    "open_files": ("kernel_open_files", _number("kernel_open_files")),
    "threads": ("kernel_threads", _number("kernel_threads")),
    "start_limit_s": ("start_limit_s", _number("start_limit_s")),
    "hang_timeout_s": ("hang_timeout_s", _number("hang_timeout_s")),
    "cancel_limit_s": ("cancel_limit_s", _number("cancel_limit_s")),
    "cull_after_s": ("cull_after_s", _number("cull_after_s")),
}


# For these, `key:` with nothing behind it means their empty value; for the others, the default.
TAKES_NOTHING: tuple[Check, ...] = (_text, _image, _texts, _static, _datastore)
