"""How many sessions one visitor and one address may have, and which goes for another. Pure.

Owns the count of all sessions, with a page or without one, of this server and of an earlier one.
A client over its share loses its own oldest; if the server is full, the oldest of all goes.
"""

from __future__ import annotations

from ..settings import Settings
from .clients import Client
from .waiting import Waiting, WaitingRoom

FULL = "The server has reached its limit of sessions. Try again later."
FULL_GONE = (
    "The server had reached its limit of sessions and closed your earlier one, the oldest that "
    "no page had open. What you do now begins a new one."
)
OWN_GONE = (
    "You had more sessions than one visitor may have, so the server closed the oldest that no "
    "page had open, which was this one. What you do now begins a new one."
)


class Shares:
    """Counts sessions."""

    def __init__(self) -> None:
        self._count = 0
        self._by_visitor: dict[str, dict[str, None]] = {}
        self._by_address: dict[str, int] = {}

    def __len__(self) -> int:
        return self._count

    def begin(self, id_: str, client: Client) -> None:
        """There is one session more."""
        self._count += 1
        self._by_address[client.address] = self._by_address.get(client.address, 0) + 1
        if client.visitor:
            self._by_visitor.setdefault(client.visitor, {})[id_] = None

    def end(self, id_: str, client: Client) -> None:
        """A session is gone."""
        self._count -= 1
        left = self._by_address[client.address] - 1
        if left:
            self._by_address[client.address] = left
        else:
            del self._by_address[client.address]
        if client.visitor:
            own = self._by_visitor[client.visitor]
            del own[id_]
            if not own:
                del self._by_visitor[client.visitor]

    def of_visitor(self, visitor: str) -> list[str]:
        """A visitor's sessions, in the order in which they began."""
        return list(self._by_visitor.get(visitor, ()))

    def choose_leaving(
        self, client: Client, room: WaitingRoom, limits: Settings
    ) -> tuple[Waiting | None, str]:
        """Which session must go before this client may begin one.

        Args:
            client: The client that wants to.
            room: The sessions that wait for a page.
            limits: An object with the settings' attributes.

        Returns:
            The session, and what its page is shown when it comes back. No session and a text: none
            can go, and the text gives the reason. No session and no text: there is room.
        """
        visitor = client.visitor
        own = len(self._by_visitor.get(visitor, ())) if visitor else 0
        if own >= limits.sessions_per_person:
            why = f"You have {own} sessions open, the limit. Close a tab of this server first."
            leaving = self._find_own(visitor, room)
            return leaving, OWN_GONE if leaving else why
        at_address = 0 if client.is_loopback else self._by_address.get(client.address, 0)
        if at_address >= limits.sessions_per_address:
            why = f"Your address has {at_address} sessions open, the limit. Close some first."
            leaving = room.oldest_at(client.address)
            return leaving, OWN_GONE if leaving else why
        if self._count >= limits.sessions:
            leaving = room.oldest()
            return leaving, FULL_GONE if leaving else FULL
        return None, ""

    def _find_own(self, visitor: str, room: WaitingRoom) -> Waiting | None:
        """The visitor's session that goes first, wherever it began; checks at most one share."""
        waiting = [found for id_ in self.of_visitor(visitor) if (found := room.get(id_))]
        return min(waiting, key=lambda one: (one.is_unseen, one.since_s), default=None)
