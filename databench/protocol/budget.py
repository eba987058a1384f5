"""The memory of the front: one account of it, and what happens beyond the budget. Pure.

Theory of operation: the account charges whatever a client or a kernel makes the front hold, and
gives it back when it is gone. It keeps running sums, so a change costs the same however many
sessions there are. Over the budget, nothing new begins until the sum is below `LOW` of it: else
the next client would take at once what one gave back. `choose_given_back` chooses the sessions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .clients import Client
from .waiting import WaitingRoom

_Key = TypeVar("_Key", Client, str)
LOW = 0.9  # of the budget: down to this sessions are given back, and then work begins again
SHORT = "The server is short of memory. Try again in a moment."
SEEN = (
    "The server was short of memory and closed your earlier session, which no page had open. "
    "You had seen its results. What you do now begins a new one."
)
UNSEEN = (
    "The server was short of memory and closed your earlier session before you saw its last "
    "result: your sessions held more than those of any other visitor. Run the action again."
)


class Budget:
    """The bytes that the front holds for its clients.

    Args:
        budget_bytes: The most that it may hold.

    Attributes:
        total_bytes: What it holds.
        is_over: Whether nothing new may begin.
        on_over: Called when that becomes so; it may be in the middle of anything.
    """

    def __init__(self, budget_bytes: float) -> None:
        self.budget_bytes = int(budget_bytes)
        self.low_bytes = int(budget_bytes * LOW)
        self.total_bytes = 0
        self.is_over = False
        self.on_over: Callable[[], None] = _ignore
        self._by_client: dict[Client, int] = {}
        self._by_address: dict[str, int] = {}

    def take(self, client: Client | None, size_bytes: int) -> None:
        """Charge bytes to a client.

        Args:
            client: For whom; `None`: for all of them.
            size_bytes: How many; below 0 if some are given back.
        """
        self.total_bytes += size_bytes
        if client is not None:
            _add(self._by_client, client, size_bytes)
            _add(self._by_address, client.address, size_bytes)
        if self.total_bytes > self.budget_bytes:
            if not self.is_over:
                self.is_over = True
                self.on_over()
        elif self.is_over and self.total_bytes <= self.low_bytes:
            self.is_over = False

    def give(self, client: Client | None, size_bytes: int) -> None:
        """Give back bytes that were charged."""
        self.take(client, -size_bytes)

    def has_room(self, size_bytes: int) -> bool:
        """Whether more bytes fit into the budget."""
        return self.total_bytes + size_bytes <= self.budget_bytes

    def size_of(self, client: Client) -> int:
        """The bytes held for one client."""
        return self._by_client.get(client, 0)

    def find_largest(self) -> str | None:
        """The address that takes most."""
        return max(self._by_address, key=self._by_address.__getitem__, default=None)


def choose_given_back(budget: Budget, room: WaitingRoom, rows: int) -> list[tuple[str, str]]:
    """The sessions to close now, since the front holds more than it may.

    First those whose results were seen, the oldest first. When no more are left, those of the
    client alone that takes most: of the address, and there of the visitor. What runs is not in the
    room, nor what has a page.

    Args:
        budget: What is held.
        room: The sessions that wait for a page.
        rows: The most to choose.

    Returns:
        Their ids, each with what its page is shown when it comes back.
    """
    chosen: list[tuple[str, str]] = []
    if not budget.is_over:
        return chosen
    over_bytes = budget.total_bytes - budget.low_bytes
    for waiting in room.seen():
        if over_bytes <= 0 or len(chosen) >= rows:
            return chosen
        chosen.append((waiting.id_, SEEN))
        over_bytes -= waiting.size_bytes
    clients = room.clients_of(budget.find_largest())
    largest = max(clients, key=budget.size_of, default=None)
    if largest is not None:
        for waiting in room.unseen_of(largest):
            if over_bytes <= 0 or len(chosen) >= rows:
                break
            chosen.append((waiting.id_, UNSEEN))
            over_bytes -= waiting.size_bytes
    return chosen


def _add(sums: dict[_Key, int], key: _Key, size_bytes: int) -> None:
    held_bytes = sums.get(key, 0) + size_bytes
    if held_bytes:
        sums[key] = held_bytes
    else:
        sums.pop(key, None)


def _ignore() -> None:
    pass
