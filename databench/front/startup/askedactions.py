"""Pages that ask for names that are not actions any more: found at the start, not by a visitor.

Owns the search through the pages of a project; `protocol.actions` decides what a page may ask for.
Reads only text and runs nothing, so it does not find a call that is put together at run time: then
the page shows the same words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ...config import Index
from ...protocol.actions import STEPS, WRITERS, find_line

_NAMES = "|".join((*STEPS, *WRITERS))
_CALL = re.compile(rf"""\.(?:emit|call)\(\s*(['"`])({_NAMES})\1""")
_ACTION = re.compile(rf"""\bdata-action\s*=\s*(['"]?)({_NAMES})\b(?!-)\1""")
_FOLDERS = ("", "static", "templates")
_PAGES = (".html", ".js", ".mjs")
# Per analysis. Larger files, and files beyond these, are not pages that an author wrote.
_FILES = 100
_FILE_BYTES = 2**18


def find_asked(text: str) -> list[tuple[int, str]]:
    """The lines of a page that ask for no action, each with the name that it asks for."""
    return [
        (number, match[2])
        for number, line in enumerate(text.splitlines(), 1)
        for pattern in (_CALL, _ACTION)
        for match in pattern.finditer(line)
    ]


def is_declared(name: str, source: str) -> bool:
    """Whether Python source seems to define an action of that name."""
    wanted = rf"\bon_{name}\b|@(?:\w+\.)?on\b[^\n]*\s+(?:async\s+)?def\s+{name}\b"
    return re.search(wanted, source) is not None


def find_problems(index: Index) -> list[str]:
    """The warnings at the start about the pages of a project."""
    return [
        problem
        for entry in index.entries.values()
        if not entry.problems
        for problem in _find_in_folder(entry.folder)
    ]


def _find_in_folder(folder: Path) -> Iterator[str]:
    source: str | None = None
    for page in _files(folder, _PAGES):
        for number, name in find_asked(_read(page)):
            if name in WRITERS:
                if source is None:
                    source = "\n".join(_read(file) for file in _files(folder, (".py",)))
                if is_declared(name, source):
                    continue
            yield _say(page, number, name)


def _say(page: Path, number: int, name: str) -> str:
    place = f"{page.parent.name}/{page.name} line {number}"
    if name in STEPS:
        return (
            f"{place} asks for {name!r}, a step of the session's life, which pages cannot run: "
            f"add an action of another name to the class and ask for that"
        )
    return (
        f"{place} asks for {name!r}, which is no longer an action by itself: "
        f"add to the class: {find_line(name)}"
    )


def _files(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    found: list[Path] = []
    for name in _FOLDERS:
        try:
            files = sorted(file for file in (folder / name).iterdir() if file.suffix in endings)
        except OSError:
            continue
        found += files
    return found[:_FILES]


def _read(file: Path) -> str:
    try:
        with open(file, "rb") as opened:
            return opened.read(_FILE_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
