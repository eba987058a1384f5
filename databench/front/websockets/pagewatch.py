"""Checks all open pages from one timer: closes late ones, pings silent ones."""

from __future__ import annotations

import logging
import time
from typing import Protocol

from ...settings import Settings
from .opensockets import Closable, OpenSockets

log = logging.getLogger("databench.front")

PLAIN = (
    "This address is a websocket, but the request is plain HTTP. If a proxy is in front of this "
    "server, it must forward the headers Upgrade and Connection."
)
_SAY_AGAIN_S = 60.0


class Looked(Closable, Protocol):
    """A page that is looked after."""

    def check(self, now_s: float, limits: Settings) -> None:
        """Close late pages, ping silent ones."""


class PageWatch(OpenSockets[Looked]):
    """Looks after the analyses' pages.

    Args:
        limits: The settings in force.
    """

    def __init__(self, limits: Settings) -> None:
        shortest_s = min(
            limits.page_join_limit_s,
            limits.stall_limit_s,
            limits.page_message_limit_s,
            limits.page_ping_interval_s or limits.stall_limit_s,
        )
        super().__init__(min(1.0, max(0.02, shortest_s / 4)))
        self._limits = limits
        self._said_s = -_SAY_AGAIN_S

    def note_plain(self, name: str) -> None:
        """A plain request for a page's websocket: the log names the remedy, once a minute."""
        now_s = time.monotonic()
        if now_s - self._said_s >= _SAY_AGAIN_S:
            self._said_s = now_s
            log.warning("analysis %r: a page asked for its websocket. %s", name, PLAIN)

    def sweep(self) -> None:
        """Check each."""
        now_s = time.monotonic()
        for page in self:
            page.check(now_s, self._limits)
