"""Mixins for handlers: a logger, a line for each error, and errors as JSON.

They come before the handler's base: `class Items(ErrorLogger, ErrorWriter, RequestHandler)`.
"""

from __future__ import annotations

import functools
import http.client
import json
import logging
import traceback
from typing import TYPE_CHECKING, Any

import tornado.web

if TYPE_CHECKING:
    from tornado.web import RequestHandler as _Base
else:
    _Base = object


def find_reason(status_code: int, **kwargs: Any) -> str:
    """The reason: that of `send_error` or the `HTTPError`, or else the meaning of the number.

    Args:
        status_code: `Unknown` is the meaning of one that stands in no standard.
        kwargs: As `write_error` gets them.
    """
    error = (kwargs.get("exc_info") or (None, None, None))[1]
    given: str | None = kwargs.get("reason")
    if not given and isinstance(error, tornado.web.HTTPError):
        given = error.reason
    return given or http.client.responses.get(status_code, "Unknown")


class LoggingHandler(_Base):
    """Gives a handler `self.logger`, named after its class."""

    @functools.cached_property
    def logger(self) -> logging.Logger:
        """The logger; a handler may set another one."""
        return logging.getLogger(type(self).__name__)


class ErrorLogger(LoggingHandler):
    """Logs `METHOD uri failed with 500: reason` for each error that is sent.

    4xx as a warning, everything else as an error with the traceback of the exception.
    """

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Send an error; the reason of an `HTTPError` is kept."""
        kwargs["reason"] = find_reason(status_code, **kwargs)
        super().send_error(status_code, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Log it, then write it as the next class does."""
        is_warning = 400 <= status_code < 500
        self.logger.log(
            logging.WARNING if is_warning else logging.ERROR,
            "%s %s failed with %s: %s",
            self.request.method,
            self.request.uri,
            status_code,
            kwargs.get("log_message") or find_reason(status_code, **kwargs),
            exc_info=None if is_warning else kwargs.get("exc_info"),
        )
        super().write_error(status_code, **kwargs)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Leave the traceback to the line of `write_error`: one is enough."""
        if self._headers_written or isinstance(value, tornado.web.HTTPError):
            super().log_exception(typ, value, tb)


class ErrorWriter(_Base):
    """Writes an error as `{"type": ..., "message": ..., "traceback": ...}`.

    `type` is the exception's class or null. `message` is the exception's text, or else the reason.
    `traceback` is a list of lines if the setting `serve_traceback` is on, and null otherwise.
    A content mixin's `send_response` writes it if there is one, JSON otherwise.
    """

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write it."""
        document = describe_error(
            status_code, show_traceback=bool(self.settings.get("serve_traceback")), **kwargs
        )
        send_response = getattr(self, "send_response", None)
        if send_response is not None:
            send_response(document)
            return
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.write(json.dumps(document))


def describe_error(status_code: int, *, show_traceback: bool, **kwargs: Any) -> dict[str, Any]:
    """An error as programs get it.

    Args:
        status_code: The answer's.
        show_traceback: Whether they may see it.
        kwargs: As `write_error` gets them.
    """
    error = (kwargs.get("exc_info") or (None, None, None))[1]
    if error is None:
        return {"type": None, "message": find_reason(status_code, **kwargs), "traceback": None}
    return {
        "type": type(error).__name__,
        "message": str(error) or find_reason(status_code, **kwargs),
        "traceback": traceback.format_exception(error) if show_traceback else None,
    }
