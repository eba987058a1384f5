"""Handlers for any application: whether it is ready, for a balancer or an orchestrator to ask."""

from __future__ import annotations

from typing import Any

import tornado.web

RETRY_AFTER_S = 5


class StatusHandler(tornado.web.RequestHandler):
    """`{"status": "ok"}` once the application is ready; 503 with `Retry-After` until then."""

    def get(self) -> None:
        """Answer by the application's `ready_to_serve`."""
        self.set_header("Cache-Control", "no-store")
        if self.application.ready_to_serve.is_set():  # type: ignore[attr-defined]
            self.finish(self.status())
            return
        self.set_status(503, "Not Ready")
        self.set_header("Retry-After", str(RETRY_AFTER_S))
        self.finish({"status": "not ready"})

    def head(self) -> None:
        """As `get`; Tornado leaves the body out."""
        self.get()

    def status(self) -> dict[str, Any]:
        """The answer when it is ready; to be extended."""
        return {"status": "ok"}
