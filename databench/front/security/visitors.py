"""The visitor of a browser: a cookie that holds a random word, signed, and nothing else.

The word finds a visitor's own sessions again. It has 128 bits from `secrets`, so it cannot be
guessed. Cookies ignore the port: what another server on this host was sent, or has set, comes here
too. So the name belongs to this server (port and project), and it accepts only words that it made:
another server cannot give a browser a word that it knows. The key is kept in the
datastore; without one, it is made for the run, like the sessions that it finds.

Scripts cannot read the cookie, and other sites' pages do not send it (RFC 6265bis: HttpOnly,
SameSite). Over TLS no other host of the domain can set it either (`__Host-`: Secure, Path=/).
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import time

import tornado.web

from . import cookies

PURPOSE = "person"  # as earlier servers named it: browsers hold cookies for a year
_WORD = re.compile(r"[A-Za-z0-9_-]{22}")
_DAYS = 365
_KNOWN = 4096  # cookies whose signature is not checked again
_KNOWN_S = 3600.0  # until it is: the word itself holds for a year
_SIGNED_CHARACTERS = 512  # ours have 144
_ATTRIBUTES = f"; Max-Age={_DAYS * 86400}; Path=/; HttpOnly; SameSite=Lax"


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
        # By name and value of a cookie whose signature was checked: the word, and until when that
        # holds. A page with its websocket asks three times.
        self._known: dict[tuple[str, str], tuple[str, float]] = {}

    def name(self, handler: tornado.web.RequestHandler, purpose: str = "") -> str:
        """A cookie's name, in this scheme.

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
        """The word that the browser sent; empty if it sent none, or none that this server made."""
        name = self.name(handler)
        signed = cookies.read(handler.request, name)
        if not signed or len(signed) > _SIGNED_CHARACTERS:
            return ""
        now_s = time.monotonic()
        word, until_s = self._known.get((name, signed), ("", 0.0))
        if until_s > now_s:
            return word
        value = tornado.web.decode_signed_value(self._key, name, signed, max_age_days=_DAYS)
        word = (value or b"").decode("ascii", "replace")
        if not _WORD.fullmatch(word):
            return ""
        self._known.pop((name, signed), None)
        self._known[name, signed] = word, now_s + _KNOWN_S
        if len(self._known) > _KNOWN:
            del self._known[next(iter(self._known))]
        return word

    def give(self, handler: tornado.web.RequestHandler) -> None:
        """See to it that the browser has a word."""
        if self.find(handler):
            return
        name = self.name(handler)
        signed = _sign(self._key, name, secrets.token_urlsafe(16))
        # By hand: each new visitor's page has one, and Tornado takes 50 us for it. The signed value
        # is of characters that need no quotes (RFC 6265 section 4.1.1).
        secure = "; Secure" if is_encrypted(handler) else ""
        handler.add_header("Set-Cookie", f"{name}={signed}{_ATTRIBUTES}{secure}")


def _sign(key: str, name: str, word: str) -> str:
    """As `tornado.web.create_signed_value` does, its version 2, in a third of the time."""
    value = base64.b64encode(word.encode("ascii")).decode("ascii")
    fields = ("0", str(int(time.time())), name, value)
    told = f"2|{'|'.join(f'{len(field)}:{field}' for field in fields)}|"
    return told + hmac.digest(key.encode(), told.encode("ascii"), "sha256").hex()


def make_key() -> str:
    """A key that cannot be guessed."""
    return secrets.token_urlsafe(32)


def is_encrypted(handler: tornado.web.RequestHandler) -> bool:
    """Whether the browser speaks TLS, to us or to a proxy whose headers are believed."""
    return handler.request.protocol == "https"
