"""Serves one script, from `databench.run` or from `databench FILE.py`.

Owns which scripts are refused, and what the kernel has to run. Reads no Python: the class is
found where the file runs, in the kernel.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import re
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import tornado.ioloop

from ...config import MODULE_FILE, RESERVED
from ...errors import SettingError
from ...http.loops import refuse_running_loop

Routes = Sequence[tuple[str, Any, Mapping[str, Any] | None]]


@dataclasses.dataclass(frozen=True)
class ServedScript:
    """The facts about a script before it is served.

    Attributes:
        name: The analysis' name: its place in the address, if it has one.
        title: Its title if `info` has none.
        folder: Where its page and its files are, absolute.
        file: The script, or the class' file, absolute.
        module: The name of the module in the kernel.
        is_imported: Whether the kernel imports `module` by that name, not this file.
        class_name: The class, as in `__qualname__`; `None`: the only one.
        argv: `sys.argv` in the kernel.
        path: Where the kernel imports from, first of all.
        is_at_root: Whether its page is at `/`, not at `/<name>/`.
        info: The keys that `index.yaml` would have, and further ones for templates.
        static: Regular expressions with one group, and folders.
        extra_routes: Further handlers: route, class, arguments of its `initialize`.
        loop: Where the script has put something already, before it serves; or `None`.
    """

    name: str
    title: str
    folder: Path
    file: Path
    module: str
    class_name: str | None
    argv: tuple[str, ...]
    path: tuple[str, ...]
    is_imported: bool = False
    is_at_root: bool = False
    info: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    static: Any = None
    extra_routes: Routes = ()
    loop: asyncio.AbstractEventLoop | None = None


def from_file(path: Path, *, argv: Sequence[str]) -> ServedScript:
    """A file that the command line names.

    Args:
        path: The file; a symbolic link is followed, as Python does. An `analysis.py` is called
            like its folder.
        argv: The script's `sys.argv`.
    """
    real = Path(os.path.realpath(path))
    title = real.parent.name if path.name == MODULE_FILE else path.stem
    return ServedScript(
        name=_name(title),
        title=title,
        folder=real.parent,
        file=real,
        module=_module_name(real),
        class_name=None,
        argv=tuple(argv),
        path=(str(real.parent),),
    )


def from_class(
    analysis_class: type,
    *,
    path: str | os.PathLike[str] | None,
    name: str | None,
    info: Mapping[str, Any] | None,
    static: Any,
    extra_routes: Routes,
) -> ServedScript:
    """The class that a running script hands over.

    Args:
        analysis_class: Found by the kernel under its name, in its module.
        path: The script's file (or a file beside its page); the class' own when `None`.
        name: The analysis' name; the class' in lower case when `None`.
        info: As `databench.run` takes it.
        static: Likewise.
        extra_routes: Likewise.

    Raises:
        SettingError: The kernel could not find the class, or a loop runs here; the text has the
            reason.
    """
    refuse_running_loop("databench.run")
    _check_reachable(analysis_class)
    module = sys.modules[analysis_class.__module__]
    file, module_name = _source(analysis_class, module)
    beside = file if path is None else Path(os.path.realpath(path))
    return ServedScript(
        name=_name(name or analysis_class.__name__.lower()),
        title=name or analysis_class.__name__,
        folder=beside if beside.is_dir() else beside.parent,
        file=file,
        module=module_name or _module_name(file),
        class_name=analysis_class.__qualname__,
        argv=tuple(sys.argv),
        path=tuple(os.path.abspath(entry) for entry in sys.path),
        is_imported=module_name is not None,
        is_at_root=True,
        info=dict(info or {}),
        static=static,
        extra_routes=extra_routes,
        loop=_find_loop(),
    )


def _find_loop() -> asyncio.AbstractEventLoop | None:
    """The loop of `IOLoop.current()`, if the script has called that; makes none."""
    if sys.version_info >= (3, 12):
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # set by 3.12 and 3.13 instead of making one
            try:
                loop = asyncio.get_event_loop()
            except (RuntimeError, DeprecationWarning):
                return None
    else:
        found = getattr(getattr(asyncio.get_event_loop_policy(), "_local", None), "_loop", None)
        loop = cast("asyncio.AbstractEventLoop | None", found)
    if loop is None or loop.is_closed() or tornado.ioloop.IOLoop.current(instance=False) is None:
        return None
    return loop


def _check_reachable(analysis_class: type) -> None:
    """The kernel, another process, gets the class by its name alone."""
    shown = f"{analysis_class.__module__}.{analysis_class.__qualname__}"
    if "<locals>" in analysis_class.__qualname__:
        raise SettingError(
            f"class {analysis_class.__name__!r} is defined inside a function ({shown}), where "
            "the kernel, a separate process, cannot find it; define it at the top of its file"
        )
    found: Any = sys.modules.get(analysis_class.__module__)
    if found is None or getattr(found, "__file__", None) is None:
        raise SettingError(
            f"class {shown} is not in a file, so the kernel, a separate process, cannot find it; "
            "write it to a file and run that file"
        )
    for part in analysis_class.__qualname__.split("."):
        found = getattr(found, part, None)
    if found is not analysis_class:
        raise SettingError(
            f"class {shown} is not in its file under that name, so the kernel, a separate "
            "process, cannot find it; give it the name with which its file defines it"
        )


def _source(analysis_class: type, module: ModuleType) -> tuple[Path, str | None]:
    """The class' file, and the name by which its module is imported, if it has one."""
    file = Path(os.path.realpath(str(module.__file__)))
    if analysis_class.__module__ != "__main__":
        return file, analysis_class.__module__
    spec = module.__spec__  # `python -m package.module` has one
    return file, None if spec is None else spec.name


def _module_name(file: Path) -> str:
    """As `import` and `pickle` would call it: a dot would make a package of it."""
    return file.stem.replace(".", "_")


def _name(text: str) -> str:
    """A name that an address can hold, and that no route of Databench has."""
    name = re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-_") or "analysis"
    return f"{name}-" if name in RESERVED else name
