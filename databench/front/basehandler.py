"""The base of all handlers: the headers of an answer, and how it reports an error.

A browser gets a page, a program JSON, and both the id of the request, which is in the log too.
"""

from __future__ import annotations

import functools
import http
import logging
import secrets
import traceback
from collections.abc import Hashable, Sequence
from typing import Any

import tornado.escape
import tornado.iostream
import tornado.web

from .content.cache import Answer
from .context import ContextApplication, FrontContext
from .security.access import hide_token, strip_token
from .security.visitors import is_encrypted

log = logging.getLogger("databench.front")

# No plugin, no other base for addresses, no frame of another site. Nothing of scripts: projects'
# pages have theirs in the page.
POLICY = "object-src 'none'; base-uri 'self'; frame-ancestors 'self'"
PART_BYTES = 2**16
_DAYS = 365  # as long as browsers keep one (RFC 6265bis section 5.5: 400 at most)
_ERROR_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/_static/databench.css"></head>
<body><header><a id="d-title" href="/">
<img id="d-logo" alt="" src="/_static/logo.svg" width="32" height="32">
<span>Databench</span></a></header>
<main><h1>{title}</h1><div class="alert alert-danger">{text}</div>{more}{id}</main></body></html>
"""


def find_headers(policy: str | None = None, *, has_scripts: bool = True) -> dict[str, str]:
    """The headers of each answer, with or without a handler.

    Args:
        policy: The project's own `Content-Security-Policy`; empty: none. `None`: the usual one.
        has_scripts: False if the answer is known to have none.
    """
    policy = POLICY if policy is None else policy
    if not has_scripts and "script-src" not in policy:
        policy = f"{policy}; script-src 'none'".removeprefix("; ")
    headers = {
        "Server": "Databench",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        # A page may frame its own server's pages, as a dashboard of several analyses does. Where
        # the policy lists further ones, browsers follow that (CSP level 3, section 6.4.2.2).
        "X-Frame-Options": "SAMEORIGIN",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return {**headers, "Content-Security-Policy": policy} if policy else headers


_find_headers = functools.lru_cache(maxsize=16)(find_headers)  # of one policy, or its changes


def find_own_headers(
    context: FrontContext, *, is_secure: bool, has_scripts: bool = True
) -> dict[str, str]:
    """The same with what the project's settings add.

    Args:
        context: The front's.
        is_secure: Whether the browser is connected over TLS.
        has_scripts: As in `find_headers`.
    """
    policy, hsts_s = context.index.content_security_policy, context.limits.hsts_s
    headers = dict(_find_headers(policy, has_scripts=has_scripts))
    if hsts_s and is_secure:
        headers["Strict-Transport-Security"] = f"max-age={hsts_s:.0f}"
    return headers


class Headers(tornado.web.RequestHandler):
    """Headers of each answer, and errors as a page or as JSON."""

    application: ContextApplication
    has_scripts = True  # pages of a project have scripts, in the page too
    _etag: str | None = None

    @property
    def context(self) -> FrontContext:
        """The common part of the front's handlers."""
        return self.application.context

    @functools.cached_property
    def may_administer(self) -> bool:
        """Whether the request has the right of an administrator."""
        return self.context.access.may_administer(self.request)

    @functools.cached_property
    def request_id(self) -> str:
        """A word by which an answer and its lines in the log are found."""
        return secrets.token_hex(5)

    def set_default_headers(self) -> None:
        """No guessing of types, no frame of another site, no address given to other sites."""
        is_secure = is_encrypted(self)
        headers = find_own_headers(self.context, is_secure=is_secure, has_scripts=self.has_scripts)
        for name, value in headers.items():
            self._headers[name] = value  # known to be well-formed: `set_header` looks each time

    async def send(self, answer: Answer, key: Hashable, *, caching: str = "no-cache") -> None:
        """Answer with what is kept, or could be; compressed if the browser takes that.

        Args:
            answer: Its body and type.
            key: Under which it is kept.
            caching: The header `Cache-Control`.
        """
        kept = self.context.kept
        accepted = self.request.headers.get("Accept-Encoding", "")
        form = kept.find_form(key, answer, accepted)
        body, encoding = form or await kept.make_form(key, answer, accepted)
        self._etag = f'"{answer.tag}-{encoding}"' if encoding else f'"{answer.tag}"'
        self._headers["Content-Type"] = answer.kind
        self._headers["Cache-Control"] = caching
        for name, value in answer.headers.items():
            self._headers[name] = value
        if answer.pays:
            self.add_header("Vary", "Accept-Encoding")
        if self.knows(answer):
            self.set_etag_header()
            self.set_status(304)
            return
        if encoding:
            self._headers["Content-Encoding"] = encoding
        if len(body) > PART_BYTES:
            await self._send_parts(body)
        else:
            self.finish(body)

    def knows(self, answer: Answer) -> bool:
        """Whether the browser has this answer by another sign than its `ETag`."""
        return False

    async def _send_parts(self, body: bytes) -> None:
        """Hold one part for a browser that reads nothing, not a copy of all."""
        self.set_etag_header()
        if self.check_etag_header():
            self.set_status(304)
            return
        self.set_header("Content-Length", len(body))
        try:
            for at in range(0, len(body) if self.request.method != "HEAD" else 0, PART_BYTES):
                self.write(body[at : at + PART_BYTES])
                await self.flush()
        except tornado.iostream.StreamClosedError:
            return

    def compute_etag(self) -> str | None:
        """Known for kept answers: Tornado hashes each body again."""
        return self._etag or super().compute_etag()

    def refuse(
        self,
        status_code: int,
        text: str,
        *,
        title: str = "",
        type_: str | None = None,
        lines: Sequence[str] = (),
        foot: str = "",
    ) -> None:
        """Answer with what is wrong: a page for browsers, JSON for programs.

        Args:
            status_code: The answer's.
            text: What is wrong, and what to do.
            title: The page's heading; the status when empty.
            type_: The exception's class, for programs.
            lines: The traceback, if it may be seen.
            foot: What a page has at its end, as HTML.
        """
        self.set_status(status_code, self._reason if self._status_code == status_code else None)
        self.set_header("X-Request-Id", self.request_id)
        self.set_header("Vary", "Accept")
        if wants_page(self.request.headers.get("Accept", "")):
            title = title or f"{status_code} {self._reason}"
            self.set_header("Content-Type", "text/html; charset=utf-8")
            page = error_page(title, text, "".join(lines), request_id=self.request_id)
            self.finish(page.replace("</body>", f"{foot}</body>"))
            return
        self.finish(
            {
                "type": type_,
                "message": text,
                "traceback": list(lines) or None,
                "request_id": self.request_id,
            }
        )

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Report an error; an exception's text and traceback only to requests that may see them."""
        reason = self._reason or http.HTTPStatus(status_code).phrase
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, tornado.web.HTTPError):
            self.refuse(status_code, error.get_message() or reason, type_="HTTPError")
        elif error is not None and self.may_administer:
            self.refuse(
                status_code,
                f"{type(error).__name__}: {error}",
                type_=type(error).__name__,
                lines=traceback.format_exception(error),
            )
        else:
            self.refuse(status_code, reason)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """A refusal is a line in the request log; anything else is a fault, with its traceback."""
        if isinstance(value, tornado.web.HTTPError):
            return
        method, uri = self.request.method, hide_token(self.request)
        log.error(
            "%s %.500s failed (request %s)", method, uri, self.request_id, exc_info=(typ, value, tb)
        )


_ACCEPT_CHARACTERS = 1024  # a browser's has less than 200; it is split on the loop


def wants_page(accept: str) -> bool:
    """Whether a request is a browser's, which shows a page; a program takes JSON.

    Args:
        accept: The header `Accept` (RFC 9110 section 12.5.1); a browser names HTML in it, and
            `*/*` alone is a program's.
    """
    accept = accept[:_ACCEPT_CHARACTERS]
    page = max(_quality(accept, kind) for kind in ("text/html", "application/xhtml+xml"))
    return page > 0 and page >= _quality(accept, "application/json")


def _quality(accept: str, kind: str) -> float:
    for part in accept.lower().split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        if name == kind:
            given = [word[2:] for word in parameters if word.startswith("q=")]
            try:
                return float(given[0]) if given else 1.0
            except ValueError:
                return 0.0
    return 0.0


def error_page(title: str, text: str, more: str = "", *, request_id: str = "") -> str:
    """A page that needs no template.

    Args:
        title: Its heading.
        text: What is wrong, and what to do.
        more: Further lines, shown as they are laid out.
        request_id: Where to look in the log.
    """
    escape = tornado.escape.xhtml_escape
    block = f"<pre>{escape(more)}</pre>" if more else ""
    id_ = f"<p><small>Request {escape(request_id)}</small></p>" if request_id else ""
    return _ERROR_PAGE.format(
        title=escape(title), text=escape(text).replace("\n", "<br>"), more=block, id=id_
    )


@tornado.web.stream_request_body  # answered at the headers: a body is not read
class NotFound(Headers):
    """Answers requests to unknown addresses."""

    has_scripts = False

    def prepare(self) -> None:
        """Refuse."""
        raise tornado.web.HTTPError(404, f"there is nothing at {self.request.path:.200}")

    def data_received(self, chunk: bytes) -> None:
        """Nothing is kept."""


class Exchange(Headers):
    """A browser has brought the token: it gets a cookie, and an address without the token."""

    has_scripts = False

    def get(self, *_: str, **__: str) -> None:
        """Exchange it."""
        is_secure = is_encrypted(self)
        name, value = self.context.access.cookie(is_secure=is_secure)
        self.set_cookie(
            name, value, expires_days=_DAYS, httponly=True, samesite="Lax", secure=is_secure
        )
        self.set_header("Cache-Control", "no-store")
        self.set_status(302)
        self.set_header("Location", strip_token(self.request))
        self.finish()

    head = get


@tornado.web.stream_request_body  # as above
class Refused(Headers):
    """Answers a request that no handler may see, such as one with a foreign `Host`."""

    has_scripts = False

    def initialize(self, text: str, status: int = 403) -> None:
        """Take why, and how to allow it."""
        self.text = text
        self.status = status

    def prepare(self) -> None:
        """Refuse."""
        self.refuse(self.status, self.text)

    def data_received(self, chunk: bytes) -> None:
        """Nothing is kept."""
