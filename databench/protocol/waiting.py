"""Sessions that wait for a page: which of them go, and in what order (docs/protocol.md, 9). Pure.

Theory of operation: a session waits here while it has no page and runs nothing. It comes in behind
all that wait already, so the oldest stand in front, and nothing is ever sorted or looked through:
each change costs the same, and so does each session that is found due. Three queues: those with a
result that no page saw; of these the ones beyond `session_grace_s`, which are kept for the result
alone and share `result_bytes`; and all the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..settings import Settings
from . import grace
from .clients import Client


@dataclass(slots=True, eq=False)
class Waiting:
    """A session that waits for a page.

    Attributes:
        id_: Its id.
        client: The client that began it.
        since_s: When it began to wait: its last page went, or its last action ended.
        is_unseen: Whether it has an end that no page has seen.
        size_bytes: What it holds.
    """

    id_: str
    client: Client
    since_s: float
    is_unseen: bool
    size_bytes: int


class WaitingRoom:
    """The sessions that wait for a page, the oldest first."""

    def __init__(self) -> None:
        self._seen: dict[str, Waiting] = {}
        self._unseen: dict[str, Waiting] = {}
        self._kept: dict[str, Waiting] = {}
        self._kept_bytes = 0
        # By client, and of them each address: which of its sessions wait, seen ones apart.
        self._clients: dict[Client, tuple[dict[str, Waiting], dict[str, Waiting]]] = {}
        self._addresses: dict[str, dict[Client, None]] = {}

    def __len__(self) -> int:
        return len(self._seen) + len(self._unseen) + len(self._kept)

    def __contains__(self, id_: str) -> bool:
        return self.get(id_) is not None

    def get(self, id_: str) -> Waiting | None:
        """The session of that id, if it waits."""
        return self._seen.get(id_) or self._unseen.get(id_) or self._kept.get(id_)

    def enter(self, waiting: Waiting) -> None:
        """A session begins to wait; none began later."""
        queue = self._unseen if waiting.is_unseen else self._seen
        queue[waiting.id_] = waiting
        own = self._clients.get(waiting.client)
        if own is None:
            own = self._clients[waiting.client] = ({}, {})
            self._addresses.setdefault(waiting.client.address, {})[waiting.client] = None
        own[waiting.is_unseen][waiting.id_] = waiting

    def leave(self, id_: str) -> Waiting | None:
        """A session waits no more: a page came, or it was closed."""
        waiting = self._seen.pop(id_, None) or self._unseen.pop(id_, None)
        if waiting is None:
            waiting = self._kept.pop(id_, None)
            if waiting is None:
                return None
            self._kept_bytes -= waiting.size_bytes
        client = waiting.client
        own = self._clients[client]
        del own[waiting.is_unseen][id_]
        if not own[0] and not own[1]:
            del self._clients[client]
            del self._addresses[client.address][client]
            if not self._addresses[client.address]:
                del self._addresses[client.address]
        return waiting

    def resize(self, id_: str, size_bytes: int) -> None:
        """A session that waits holds another number of bytes now."""
        waiting = self.get(id_)
        if waiting is not None:
            if id_ in self._kept:
                self._kept_bytes += size_bytes - waiting.size_bytes
            waiting.size_bytes = size_bytes

    # ------------------------------------------------------------ who is there

    def seen(self) -> Iterator[Waiting]:
        """Those without a result that no page saw."""
        return iter(self._seen.values())

    def unseen_of(self, client: Client) -> Iterator[Waiting]:
        """Those of a client that have a result which no page saw."""
        own = self._clients.get(client)
        return iter(own[1].values() if own else ())

    def clients_of(self, address: str | None) -> list[Client]:
        """The clients of an address that have a session here with a result which no page saw."""
        clients = self._addresses.get(address, {}) if address is not None else {}
        return [client for client in clients if self._clients[client][1]]

    def oldest(self) -> Waiting | None:
        """The one that goes if one must: seen ones first, then of the client with most others."""
        for waiting in self._seen.values():
            return waiting
        most = max(self._clients.values(), key=lambda own: len(own[1]), default=None)
        return next(iter(most[1].values()), None) if most else None

    def oldest_at(self, address: str) -> Waiting | None:
        """Of an address, the one that goes first: of the client that has most of them there."""
        clients = self._addresses.get(address, {})
        for is_unseen in (False, True):
            queues = [self._clients[client][is_unseen] for client in clients]
            most = max(queues, key=len, default=None)
            if most:
                return next(iter(most.values()))
        return None

    def choose_due(self, now_s: float, limits: Settings, rows: int) -> list[tuple[str, str]]:
        """The sessions to close now, at most that many, each with the reason.

        Args:
            now_s: The time on their clock.
            limits: An object with the settings' attributes.
            rows: The most to look at.
        """
        due: list[tuple[str, str]] = []
        for queue, is_unseen in ((self._seen, False), (self._unseen, True), (self._kept, True)):
            grace_s = grace.find_grace_s(limits, is_unseen=is_unseen)
            for waiting in queue.values():
                if len(due) >= rows or waiting.since_s + grace_s > now_s:
                    break
                due.append((waiting.id_, grace.NOBODY_CAME))
        self._age(now_s - limits.session_grace_s, rows)
        going = dict(due)
        over_bytes = self._kept_bytes - limits.result_bytes
        for waiting in self._kept.values():
            if over_bytes <= 0 or len(due) >= rows:
                break
            over_bytes -= waiting.size_bytes
            if waiting.id_ not in going:
                due.append((waiting.id_, grace.NO_ROOM))
        return due

    def _age(self, before_s: float, rows: int) -> None:
        """From here on these are kept for their result alone."""
        aged: list[Waiting] = []
        for waiting in self._unseen.values():
            if len(aged) >= rows or waiting.since_s > before_s:
                break
            aged.append(waiting)
        for waiting in aged:
            del self._unseen[waiting.id_]
            self._kept[waiting.id_] = waiting
            self._kept_bytes += waiting.size_bytes
