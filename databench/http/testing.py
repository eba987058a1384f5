"""A test case that runs an application with its callbacks, as the runner does."""

from __future__ import annotations

import asyncio
from typing import Any

import tornado.testing
import tornado.web

from .app import CallbackManager, wrap_application


class ApplicationTestCase(tornado.testing.AsyncHTTPTestCase):
    """Starts what `get_app` makes before each test, and shuts it down after it.

    `before_run` callbacks that fail make the test fail. A test begins once `on_start` callbacks
    have ended, or after `start_limit_s`.

    Attributes:
        app: The application; `get_app` may set it, else it is what `get_app` returns.
        start_limit_s: How long `on_start` callbacks are waited for.
        shutdown_limit: How long, in seconds, shutdown callbacks may take.
    """

    start_limit_s: float = 5.0
    shutdown_limit: float = 0.25
    app: CallbackManager | tornado.web.Application | None = None

    def get_app(self) -> Any:
        """The application to be tested; to be overridden."""
        raise NotImplementedError

    def setUp(self) -> None:
        """Start the application."""
        self.app = None
        super().setUp()
        if self.app is None:
            self.app = self._app
        self._manager = wrap_application(self.app)
        try:
            started = self._manager.start(self.io_loop)
        except BaseException:
            super().tearDown()  # unittest calls no tearDown after a failed setUp
            raise
        self._run(asyncio.wait((started,), timeout=self.start_limit_s))

    def tearDown(self) -> None:
        """Shut it down; cancels tasks that it has left running."""
        self._manager.on_stopping()
        self._run(self._manager.shut_down(self.shutdown_limit))
        super().tearDown()

    def _run(self, work: Any) -> None:
        self.io_loop.run_sync(lambda: work)


SprocketsHttpTestCase = ApplicationTestCase  # as sprockets.http.testing names it
