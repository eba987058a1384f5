"""The life of a Tornado application: it starts, serves, drains and ends with a status.

Knows nothing of analyses; the front is built on it, and any Tornado application can be. The test
case is in `databench.http.testing`, the mixins of handlers in `databench.http.mixins`.
"""

from . import app, handlers, mixins, runner
from .app import Application, CallbackManager, OnStart, wrap_application
from .handlers import StatusHandler
from .launch import run
from .processes import EXIT_SOFTWARE
from .serving import Runner
from .sockets import bind

__all__ = [
    "EXIT_SOFTWARE",
    "Application",
    "CallbackManager",
    "OnStart",
    "Runner",
    "StatusHandler",
    "app",
    "bind",
    "handlers",
    "mixins",
    "run",
    "runner",
    "wrap_application",
]
