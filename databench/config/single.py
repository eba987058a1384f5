"""The index of one script: the content of an `index.yaml`, given in Python.

Owns which keys of `info` are checked; the others go to the templates as they are.
"""

from __future__ import annotations

import difflib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ..errors import SettingError
from .checks import ENTRY_KEYS, GLOBAL_KEYS, TAKES_NOTHING, Check
from .index import Entry, Index

# Of the script's page; the rest of index.yaml's keys concern folders and their kernels.
_INDEX_KEYS = ("author", "description_html", "datastore", "content_security_policy")
_ENTRY_KEYS = ("title", "description", "version", "readme", "thumbnail", "watch", "build", "reload")


def of_script(
    file: Path,
    folder: Path,
    name: str,
    *,
    title: str,
    info: Mapping[str, Any],
    static: Any,
    is_at_root: bool,
) -> tuple[Index, list[str]]:
    """The index of a script, and what is doubtful about `info`.

    Args:
        file: The script, absolute.
        folder: Where its page is, absolute.
        name: The analysis' name.
        title: Its title if `info` has none.
        info: Keys of an analysis in `index.yaml`, `author`, and names for the templates.
        static: Regular expressions with one group, and folders.
        is_at_root: Whether its page is at `/`.

    Raises:
        SettingError: A value that its key does not take.
    """
    wrong = next((key for key in info if not isinstance(key, str)), None)
    if wrong is not None:
        raise SettingError(f"info: the key {wrong!r:.60} is not text, so no page can use it")
    of_entry = _check_all(ENTRY_KEYS, _ENTRY_KEYS, info)
    of_index = _check_all(GLOBAL_KEYS, _INDEX_KEYS, info)
    entry = {key: value for key, value in of_entry.items() if value is not None}
    entry["title"] = entry.get("title") or title
    extra = {key: value for key, value in info.items() if key not in of_entry | of_index}
    index = Index(
        folder,
        title=entry["title"] if is_at_root else Index.title,
        static=_checked(GLOBAL_KEYS["static"], "static", static),
        entries={name: Entry(name, folder, file=file, extra=extra, **entry)},
        single=name if is_at_root else None,
        version=entry.get("version"),
        **of_index,
    )
    return index, [text for key in extra if (text := _doubt(key))]


def _check_all(
    checks: Mapping[str, Check], keys: Sequence[str], info: Mapping[str, Any]
) -> dict[str, Any]:
    return {key: _checked(checks[key], key, info[key]) for key in keys if key in info}


def _checked(check: Check, key: str, value: Any) -> Any:
    try:
        node = yaml.SafeDumper(io.StringIO()).represent_data(value)
    except yaml.YAMLError:  # an object of some library: its text is all that a page could show
        value = str(value)
        node = yaml.ScalarNode("tag:yaml.org,2002:str", value)
    if value is None and check not in TAKES_NOTHING:
        return None
    try:
        return check(node, value)
    except ValueError as error:
        raise SettingError(
            f"{key} is {value!r:.60}, expected {error}; give databench.run another value", name=key
        ) from None


def _doubt(key: str) -> str | None:
    near = difflib.get_close_matches(str(key), (*_ENTRY_KEYS, *_INDEX_KEYS), n=1, cutoff=0.8)
    if not near:
        return None
    return f"info: only templates get {key!r}; did you mean {near[0]!r}?"
