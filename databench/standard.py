"""Python's own modules before a project's of the same name.

Python puts a script's folder, or the working directory, before its own modules. So Databench would
import a project's `random.py`, `types.py` or `queue.py`, and a script that is called
like a standard module would run a second time. While an `OwnFirst` is entered, neither the
folders nor the modules of a project stand in the way.

Imports nothing that is not loaded at Python's own start: any other import could already be one.
"""

from __future__ import annotations

import os
import sys

_LIBRARY = os.path.dirname(os.__file__)
_INSTALLED = ("site-packages", "dist-packages")


class OwnFirst:
    """While it is entered, standard modules are Python's own; used around Databench's imports."""

    def __enter__(self) -> None:
        self._path = list(sys.path)
        own = [entry for entry in sys.path if _is_own(entry)]
        sys.path[:] = [*own, *(entry for entry in sys.path if entry not in own)]
        self._order = list(sys.path)
        self._hidden = {
            name: sys.modules.pop(name) for name in list(sys.modules) if _is_hiding(name)
        }

    def __exit__(self, *_error: object) -> None:
        if sys.path == self._order:  # otherwise an import has changed it
            sys.path[:] = self._path
        sys.modules.update(self._hidden)


def find_hiding(folder: str) -> list[str]:
    """The files of a folder that have the name of a standard module.

    Args:
        folder: One that modules are imported from.
    """
    found = []
    try:
        names = sorted(os.listdir(folder or "."))
    except OSError:
        return []
    for name in names:
        stem, ending = os.path.splitext(name)
        path = os.path.join(folder, name)
        if stem not in sys.stdlib_module_names:
            continue
        is_package = not ending and os.path.isfile(os.path.join(path, "__init__.py"))
        if ending == ".py" or is_package:
            found.append(path)
    return found


def explain(path: str) -> str:
    """The meaning of a file with the name of a standard module, and what to do."""
    name = os.path.splitext(os.path.basename(path))[0]
    module = sys.modules.get(name)
    is_ours = module is not None and getattr(module, "__file__", None) != path
    what = (
        f"`import {name}` gives Python's own module, not this file"
        if is_ours
        else f"`import {name}` gives this file, in the libraries that you use too"
    )
    return f"{path} has the name of one of Python's own modules: {what}. Rename it"


def _is_own(entry: str) -> bool:
    if any(name in entry for name in _INSTALLED):
        return False
    is_archive = os.path.basename(entry) == f"python{sys.version_info[0]}{sys.version_info[1]}.zip"
    return is_archive or entry == _LIBRARY or entry.startswith(_LIBRARY + os.sep)


def _is_hiding(name: str) -> bool:
    """Whether it is a standard module's name, and another module."""
    top = name.partition(".")[0]
    if top not in sys.stdlib_module_names or top == "__main__":
        return False
    file = getattr(sys.modules.get(top), "__file__", None)
    return isinstance(file, str) and (
        not os.path.abspath(file).startswith(_LIBRARY + os.sep)
        or any(f"{os.sep}{part}{os.sep}" in file for part in _INSTALLED)
    )
