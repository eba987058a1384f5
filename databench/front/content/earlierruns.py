"""Files that were written while earlier servers of the project ran, and so may not be an author's.

Theory of operation: a template is code, and an analysis may write a file with a visitor's words in
it (`authored`). After a restart, that file looks like any other. So a server in production
keeps a record where no page and no analysis is pointed at it: before its kernels start, which
files it knows; after they have ended, which ones have changed or come since. Later servers treat
those as foreign, for as long as they do not change. A server that was killed leaves its first
record, and then every file that differs from it is foreign. Changes between two servers are the
author's, and so is a foreign file that is saved again: nothing else writes while no kernel runs.

Two servers of one project keep one record, of the one that started last; when both run and the
first is killed, the second one's end covers what came until then.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..security import privatefiles

log = logging.getLogger("databench.front")

Stamp = tuple[int, int]
Stamps = Mapping[str, Stamp]
_MOST_BYTES = 2**26  # twice 20,000 files (`project_files`) with paths of 1,600 bytes


@dataclasses.dataclass(frozen=True)
class Record:
    """The files that earlier servers left.

    Attributes:
        run: The one that has not recorded its end; empty: none.
        folders: Where it looked; real paths.
        known: The files that it knew as the author's.
        strange: Those that are not.
        built: Those that builds wrote before any kernel ran.
    """

    run: str = ""
    folders: tuple[str, ...] = ()
    known: Stamps = dataclasses.field(default_factory=dict)
    strange: Stamps = dataclasses.field(default_factory=dict)
    built: frozenset[str] = frozenset()


def judge(record: Record, found: Stamps) -> dict[str, Stamp]:
    """Which of the files that are there now may be no author's.

    Args:
        record: Of the earlier servers.
        found: The files, by real path.
    """
    strange = {path: it for path, it in found.items() if record.strange.get(path) == it}
    if record.run:
        places = {os.path.dirname(path) for path in record.known}  # behind links too
        for path, stamp in found.items():
            is_near = os.path.dirname(path) in places or _is_below(path, record.folders)
            if is_near and record.known.get(path) != stamp:
                strange[path] = stamp
    return strange


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(path.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders)


class Runs:
    """Keeps the record of a project.

    Args:
        folder: Where, as `find_folder` gives it.
        project: As `cookies.find_project` calls it.
        trusts: Whether the author vouches for all existing files.
    """

    def __init__(self, folder: Path, project: str, *, trusts: bool = False) -> None:
        self.project = project
        self._path = folder / f"pages-{project}.json"
        self._trusts = trusts
        self._run = ""
        self._is_told = False

    def read(self) -> Record:
        """The files that earlier servers left."""
        return Record() if self._trusts else self._load()

    def begin(
        self, folders: Iterable[str], known: Stamps, strange: Stamps, built: Iterable[str]
    ) -> None:
        """Kernels start, or there is more that is known."""
        self._run = self._run or secrets.token_hex(8)
        found = (tuple(folders), dict(known), dict(strange), frozenset(built))
        self._save(Record(self._run, *found))

    def end(self, strange: Stamps) -> None:
        """Kernels have ended: these files are not the author's."""
        record = self._load()
        if record.run == self._run:
            self._save(Record(strange=strange, built=record.built))
        else:  # another server has started since, and may still run
            both = {**record.strange, **strange}
            self._save(dataclasses.replace(record, strange=both))

    def settle(self, strange: Stamps) -> None:
        """A server in development has looked: files that appear from now on are the author's."""
        record = self._load()
        if record.run or record.strange or self._trusts:
            self._save(Record(strange=strange, built=record.built))

    def _load(self) -> Record:
        try:
            told = json.loads(privatefiles.read(self._path, _MOST_BYTES) or b"{}")
            known, strange = (
                {str(path): (int(time_ns), int(size)) for path, (time_ns, size) in part.items()}
                for part in (told.get("known", {}), told.get("strange", {}))
            )
            folders = tuple(map(str, told.get("folders", ())))
            built = frozenset(map(str, told.get("built", ())))
            return Record(str(told.get("run", "")), folders, known, strange, built)
        except (ValueError, TypeError, AttributeError):
            log.warning("'%s' cannot be read, and is written again", self._path)
            return Record()

    def _save(self, record: Record) -> None:
        # A path need not be UTF-8: `ensure_ascii` keeps what stands for its other bytes.
        text = json.dumps({**vars(record), "built": sorted(record.built)})
        try:
            privatefiles.write(self._path, text.encode())
        except OSError as error:
            if not self._is_told:
                log.warning(
                    "the server can't write to '%s' (%s), so after a restart it can't tell your "
                    "pages from those that an analysis wrote. Set XDG_STATE_HOME to a folder that "
                    "the server may write to",
                    self._path.parent,
                    error.strerror,
                )
            self._is_told = True


def find_folder(environ: Mapping[str, str]) -> Path:
    """The folder of the user's own state: unlike a cache, no one empties it to make room."""
    return privatefiles.find_folder(environ, "XDG_STATE_HOME", "~/.local/state")
