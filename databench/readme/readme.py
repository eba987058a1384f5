"""The readme of a folder."""

from __future__ import annotations

import functools
import html
import os
import re
from pathlib import Path

from .markdown import render_markdown
from .rst import MissingDocutilsError, render_rst

_RENDERERS = {".md": render_markdown, ".markdown": render_markdown, ".rst": render_rst}
_TAG = re.compile(r"<[^<>]*>")
_SUMMARY_LENGTH = 200


class Readme:
    """The readme of a folder: `README.md`, else `README.rst`, however its letters are.

    The file is read when it is asked for, and again when it has changed.

    Args:
        directory: The folder; it need not be there.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)

    @property
    def file(self) -> Path | None:
        """The file; `None` if there is none. A link that leads out of the folder is none."""
        candidates = find_candidates(self.directory)
        return next((file for file in candidates if _is_inside(file, self.directory)), None)

    @property
    def text(self) -> str:
        """The file's text; empty if there is none."""
        file = self.file
        return "" if file is None else _read(file)

    @property
    def html(self) -> str:
        """The same as HTML; markup of the author's own is shown as text, or left out."""
        file = self.file
        if file is None:
            return ""
        try:
            status = file.stat()
        except OSError:
            return ""
        return _render(file, (status.st_mtime_ns, status.st_ctime_ns), status.st_size)


def find_candidates(folder: Path) -> list[Path]:
    """The readme names in a folder, the first choice first; one may not be a file."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    return [
        folder / name
        for ending in _RENDERERS
        for name in names
        if name.lower() == f"readme{ending}"
    ]


def summarize(readme_html: str) -> str:
    """The first paragraph of a readme, as text of one line; empty if there is none."""
    _, begun, rest = readme_html.partition("<p>")
    paragraph, ended, _ = rest.partition("</p>")
    text = html.unescape(_TAG.sub("", paragraph)) if begun and ended else ""
    words = " ".join(text.split())
    return words if len(words) <= _SUMMARY_LENGTH else words[: _SUMMARY_LENGTH - 1].rstrip() + "…"


def _is_inside(file: Path, folder: Path) -> bool:
    return file.is_file() and file.resolve().is_relative_to(folder.resolve())


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8-sig", errors="replace")


@functools.lru_cache(maxsize=64)
def _render(file: Path, _changed_ns: tuple[int, int], _size_bytes: int) -> str:
    """Of each file what it was last: pages ask again and again."""
    text = _read(file)
    try:
        return _RENDERERS[file.suffix.lower()](text)
    except MissingDocutilsError as error:
        return f"<p>{html.escape(f'{file.name}: {error}')}</p>\n<pre>{html.escape(text)}</pre>\n"
