"""Kernels that end for good while the server runs: with their session, or with their analysis.

An analysis of the same name may come while the kernels of the old one still end: those are not
in the analysis' table any more, but here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ..closecodes import GONE
from .records import KernelPool, KernelRecord
from .sessions.class_values import ClassValues
from .sessions.requests import Requests
from .sessions.sessions import Sessions
from .tables import Tables

logger = logging.getLogger("databench.broker")


class Retiring:
    """Ends what was taken out.

    Args:
        tables: The broker's.
        requests: Reports to pages.
        sessions: Closes sessions.
        class_values: Forgets values.

    Attributes:
        on_left: Called with an analysis when a process of it has ended for good.
    """

    def __init__(
        self, tables: Tables, requests: Requests, sessions: Sessions, class_values: ClassValues
    ) -> None:
        self.on_left: Callable[[KernelPool], None] = _ignore
        self._tables = tables
        self._requests = requests
        self._sessions = sessions
        self._class_values = class_values
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, pool: KernelPool) -> None:
        """Take an analysis out of the tables, and begin its end."""
        name = pool.spec.name
        why = f"analysis {name!r} is no longer served"
        logger.info("%s; ending its kernels", why)
        del self._tables.pools[name]
        self._class_values.forget(name)
        for hosted in [hosted for record in pool.records for hosted in record.shown]:
            self._requests.complain(hosted, f"{why}; this page has no kernel any more")
        self._tables.outbox.flush()
        for hosted in [hosted for record in pool.records for hosted in record.shown]:
            for page in list(hosted.session.views):
                page.close(GONE, why)
        leaving = list(pool.records)
        pool.records.clear()  # with the end of a session nothing of the analysis begins or ends
        pool.queue.clear()
        pool.running.clear()
        for record in leaving:
            self.retire(record, why)

    def retire(self, record: KernelRecord, why: str) -> None:
        """End a kernel for good, then its sessions."""
        record.pool.leaving += 1
        task = asyncio.ensure_future(self._end(record, why))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait(self) -> None:
        """Until all of them have ended."""
        await asyncio.gather(*self._tasks)

    async def _end(self, record: KernelRecord, why: str) -> None:
        await record.kernel.stop(self._tables.settings.shutdown_limit_s, why)
        for hosted in list(record.sessions.values()):
            self._sessions.close(hosted, why)
        self._tables.forget(record)
        record.pool.leaving -= 1
        self.on_left(record.pool)


def _ignore(_group: KernelPool) -> None:
    pass
