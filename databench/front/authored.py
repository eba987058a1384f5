"""Which files are templates: those that the project's author wrote, not those that it writes.

Theory of operation: a template is code, which runs in the server. A report that an analysis writes
beside its page may hold whatever a visitor said, so a file is a template only if it was there when
the project was loaded, with the content that it had then, or if a build of the project made it. In
development one that appears or changes is the author's, who has just saved it; the log names it.
The files are known by their real paths, with time and size: a template that is gone and comes
back is another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

log = logging.getLogger("databench.front")

Stamp = tuple[int, int]
_SKIPPED = frozenset({"node_modules", "__pycache__"})


class Authored:
    """The files of a project.

    Args:
        limit: How many are known at most, the nearest first; others are no templates.
        takes_new: Whether what appears is the author's too: in development.
    """

    def __init__(self, limit: int, *, takes_new: bool = False) -> None:
        self._limit = limit
        self._takes_new = takes_new
        self._stamps: dict[str, Stamp] = {}
        self._folders: tuple[str, ...] = ()
        self._is_full = False

    def learn(self, folders: Iterable[str | Path]) -> None:
        """All that is in these folders now is the author's."""
        found = tuple(os.path.realpath(folder) for folder in folders)
        self._folders = tuple(dict.fromkeys((*self._folders, *found)))
        self._take(scan(found, self._limit))

    def learn_new(self, folders: Iterable[str | Path]) -> None:
        """Likewise, of folders that are not known yet."""
        self.learn(f for f in folders if os.path.realpath(f) not in self._folders)

    def knows(self, path: str | Path) -> bool:
        """Whether a file is the author's; it may have been changed since."""
        real = os.path.realpath(path)
        if real in self._stamps:
            return True
        if self._takes_new:
            log.info("template found: %s", path)
            self._keep(real)
        elif self._is_full:
            self._is_full = False  # said once
            log.warning(
                "'%s' is no template: over %d files are in the project, limit of project_files",
                *(path, self._limit),
            )
        return self._takes_new

    def may_run(self, path: str | Path) -> bool:
        """Whether a file is the author's, as it is now."""
        real = os.path.realpath(path)
        return self.knows(path) and (self._takes_new or self._stamps[real] == _find_stamp(real))

    @contextlib.asynccontextmanager
    async def building(self) -> AsyncIterator[None]:
        """What is written meanwhile is made by the project's build: the author's too."""
        before = await asyncio.to_thread(scan, self._folders, self._limit)
        try:
            yield
        finally:
            after = await asyncio.to_thread(scan, self._folders, self._limit)
            self._take({path: it for path, it in after.items() if before.get(path) != it})

    def _take(self, found: dict[str, Stamp]) -> None:
        self._stamps.update(found)
        self._is_full = self._is_full or len(found) >= self._limit

    def _keep(self, real: str) -> None:
        stamp = _find_stamp(real)
        if stamp is not None:
            self._stamps[real] = stamp


def scan(folders: Iterable[str], limit: int) -> dict[str, Stamp]:
    """The files below some folders, with time and size; the nearest first, each once.

    Args:
        folders: Real paths.
        limit: No more than so many.
    """
    found: dict[str, Stamp] = {}
    waiting = list(dict.fromkeys(folders))
    seen = set(waiting)
    for folder in waiting:  # grows: folders are looked at in the order of their depth
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
                if not entry.name.startswith(".") and entry.name not in _SKIPPED:
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
