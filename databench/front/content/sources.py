"""The files and folders from which something was made, each with its stamp at that time.

A stamp is what the system knows of a file without opening it, 2 us each: so checking whether a page
still matches its files costs less than asking the watcher, which sees a save 25 ms late. A
folder's stamp changes with the names in it, and so shows that a new file has come.

A file has the same stamp behind a link, so its real place is noted too: a file that has moved out
of a folder is not sent from there any more.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

# Saved when (ns), changed when (ns), how large, and which file: a tool that sets the first back
# cannot set the second, and one that replaces the old file by a new one changes the last.
Stamp = tuple[int, int, int, int]

# Clocks of file systems may tick every 10 ms. A file that is saved twice within one tick has one
# stamp, so a file as young as this is not trusted to be the one that was read.
_YOUNG_NS = 20_000_000
_ENTRY_BYTES = 300  # a path and four numbers


def find_stamp(path: str | Path) -> Stamp | None:
    """The stamp of a file or folder, as it is now; `None`: there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def _find_real(path: str) -> str | None:
    """The path without links, at 2 us for each of its parts."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return None


class PageSources:
    """The files and folders of one thing; those that were looked for in vain too.

    Args:
        paths: To begin with.
    """

    def __init__(self, *paths: str | Path) -> None:
        self._stamps: dict[str, Stamp | None] = {}
        # Where the folders of the files really are, and those that are links themselves.
        self._reals: dict[str, str | None] = {}
        self._is_settled = True
        self._checked_s = 0.0
        for path in paths:
            self.add(path)

    @property
    def paths(self) -> frozenset[str]:
        """All of them."""
        return frozenset(self._stamps)

    @property
    def size_bytes(self) -> int:
        """About what this takes of the memory."""
        real_bytes = sum(_ENTRY_BYTES + 2 * len(path) for path in self._reals)
        return real_bytes + sum(_ENTRY_BYTES + len(path) for path in self._stamps)

    @property
    def is_settled(self) -> bool:
        """Whether each save from now on changes a stamp."""
        return self._is_settled

    def add(self, path: str | Path) -> None:
        """It is about to be read, or looked for."""
        key = str(path)
        if key in self._stamps:
            return  # the first stamp: a later reading may be newer, and the page is then made again
        folder = os.path.dirname(key)
        if folder not in self._reals:
            self._reals[folder] = _find_real(folder)
        if os.path.islink(key):
            self._reals.setdefault(key, _find_real(key))
        stamp = self._stamps[key] = find_stamp(key)
        if stamp is not None and abs(time.time_ns() - max(stamp[:2])) < _YOUNG_NS:
            self._is_settled = False

    def distrust(self) -> None:
        """The next time, it may be made differently, whatever the files are."""
        self._is_settled = False

    def update(self, other: PageSources) -> None:
        """This is made of the same sources as those."""
        for path, stamp in other._stamps.items():
            self._stamps.setdefault(path, stamp)
        for path, real in other._reals.items():
            self._reals.setdefault(path, real)
        self._is_settled = self._is_settled and other._is_settled

    def are_unchanged(self, *, now_s: float = 0.0, interval_s: float = 0.0) -> bool:
        """Whether all are as they were.

        Args:
            now_s: The monotonic clock.
            interval_s: For how long what was found last holds.
        """
        if interval_s and now_s - self._checked_s < interval_s:
            return True
        self._checked_s = now_s
        return all(find_stamp(path) == stamp for path, stamp in self._stamps.items()) and all(
            _find_real(path) == real for path, real in self._reals.items()
        )
