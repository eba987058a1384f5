"""`index.yaml`: read, checked, each complaint with file, line, key and the nearest name.

Owns what may stand in the file. An unknown key warns; an entry that cannot be used keeps
its place with its problems, for its page to show, and the rest is served. The file is optional:
without it, or without `analyses:` in it, every folder with an `analysis.py` is an analysis.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from .. import settings
from ..errors import SettingError
from .checks import (
    ENTRY_KEYS,
    GLOBAL_KEYS,
    LIMIT_KEYS,
    SHOWN_KEYS,
    TAKES_NOTHING,
    Check,
)
from .datastore import DatastoreChoice
from .discovery import find_analyses, find_problem
from .functions import Functions, find_one
from .names import INDEX_FILE, MODULE_FILE
from .nodes import Told, compose, construct, pairs, read_text

TITLE = "Databench"
_ENTRIES = 1000  # for each there are files to be looked for


@dataclasses.dataclass(frozen=True)
class Entry:
    """One analysis.

    Attributes:
        name: Its folder's name, and its place in the address.
        folder: Its folder, absolute; it need not exist when there are problems.
        title: For people; the name if none is given.
        kernel: The name of its kernel spec.
        isolation: Which sessions share a process: `analysis`, `pool` or `session`.
        processes: How many processes a pool has.
        preheat: How many processes wait for sessions, if each has its own.
        max_kernels: The most processes it has then; 0: as in the settings.
        limits: Values for its kernels instead of settings of these names.
        watch: Patterns of files, relative to the analyses' folder.
        build: Shell commands, run in the analyses' folder.
        reload: `when idle`, or `at once` to restart a kernel whatever it does.
        thumbnail: An image, relative to the analysis' folder.
        readme: Markdown text from `index.yaml`; `None` leaves it to `README.md`.
        problems: Why it cannot run; empty when it can.
        file: The script that it is, absolute; `None` for a folder with an `analysis.py`.
        extra: Further names for its templates, of a script.
        functions: The description in its source, if functions make it and no class.
    """

    name: str
    folder: Path
    title: str = ""
    description: str | None = None
    kernel: str = "py"
    isolation: str = "analysis"
    processes: int = 1
    preheat: int = 1
    max_kernels: int = 0
    limits: Mapping[str, settings.Value] = dataclasses.field(default_factory=dict)
    watch: tuple[str, ...] = ()
    build: tuple[str, ...] = ()
    reload: str = "when idle"
    show_in_index: bool = True
    thumbnail: str | None = None
    readme: str | None = None
    version: str | None = None
    problems: tuple[str, ...] = ()
    file: Path | None = None
    extra: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    functions: Functions | None = None


@dataclasses.dataclass(frozen=True)
class Index:
    """All of `index.yaml`, or what holds without it.

    Attributes:
        folder: The analyses' folder, absolute.
        static: Pairs of a regular expression with one group and a folder.
        content_security_policy: The header of that name; empty: none. `None`: the usual one.
        settings: Overrides by name, checked against the table of settings.
        entries: The analyses by name, in the order of the gallery.
        problems: Those of the file as a whole; the gallery shows them.
        warnings: What is ignored, and why.
        single: The analysis whose page is at `/`; `None`: the gallery is there.
        is_read: Whether the file could be read at all.
    """

    folder: Path
    title: str = TITLE
    description: str | None = None
    description_html: str | None = None
    author: str | None = None
    version: str | None = None
    build: tuple[str, ...] = ()
    watch: tuple[str, ...] = ()
    static: tuple[tuple[str, str], ...] = ()
    datastore: DatastoreChoice | None = None
    content_security_policy: str | None = None
    settings: Mapping[str, settings.Value] = dataclasses.field(default_factory=dict)
    entries: Mapping[str, Entry] = dataclasses.field(default_factory=dict)
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    single: str | None = None
    is_read: bool = True

    @property
    def is_script(self) -> bool:
        """Whether this is one script, in any folder, and not a folder of analyses."""
        return any(entry.file is not None for entry in self.entries.values())


def load(folder: Path, *, kernels: Collection[str] = ("py",)) -> Index:
    """Read the `index.yaml` of a folder, and look for analyses below it.

    Args:
        folder: The analyses' folder.
        kernels: The names of the kernel specs that are there.

    Returns:
        The index; what is wrong with it stands in its `problems` and in its entries'.

    Raises:
        SettingError: There is no such folder.
    """
    folder = folder.absolute()
    if not folder.is_dir():
        raise SettingError(f"folder of analyses '{folder}' does not exist or is not a folder")
    file = folder / INDEX_FILE
    if not file.is_file():
        return Index(folder, **_discover(folder))
    return _Reader(file, kernels).read()


def _discover(folder: Path) -> dict[str, Any]:
    """The contents of the folder itself for an `Index`: analyses, and what is not served."""
    found = find_analyses(folder)
    entries = {
        name: Entry(
            name,
            folder / name,
            name,
            functions.description if functions else None,
            functions=functions,
        )
        for name, functions in found.analyses.items()
    }
    return {"entries": entries, "warnings": found.warnings}


def _tell_unknown(key: str | None, known: Collection[str]) -> str:
    near = difflib.get_close_matches(key or "", known, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"unknown key {settings.show(key)} is ignored{hint}"


class _Reader:
    """Reads one file; keeps what is wrong with it."""

    def __init__(self, file: Path, kernels: Collection[str]) -> None:
        self.file = file
        here = Path.cwd()
        self.shown = str(file.relative_to(here) if file.is_relative_to(here) else file)
        self.kernels = kernels
        self.problems = Told()
        self.warnings = Told()

    def read(self) -> Index:
        """The index; never raises for the content of the file."""
        folder = self.file.parent
        root = self._compose()
        if root is None:
            problems = tuple(self.problems)
            return Index(folder, **_discover(folder), problems=problems, is_read=False)
        values: dict[str, Any] = {}
        named: dict[str, Entry] | None = None
        overrides: dict[str, settings.Value] = {}
        for key, node in self._items(root, (*GLOBAL_KEYS, "settings", "analyses"), self.warnings):
            if key == "analyses":
                named = self._read_entries(node)
            elif key == "settings":
                overrides = self._read_settings(node)
            else:
                self._check(GLOBAL_KEYS[key], key, node, values, self.problems)
        values["title"] = values.get("title") or TITLE
        found: dict[str, Any] = {"entries": named, "warnings": ()}
        if named is None:
            found = _discover(folder)
        return Index(
            folder,
            settings=overrides,
            entries=found["entries"],
            problems=tuple(self.problems),
            warnings=(*self.warnings, *found["warnings"]),
            **values,
        )

    def _compose(self) -> yaml.MappingNode | None:
        """The file's map, an empty one for an empty file, or `None` and a problem."""
        try:
            node, problem, line = compose(read_text(self.file))
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f"{self.file}: cannot be read: {error}")
            return None
        if problem:
            self.problems.append(str(SettingError(problem, file=self.shown, line=line)))
            return None
        if node is None:
            return yaml.MappingNode("tag:yaml.org,2002:map", [])
        if not isinstance(node, yaml.MappingNode):
            self.problems.append(
                self._say(node.start_mark, "the file is not a map of keys to values")
            )
            return None
        return node

    def _say(self, mark: Any, text: str, name: str | None = None) -> str:
        line = None if mark is None else mark.line + 1
        return str(SettingError(text, name=name, file=self.shown, line=line))

    @staticmethod
    def _is_nothing(node: yaml.Node) -> bool:
        try:
            return construct(node) is None
        except yaml.YAMLError:
            return False

    def _items(
        self, node: yaml.MappingNode, known: Collection[str], warnings: Told
    ) -> Iterator[tuple[str, yaml.Node]]:
        """The known keys and their values; the others warn, a repeated one warns and wins."""
        items: list[tuple[yaml.Node, yaml.Node]] = node.value
        try:
            items = list(pairs(node))
        except yaml.YAMLError as error:
            warnings.append(self._say(node.start_mark, f"'<<' is ignored: {error}"))
        seen: set[str] = set()
        for key_node, value_node in items:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None or key not in known:
                if not warnings.is_full:
                    warnings.append(self._say(key_node.start_mark, _tell_unknown(key, known)))
                continue
            if key in seen:
                warnings.append(
                    self._say(key_node.start_mark, f"key {key!r} is repeated; the last one counts")
                )
            seen.add(key)
            yield key, value_node

    def _check(
        self, check: Check, key: str, node: yaml.Node, values: dict[str, Any], problems: list[str]
    ) -> None:
        try:
            value = construct(node)
        except yaml.YAMLError as error:
            problems.append(self._say(node.start_mark, f"{key} cannot be read: {error}", key))
            return
        if value is None and check not in TAKES_NOTHING:
            return  # `kernel:` with nothing behind it: the default
        try:
            values[key] = check(node, value)
        except ValueError as error:
            text = f"{key} is {settings.show(value)}, expected {error}"
            problems.append(self._say(node.start_mark, text, key))

    def _read_settings(self, node: yaml.Node) -> dict[str, settings.Value]:
        values: dict[str, settings.Value] = {}
        if not isinstance(node, yaml.MappingNode):
            self.problems.append(self._say(node.start_mark, "settings is not a map", "settings"))
            return values
        for key_node, value_node in node.value:
            if self.problems.is_full:
                break
            name = key_node.value if isinstance(key_node, yaml.ScalarNode) else "that is not text"
            try:
                row = settings.find_row(name, source=INDEX_FILE)
                values[name] = row.parse(construct(value_node), source=INDEX_FILE)
            except (SettingError, yaml.YAMLError) as error:
                self.problems.append(self._say(key_node.start_mark, str(error), name))
        return values

    # ------------------------------------------------------------ the analyses

    def _read_entries(self, node: yaml.Node) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        for where, name, body in self._entry_nodes(node):
            if len(entries) >= _ENTRIES:
                text = f"more than {_ENTRIES} analyses, the limit; the others are not served"
                self.problems.append(self._say(where.start_mark, text, "analyses"))
                break
            problem = self._refuse_name(name, entries)
            if problem:
                self.problems.append(self._say(where.start_mark, problem, "name"))
            else:
                entries[str(name)] = self._read_entry(str(name), where, body)
        return entries

    def _entry_nodes(self, node: yaml.Node) -> Iterator[tuple[yaml.Node, Any, yaml.Node | None]]:
        """Where it stands, its name, its map: of a list of maps, a list of names, or a map."""
        if isinstance(node, yaml.MappingNode):
            for key_node, value_node in node.value:
                yield key_node, key_node.value, value_node
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                if isinstance(item, yaml.ScalarNode):
                    yield item, item.value, None
                elif isinstance(item, yaml.MappingNode):
                    names = [v.value for k, v in item.value if k.value == "name"]
                    yield item, names[0] if names else None, item
                else:
                    yield item, None, None
        elif not self._is_nothing(node):
            self.problems.append(
                self._say(node.start_mark, "analyses is neither a list nor a map", "analyses")
            )

    @staticmethod
    def _refuse_name(name: Any, entries: Mapping[str, Entry]) -> str | None:
        if name is None:
            return "an analysis has no name, expected 'name: <its folder>'; not served"
        if not isinstance(name, str) or not name:
            shown = "''" if isinstance(name, str) else "not text"
            return f"name of an analysis is {shown}, expected the name of its folder; not served"
        if problem := find_problem(name):
            return f"analysis {settings.show(name)} is not served: {problem}"
        if name in entries:
            return f"analysis {name!r} is listed twice; the first one is served"
        return None

    def _read_entry(self, name: str, where: yaml.Node, body: yaml.Node | None) -> Entry:
        values: dict[str, Any] = {}
        limits: dict[str, Any] = {}
        problems = Told()
        if isinstance(body, yaml.MappingNode):
            for key, node in self._items(body, ("name", *ENTRY_KEYS, *LIMIT_KEYS), self.warnings):
                if key in LIMIT_KEYS:
                    self._check(LIMIT_KEYS[key][1], key, node, limits, problems)
                elif key != "name":
                    # What is only shown keeps no analysis from running.
                    found = self.warnings if key in SHOWN_KEYS else problems
                    self._check(ENTRY_KEYS[key], key, node, values, found)
                if key == "kernel" and values.get("kernel"):
                    self._check_kernel(values["kernel"], node, problems)
                if key == "thumbnail" and values.get("thumbnail"):
                    self._check_thumbnail(self.file.parent / name / values["thumbnail"], node)
        elif body is not None and not self._is_nothing(body):
            problems.append(self._say(body.start_mark, f"analysis {name!r} is not a map"))
        values.update(title=values.get("title") or name, kernel=values.get("kernel") or "py")
        folder = self.file.parent / name
        functions = find_one(self.file.parent, name) if values["kernel"] == "py" else None
        if functions is not None:
            values.setdefault("description", functions.description)
        for missing in () if functions else self._missing(folder, values["kernel"]):
            problems.append(self._say(where.start_mark, f"analysis {name!r}: {missing}", "name"))
        limits = {LIMIT_KEYS[key][0]: value for key, value in limits.items()}
        values.update(problems=tuple(problems), limits=limits, functions=functions)
        return Entry(name, folder, **values)

    def _check_kernel(self, kernel: str, node: yaml.Node, problems: list[str]) -> None:
        if kernel not in self.kernels:
            near = difflib.get_close_matches(kernel, list(self.kernels), n=1)
            hint = f" (did you mean '{near[0]}'?)" if near else ""
            known = ", ".join(sorted(self.kernels))
            text = f"there is no kernel {kernel!r}{hint}; known: {known}"
            problems.append(self._say(node.start_mark, text, "kernel"))

    def _check_thumbnail(self, path: Path, node: yaml.Node) -> None:
        if not path.is_file():
            text = f"thumbnail {str(path)!r} is missing; a letter is shown"
            self.warnings.append(self._say(node.start_mark, text, "thumbnail"))

    @staticmethod
    def _missing(folder: Path, kernel: str) -> Iterator[str]:
        try:
            if not folder.is_dir():
                yield f"its folder {str(folder)!r} is missing"
            elif kernel == "py" and not (folder / MODULE_FILE).is_file():
                yield f"there is no analysis.py in {str(folder)!r}"
        except OSError as error:  # a name that is too long, a folder that is not ours to read
            yield f"its folder {str(folder)!r:.200} cannot be read: {error.strerror}"
