"""The saves since the server began, so that a page gets those that came before it joined."""

from __future__ import annotations

import time
from collections.abc import Collection

from ...protocol import text


class Saves:
    """Counts saves, and knows the last one of each path.

    A page is made with the count of saves and sends it when it joins: what was announced between
    goes only to this page.
    """

    def __init__(self) -> None:
        # Higher than every count of a server before this one, whose pages are still open.
        self.count = time.time_ns() // 1_000_000
        self._last: dict[str, int] = {}

    def add(self, paths: Collection[str]) -> bytes:
        """Files at these paths were saved; the frame that reports it."""
        self.count += 1
        self._last.update(dict.fromkeys(paths, self.count))
        return text.compose_reload(sorted(paths), self.count)

    def find_missed(self, count: int | None) -> bytes | None:
        """The saves since a page was made with this count; `None`: none."""
        paths = () if count is None else [p for p, last in self._last.items() if last > count]
        return text.compose_reload(sorted(paths), self.count, missed=True) if paths else None
