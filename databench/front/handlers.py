"""What all answers share: their headers, and the page that tells of an error."""

from __future__ import annotations

import http
import logging
import traceback
from typing import Any

import tornado.escape
import tornado.web

log = logging.getLogger("databench.front")

_ERROR_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/_static/databench.css"></head>
<body><header><a id="d-title" href="/">
<img id="d-logo" alt="" src="/_static/logo.svg" width="32" height="32">
<span>Databench</span></a></header>
<main><h1>{title}</h1><div class="alert alert-danger">{text}</div>{more}</main></body></html>
"""


class Headers(tornado.web.RequestHandler):
    """Headers of each answer, and errors as a page."""

    def set_default_headers(self) -> None:
        """No guessing of types, no frame of another site, no address given to other sites."""
        self.set_header("Server", "Databench")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")
        # A page may frame its own server's pages, as a dashboard of several analyses does.
        self.set_header("X-Frame-Options", "SAMEORIGIN")
        self.set_header("Content-Security-Policy", "frame-ancestors 'self'")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """A page that says what is wrong; with the traceback in development only."""
        reason = self._reason or http.HTTPStatus(status_code).phrase
        error = kwargs.get("exc_info", (None, None, None))[1]
        text = reason
        if isinstance(error, tornado.web.HTTPError) and error.log_message:
            text = error.log_message % error.args if error.args else error.log_message
        more = ""
        if status_code >= 500 and error is not None and self.settings.get("debug_pages"):
            text = f"{type(error).__name__}: {error}"
            more = "".join(traceback.format_exception(error))
        self.finish(error_page(f"{status_code} {reason}", text, more))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """A refusal is a line in the request log; anything else is a fault, with its traceback."""
        if isinstance(value, tornado.web.HTTPError):
            return
        log.error("%s %s failed", self.request.method, self.request.uri, exc_info=(typ, value, tb))


def error_page(title: str, text: str, more: str = "") -> str:
    """A page that needs no template.

    Args:
        title: Its heading.
        text: What is wrong, and what to do.
        more: Further lines, shown as they are laid out.
    """
    escape = tornado.escape.xhtml_escape
    block = f"<pre>{escape(more)}</pre>" if more else ""
    return _ERROR_PAGE.format(
        title=escape(title), text=escape(text).replace("\n", "<br>"), more=block
    )


class NotFound(Headers):
    """Answers where there is nothing."""

    def prepare(self) -> None:
        """Refuse."""
        raise tornado.web.HTTPError(404, f"there is nothing at {self.request.path:.200}")


class Refused(Headers):
    """Answers a request whose `Host` is none of ours."""

    def initialize(self, host: str) -> None:
        """Take the host that was asked for."""
        self.host = host

    def prepare(self) -> None:
        """Refuse, and say how to allow it."""
        self.set_status(403)
        text = (
            f"this server does not answer to the host {self.host!r:.200}; "
            f"start it with --allow-host NAME if that name is meant to reach it"
        )
        self.finish(error_page("403 Forbidden", text))
