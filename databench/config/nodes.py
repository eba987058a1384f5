"""The nodes of a YAML file: read within a size, with each fault as a sentence and its line.

Owns PyYAML's messages. PyYAML lets through Python's own exceptions (`KeyError` for `!!bool x`,
`ValueError` for an invalid date, `RecursionError`), so this module catches each exception of it,
and no other module calls it. Composing takes seconds for a large file: the thread that sees a save
does it (`prepare`), and the loop finds the result.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from .. import settings

FILE_BYTES = 2**18
VALUES = 20_000  # with each alias counted as often as it is used
TOLD = 100  # problems, and as many warnings: each takes a search for the nearest name
_MAP = "tag:yaml.org,2002:map"


class Composed(NamedTuple):
    """A text as nodes.

    Attributes:
        node: Its only document; `None` for an empty one.
        problem: Why it is not YAML; empty: it is.
        line: Where, from 1; `None`: nowhere in particular.
    """

    node: yaml.Node | None
    problem: str = ""
    line: int | None = None


class Told(list[str]):
    """Problems or warnings, of which the first ones are kept."""

    @property
    def is_full(self) -> bool:
        """Whether a further one is dropped."""
        return len(self) > TOLD

    def append(self, text: str) -> None:
        """Add one more, if there is room."""
        if len(self) == TOLD:
            text = f"there are more like this; the first {TOLD} are shown"
        if not self.is_full:
            super().append(text)


def prepare(file: Path) -> None:
    """Compose a file that was saved, in a thread, so that the loop finds the result."""
    try:
        compose(read_text(file))
    except (OSError, UnicodeDecodeError):
        pass  # reported by the reader


def read_text(file: Path, limit: int = FILE_BYTES) -> str:
    """The text of a file.

    Args:
        file: The file.
        limit: How many bytes it may have.

    Raises:
        OSError: It is too large, or cannot be read.
        UnicodeDecodeError: It is not UTF-8.
    """
    with file.open("rb") as opened:
        content = opened.read(limit + 1)
    if len(content) > limit:
        raise OSError(f"{file.stat().st_size} bytes, limit {limit}")
    return content.decode("utf-8")


def compose_anew(text: str) -> Composed:
    """The nodes of a text; never raises."""
    loader = None
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if count_values(node, {}) > VALUES:
            return Composed(None, f"this is not YAML: more than {VALUES} values, the limit", 1)
        return Composed(node)
    except RecursionError:
        return Composed(None, "this is nested too deeply to be read")
    except Exception as error:  # noqa: BLE001 - see above
        what = getattr(error, "problem", None) or str(error) or type(error).__name__
        problem = f"this is not YAML: {' '.join(what.split()):.300}"
        return Composed(None, problem, _find_line(text, loader, error))


compose = functools.lru_cache(maxsize=2)(compose_anew)


def _find_line(text: str, loader: yaml.SafeLoader | None, error: Exception) -> int | None:
    if isinstance(error, yaml.reader.ReaderError):
        return text.count("\n", 0, error.position) + 1
    mark = getattr(error, "problem_mark", None) or (loader.get_mark() if loader else None)
    return None if mark is None else int(mark.line) + 1


def construct(node: yaml.Node) -> Any:
    """The value of a node.

    Raises:
        yaml.YAMLError: It has none, in words.
    """
    try:
        return yaml.SafeLoader("").construct_object(node, deep=True)
    except yaml.YAMLError:
        raise
    except RecursionError:
        raise yaml.YAMLError("it is nested too deeply") from None
    except Exception:  # noqa: BLE001 - see above
        shown = settings.show(node.value) if isinstance(node.value, str) else "this"
        kind = node.tag.rpartition(":")[2]
        raise yaml.YAMLError(f"{shown} is not a value of the type {kind!r:.60}") from None


def pairs(node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """Keys and values of a map, with those that `<<` brings; the map stays as it is.

    Raises:
        yaml.YAMLError: The value of `<<` is not a map.
    """
    flat = yaml.MappingNode(_MAP, list(node.value), node.start_mark, node.end_mark)
    try:
        yaml.SafeLoader("").flatten_mapping(flat)
    except yaml.YAMLError:
        raise
    except Exception as error:  # noqa: BLE001 - see above
        raise yaml.YAMLError(f"{type(error).__name__}: {error}") from None
    yield from flat.value


def count_values(node: yaml.Node | None, known: dict[int, int]) -> int:
    """How many values a node makes; what it is inside of itself counts as none."""
    if node is None or isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) not in known:
        known[id(node)] = 0
        items = node.value if isinstance(node, yaml.SequenceNode) else chain(*node.value)
        known[id(node)] = 1 + sum(count_values(item, known) for item in items)
    return known[id(node)]
