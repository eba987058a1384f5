"""Whose browser it is: a cookie that holds a random word, signed, and nothing else.

The word finds a person's own sessions again. It has 128 bits from `secrets`, so it cannot be
guessed. Cookies know no port: what another server on this host was sent, or has set, comes here
too. So the name is this server's alone (port and project), and a word that this server did not
make is not taken: nobody can hand a browser a word that he knows. The key is kept in the
datastore; without one it is made for the run, like the sessions that it finds.

Scripts cannot read the cookie, and other sites' pages do not send it (RFC 6265bis: HttpOnly,
SameSite). Over TLS no other host of the domain can set it either (`__Host-`: Secure, Path=/).
"""

from __future__ import annotations

import re
import secrets

import tornado.web

from . import cookies

PURPOSE = "person"
_WORD = re.compile(r"[A-Za-z0-9_-]{22}")
_DAYS = 365


class Visitors:
    """Gives browsers their words, and knows them again.

    Args:
        key: Signs the words; a later server with the same one knows them too.
        port: Where the server listens.
        project: As `cookies.find_project` calls it.
    """

    def __init__(self, key: str, *, port: int, project: str) -> None:
        self._key = key
        self._port = port
        self._project = project

    def name(self, handler: tornado.web.RequestHandler, purpose: str = "") -> str:
        """What a cookie is called, in this scheme.

        Args:
            handler: Of the request.
            purpose: Of a further cookie, which is for one path; empty: that of the word.
        """
        return cookies.name(
            purpose or PURPOSE,
            port=self._port,
            project=self._project,
            is_secure=not purpose and is_encrypted(handler),
        )

    def find(self, handler: tornado.web.RequestHandler) -> str:
        """The word that the browser sent; empty where it sent none, or none of ours."""
        name = self.name(handler)
        signed = handler.get_cookie(name)
        if not signed:
            return ""
        value = tornado.web.decode_signed_value(self._key, name, signed, max_age_days=_DAYS)
        word = (value or b"").decode("ascii", "replace")
        return word if _WORD.fullmatch(word) else ""

    def give(self, handler: tornado.web.RequestHandler) -> None:
        """See to it that the browser has a word."""
        if self.find(handler):
            return
        name = self.name(handler)
        signed = tornado.web.create_signed_value(self._key, name, secrets.token_urlsafe(16))
        handler.set_cookie(
            name,
            signed.decode("ascii"),
            expires_days=_DAYS,
            httponly=True,
            samesite="Lax",
            secure=is_encrypted(handler),
        )


def make_key() -> str:
    """A key that nobody can guess."""
    return secrets.token_urlsafe(32)


def is_encrypted(handler: tornado.web.RequestHandler) -> bool:
    """Whether the browser speaks TLS, to us or to a proxy whose headers are believed."""
    return handler.request.protocol == "https"
