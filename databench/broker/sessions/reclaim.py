"""Sessions that must go: their time is over, or the server needs their slot or their memory.

Owns no rule: `protocol.waiting`, `.shares` and `.budget` choose, some in each turn of the loop.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from ...protocol import budget, grace
from ...protocol.clients import Client
from ..records import HostedSession
from ..tables import Tables

logger = logging.getLogger("databench.broker")


class Reclaim:
    """Closes sessions without a page.

    Args:
        tables: The broker's.
        close: Closes a session, with the reason.
    """

    def __init__(self, tables: Tables, close: Callable[[HostedSession, str], None]) -> None:
        self._tables = tables
        self._close_seat = close
        tables.holdings.budget.on_over = self._note_over

    def make_room(self, client: Client) -> str:
        """Let a client begin a session: its own oldest, or the oldest of all, goes if one must.

        Returns:
            Why it may begin none; empty: it may.
        """
        holdings, settings = self._tables.holdings, self._tables.settings
        if holdings.budget.is_over:
            holdings.tell(
                "the server holds more than memory_budget_bytes: new sessions are refused"
            )
            return budget.SHORT
        while True:  # at most once for each of its shares, and once for the server's
            leaving, why = holdings.shares.choose_leaving(client, holdings.room, settings)
            if leaving is None:
                break
            holdings.tell("the limit of sessions is reached: the oldest without a page is closed")
            self._give_back(leaving.id_, why)
        if why:
            holdings.tell(f"{len(holdings.shares)} sessions, the limit; a page was refused")
        return why

    def sweep(self) -> None:
        """Close the sessions to which no page came back, those of an earlier server too."""
        tables = self._tables
        now_s = tables.loop.time()
        rows = tables.settings.turn_sessions
        due = tables.holdings.room.choose_due(now_s, tables.settings, rows)
        for id_, reason in due:
            if reason is grace.NO_ROOM:
                tables.holdings.tell(
                    "a session was closed with a result that no page saw: such sessions hold more "
                    f"than {tables.settings.result_bytes} bytes together, the limit (result_bytes)"
                )
                self._give_back(id_, grace.SHOWN)
            else:
                self._close(id_, reason)
        if len(due) >= rows:
            tables.loop.call_soon(self.sweep)  # the rest of them, after others had their turn
        self._shed()

    def _note_over(self) -> None:
        held = self._tables.holdings.budget
        self._tables.holdings.tell(
            f"the server holds more than {held.budget_bytes} bytes, the limit "
            "(memory_budget_bytes): new work is refused, and sessions without a page are closed"
        )
        self._tables.loop.call_soon(self._shed)

    def _shed(self) -> None:
        """Give back sessions while the front holds too much, some in each turn of the loop."""
        holdings, rows = self._tables.holdings, self._tables.settings.turn_sessions
        chosen = budget.choose_given_back(holdings.budget, holdings.room, rows)
        for id_, why in chosen:
            self._give_back(id_, why)
        if chosen:
            self._tables.loop.call_soon(self._shed)

    def _give_back(self, id_: str, why: str) -> None:
        self._tables.holdings.note_closed(id_, why)
        logger.debug("session closed for its memory: %s", why)
        self._close(id_, why)

    def _close(self, id_: str, reason: str) -> None:
        if hosted := self._tables.sessions.get(id_):
            self._close_seat(hosted, reason)
        else:
            self._tables.holdings.unload(id_)
            self._tables.persistence.forget(id_)
