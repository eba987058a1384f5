"""Looks after all open pages from one timer: what is late is closed, what is silent is pinged."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Protocol

from ..settings import Settings

log = logging.getLogger("databench.front")

PLAIN = (
    "This address is a websocket, but the request is plain HTTP. If a proxy is in front of this "
    "server, it must forward the headers Upgrade and Connection."
)
_SAY_AGAIN_S = 60.0


class Looked(Protocol):
    """A page that is looked after."""

    def check(self, now_s: float, limits: Settings) -> None:
        """Close what is late, ping what is silent."""

    def close(self, code: int, reason: str) -> None:
        """Close it."""


class PageWatch:
    """Looks after all pages from one timer.

    Args:
        limits: The settings in force.
    """

    def __init__(self, limits: Settings) -> None:
        self._limits = limits
        self._pages: set[Looked] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._said_s = -_SAY_AGAIN_S
        shortest_s = min(
            limits.page_join_limit_s,
            limits.stall_limit_s,
            limits.page_message_limit_s,
            limits.page_ping_interval_s or limits.stall_limit_s,
        )
        self._period_s = min(1.0, max(0.02, shortest_s / 4))

    def __len__(self) -> int:
        return len(self._pages)

    def add(self, page: Looked) -> None:
        """Look after this page; the timer runs while there is one."""
        self._pages.add(page)
        if self._timer is None:
            self._set_timer()

    def discard(self, page: Looked) -> None:
        """This page is gone."""
        self._pages.discard(page)

    def note_plain(self, name: str) -> None:
        """A request for a page's websocket was none: once a minute, the log says what to mend."""
        now_s = time.monotonic()
        if now_s - self._said_s >= _SAY_AGAIN_S:
            self._said_s = now_s
            log.warning("analysis %r: a page asked for its websocket. %s", name, PLAIN)

    def close_all(self, code: int, reason: str) -> None:
        """Close each page, and stop the timer."""
        for page in list(self._pages):
            page.close(code, reason)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._period_s, self._sweep)

    def _sweep(self) -> None:
        self._timer = None
        now_s = time.monotonic()
        for page in list(self._pages):
            page.check(now_s, self._limits)
        if self._pages:
            self._set_timer()
