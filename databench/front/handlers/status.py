"""`/status` and `/status/live`: for a balancer, an orchestrator, a user with `curl`.

A stranger may see states and counts. Names of analyses, process ids and why a kernel died
are for those who run the server: a request with the right to administer it gets them.
"""

from __future__ import annotations

from typing import Any

from ... import http
from ..basehandler import Headers

_SHOWN = ("state", "generation", "deaths")


class Status(Headers, http.StatusHandler):
    """Whether the server is ready, with its kernels and sessions."""

    has_scripts = False

    def status(self) -> dict[str, Any]:
        """As much of the broker's status as the request may see."""
        told = self.context.broker.status()
        if not self.may_administer:
            told = outline(told)
        return {"status": "ok", **told}


class Live(Headers):
    """Whether the process answers, ready or not: an orchestrator restarts one that does not."""

    has_scripts = False

    def get(self) -> None:
        """It does."""
        self.set_header("Cache-Control", "no-store")
        self.finish({"status": "ok"})

    head = get


def outline(told: dict[str, Any]) -> dict[str, Any]:
    """A status without what names anything.

    Args:
        told: The status of `Broker.status`.
    """
    kernels = [{word: kernel[word] for word in _SHOWN} for kernel in told["kernels"]]
    return {**told, "kernels": kernels}
