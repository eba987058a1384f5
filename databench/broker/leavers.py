"""Kernels that end for good while the server runs: with their session, or with their analysis.

An analysis of the same name may come while the kernels of the old one still end: they are no
longer in the analysis' table, but here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from .class_values import ClassValues
from .requests import Requests
from .sessions import Sessions
from .tables import Entry, Group, Tables

logger = logging.getLogger("databench.broker")

GONE = 4004  # the close code for pages; RFC 6455 7.4.2 leaves 4000 and up to applications


class Leavers:
    """Ends what was taken out.

    Args:
        tables: The broker's.
        requests: Tells pages.
        sessions: Closes sessions.
        class_values: Forgets values.

    Attributes:
        on_left: Called with an analysis when a process of it has ended for good.
    """

    def __init__(
        self, tables: Tables, requests: Requests, sessions: Sessions, class_values: ClassValues
    ) -> None:
        self.on_left: Callable[[Group], None] = _ignore
        self._tables = tables
        self._requests = requests
        self._sessions = sessions
        self._class_values = class_values
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, group: Group) -> None:
        """Take an analysis out of the tables, and begin its end."""
        name = group.spec.name
        why = f"analysis {name!r} is no longer served"
        logger.info("%s: its kernel ends", why)
        del self._tables.groups[name]
        self._class_values.forget(name)
        for seat in [seat for entry in group.entries for seat in entry.shown]:
            self._requests.complain(seat, f"{why}; this page has no kernel any more")
        self._tables.outbox.flush()
        for seat in [seat for entry in group.entries for seat in entry.shown]:
            for page in list(seat.session.views):
                page.close(GONE, why)
        leaving = list(group.entries)
        group.entries.clear()  # with the end of a session nothing of the analysis begins or ends
        group.queue.clear()
        group.running.clear()
        for entry in leaving:
            self.retire(entry, why)

    def retire(self, entry: Entry, why: str) -> None:
        """End a kernel for good, then its sessions."""
        entry.group.leaving += 1
        task = asyncio.ensure_future(self._end(entry, why))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait(self) -> None:
        """Until all of them have ended."""
        await asyncio.gather(*self._tasks)

    async def _end(self, entry: Entry, why: str) -> None:
        await entry.kernel.stop(self._tables.settings.shutdown_limit_s, why)
        for seat in list(entry.seats.values()):
            self._sessions.close(seat, why)
        self._tables.forget(entry)
        entry.group.leaving -= 1
        self.on_left(entry.group)


def _ignore(_group: Group) -> None:
    pass
