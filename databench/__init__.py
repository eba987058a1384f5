"""Databench: a small class and a page, live, with the class in its own process.

The names that users subclass and call. Importing this loads nothing heavy: each name loads on its
first use, so that a server that only needs the version pays for nothing else.
"""

from __future__ import annotations

from .standard import OwnFirst

with OwnFirst():
    import importlib
    from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from . import http as http
    from . import testing as testing
    from . import utils as utils
    from .analysis import Analysis, on, on_action
    from .datastore import Datastore
    from .functions import Signals
    from .meta import Meta
    from .readme import Readme
    from .single import run

_HOMES = {
    "Analysis": "analysis",
    "Datastore": "datastore",
    "Meta": "meta",
    "Readme": "readme",
    "Signals": "functions",
    "on": "analysis",
    "on_action": "analysis",
    "run": "single",
}

# Modules that people reach without importing them by name.
_MODULES = {"http", "testing", "utils"}

__all__ = [
    "Analysis",
    "Datastore",
    "Meta",
    "Readme",
    "Signals",
    "__version__",
    "on",
    "on_action",
    "run",
]


if not TYPE_CHECKING:  # a checker would accept any name

    def __getattr__(name: str) -> Any:
        home = name if name in _MODULES else _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        with OwnFirst():
            module = importlib.import_module(f".{home}", __name__)
        if name in _MODULES:
            return module
        value = getattr(module, name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
