"""Files: how they are sent.

An analysis' own folder gives out three kinds of file by name and nothing else; `content.files`
decides which files may leave a folder at all.

Small files are kept (`content.cache`) with a word that names their content. Browsers may keep an
address with this word (`?v=…`, as `static_url` writes it) forever: its content cannot change.
"""

from __future__ import annotations

import datetime
import email.utils
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import tornado.httputil
import tornado.routing
import tornado.web

from ..basehandler import PART_BYTES, Headers
from ..content.cache import Answer
from ..content.files import find_answer, find_file, find_kind
from ..context import ContextApplication

# A year (RFC 8246). Not `public`: a proxy may ask for a password, and then no cache that others use
# is to have it (RFC 9111 section 3.5).
_FOR_EVER = "max-age=31536000, immutable"


def pattern_of(pattern: str) -> str:
    """A regular expression of `static:`, of the whole path."""
    return f"/{pattern.lstrip('/')}"


class OwnFolders(tornado.routing.Router):
    """The folders of `static:`, the first pattern that matches.

    Args:
        application: Serves the files.
    """

    def __init__(self, application: ContextApplication) -> None:
        self._application = application

    def find_handler(
        self, request: tornado.httputil.HTTPServerRequest, **kwargs: Any
    ) -> tornado.httputil.HTTPMessageDelegate | None:
        """The handler of a request, or `None` if no pattern matches."""
        index = self._application.context.index
        for pattern, folder in index.static:
            found = tornado.routing.PathMatches(pattern_of(pattern)).match(request)
            if found is not None:
                path = [*found.get("path_args", ()), *found.get("path_kwargs", {}).values()]
                roots = (index.folder / folder, Path.cwd() / folder)
                arguments = {"roots": roots}
                return self._application.get_handler_delegate(request, Files, arguments, path)
        return None


class Files(Headers, tornado.web.StaticFileHandler):
    """Files below one of some folders: `roots`, the first that has it."""

    def initialize(self, roots: Sequence[Path]) -> None:  # type: ignore[override]
        """Take the folders of the route."""
        super().initialize(path="/")
        self.absolute_path = None  # until there is a file to send
        self.roots = tuple(roots)
        self._answer: Answer | None = None

    def find(self, path: str) -> Path | None:
        """The file to send, or `None`."""
        return find_file(self.roots, path)

    async def get(self, path: str | None, include_body: bool = True) -> None:
        """Send the file: from memory, or in parts; answers ranges as Tornado does."""
        path = path or ""  # an optional group that did not match
        answer = self._answer = find_answer(self.context.kept, self.roots, path)
        if answer is not None:
            self._etag = f'"{answer.tag}"'
        if answer is not None and not self._wants_part():
            is_named = self.request.query == f"v={answer.tag}"
            caching = _FOR_EVER if is_named else "no-cache"
            await self.send(answer, (*self.roots, path), caching=caching)
            return
        found = self.find(path)
        if found is None:
            raise tornado.web.HTTPError(404)
        await super().get(str(found), include_body)

    def knows(self, answer: Answer) -> bool:
        """Whether the browser has it, by the date at which it was saved."""
        headers = self.request.headers
        if "If-None-Match" in headers or "If-Modified-Since" not in headers:
            return False
        self.modified = email.utils.parsedate_to_datetime(answer.headers["Last-Modified"])
        return self.should_return_304()

    def get_content(  # type: ignore[override]
        self, abspath: str, start: int | None = None, end: int | None = None
    ) -> Iterable[bytes]:
        """A part of the file; of the content that the `ETag` names, if that is kept."""
        if self._answer is None:
            yield from super().get_content(abspath, start, end)
            return
        body = memoryview(self._answer.body)[start:end]
        for at in range(0, len(body), PART_BYTES):
            yield bytes(body[at : at + PART_BYTES])

    def get_content_size(self) -> int:
        """Of all of it."""
        return super().get_content_size() if self._answer is None else len(self._answer.body)

    def get_modified_time(self) -> datetime.datetime | None:
        """When it was saved."""
        if self._answer is None:
            return super().get_modified_time()
        return email.utils.parsedate_to_datetime(self._answer.headers["Last-Modified"])

    def _wants_part(self) -> bool:
        """Whether a range is asked for, of this very content (RFC 9110 section 13.1.5)."""
        headers = self.request.headers
        return "Range" in headers and headers.get("If-Range", self._etag) == self._etag

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
        """Of a kept file by its content, else from time and size: Tornado hashes all of it."""
        if self._etag is not None:
            return self._etag
        if self.absolute_path is None:
            return tornado.web.RequestHandler.compute_etag(self)
        try:
            status = os.stat(str(self.absolute_path))
        except OSError:
            return None
        return f'"{status.st_mtime_ns:x}-{status.st_size:x}"'

    def get_content_type(self) -> str:
        """See `find_kind`."""
        return find_kind(str(self.absolute_path))

    def set_extra_headers(self, path: str) -> None:
        """Kept, and asked for again each time: a saved file shows at once."""
        self.set_header("Cache-Control", "no-cache")
        if self._answer is not None and self._answer.pays:
            self.add_header("Vary", "Accept-Encoding")  # as the whole file has it
