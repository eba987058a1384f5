"""Analyses that were taken out while the server runs: their pages are told, their kernels end.

An analysis of the same name may come while the kernel of the old one still ends: its entry is no
longer in the tables, but here.
"""

from __future__ import annotations

import asyncio
import logging

from .class_values import ClassValues
from .requests import Requests
from .sessions import Sessions
from .supervisor import Supervisor
from .tables import Entry, Tables

logger = logging.getLogger("databench.broker")

GONE = 4004  # the close code for pages; RFC 6455 7.4.2 leaves 4000 and up to applications


class Leavers:
    """Ends what was taken out.

    Args:
        tables: The broker's.
        requests: Tells pages.
        sessions: Closes sessions.
        class_values: Forgets values.
    """

    def __init__(
        self, tables: Tables, requests: Requests, sessions: Sessions, class_values: ClassValues
    ) -> None:
        self._tables = tables
        self._requests = requests
        self._sessions = sessions
        self._class_values = class_values
        self._tasks: dict[asyncio.Task[None], Entry] = {}

    def begin(self, entry: Entry) -> None:
        """Take an analysis out of the tables, and begin its end."""
        name = entry.kernel.spec.name
        why = f"analysis {name!r} is no longer served"
        logger.info("%s: its kernel ends", why)
        del self._tables.entries[name]
        self._class_values.forget(name)
        for seat in entry.seats.values():
            self._requests.complain(seat, f"{why}; this page has no kernel any more")
        self._tables.outbox.flush()
        for seat in entry.seats.values():
            for page in list(seat.session.views):
                page.close(GONE, why)
        task = asyncio.ensure_future(self._end(entry, why))
        self._tasks[task] = entry
        task.add_done_callback(self._tasks.pop)

    def find(self, kernel: Supervisor) -> Entry:
        """The entry of a kernel that is ending."""
        return next(entry for entry in self._tasks.values() if entry.kernel is kernel)

    async def wait(self) -> None:
        """Until all of them have ended."""
        await asyncio.gather(*self._tasks)

    async def _end(self, entry: Entry, why: str) -> None:
        await entry.kernel.stop(self._tables.settings.shutdown_limit_s, why)
        for seat in list(entry.seats.values()):
            self._sessions.close(seat, why)
        routing = self._tables.by_routing
        for id_ in [id_ for id_, other in routing.items() if other is entry]:
            del routing[id_]
