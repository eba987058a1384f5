"""Where a file is shown: the paths of this server that a save of it changes.

Templates are followed through the files that they extend and include, as they are now; so the front
keeps nothing of what it ever sent.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from ...config import Entry, Index
from ..content import addresses
from ..content.templates import Loader

_TEMPLATES = frozenset({".html", ".htm"})
_READMES = frozenset({".md", ".rst"})
_GROUP = re.compile(r"\([^()]*\)")


def find_paths(files: Iterable[str], index: Index) -> list[str]:
    """The paths of everything that shows one of these files.

    Args:
        files: Absolute.
        index: What is served.
    """
    paths: set[str] = set()
    templates: set[str] = set()
    for file in files:
        ending = os.path.splitext(file)[1].lower()
        paths.update(_static_paths(Path(file), index))
        if ending in _TEMPLATES:
            templates.add(file)
        elif ending in _READMES:
            paths.update(_readme_paths(file, index))
    if templates:
        paths.update(_template_paths(templates, index))
    return sorted({_public(path, index) for path in paths})


def page_paths(entry: Entry) -> list[tuple[str, str | None]]:
    """The paths of an analysis' pages, each with its file; `None` is the default page."""
    name = quote(entry.name)
    pattern = "**/*.html" if entry.file is None else "*.html"  # a script's folder may hold anything
    own = sorted(entry.folder.glob(pattern)) if entry.folder.is_dir() else []
    found: list[tuple[str, str | None]] = [
        (f"/{name}/{quote(file.relative_to(entry.folder).as_posix())}", str(file))
        for file in own
        if "node_modules" not in file.parts
    ]
    if entry.functions and entry.functions.page.is_file():
        return [(f"/{name}/", str(entry.functions.page)), *found]
    first = entry.folder / "index.html"
    return [(f"/{name}/", str(first) if first in own else None), *found]


def first_paths(entry: Entry, index: Index) -> list[str]:
    """The path of an analysis' first page."""
    return [_public(path, index) for path, _ in page_paths(entry)[:1]]


def _public(path: str, index: Index) -> str:
    """As browsers request it: a script's page may be at `/`."""
    prefix = f"/{quote(index.single)}/" if index.single else None
    return path[len(prefix) - 1 :] if prefix and path.startswith(prefix) else path


def _static_paths(file: Path, index: Index) -> Iterator[str]:
    for prefix, roots in addresses.static_roots(index).items():
        for root in roots:
            if (inner := _inner(file, root)) is not None:
                yield f"/{prefix}/{quote(inner)}"
    for pattern, folder in index.static:
        for root in (index.folder / folder, Path.cwd() / folder):
            if (inner := _inner(file, root)) is not None:
                address = _GROUP.sub(lambda _, inner=inner: inner, pattern, count=1)  # type: ignore[misc]
                yield quote("/" + address.lstrip("/"))
    for entry in index.entries.values():
        if (inner := _inner(file, entry.folder)) is not None:
            yield f"/{quote(entry.name)}/{quote(inner)}"


def _inner(file: Path, root: Path) -> str | None:
    try:
        return file.relative_to(os.path.normpath(root)).as_posix()
    except ValueError:
        return None


def _readme_paths(file: str, index: Index) -> Iterator[str]:
    for entry in index.entries.values():
        if os.path.dirname(file) == str(entry.folder):
            yield from (path for path, _ in page_paths(entry))
            if not entry.description:
                yield "/"  # the gallery has its first paragraph
    if os.path.dirname(file) == str(index.folder):
        yield "/"


def _template_paths(templates: set[str], index: Index) -> Iterator[str]:
    loader = Loader(index.folder)
    if _uses(loader, None, "index.html", templates):
        yield "/"
    for entry in index.entries.values():
        for path, file in page_paths(entry):
            if _uses(loader, file, "analysis.html", templates):
                yield path


def _uses(loader: Loader, file: str | None, default: str, templates: set[str]) -> bool:
    """Whether a page is made with one of these; one that cannot be read may be."""
    try:
        compiled = loader.compile(file or loader.find(default))
    except Exception:  # noqa: BLE001 - whatever a template in the making is
        return True
    return not templates.isdisjoint(compiled.sources.paths)
