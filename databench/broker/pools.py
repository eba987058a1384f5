"""Analyses and their kernels: made, given to sessions, queued, ended when no page needs them.

Owns the processes that wait for sessions, and the queue of sessions that wait for a process;
`protocol.placement` decides. However many come and go in a turn of the loop, the queue moves on and
gets its numbers once, and only pages whose number has changed get it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Iterable

from ..protocol import placement
from ..protocol.lifecycle import State
from ..protocol.placement import SESSION, Sharing, Standing
from .records import KernelPool, KernelRecord
from .retiring import Retiring
from .supervision.supervisor import Supervisor
from .tables import Tables

logger = logging.getLogger("databench.broker")

# A spare is made when the session that took the last one has begun: both would take longer.
REPLENISH_S = 0.5
Make = Callable[[KernelPool, bool], Supervisor]


class Pools:
    """Gives kernels to sessions.

    Args:
        tables: The broker's.
        retiring: Ends kernels for good.
        make: Makes a supervisor for an analysis; it may be one that is queued.
    """

    def __init__(self, tables: Tables, retiring: Retiring, make: Make) -> None:
        self._tables = tables
        self._retiring = retiring
        self._make = make
        self._timers: dict[KernelPool, asyncio.TimerHandle] = {}
        self._moved: set[KernelPool] = set()
        retiring.on_left = self._move_queue

    def place(self, pool: KernelPool) -> KernelRecord:
        """The kernel for one more session; a new one begins, or is queued."""
        records = _candidates(pool)
        index = placement.choose_kernel(pool.spec.sharing, _stand(records))
        return self._add(pool) if index is None else records[index]

    def need(self, record: KernelRecord) -> None:
        """A page is there: a kernel that was ended without one begins again."""
        pool, life = record.pool, record.kernel.life
        record.used_s = self._tables.loop.time()
        self._replenish_later(pool)
        if life.state is State.QUEUED:
            self._move_queue(pool)  # it may have been passed over while no page was there
        elif life.state is State.CULLED and not self._has_room(pool):
            self._enqueue(record)
            record.kernel.queue()
        else:
            pool.running[record] = None
            record.kernel.need()

    def leave(self, record: KernelRecord) -> None:
        """A page has gone: while its session has none, others in the queue go before it."""
        if record in record.pool.queue:
            self._move_queue(record.pool)

    def vacate(self, record: KernelRecord) -> None:
        """A session of it was closed: if the process is its own, the process ends too."""
        record.stray.grant()
        pool = record.pool
        if pool.spec.sharing.isolation == SESSION and not record.sessions:
            self._retire(record, "its session was closed")

    def sweep(self) -> None:
        """End the kernels that no page has needed for `cull_after_s`."""
        now_s = self._tables.loop.time()
        for pool in list(self._tables.pools.values()):
            for record in list(pool.running):
                if record.is_in_use or _is_spare(record):
                    record.used_s = now_s
                    continue
                limit_s = record.kernel.settings.cull_after_s
                if placement.is_unused(record.used_s, now_s, limit_s):
                    self._cull(record, f"no page for {limit_s:g} s (cull_after_s)")

    def close(self) -> None:
        """Make no further kernel."""
        for timer in self._timers.values():
            timer.cancel()

    # ------------------------------------------------------------ parts

    def _add(self, pool: KernelPool) -> KernelRecord:
        is_queued = not self._has_room(pool)
        record = KernelRecord(self._make(pool, is_queued), pool, used_s=self._tables.loop.time())
        pool.records.append(record)
        self._tables.by_kernel[record.kernel] = record
        if is_queued:
            self._enqueue(record)
        else:
            pool.running[record] = None
            record.kernel.start()
        return record

    def _enqueue(self, record: KernelRecord) -> None:
        queue = record.pool.queue
        last = next(reversed(queue), None)
        record.ahead = 0 if last is None else last.ahead + last.is_in_use
        queue[record] = None

    def _cull(self, record: KernelRecord, why: str) -> None:
        pool = record.pool
        if pool.spec.sharing.isolation == SESSION and not record.sessions:
            self._retire(record, why)
            return
        record.used_s = self._tables.loop.time()
        # A session that stays would come back with the state that its goodbye left.
        record.kernel.cull(why, is_graceful=not record.sessions)

    def _retire(self, record: KernelRecord, why: str) -> None:
        pool = record.pool
        if record not in pool.records:
            return  # the whole analysis leaves
        pool.records.remove(record)
        pool.queue.pop(record, None)
        pool.running.pop(record, None)
        self._retiring.retire(record, why)
        self._move_queue(pool)

    def _move_queue(self, pool: KernelPool) -> None:
        """Number the queue once, after all that happens in this turn has changed it."""
        if pool not in self._moved:
            self._moved.add(pool)
            self._tables.loop.call_soon(self._advance, pool)

    def _advance(self, pool: KernelPool) -> None:
        """While there is room, the session that waited longest begins, else a spare may."""
        self._moved.discard(pool)
        while self._has_room(pool) and not self._tables.is_draining:
            record = next((record for record in pool.queue if record.is_in_use), None)
            if record is None:
                break
            del pool.queue[record]
            pool.running[record] = None
            record.kernel.need()
        self._number_queue(pool)
        self._replenish_later(pool)

    def ready(self, record: KernelRecord) -> None:
        """A kernel can be used: others of its analysis may wait for sessions now."""
        self._replenish_later(record.pool)

    def culled(self, record: KernelRecord) -> None:
        """It has ended because it was unused: its slot is free."""
        record.pool.running.pop(record, None)
        self._move_queue(record.pool)

    def _number_queue(self, pool: KernelPool) -> None:
        numbers = placement.number_queue(record.is_in_use for record in pool.queue)
        for record, ahead in zip(pool.queue, numbers, strict=True):
            if record.ahead != ahead:
                record.ahead = ahead
                self._tables.announcer.show(record.shown)
        self._tables.outbox.flush()

    def _replenish_later(self, pool: KernelPool) -> None:
        if not placement.has_spares(pool.spec.sharing) or pool in self._timers:
            return
        if self._count_missing(pool):
            loop = self._tables.loop
            self._timers[pool] = loop.call_later(REPLENISH_S, self._replenish, pool)

    def _replenish(self, pool: KernelPool) -> None:
        self._timers.pop(pool, None)
        is_served = self._tables.pools.get(pool.spec.name) is pool
        if is_served and not self._tables.is_draining and any(pool.sessions):
            for _ in range(self._count_missing(pool)):
                self._add(pool)

    def _count_missing(self, pool: KernelPool) -> int:
        sharing, stood = self._sharing(pool), _stand(pool.running)
        return placement.count_missing(sharing, stood, pool.leaving, len(pool.queue))

    def _has_room(self, pool: KernelPool) -> bool:
        return placement.has_room(self._sharing(pool), _stand(pool.running), pool.leaving)

    def _sharing(self, pool: KernelPool) -> Sharing:
        sharing = pool.spec.sharing
        most = sharing.max_kernels or self._tables.settings.max_kernels
        return dataclasses.replace(sharing, max_kernels=most)


def _candidates(pool: KernelPool) -> list[KernelRecord]:
    """The kernels that a further session may get: if each has its own, those with a process."""
    is_alone = pool.spec.sharing.isolation == SESSION
    return list(pool.running) if is_alone else pool.records


def _stand(records: Iterable[KernelRecord]) -> list[Standing]:
    return [
        Standing(
            len(record.sessions),
            is_ready=record.kernel.life.takes_actions,
            is_failed=record.kernel.life.state is State.FAILED,
        )
        for record in records
    ]


def _is_spare(record: KernelRecord) -> bool:
    """Whether it waits for a session of an analysis that is in use."""
    pool = record.pool
    return (
        pool.spec.sharing.isolation == SESSION
        and not record.sessions
        and (bool(pool.queue) or any(other.is_in_use for other in pool.running))
    )
