"""The names that `sprockets.http` has in its module `runner`, for applications that import them."""

from __future__ import annotations

from typing import Any

from .loops import new_loop
from .processes import EXIT_SOFTWARE
from .serving import Runner

__all__ = ["EXIT_SOFTWARE", "Runner", "new_loop"]


def __getattr__(name: str) -> Any:
    if name == "RunCommand":  # needs setuptools, which only a setup.py has to have
        from .command import RunCommand

        return RunCommand
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
