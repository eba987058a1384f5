"""Files: what may leave a folder, and how it is sent.

Refuses what leads out of the folder (also by a symbolic link), Python files everywhere, hidden
files everywhere. An analysis' own folder gives out three kinds of file by name and nothing else.
"""

from __future__ import annotations

import mimetypes
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tornado.httputil
import tornado.routing
import tornado.web

from .handlers import Headers

if TYPE_CHECKING:
    from .app import Front

# Never sent, wherever they are: what a project runs, what Python makes of it, and copies of both,
# whatever a person, an editor or a packer adds to the name: code.py~, code.py.1, code.py.gz.
_SOURCES = re.compile(r"[.](py[cdioxwz]?|ipynb)(?![A-Za-z0-9])", re.IGNORECASE)
_TEXT_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".map": "application/json",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


def find_file(roots: Sequence[Path], path: str) -> Path | None:
    """The file of that path in the first of the folders that has it, or `None`.

    Args:
        roots: Folders, absolute.
        path: As in the address, decoded, without a slash in front.
    """
    parts = path.split("/")
    if not path or not all(part.isprintable() and part for part in parts):
        return None
    if any(part.startswith(".") or "\\" in part for part in parts):
        return None
    for root in roots:
        real_root = os.path.realpath(root)
        real = os.path.realpath(os.path.join(real_root, *parts))
        if not real.startswith(real_root + os.sep) or _is_source(real) or _is_source(path):
            continue
        if os.path.isfile(real):
            return Path(real)
    return None


def _is_source(path: str) -> bool:
    return _SOURCES.search(os.path.basename(path)) is not None


def pattern_of(pattern: str) -> str:
    """A regular expression of `static:`, of the whole path."""
    return f"/{pattern.lstrip('/')}"


class OwnFolders(tornado.routing.Router):
    """The folders of `static:`, the first pattern that matches.

    Args:
        front: Its index says which.
    """

    def __init__(self, front: Front) -> None:
        self._front = front

    def find_handler(
        self, request: tornado.httputil.HTTPServerRequest, **kwargs: Any
    ) -> tornado.httputil.HTTPMessageDelegate | None:
        """The handler of a request, or `None` where no pattern matches."""
        index = self._front.index
        for pattern, folder in index.static:
            found = tornado.routing.PathMatches(pattern_of(pattern)).match(request)
            if found is not None:
                path = [*found.get("path_args", ()), *found.get("path_kwargs", {}).values()]
                roots = (index.folder / folder, Path.cwd() / folder)
                return self._front.get_handler_delegate(request, Files, {"roots": roots}, path)
        return None


class Files(Headers, tornado.web.StaticFileHandler):
    """Files below one of some folders: `roots`, the first that has it."""

    def initialize(self, roots: Sequence[Path]) -> None:  # type: ignore[override]
        """Take the folders of the route."""
        super().initialize(path="/")
        self.roots = tuple(roots)

    def find(self, path: str) -> Path | None:
        """The file to send, or `None`."""
        return find_file(self.roots, path)

    async def get(self, path: str | None, include_body: bool = True) -> None:
        """Send the file; answers ranges and `If-None-Match` as Tornado does."""
        found = self.find(path or "")  # a group that need not match says nothing
        if found is None:
            raise tornado.web.HTTPError(404)
        await super().get(str(found), include_body)

    def head(self, path: str) -> Any:
        """As `get`, without the body."""
        return self.get(path, include_body=False)

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        """The path is the file that `find` found: real and absolute."""
        return path

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Nothing is left to check."""
        return absolute_path

    def compute_etag(self) -> str | None:
        """From time and size: Tornado hashes each file whole, and once per process."""
        try:
            status = os.stat(str(self.absolute_path))
        except OSError:
            return None
        return f'"{status.st_mtime_ns:x}-{status.st_size:x}"'

    def get_content_type(self) -> str:
        """From the name, not the machine's tables where those differ; text is UTF-8."""
        name = str(self.absolute_path)
        kind = _TEXT_TYPES.get(os.path.splitext(name)[1].lower())
        kind = kind or mimetypes.guess_type(name)[0] or "application/octet-stream"
        return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind

    def set_extra_headers(self, path: str) -> None:
        """Kept, and asked for again each time: a saved file shows at once."""
        self.set_header("Cache-Control", "no-cache")
