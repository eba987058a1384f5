"""Files that an analysis writes itself and is made of: stops an endless loop of restarts; pure.

The front cannot see who saved a file. A file that is saved again and again right after the restarts
that it causes is written by the restarted code. Then it restarts nothing until it has not changed
for a while. If a user has saved it that often, the last save counts too: one more restart follows
then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class _Row:
    restarts: int = 0
    last_s: float = 0.0
    is_muted: bool = False
    is_tried: bool = False


class Rewrites:
    """Decides which of the files that were saved restart a kernel.

    Args:
        limit: Restarts by one file, each soon after the one before.
        window_s: The time that counts as soon.
        quiet_s: For how long a file must be left alone before it counts again.
    """

    def __init__(self, limit: int, window_s: float, quiet_s: float) -> None:
        self._limit = limit
        self._window_s = window_s
        self._quiet_s = quiet_s
        self._rows: dict[tuple[str, str], _Row] = {}

    def judge(
        self, name: str, files: Sequence[str], now_s: float, *, is_starting: bool
    ) -> tuple[list[str], list[str]]:
        """Files were saved on which a kernel depends.

        Args:
            name: The analysis' name.
            files: Their paths.
            now_s: The time, monotonic.
            is_starting: Whether its kernel is still at its start: then it was soon, however long
                that takes.

        Returns:
            Those that restart it, and those that from now on do not.
        """
        going: list[str] = []
        muted: list[str] = []
        for path in files:
            row = self._rows.get((name, path), _Row())
            if now_s - row.last_s >= self._find_wait_s(row) and not is_starting:
                row = _Row()
            self._rows[name, path] = row
            row.last_s = now_s
            if row.restarts < self._limit:
                row.restarts += 1
                going.append(path)
            elif not row.is_muted:
                row.is_muted = True
                muted.append(path)
        return going, muted

    def take_quiet(self, now_s: float) -> dict[str, list[str]]:
        """The files, by analysis, that were left alone: each restarts its kernel once more."""
        found: dict[str, list[str]] = {}
        for (name, path), row in list(self._rows.items()):
            if now_s - row.last_s < self._find_wait_s(row):
                continue
            if row.is_muted and not row.is_tried:
                row.is_tried, row.last_s = True, now_s
                found.setdefault(name, []).append(path)
            elif not row.is_muted:
                del self._rows[name, path]
        return found

    def _find_wait_s(self, row: _Row) -> float:
        return self._quiet_s if row.is_muted else self._window_s
