"""From the user's module to the class of the analysis."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from ..analysis import Analysis
from ..errors import KernelError


def load_analysis(module_name: str, analysis: str, project: str) -> type[Analysis]:
    """Import the module and find the class; in the main thread.

    Args:
        module_name: For example `analyses.pi.analysis`.
        analysis: The analysis' name; of several classes the one named alike is taken.
        project: The folder to import from.

    Raises:
        KernelError: There is no class in it.
    """
    if project not in sys.path:
        sys.path.insert(0, project)
    _pin_packages(module_name, Path(project))
    return find_class(importlib.import_module(module_name), analysis)


def _pin_packages(module_name: str, project: Path) -> None:
    """Let the module's packages be the project's own folders.

    A folder without `__init__.py` gives way to a package of its name anywhere later on the path,
    and `analyses` is a likely name.
    """
    names = module_name.split(".")[:-1]
    for depth in range(1, len(names) + 1):
        name, folder = ".".join(names[:depth]), project.joinpath(*names[:depth])
        if name in sys.modules or not folder.is_dir() or (folder / "__init__.py").exists():
            continue
        spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
        sys.modules[name] = importlib.util.module_from_spec(spec)


def find_class(module: ModuleType, analysis: str) -> type[Analysis]:
    """The class of the analysis: defined in this module, named like it, else the last one.

    Raises:
        KernelError: There is none.
    """
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Analysis)
        and value.__module__ == module.__name__
    ]
    if not found:
        raise KernelError(
            f"{module.__file__} defines no analysis; expected a class: "
            f"class {_class_name(analysis)}(databench.Analysis)",
            kernel=analysis,
        )
    wanted = _class_name(analysis).lower()
    named = [cls for cls in found if cls.__name__.lower() == wanted]
    return (named or found)[-1]


def _class_name(analysis: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in analysis.split("_")) or "MyAnalysis"
