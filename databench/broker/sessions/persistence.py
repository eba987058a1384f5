"""Hands the store the changes, in time; gives back what an earlier server kept.

Owns when something is written: at most `flush_interval_s` after a page or a kernel got it. Without
a store it does nothing: the broker's tables then hold everything.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...protocol import saved
from ...protocol.clients import Client
from ...protocol.session import SESSION_BYTES, Session
from ...protocol.waiting import Waiting
from ...settings import Settings
from ..stores.base import Contents, Store
from ..stores.class_data import ClassData, ClassValue

if TYPE_CHECKING:
    from ..records import HostedSession

logger = logging.getLogger("databench.broker")

RETRY_S = 1.0  # between two writes to a disk that takes none
# The texts for pages; the log has the file's name and the system's message.
NOT_KEPT = "the server cannot write its state to disk: if it ends now, the latest changes are lost"
KEPT_AGAIN = "the server can write its state to disk again"
DAMAGED = "the state that the server had stored for this page is lost: its file was damaged"


class Persistence:
    """Between the broker's tables and a store.

    Args:
        store: The store, or `None`.
        settings: The limits.
        loop: Its clock and its timers.

    Attributes:
        is_failing: Whether what changes is not kept at present.
        on_trouble: Called with a signal and a text for all pages when that changes.
    """

    def __init__(
        self, store: Store | None, settings: Settings, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.is_failing = False
        self.on_trouble: Callable[[str, str], None] = _ignore
        self._store = store
        self._settings = settings
        self._loop = loop
        self._loaded = store.load() if store else Contents()
        # Time that passes while no server runs; the loop's clock does not.
        self._begun_s = time.time()
        self._touched: set[HostedSession] = set()
        self._timer: asyncio.TimerHandle | None = None

    def find_problem(self, *, is_missed: bool) -> str:
        """The notices for a page that comes; empty: none.

        Args:
            is_missed: Whether it named a session that is not there.
        """
        if is_missed and self._store is not None and self._store.notice:
            return DAMAGED
        return NOT_KEPT if self.is_failing else ""

    # ------------------------------------------------------------ what has changed

    def touch(self, hosted: HostedSession) -> None:
        """Something of a session has changed, other than its values."""
        if self._store is not None:
            self._touched.add(hosted)
            self._plan()

    def put_value(self, hosted: HostedSession, key: str, shown: bytes, stored: bytes) -> None:
        """A value of a session's `data` was written."""
        if self._store is not None:
            self._store.pending.put_value(hosted.session.id_, key, shown, stored)
            self._plan()

    def forget_values(self, hosted: HostedSession) -> None:
        """The values of a session are not to come back, the session itself is."""
        if self._store is not None:
            self._store.pending.drop_session(hosted.session.id_)
            self.touch(hosted)

    def drop(self, hosted: HostedSession) -> None:
        """A session was closed."""
        if self._store is not None:
            self._touched.discard(hosted)
            self._store.pending.drop_session(hosted.session.id_)
            self._plan()

    # ------------------------------------------------------------ what was kept

    def class_data(self, analysis: str) -> ClassData:
        """The table of an analysis' `class_data`, with what was kept of it."""
        kept = self._loaded.class_values.pop(analysis, None)
        limit_bytes = self._settings.state_bytes
        store = self._store
        if store is None:
            return ClassData(limit_bytes)

        def on_write(key: str, value: ClassValue) -> None:
            store.pending.put_class_value(analysis, key, value)
            self._plan()

        return ClassData(limit_bytes, on_write, kept)

    def put_aside(self, analysis: str, values: ClassData) -> None:
        """The analysis is not served any more: its values wait, as the store's file has them."""
        if self._store is not None:
            self._loaded.class_values[analysis] = dict(values)

    def revive(self, id_: str, analysis: str) -> Session | None:
        """The session of that id, if an earlier server kept it for this analysis."""
        if not self.has_kept(id_, analysis):
            return None
        kept = self._loaded.sessions.pop(id_)
        values = self._loaded.values.pop(id_, {})
        epoch = secrets.token_urlsafe(6)
        return saved.revive(id_, kept, values, epoch=epoch, limits=self._settings)

    def has_kept(self, id_: str, analysis: str) -> bool:
        """Whether an earlier server kept a session of that id for this analysis."""
        kept = self._loaded.sessions.get(id_)
        return kept is not None and kept.analysis == analysis

    def has_result(self, id_: str, analysis: str) -> bool:
        """Whether this is a session of an earlier server with an end that no page has seen."""
        kept = self._loaded.sessions.get(id_)
        return kept is not None and kept.analysis == analysis and kept.is_unseen

    def list_kept(self) -> list[Waiting]:
        """The sessions of an earlier server, those whose page left first in front."""
        loaded, since_s = self._loaded, time.time() - self._loop.time()
        found = []
        for id_, kept in loaded.sessions.items():
            # To a page that was there to the last the server was gone, not the page; and a clock
            # that was set back keeps nothing forever.
            left_s = self._begun_s if kept.left_s is None else min(kept.left_s, self._begun_s)
            values = loaded.values.get(id_, {})
            size_bytes = SESSION_BYTES + sum(len(a) + len(b) for a, b in values.values())
            client = Client(kept.address, kept.visitor)
            found.append(Waiting(id_, client, left_s - since_s, kept.is_unseen, size_bytes))
        return sorted(found, key=lambda waiting: waiting.since_s)

    def forget(self, id_: str) -> None:
        """No page comes back to this session of an earlier server."""
        del self._loaded.sessions[id_]
        self._loaded.values.pop(id_, None)
        if self._store is not None:
            self._store.pending.drop_session(id_)
            self._plan()

    # ------------------------------------------------------------ writing

    async def stop(self) -> None:
        """Write what is left, and close the store."""
        if self._timer is not None:
            self._timer.cancel()
        store, self._store = self._store, None
        if store is None:
            return
        self._gather(store)
        await self._loop.run_in_executor(None, store.close)
        if store.problem:
            logger.error("%s; the last changes are lost", store.problem)

    def _plan(self) -> None:
        if self._timer is None:
            # Half of it: the other half is for the disk.
            after_s = RETRY_S if self.is_failing else self._settings.flush_interval_s / 2
            self._timer = self._loop.call_later(after_s, self._commit)

    def _commit(self) -> None:
        self._timer = None
        store = self._store
        if store is None:
            return
        self._gather(store)
        is_kept = store.commit()
        if bool(store.problem) != self.is_failing:
            self._tell(store.problem)
        if not is_kept:
            self._plan()

    def _gather(self, store: Store) -> None:
        for hosted in self._touched:
            session = hosted.session
            left_s = None
            if not session.views:
                left_s = time.time() - (self._loop.time() - session.detached_s)
            head = saved.save(
                session, hosted.record.kernel.spec.name, left_s, hosted.client.address
            )
            store.pending.put_session(session.id_, head)
        self._touched.clear()

    def _tell(self, problem: str) -> None:
        self.is_failing = bool(problem)
        if problem:
            logger.error("%s; if the server ends now, the latest changes are lost", problem)
            self.on_trouble("error", NOT_KEPT)
        else:
            logger.warning("state is written to disk again, including the changes that waited")
            self.on_trouble("log", KEPT_AGAIN)


def _ignore(_signal: str, _text: str) -> None:
    pass
