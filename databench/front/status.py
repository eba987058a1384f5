"""`/status` and `/status/live`: for a balancer, an orchestrator, a person with `curl`.

What a stranger may see are states and counts. Names of analyses, process ids and why a kernel died
concern those who run the server: they are told in development, and to whoever asks from this
machine, by a loopback name and not through a proxy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tornado.httputil

from .. import http
from .handlers import Headers
from .hosts import is_loopback

if TYPE_CHECKING:
    from .app import Front

_FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Real-Ip")


class Status(Headers, http.StatusHandler):
    """Whether the server is ready, with its kernels and sessions."""

    application: Front

    def status(self) -> dict[str, Any]:
        """As much of the broker's status as whoever asks may see."""
        told = self.application.broker.status()
        if not (self.application.debug or is_from_here(self.request)):
            told = outline(told)
        return {"status": "ok", **told}


class Live(Headers):
    """Whether the process answers, ready or not: an orchestrator restarts one that does not."""

    def get(self) -> None:
        """It does."""
        self.set_header("Cache-Control", "no-store")
        self.finish({"status": "ok"})

    head = get


def is_from_here(request: tornado.httputil.HTTPServerRequest) -> bool:
    """Whether somebody on this machine asks, by a loopback name and not through a proxy."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    return is_loopback(request.remote_ip or "") and is_loopback(request.host)


def outline(told: dict[str, Any]) -> dict[str, Any]:
    """A status without what names anything.

    Args:
        told: As `Broker.status` gives it.
    """
    return {**told, "kernels": [{"state": kernel["state"]} for kernel in told["kernels"]]}
