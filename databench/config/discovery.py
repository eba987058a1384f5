"""Which folders are analyses by themselves, and why others are not.

Owns what an analysis may be called. Reads names and sources; runs nothing.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from pathlib import Path

from .functions import Functions, find_functions, read_functions

RESERVED = ("node_modules", "static", "status")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclasses.dataclass(frozen=True)
class Found:
    """The analyses in a folder.

    Attributes:
        analyses: Names, each with its functions if it is made of such, in the gallery's order.
        warnings: A sentence for each folder that looks like an analysis and is not served.
    """

    analyses: Mapping[str, Functions | None]
    warnings: tuple[str, ...] = ()


def find_analyses(folder: Path) -> Found:
    """The analyses that stand in a folder without being named in an `index.yaml`.

    Args:
        folder: The analyses' folder.
    """
    found = {file.parent.name: read_functions(file) for file in folder.glob("*/analysis.py")}
    for functions in find_functions(folder):
        found.setdefault(functions.name, functions)
    problems = {name: find_problem(name) for name in sorted(found)}
    return Found(
        {name: found[name] for name, problem in problems.items() if problem is None},
        tuple(
            f"The analysis {show_name(name)} in {show_name(str(folder))} is not served: {problem}."
            for name, problem in problems.items()
            if problem is not None
        ),
    )


def find_problem(name: str) -> str | None:
    """Why an analysis cannot have a name; `None`: it can.

    The name is part of an address and of a module's name, so both have to be able to hold it.

    Returns:
        A clause for people, with what to do.
    """
    if not _is_text(name):
        return "its name is not UTF-8; rename it"
    if name in RESERVED:
        return f"the address /{name}/ is used by Databench itself; rename it"
    if name[:1] in ("_", "."):
        return f"names that begin with {name[0]!r} are private; rename it to serve it"
    if not _NAME.fullmatch(name):
        wrong = _find_wrong(name)
        shown = "a space" if wrong == " " else repr(wrong)
        return f"its name has {shown} in it; rename it with letters a to z, digits, - and _ only"
    return None


def show_name(name: str) -> str:
    """A file's name in quotes, also if it is not UTF-8, which no terminal could print."""
    return repr(os.fsencode(name))[1:] if not _is_text(name) else repr(name)


def _find_wrong(name: str) -> str:
    """The first character that keeps it from being a name; `-` only at its beginning."""
    return next((c for c in name if not re.match(r"[A-Za-z0-9_-]", c)), name[0])


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
