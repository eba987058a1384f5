"""The actions that a page without a template offers: those that need no argument.

Owns what it reads from an analysis' source for that. Runs nothing: the class is found where the
file runs, in the kernel. For a class that is put together at run time, or in another file, it
offers nothing. Its page shows the values of `data` all the same, which the browser knows.
"""

from __future__ import annotations

import ast
from pathlib import Path

from ...config import MODULE_FILE, Entry
from ...protocol.actions import STEPS, WRITERS
from .sources import PageSources, find_stamp

_BASE = "Analysis"
_HANDLER = "on_"
_SOURCE_BYTES = 2**17  # it is parsed in a thread, which holds the interpreter meanwhile
_MOST = 50  # buttons
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_KEPT = 1000  # files; those that were read first go
# By file: its stamp when it was read, and the actions that it offers.
_known: dict[Path, tuple[PageSources, tuple[str, ...]]] = {}


def find_actions(source: str) -> tuple[str, ...]:
    """The actions of the only analysis in Python source that need no argument, in its order.

    Args:
        source: The file's text; one that cannot be parsed has none.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    found = {name: _find_bases(node, classes) for name, node in classes.items()}
    lines = {name: bases for name, bases in found.items() if _BASE in bases}
    used = {base for bases in lines.values() for base in bases}
    last = [name for name in lines if name not in used]
    if len(last) != 1:
        return ()  # a script names its own
    names: dict[str, bool] = {}
    for name in (*reversed(lines[last[0]]), last[0]):
        for method in classes[name].body if name in classes else ():
            if isinstance(method, _Function):
                can = _can_be_pressed(method)
                names.update(dict.fromkeys(_find_names(method), can))
    wanted = [name for name, can in names.items() if can and name not in (*STEPS, *WRITERS, "*")]
    return tuple(wanted[:_MOST])


def _find_bases(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> list[str]:
    """The last words of the names of all bases, the nearest first."""
    found: list[str] = []
    waiting = [node]
    for known in waiting:
        for base in known.bases:
            name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
            if name and name not in found:
                found.append(name)
                waiting += [classes[name]] if name in classes else []
    return found


def _find_names(method: _Function) -> list[str]:
    """The actions that a method handles, by its decorators or its name."""
    names = [method.name[len(_HANDLER) :]] if method.name.startswith(_HANDLER) else []
    for decorator in method.decorator_list:
        call = decorator if isinstance(decorator, ast.Call) else None
        target = decorator if call is None else call.func
        word = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
        if word == "on":
            names.append(method.name)
        elif word == "on_action" and call is not None:
            given = [a.value for a in call.args[:1] if isinstance(a, ast.Constant)]
            names += [name for name in given if isinstance(name, str)]
    return [name for name in names if name]


def _can_be_pressed(method: _Function) -> bool:
    """Whether it needs nothing but the analysis itself."""
    words = method.args
    needed = len(words.posonlyargs) + len(words.args) - len(words.defaults)
    return needed <= 1 and None not in words.kw_defaults


def find_known(entry: Entry) -> tuple[str, ...] | None:
    """As `find_offered`, without reading a file; `None`: it has to be read."""
    if entry.kernel != "py" or entry.functions is not None:
        return ()
    path = find_path(entry)
    stamp = find_stamp(path)
    if stamp is None or stamp[2] > _SOURCE_BYTES:
        return ()
    known = _known.get(path)
    return known[1] if known is not None and known[0].are_unchanged() else None


def find_offered(entry: Entry) -> tuple[str, ...]:
    """The actions that the page of an analysis offers; reads and parses its file if need be.

    Args:
        entry: The analysis; none of another kernel than Python's offers any.
    """
    known = find_known(entry)
    if known is not None:
        return known
    path = find_path(entry)
    sources = PageSources(path)
    try:
        found = find_actions(path.read_bytes().decode("utf-8", "replace"))
    except OSError:
        return ()
    if sources.is_settled:
        _known[path] = sources, found
    while len(_known) > _KEPT:
        _known.pop(next(iter(_known)), None)
    return found


def find_path(entry: Entry) -> Path:
    """The file that is read."""
    return entry.file or entry.folder / MODULE_FILE
