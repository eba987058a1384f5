"""Analyses and their kernels: made, given to sessions, queued, ended when nobody needs them.

Owns the processes that wait for sessions, and the queue of sessions that wait for a process;
`protocol.placement` decides. However many come and go in a turn of the loop, the queue goes on and
is numbered once in it, and only pages whose number has changed are shown it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Iterable

from ..protocol import placement
from ..protocol.lifecycle import State
from ..protocol.placement import SESSION, Sharing, Standing
from .leavers import Leavers
from .supervisor import Supervisor
from .tables import Entry, Group, Tables

logger = logging.getLogger("databench.broker")

# A spare is made when the session that took the last one has begun: both would take longer.
REPLENISH_S = 0.5
Make = Callable[[Group, bool], Supervisor]


class Groups:
    """Gives kernels to sessions.

    Args:
        tables: The broker's.
        leavers: Ends kernels for good.
        make: Makes a supervisor for an analysis; it may be one that is queued.
    """

    def __init__(self, tables: Tables, leavers: Leavers, make: Make) -> None:
        self._tables = tables
        self._leavers = leavers
        self._make = make
        self._timers: dict[Group, asyncio.TimerHandle] = {}
        self._moved: set[Group] = set()
        leavers.on_left = self._move_queue

    def place(self, group: Group) -> Entry:
        """The kernel for one more session; a new one begins, or is queued."""
        entries = _candidates(group)
        index = placement.choose_kernel(group.spec.sharing, _stand(entries))
        return self._add(group) if index is None else entries[index]

    def need(self, entry: Entry) -> None:
        """A page is there: a kernel that was ended for want of one begins again."""
        group, life = entry.group, entry.kernel.life
        entry.used_s = self._tables.loop.time()
        self._replenish_later(group)
        if life.state is State.QUEUED:
            self._move_queue(group)  # it may have been passed over while no page was there
        elif life.state is State.CULLED and not self._has_room(group):
            self._enqueue(entry)
            entry.kernel.queue()
        else:
            group.running[entry] = None
            entry.kernel.need()

    def leave(self, entry: Entry) -> None:
        """A page has gone: while nobody is there, others in the queue go before it."""
        if entry in entry.group.queue:
            self._move_queue(entry.group)

    def vacate(self, entry: Entry) -> None:
        """A session of it was closed: a process of its own ends with it."""
        entry.stray.grant()
        group = entry.group
        if group.spec.sharing.isolation == SESSION and not entry.seats:
            self._retire(entry, "its session was closed")

    def sweep(self) -> None:
        """End the kernels that nobody has needed for `cull_after_s`."""
        now_s = self._tables.loop.time()
        for group in list(self._tables.groups.values()):
            for entry in list(group.running):
                if entry.is_in_use or _is_spare(entry):
                    entry.used_s = now_s
                    continue
                limit_s = entry.kernel.settings.cull_after_s
                if placement.is_unused(entry.used_s, now_s, limit_s):
                    self._cull(entry, f"no page for {limit_s:g} s (cull_after_s)")

    def close(self) -> None:
        """Make no further kernel."""
        for timer in self._timers.values():
            timer.cancel()

    # ------------------------------------------------------------ parts

    def _add(self, group: Group) -> Entry:
        is_queued = not self._has_room(group)
        entry = Entry(self._make(group, is_queued), group, used_s=self._tables.loop.time())
        group.entries.append(entry)
        self._tables.by_kernel[entry.kernel] = entry
        if is_queued:
            self._enqueue(entry)
        else:
            group.running[entry] = None
            entry.kernel.start()
        return entry

    def _enqueue(self, entry: Entry) -> None:
        queue = entry.group.queue
        last = next(reversed(queue), None)
        entry.ahead = 0 if last is None else last.ahead + last.is_in_use
        queue[entry] = None

    def _cull(self, entry: Entry, why: str) -> None:
        group = entry.group
        if group.spec.sharing.isolation == SESSION and not entry.seats:
            self._retire(entry, why)
            return
        entry.used_s = self._tables.loop.time()
        # A session that stays would come back with the state that its goodbye left.
        entry.kernel.cull(why, is_graceful=not entry.seats)

    def _retire(self, entry: Entry, why: str) -> None:
        group = entry.group
        if entry not in group.entries:
            return  # the whole analysis leaves
        group.entries.remove(entry)
        group.queue.pop(entry, None)
        group.running.pop(entry, None)
        self._leavers.retire(entry, why)
        self._move_queue(group)

    def _move_queue(self, group: Group) -> None:
        """Number the queue once, after all that happens in this turn has changed it."""
        if group not in self._moved:
            self._moved.add(group)
            self._tables.loop.call_soon(self._advance, group)

    def _advance(self, group: Group) -> None:
        """While there is room, who waited longest begins, else a spare may."""
        self._moved.discard(group)
        while self._has_room(group) and not self._tables.is_draining:
            entry = next((entry for entry in group.queue if entry.is_in_use), None)
            if entry is None:
                break
            del group.queue[entry]
            group.running[entry] = None
            entry.kernel.need()
        self._number_queue(group)
        self._replenish_later(group)

    def ready(self, entry: Entry) -> None:
        """A kernel can be used: others of its analysis may wait for sessions now."""
        self._replenish_later(entry.group)

    def culled(self, entry: Entry) -> None:
        """It has ended for want of use: its place is free."""
        entry.group.running.pop(entry, None)
        self._move_queue(entry.group)

    def _number_queue(self, group: Group) -> None:
        numbers = placement.number_queue(entry.is_in_use for entry in group.queue)
        for entry, ahead in zip(group.queue, numbers, strict=True):
            if entry.ahead != ahead:
                entry.ahead = ahead
                self._tables.announcer.show(entry.shown)
        self._tables.outbox.flush()

    def _replenish_later(self, group: Group) -> None:
        if not placement.has_spares(group.spec.sharing) or group in self._timers:
            return
        if self._count_missing(group):
            loop = self._tables.loop
            self._timers[group] = loop.call_later(REPLENISH_S, self._replenish, group)

    def _replenish(self, group: Group) -> None:
        self._timers.pop(group, None)
        is_served = self._tables.groups.get(group.spec.name) is group
        if is_served and not self._tables.is_draining and any(group.seats):
            for _ in range(self._count_missing(group)):
                self._add(group)

    def _count_missing(self, group: Group) -> int:
        sharing, stood = self._sharing(group), _stand(group.running)
        return placement.count_missing(sharing, stood, group.leaving, len(group.queue))

    def _has_room(self, group: Group) -> bool:
        return placement.has_room(self._sharing(group), _stand(group.running), group.leaving)

    def _sharing(self, group: Group) -> Sharing:
        sharing = group.spec.sharing
        most = sharing.max_kernels or self._tables.settings.max_kernels
        return dataclasses.replace(sharing, max_kernels=most)


def _candidates(group: Group) -> list[Entry]:
    """The kernels that a further session may get: where each has its own, those with a process."""
    is_alone = group.spec.sharing.isolation == SESSION
    return list(group.running) if is_alone else group.entries


def _stand(entries: Iterable[Entry]) -> list[Standing]:
    return [
        Standing(
            len(entry.seats),
            is_ready=entry.kernel.life.takes_actions,
            is_failed=entry.kernel.life.state is State.FAILED,
        )
        for entry in entries
    ]


def _is_spare(entry: Entry) -> bool:
    """Whether it waits for a session of an analysis that is in use."""
    group = entry.group
    return (
        group.spec.sharing.isolation == SESSION
        and not entry.seats
        and (bool(group.queue) or any(other.is_in_use for other in group.running))
    )
