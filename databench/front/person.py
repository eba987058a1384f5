"""Whose browser it is: a cookie that holds a random word, and nothing else.

The word finds a person's own sessions again. It has 128 bits from `secrets`, so it cannot be
guessed, and a signature would add nothing to it: there is nothing else in it that could be forged.
So it needs no key either, which all servers would have to share and to keep over a restart.
Scripts cannot read it, and other sites' pages do not send it (RFC 6265bis: HttpOnly, SameSite).
"""

from __future__ import annotations

import re
import secrets

import tornado.web

COOKIE = "databench_person"
_WORD = re.compile(r"[A-Za-z0-9_-]{22}")
_DAYS = 365


def find(handler: tornado.web.RequestHandler) -> str:
    """The word that the browser sent; empty where it sent none, or no such word."""
    word = handler.get_cookie(COOKIE) or ""
    return word if _WORD.fullmatch(word) else ""


def give(handler: tornado.web.RequestHandler) -> None:
    """See to it that the browser has a word."""
    if not find(handler):
        handler.set_cookie(
            COOKIE,
            secrets.token_urlsafe(16),
            expires_days=_DAYS,
            httponly=True,
            samesite="Lax",
            secure=handler.request.protocol == "https",
        )
