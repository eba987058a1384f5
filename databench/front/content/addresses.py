"""The folders behind an address, and the addresses of files that browsers may keep forever.

`static_url` in a template adds a word that names the file's content: other content has another
address, so browsers need not ask again.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from ...config import IMAGES, Entry, Index
from . import files, functionpages
from .cache import Kept
from .sources import PageSources

PACKAGED = Path(__file__).resolve().parents[2] / "static"
# The scripts that pages of the first release look for below /static/.
OLD = r"databench\.js|socket\.io/socket\.io\.min\.js"
OWN_FILES = ("analysis.js", "analysis.css")


def find_thumbnail(entry: Entry, sources: PageSources | None = None) -> str | None:
    """The analysis' image, relative to its folder: the one that is named, or `thumbnail.*`.

    Args:
        entry: The analysis.
        sources: Gets what was checked.
    """
    if entry.thumbnail:
        return entry.thumbnail
    if entry.functions and entry.functions.thumbnail:
        return entry.functions.thumbnail
    if sources is not None:
        sources.add(entry.folder)  # which may get one
    for name in (f"thumbnail{ending}" for ending in IMAGES):
        file = entry.folder / name
        if sources is not None and os.path.lexists(file):
            sources.add(file)  # a link may get its file, or lose it, without a new name
        if file.is_file():
            return name
    return None


def is_own_file(entry: Entry, path: str, sources: PageSources | None = None) -> bool:
    """Whether an analysis gives out this file of its folder.

    Args:
        entry: The analysis.
        path: Relative to its folder.
        sources: Gets what was checked.
    """
    return path in OWN_FILES or path == find_thumbnail(entry, sources)


def own_roots(entry: Entry) -> tuple[Path, ...]:
    """Where the few files are that an analysis gives out by name."""
    return (entry.folder, entry.functions.static) if entry.functions else (entry.folder,)


def own_static(entry: Entry) -> Path:
    """The folder `static` of an analysis; modules in one folder share one."""
    return entry.functions.static if entry.functions else entry.folder / "static"


def static_roots(index: Index) -> dict[str, tuple[Path, ...]]:
    """The folders behind `/_static/`, `/static/` and `/node_modules/`."""
    folder = index.folder
    return {
        "_static": (PACKAGED, *functionpages.find_mpld3()),
        "static": (folder / "static",),
        "node_modules": (folder / "node_modules", folder.parent / "node_modules"),
    }


def find_address(
    kept: Kept, index: Index, address: str, page: Entry | None, sources: PageSources
) -> str:
    """An address of a file with the word that names its content; unchanged if it has none.

    Args:
        kept: Keeps the content.
        index: What is served.
        address: Of this server, such as `/_static/databench.js`, or relative to an analysis' page.
        page: The analysis of that page, if any.
        sources: Of the page; gets what was checked.
    """
    roots, path = _find_roots(index, address, page, sources)
    if not roots:
        return address
    answer = files.find_answer(kept, roots, path)
    if answer is None:
        files.find_file(roots, path, sources)
        return address
    sources.update(answer.sources)
    return f"{quote(address)}?v={answer.tag}"


def _find_roots(
    index: Index, address: str, page: Entry | None, sources: PageSources
) -> tuple[tuple[Path, ...], str]:
    if address.startswith("/"):
        first, _, path = address[1:].partition("/")
        if first not in index.entries:
            return static_roots(index).get(first, ()), path
        page, address = index.entries[first], path
    if page is None:
        return (), ""
    if address.startswith("static/"):
        return (own_static(page),), address.removeprefix("static/")
    return (own_roots(page), address) if is_own_file(page, address, sources) else ((), "")
