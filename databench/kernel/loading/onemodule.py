"""One module for each file of a project, whatever names it is imported by.

A project's folder may lie in another package: `analyses.common` for Databench is
`examples.analyses.common` for the project's code. Imported twice, its classes and values would
exist twice, and `isinstance` would tell them apart. The first name wins: another name
for the same file gives the same module.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

_INSTALLED = ("site-packages", "dist-packages")


def install(project: Path) -> None:
    """Let imports find the modules of this folder under each of their names.

    Args:
        project: The folder from which the analysis is imported.
    """
    finders = sys.meta_path
    first = importlib.machinery.PathFinder
    # Right before the search on the path: built-in modules have come before.
    index = finders.index(first) if first in finders else len(finders)
    finders.insert(index, _Finder(os.path.realpath(project)))


class _Finder(importlib.abc.MetaPathFinder):
    """See `install`.

    Theory of operation: a project's folder may hold all that it imports, in a `.venv` for example,
    and then thousands of modules come by here. So each loaded module is checked once, and
    installed ones belong to no project.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._own: dict[str, bool] = {}  # the places of the path that are the project's
        self._seen: dict[str, int] = {}  # names, and which module each was
        self._names: dict[str, list[str]] = {}  # by the place of the module

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """The module that is there already for this file; None: look as usual."""
        search = importlib.machinery.PathFinder.find_spec
        own = [place for place in (sys.path if path is None else path) if self._has(place)]
        if not own or (place := _place(search(fullname, own))) is None:
            return None
        module = self._find_loaded(place, fullname)
        # Only now the whole path: another folder may come first.
        if module is None or _place(search(fullname, path, target)) != place:
            return None
        is_package = "__path__" in vars(module)
        return importlib.machinery.ModuleSpec(fullname, _Again(module), is_package=is_package)

    def _has(self, place: str) -> bool:
        if place not in self._own:
            self._own[place] = self._is_own(place)
        return self._own[place]

    def _is_own(self, place: str) -> bool:
        folder = os.path.realpath(place)
        if folder != self._root and not folder.startswith(self._root + os.sep):
            return False
        return not any(part in _INSTALLED for part in folder[len(self._root) :].split(os.sep))

    def _find_loaded(self, place: str, but: str) -> ModuleType | None:
        for name, module in list(sys.modules.items()):
            if isinstance(module, ModuleType) and self._seen.get(name) != id(module):
                self._seen[name] = id(module)
                if at := _find_place(module):
                    self._names.setdefault(at, []).append(name)
        for name in self._names.get(place, ()):
            found = sys.modules.get(name)
            if name != but and isinstance(found, ModuleType) and _find_place(found) == place:
                return found
        return None


class _Again(importlib.abc.Loader):
    """Hands out a module that is loaded, or is just being loaded, once more."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """The module."""
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing runs again; the module keeps the spec of its first name."""
        module.__spec__ = self._spec


def _place(spec: importlib.machinery.ModuleSpec | None) -> str | None:
    """The file of a module, or the folder of a package."""
    if spec is None:
        return None
    folders = spec.submodule_search_locations
    if folders is not None:
        return next((os.path.realpath(folder) for folder in folders), None)
    return os.path.realpath(spec.origin) if spec.origin and spec.has_location else None


def _find_place(module: ModuleType) -> str | None:
    """The file of a loaded module, or the folder of a package."""
    names = vars(module)
    folders = names.get("__path__")
    paths = [names.get("__file__")] if folders is None else list(folders)[:1]
    return next((os.path.realpath(path) for path in paths if isinstance(path, str)), None)
