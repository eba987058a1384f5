"""Which files the analysis was read from: the front watches them (docs/protocol.md, 7.4).

Every imported file counts, in any folder, except the interpreter's own files, installed packages
and Databench itself, whose changes the front handles.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ...protocol import messages as m

_PACKAGE = Path(__file__).resolve().parents[2]
# Analyses of the package are examples for users to change, not Databench's own code.
_EXAMPLES = tuple(f"{_PACKAGE / name}{os.sep}" for name in ("analyses_packaged", "tests"))
_INSTALLED = ("site-packages", "dist-packages")
_PATHS_PER_MESSAGE = 100
_CLOCK_S = 0.01  # a file's time is that of the system's last tick


class SourceFiles:
    """The imported files, and those that the front knows.

    Args:
        limit: The most files that are named.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._told: set[str] = set()
        self._modules = 0
        self._looked_s = time.time()
        self._others = tuple(f"{folder}{os.sep}" for folder in sorted(_find_folders()))

    def look(self) -> list[m.Sources]:
        """The messages that name what was imported since the last look; mostly none."""
        if len(sys.modules) == self._modules:
            return []
        return self._tell(self._imported())

    def look_at_failure(self, error: BaseException) -> list[m.Sources]:
        """The same after a failed import, with the files that its traceback and text name."""
        return self._tell([*self._imported(), *_files_of(error)])

    def _imported(self) -> list[str]:
        # A copy is one step of the interpreter: another thread may be importing.
        modules = list(sys.modules.copy().values())
        self._modules = len(modules)
        return [file for file in map(_file_of, modules) if file]

    def _tell(self, files: Sequence[str]) -> list[m.Sources]:
        since_s, self._looked_s = self._looked_s - _CLOCK_S, time.time()
        fresh = [path for path in dict.fromkeys(files) if path not in self._told and self._is(path)]
        fresh = fresh[: self._limit - len(self._told)]
        self._told.update(fresh)
        return [
            m.Sources(paths=tuple(fresh[i : i + _PATHS_PER_MESSAGE]), since_s=since_s)
            for i in range(0, len(fresh), _PATHS_PER_MESSAGE)
        ]

    def _is(self, path: str) -> bool:
        if not os.path.isabs(path) or any(f"{os.sep}{name}{os.sep}" in path for name in _INSTALLED):
            return False
        if not path.isprintable() and _is_bytes(path):
            return False  # a message holds text alone; such a file is not watched
        if path.startswith(f"{_PACKAGE}{os.sep}"):
            return path.startswith(_EXAMPLES)
        return not path.startswith(self._others)


def _is_bytes(path: str) -> bool:
    """Whether a name is not UTF-8; Python has such bytes as lone surrogates (PEP 383)."""
    return any("\udc80" <= character <= "\udcff" for character in path)


def _find_folders() -> set[str]:
    """Where the interpreter's own modules are, and what is installed for it."""
    paths = sysconfig.get_paths()
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return (
        {os.path.realpath(paths[name]) for name in names if name in paths}
        | {paths[name] for name in names if name in paths}
        | {os.path.realpath(site.getusersitepackages())}
    )


def _file_of(module: ModuleType | Any) -> str | None:
    try:
        # Of the plain object: a lazy module would be loaded by a look at its attributes.
        file = object.__getattribute__(module, "__dict__").get("__file__")
    except (AttributeError, TypeError):
        return None
    return os.path.abspath(file) if isinstance(file, str) else None


def _files_of(error: BaseException) -> Iterator[str]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, SyntaxError) and error.filename:
            yield os.path.abspath(error.filename)
        step = error.__traceback__
        while step is not None:
            yield step.tb_frame.f_code.co_filename
            step = step.tb_next
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
