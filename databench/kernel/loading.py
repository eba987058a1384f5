"""From the user's module to the class of the analysis."""

from __future__ import annotations

import importlib
import sys
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
    return find_class(importlib.import_module(module_name), analysis)


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
