"""Files: which ones may leave a folder, and the content of small ones, kept in memory.

Refuses paths that lead out of the folder (also by a symbolic link), and Python files and hidden
files everywhere, by the requested name and by the one behind all links.
"""

from __future__ import annotations

import mimetypes
import os
import re
from collections.abc import Sequence
from pathlib import Path

import tornado.httputil

from .cache import Answer, Kept
from .sources import PageSources

# Never sent, wherever they are: files that a project runs, those Python makes of it, and copies,
# whatever a user, an editor or a packer adds to the name: code.py~, code.py.1, code.pybak.
_COPY = r"(?:\d|bak|backup|copy|new|old|orig|prev|rej|save|swp|temp|tmp)*"
_SOURCES = re.compile(rf"[.](py[cdioxwz]?|ipynb){_COPY}(?![A-Za-z0-9])", re.IGNORECASE)
# Hidden folders that only hold what a link beside them shows: those of package managers
# (`node_modules/.pnpm`), and of volumes that Kubernetes mounts (`..2026_11_28_14_00_00.123`).
_STORES = re.compile(r".*/(node_modules/[.][^/]+|[.][.]\d{4}(_\d\d){5}[.]\d+)")
_TEXT_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".map": "application/json",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


def find_file(roots: Sequence[Path], path: str, sources: PageSources | None = None) -> Path | None:
    """The file of that path in the first of the folders that has it, or `None`.

    Args:
        roots: Folders, absolute.
        path: As in the address, decoded, without a slash in front.
        sources: Gets what was checked.
    """
    parts = path.split("/")
    if not path or not all(part.isprintable() and part for part in parts):
        return None
    if any(part.startswith(".") or "\\" in part for part in parts):
        return None
    for root in roots:
        if sources is not None:
            # By the path that was asked for: its stamp is that of the file behind all links.
            sources.add(os.path.join(root, *parts))
        real_root = os.path.realpath(root)
        real = os.path.realpath(os.path.join(real_root, *parts))
        if not real.startswith(real_root + os.sep) or _is_source(real) or _is_source(path):
            continue
        if _is_hidden(real, real_root):
            continue
        if os.path.isfile(real):
            return Path(real)
    return None


def find_answer(kept: Kept, roots: Sequence[Path], path: str) -> Answer | None:
    """The content of a small file, from memory if it is unchanged; `None`: there is none.

    Args:
        kept: Keeps it.
        roots: As in `find_file`.
        path: Likewise.
    """
    key = (*roots, path)
    answer = kept.find(key)
    if answer is not None:
        return answer
    sources = PageSources()
    found = find_file(roots, path, sources)
    if found is None:
        return None
    try:
        status = os.stat(found)
        if status.st_size > kept.most_bytes:
            return None
        body = found.read_bytes()
    except OSError:
        return None
    modified = tornado.httputil.format_timestamp(int(status.st_mtime))
    headers = {"Last-Modified": modified, "Accept-Ranges": "bytes"}
    answer = Answer(body, find_kind(str(found)), sources, headers=headers)
    kept.keep(key, answer)
    return answer


def find_kind(name: str) -> str:
    """The `Content-Type` of a file: from its name, not from the machine's tables, which differ.

    Args:
        name: The file's; text is UTF-8.
    """
    kind = _TEXT_TYPES.get(os.path.splitext(name)[1].lower())
    kind = kind or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def _is_hidden(real: str, real_root: str) -> bool:
    """Whether a file is hidden where it really is, or in a folder that is."""
    folder = real_root
    *folders, name = real[len(real_root) + 1 :].split(os.sep)
    for part in folders:
        folder = f"{folder}/{part}"
        if part.startswith(".") and not _STORES.fullmatch(folder):
            return True
    return name.startswith(".")


def _is_source(path: str) -> bool:
    return _SOURCES.search(os.path.basename(path)) is not None
