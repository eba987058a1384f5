"""From the user's module or script to the class of the analysis.

Theory of operation: the file runs under a name that is not `__main__`, so code that a guard keeps
to the command line does not run. `databench.run` ends its execution with `ScriptEnd`: a mark in the
environment shows that it is in a kernel. `pickle`, `inspect` and children that `multiprocessing`
starts afresh find the module under its own name (children import it, and `run` does nothing
there); they also find what was pickled as `__main__.X`.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import importlib.util
import inspect
import logging
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from ...analysis import Analysis
from ...errors import KernelError, ScriptEnd
from ...functions import FunctionAnalysis
from ...protocol.variables import LOADING
from ...standard import explain, find_hiding
from ..process.environment import ScriptToRun
from . import onemodule
from .functions import make_class

logger = logging.getLogger("databench.kernel")

_PROVIDED = str(Path(__file__).resolve().parent / "provided")


def load_analysis(
    module_name: str, analysis: str, project: str, script: ScriptToRun | None = None
) -> type[Analysis]:
    """Import the module, or run the script, and find the class; in the main thread.

    Args:
        module_name: For example `analyses.pi.analysis`.
        analysis: The analysis' name; of several classes the one named alike is taken.
        project: The folder to import from.
        script: The script to run, if the analysis is one.

    Raises:
        KernelError: There is no class in it, or there are several.
    """
    if script is not None:
        if script.file is not None:
            _load_own(Path(script.file).stem)
        _set_up(script)
    elif project not in sys.path:
        sys.path.insert(0, project)
    _warn_of_hiding(script.path[:1] if script else [project])
    if _PROVIDED not in sys.path:
        sys.path.insert(1, _PROVIDED)  # children that `multiprocessing` starts get it too
    file = None if script is None else script.file
    if file is None:
        is_beside_others = script is None and _is_beside_others(module_name)
        _pin_packages(module_name, Path(project), is_beside_others=is_beside_others)
        onemodule.install(Path(project))
        module, named = _execute(module_name, None)
    else:
        module, named = _execute(_free_name(module_name), file)
        _answer_for_main(module)
    if named is None and script is not None and script.class_name is not None:
        named = _named(module, script.class_name)
    if named is not None:
        return named
    return find_class(module, analysis, is_script=script is not None)


def _set_up(script: ScriptToRun) -> None:
    """The world of the script as the command line would make it."""
    sys.argv[:] = script.argv
    rest = [entry for entry in sys.path if entry not in script.path]
    sys.path[:] = [*script.path, *rest]


def _load_own(name: str) -> None:
    """A script that is called like a standard module (random.py) is not what its name imports."""
    if name in sys.stdlib_module_names:
        with contextlib.suppress(ImportError):  # one of another system's
            importlib.import_module(name)


def _warn_of_hiding(folders: Iterable[str]) -> None:
    for folder in folders:
        for path in find_hiding(folder):
            logger.warning("%s", explain(path))


def _free_name(name: str) -> str:
    """A script that is named like a module in use (code.py, random.py) must not take its place."""
    is_taken = name in sys.modules or name in sys.stdlib_module_names
    return f"{name}_script" if is_taken else name


def _execute(name: str, file: str | None) -> tuple[ModuleType, type[Analysis] | None]:
    """Import as `import` does, but keep what `databench.run` has ended in the middle.

    Returns:
        The module, and the class that was handed to `run`, if it was called.
    """
    parent, _, child = name.rpartition(".")
    package = importlib.import_module(parent) if parent else None
    if name in sys.modules:
        return sys.modules[name], None
    if file is None:
        spec = importlib.util.find_spec(name)
    else:
        loader = importlib.machinery.SourceFileLoader(name, file)
        spec = importlib.util.spec_from_file_location(name, file, loader=loader)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    os.environ[LOADING] = f"{os.getpid()}:{spec.origin}"
    named = None
    try:
        spec.loader.exec_module(module)
    except ScriptEnd as end:
        named = end.analysis_class
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        os.environ[LOADING] = f"0:{spec.origin}"  # for children, and for a `run` in an action
    if package is not None:
        setattr(package, child, module)
    return module, named


def is_loading() -> bool:
    """Whether this process is a kernel that is just running the file of its analysis."""
    return os.environ.get(LOADING, "").partition(":")[0] == str(os.getpid())


def _answer_for_main(module: ModuleType) -> None:
    """Let `__main__.X`, as a pickle of the plain script has it, be the module's X."""

    def find(name: str) -> object:
        return getattr(module, name)

    sys.modules["__main__"].__getattr__ = find  # type: ignore[method-assign]


def _is_beside_others(module_name: str) -> bool:
    """Whether the module lies in the folder of analyses, as in the first release."""
    return module_name.rpartition(".")[2] != "analysis"


def _pin_packages(module_name: str, project: Path, *, is_beside_others: bool) -> None:
    """Let the module's packages be the project's own folders.

    A folder without `__init__.py` gives way to a package of its name anywhere later on the path,
    and `analyses` is a likely name. One whose modules are analyses imports all of them in its
    `__init__.py`, and by bare names: it is not run, and those names are found.
    """
    unrun = module_name.rpartition(".")[0] if is_beside_others else None
    if unrun:
        sys.path.insert(1, str(project.joinpath(*unrun.split("."))))
    names = module_name.split(".")[:-1]
    for depth in range(1, len(names) + 1):
        name, folder = ".".join(names[:depth]), project.joinpath(*names[:depth])
        has_init = (folder / "__init__.py").exists() and name != unrun
        if name in sys.modules or not folder.is_dir() or has_init:
            continue
        spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
        sys.modules[name] = importlib.util.module_from_spec(spec)


# ---------------------------------------------------------------- the class


def _named(module: ModuleType, class_name: str) -> type[Analysis]:
    found: object = module
    for part in class_name.split("."):
        found = getattr(found, part, None)
    if isinstance(found, type) and issubclass(found, Analysis):
        return found
    raise KernelError(
        f"{module.__file__} has no class {class_name} when a kernel runs it; define it at the top "
        "of the file, outside of `if __name__ == '__main__'`"
    )


def find_class(module: ModuleType, analysis: str, *, is_script: bool = False) -> type[Analysis]:
    """The class of the analysis: the only one of its module.

    One that is named like the analysis comes before others, a class before the one that it extends,
    and a class of the module before those that it imports. Of several that are left, the first of
    the alphabet is taken, as in 0.7, with a warning.

    Args:
        module: Already run.
        analysis: The analysis' name.
        is_script: Whether it is a script, which nothing of 0.7 was: then several are an error.

    Raises:
        KernelError: There is none, or there are several in a script.
    """
    types = dict.fromkeys(value for value in vars(module).values() if isinstance(value, type))
    classes = [cls for cls in types if issubclass(cls, Analysis)]
    own = [cls for cls in classes if cls.__module__ == module.__name__]
    foreign = [cls for cls in classes if not cls.__module__.startswith("databench")]
    wanted = _class_name(analysis).lower()
    for found in (own, foreign):
        ends = [cls for cls in found if not any(c is not cls and issubclass(c, cls) for c in found)]
        named = [cls for cls in found if cls.__name__.lower() == wanted] or ends
        if len(named) == 1:
            return named[0]
        if named and is_script:
            raise KernelError(_tell_several(module, named, analysis), kernel=analysis)
        if named:
            first = min(named, key=lambda cls: cls.__name__)
            logger.warning("%s; taking %s", _tell_several(module, named, analysis), first.__name__)
            return first
    made = _made_of_functions(module, analysis)
    if made is not None:
        return made
    raise KernelError(
        f"{module.__file__} defines no analysis; expected a class: "
        f"class {_class_name(analysis)}(databench.Analysis)",
        kernel=analysis,
    )


def _made_of_functions(module: ModuleType, analysis: str) -> type[Analysis] | None:
    """The class of the first analysis that the module makes of functions, or the one so named."""
    made = [value for value in vars(module).values() if isinstance(value, FunctionAnalysis)]
    named = [value for value in made if value.name == analysis]
    return next((make_class(value) for value in (*named, *made)), None)


def _tell_several(module: ModuleType, found: list[type], analysis: str) -> str:
    told = ", ".join(f"{cls.__name__}{_line(cls)}" for cls in found)
    return (
        f"{module.__file__} defines {len(found)} analyses, expected one: {told}; "
        f"name one {_class_name(analysis)}, like the analysis, or move the others to other files"
    )


def _line(cls: type) -> str:
    try:
        return f" (line {inspect.getsourcelines(cls)[1]})"
    except (OSError, TypeError):
        return ""


def _class_name(analysis: str) -> str:
    words = analysis.replace("-", "_").split("_")
    return "".join(part[:1].upper() + part[1:] for part in words) or "MyAnalysis"
