"""Links of sessions: `?session=…` in an address becomes a ticket for the next join.

The word in the address is the key of a session, and addresses are logged, kept and passed on. So
the front answers such an address with one without it, and a cookie: a random ticket that holds only
for this path, for a short time, and once. Owns the tickets, and how the word is found, removed
and hidden; joining is the broker's.
"""

from __future__ import annotations

import collections
import dataclasses
import secrets
import time
from collections.abc import Callable
from urllib.parse import unquote_plus

import tornado.web

from ...protocol.text import Connect
from ...settings import Settings
from . import cookies
from .redaction import compile_key, hide
from .visitors import Visitors, is_encrypted

WORD = "session"
PURPOSE = "join"
_HIDDEN = compile_key(WORD)


def session_in(query: str) -> str | None:
    """The session that a query such as `a=1&session=x` names; `None` if it names none."""
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if unquote_plus(name) == WORD and value:
            return unquote_plus(value)
    return None


def without_session(query: str) -> str:
    """The query without that word, as it was written otherwise."""
    parts = query.split("&")
    return "&".join(part for part in parts if unquote_plus(part.partition("=")[0]) != WORD)


def hide_sessions(text: str) -> str:
    """A text in which no key of a session can be read, such as a line of a log."""
    return hide(_HIDDEN, text)


class Tickets:
    """Which ticket stands for which session; pure.

    Args:
        limits: The settings in force.
    """

    def __init__(self, limits: Settings) -> None:
        self._limits = limits
        self._held: dict[str, tuple[str, float]] = {}  # the oldest first

    def __len__(self) -> int:
        return len(self._held)

    def put(self, ticket: str, session: str, now_s: float) -> None:
        """Keep a ticket; too many of one session, or of all, end the oldest of them."""
        limits = self._limits
        self._held = {word: held for word, held in self._held.items() if held[1] > now_s}
        own = [word for word, held in self._held.items() if held[0] == session]
        for word in own[: max(0, len(own) + 1 - limits.session_links_each)]:
            del self._held[word]
        if len(self._held) >= limits.session_links:
            del self._held[self._find_spare()]
        self._held[ticket] = (session, now_s + limits.session_link_s)

    def _find_spare(self) -> str:
        """The oldest ticket of the session with most: no session pushes out others' tickets."""
        counts = collections.Counter(session for session, _ in self._held.values())
        most = max(counts.values())
        return next(word for word, held in self._held.items() if counts[held[0]] == most)

    def take(self, ticket: str, now_s: float) -> str | None:
        """The ticket's session, once; `None` if it holds no more."""
        session, until_s = self._held.pop(ticket, (None, 0.0))
        return session if until_s > now_s else None


class Links:
    """Exchanges links of sessions for cookies, and these for sessions.

    Args:
        visitors: Names the cookie.
        limits: The settings in force.
        is_there: Whether an analysis has a session of that id.
    """

    def __init__(
        self, visitors: Visitors, limits: Settings, is_there: Callable[[str, str], bool]
    ) -> None:
        self._visitors = visitors
        self._limits = limits
        self._is_there = is_there
        self._tickets = Tickets(limits)

    def redirect(self, handler: tornado.web.RequestHandler, analysis: str) -> bool:
        """Answer an address that names a session with the one without; False: it names none."""
        query = handler.request.query
        session = session_in(query)
        if session is None:
            return False
        ticket = secrets.token_urlsafe(16)
        # All that have ended share one place: they cannot push out those of others.
        known = session if self._is_there(analysis, session) else ""
        self._tickets.put(ticket, known, time.monotonic())
        handler.set_cookie(
            self._visitors.name(handler, PURPOSE),
            ticket,
            path="",  # that of the page, as the browser sees it (RFC 6265 section 5.1.4)
            max_age=int(self._limits.session_link_s) + 1,
            httponly=True,
            samesite="Strict",
            secure=is_encrypted(handler),
        )
        page = (handler.request.uri or "").partition("?")[0].rpartition("/")[2]
        rest = without_session(query)
        handler.set_status(302)
        # Relative: only the browser knows the path in front of it.
        handler.set_header("Location", f"./{page}{f'?{rest}' if rest else ''}")
        handler.set_header("Cache-Control", "no-store")
        handler.set_header("Referrer-Policy", "no-referrer")
        handler.finish()
        return True

    def follow(self, handler: tornado.web.RequestHandler, connect: Connect) -> tuple[Connect, bool]:
        """The page's request, with the session of its ticket in place of its own.

        A page that was joined before continues with its session: the ticket is for another one.

        Returns:
            What it asks for, and whether a link led it there.
        """
        ticket = cookies.read(handler.request, self._visitors.name(handler, PURPOSE))
        if not ticket or connect.received or connect.epoch is not None:
            return connect, False
        session = self._tickets.take(ticket, time.monotonic())
        if session is None:
            return connect, False
        return dataclasses.replace(connect, session=session or None), True
