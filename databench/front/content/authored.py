"""Which files are templates: those of the project's author, not those that an analysis writes.

Theory of operation: a template is code, which runs in the server. A report that an analysis writes
beside its page may hold a visitor's words, so a file is a template only if it existed when the
project was loaded, with the content of that moment, or if a build of the project made it. In
development, a file that appears or changes is the author's, who has just saved it; the log names
it. A file that appeared or changed while an earlier server ran is not one either (`earlierruns`). A
build that runs beside kernels proves nothing about files that appear meanwhile: only files that a
build wrote before any kernel ran are accepted again after a later one. The files are known by their
real paths, with time and size: a template that is gone and comes back is another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

from ...config import OTHERS_FOLDERS
from .earlierruns import Record, Runs, Stamp, judge

log = logging.getLogger("databench.front")

_PAGES = (".html", ".htm")
_MARKS = (b"{{", b"{%", b"{#")  # as a template has them, of Tornado and of Jinja2
# Of the pages that are not run: how many are looked into and named.
_LOOKED_AT = 100
_LOOKED_BYTES = 2**18
_NAMED = 3


class Authored:
    """The files of a project.

    Args:
        limit: How many are known at most, the nearest first; others are not templates.
        takes_new: Whether what appears is the author's too: in development.
        runs: Keeps over restarts what is not the author's; `None`: nothing does.
    """

    def __init__(self, limit: int, *, takes_new: bool = False, runs: Runs | None = None) -> None:
        self._limit = limit
        self._takes_new = takes_new
        self._runs = runs
        self._earlier = runs.read() if runs else Record()
        self._stamps: dict[str, Stamp] = {}
        self._strange: dict[str, Stamp] = {}
        self._built = set(self._earlier.built)
        self._folders: tuple[str, ...] = ()
        self._is_full = False
        self._is_open = False
        self.changes = 0  # counts whenever another file may have become a template

    def learn(self, folders: Iterable[str | Path]) -> None:
        """Files in these folders now are the author's, except those that earlier servers left."""
        found = tuple(os.path.realpath(folder) for folder in folders)
        self._folders = tuple(dict.fromkeys((*self._folders, *found)))
        files = scan(found, self._limit)
        unseen = {path: it for path, it in files.items() if path not in self._stamps}
        self._strange.update(judge(self._earlier, unseen))
        self._take(files)
        self._note()

    def learn_new(self, folders: Iterable[str | Path]) -> None:
        """Likewise, of folders that are not known yet."""
        new = [f for f in folders if os.path.realpath(f) not in self._folders]
        if new:
            self.learn(new)

    def learn_built(self) -> None:
        """Builds have run, and no kernel yet: their files are the author's."""
        files = scan(self._folders, self._limit)
        self._built |= {path for path, it in files.items() if self._find_last(path) != it}
        self._take(files)

    def open(self) -> None:
        """Kernels start now; logs which pages are not run."""
        self._is_open = True
        self._earlier = Record()  # files that appear from now on were not left by an earlier server
        self._tell_strange()
        if self._runs and self._takes_new:
            self._runs.settle(self._strange)
        self._note()

    async def close(self) -> None:
        """Kernels have ended: files that changed since they started are not the author's."""
        if self._is_open and self._runs and not self._takes_new:
            files = await asyncio.to_thread(scan, self._folders, self._limit)
            strange = {path: it for path, it in files.items() if self._stamps.get(path) != it}
            await asyncio.to_thread(self._runs.end, strange)

    def knows(self, path: str | Path) -> bool:
        """Whether a file is the author's; it may have been changed since."""
        real = os.path.realpath(path)
        if real in self._stamps:
            return True
        if real in self._strange and (not self._takes_new or self._is_strange(real)):
            return False
        if self._takes_new:
            log.info("template found: %s", path)
            self._keep(real)
        elif self._is_full:
            self._is_full = False  # logged once
            log.warning(
                "'%s' is not run as a template: more than %d files, the limit (project_files)",
                *(path, self._limit),
            )
        return self._takes_new

    def may_run(self, path: str | Path) -> bool:
        """Whether a file is the author's, as it is now."""
        real = os.path.realpath(path)
        return self.knows(path) and (self._takes_new or self._stamps[real] == _find_stamp(real))

    @contextlib.asynccontextmanager
    async def building(self) -> AsyncIterator[None]:
        """The project's build runs beside kernels: the files that it makes are the author's."""
        before = await asyncio.to_thread(scan, self._folders, self._limit)
        try:
            yield
        finally:
            after = await asyncio.to_thread(scan, self._folders, self._limit)
            changed = {path: it for path, it in after.items() if before.get(path) != it}
            self._take({path: it for path, it in changed.items() if path in self._built})
            await asyncio.to_thread(self._note)
            self._tell_unbuilt(path for path in changed if path not in self._built)

    def _note(self) -> None:
        if self._is_open and self._runs and not self._takes_new:
            self._runs.begin(self._folders, self._stamps, self._strange, self._built)

    def _find_last(self, path: str) -> Stamp | None:
        return self._stamps.get(path) or self._strange.get(path)

    def _is_strange(self, real: str) -> bool:
        return self._strange[real] == _find_stamp(real)

    def _take(self, found: dict[str, Stamp]) -> None:
        taken = {path: it for path, it in found.items() if self._strange.get(path) != it}
        self._stamps.update(taken)
        self.changes += 1
        for path in taken:
            self._strange.pop(path, None)
        self._is_full = self._is_full or len(found) >= self._limit

    def _keep(self, real: str) -> None:
        stamp = _find_stamp(real)
        if stamp is not None:
            self._stamps[real] = stamp
            self.changes += 1

    def _tell_strange(self) -> None:
        """Name the pages that would be run otherwise; others look the same as they are."""
        pages = sorted(path for path in self._strange if path.lower().endswith(_PAGES))
        marked = [path for path in pages[:_LOOKED_AT] if _is_marked(path)]
        if marked:
            log.warning(
                "Not run as templates, because they were written while an earlier server ran and "
                "may hold a visitor's words: %s. If you wrote them, stop Databench, save them "
                "again and start it, or start it with --trust-pages",
                _name_some(marked),
            )

    def _tell_unbuilt(self, paths: Iterable[str]) -> None:
        pages = sorted(path for path in paths if path.lower().endswith(_PAGES))
        if pages and not self._takes_new:
            log.warning(
                "Not run as templates, because no build wrote them before the first kernel "
                "started: %s. If a build makes them, start Databench again",
                _name_some(pages),
            )


def _name_some(paths: list[str]) -> str:
    named = ", ".join(f"'{path}'" for path in paths[:_NAMED])
    return named if len(paths) <= _NAMED else f"{named} and {len(paths) - _NAMED} more"


def _is_marked(path: str) -> bool:
    """Whether a page has tags that only a template's engine reads."""
    try:
        with open(path, "rb") as file:
            content = file.read(_LOOKED_BYTES)
    except OSError:
        return False
    return any(mark in content for mark in _MARKS)


def scan(folders: Iterable[str], limit: int) -> dict[str, Stamp]:
    """The files below some folders, with time and size; the nearest first, each once.

    Args:
        folders: Real paths.
        limit: The most files.
    """
    found: dict[str, Stamp] = {}
    waiting = list(dict.fromkeys(folders))
    seen = set(waiting)
    for folder in waiting:  # grows: folders are searched in the order of their depth
        for real, is_folder in _list(folder):
            if is_folder and real not in seen:
                seen.add(real)
                waiting.append(real)
            elif not is_folder and (stamp := _find_stamp(real)) is not None:
                found[real] = stamp
            if len(found) >= limit:
                return found
    return found


def _list(folder: str) -> Iterator[tuple[str, bool]]:
    """The real paths in a folder, and which are folders; without what no page is made of."""
    try:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if not entry.name.startswith(".") and entry.name not in OTHERS_FOLDERS:
                    path = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
                    yield path, entry.is_dir()
    except OSError:
        return  # it is gone, or cannot be read: then it holds no template


def _find_stamp(path: str) -> Stamp | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
