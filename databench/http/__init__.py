"""The life of a Tornado application: it starts, serves, drains and ends with a status.

Knows nothing of analyses; the front is built on it, and any Tornado application can be.
"""

from .app import Application, CallbackManager, OnStart
from .runner import EXIT_SOFTWARE, Runner, bind, run

__all__ = ["EXIT_SOFTWARE", "Application", "CallbackManager", "OnStart", "Runner", "bind", "run"]
