"""Analyses in the style of the first release, found by reading their source; nothing is run.

In that style a module makes its analysis by a call, `simplepi = databench.Analysis('simplepi',
__name__)`, and the modules lie side by side in the folder of analyses, whose `__init__.py`
imports those that are served.
"""

from __future__ import annotations

import ast
import dataclasses
import os
import re
from collections.abc import Iterator
from pathlib import Path

from .names import MODULE_FILE

_SOURCE_BYTES = 2**20
# Parsing takes a hundred times longer than this look, and most modules define a class.
_CALL = re.compile(rb"\bAnalysis\s*\(\s*(?:name\s*=\s*)?[\"'uU]")
_TEXTS = ("description", "thumbnail")


@dataclasses.dataclass(frozen=True)
class Functions:
    """An analysis made of functions.

    Attributes:
        name: As in the call.
        file: The module, absolute.
        description: For people, if the source has it as plain text or as `__doc__`.
        thumbnail: An image in the folder `static` beside the module, likewise.
    """

    name: str
    file: Path
    description: str | None = None
    thumbnail: str | None = None

    @property
    def is_beside_others(self) -> bool:
        """Whether the module lies in the folder of analyses, without its own folder."""
        return self.file.name != MODULE_FILE

    @property
    def templates(self) -> Path:
        """The folder of its templates."""
        return self.file.parent / "templates"

    @property
    def page(self) -> Path:
        """The template of its page, which need not be there."""
        return self.templates / f"{self.name}.html"

    @property
    def static(self) -> Path:
        """The folder of its images."""
        return self.file.parent / "static"


def read_functions(file: Path) -> Functions | None:
    """The description of an analysis in a module; `None` if no call makes one.

    Args:
        file: The module, absolute; it need not exist.
    """
    try:
        if not file.is_file() or file.stat().st_size > _SOURCE_BYTES:
            return None
        source = file.read_bytes()
        found = _read(ast.parse(source), file) if _CALL.search(source) else None
    except OSError:
        return None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # Its page shows the problem: the kernel reports it when it imports the module.
        page = file.parent / "templates" / f"{file.stem}.html"
        return Functions(file.stem, file) if page.is_file() else None
    return found


def _read(tree: ast.Module, file: Path) -> Functions | None:
    variable, found = None, None
    doc = ast.get_docstring(tree)
    for statement in tree.body:
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            continue
        target, value = statement.targets[0], statement.value
        if found is None and isinstance(target, ast.Name) and isinstance(value, ast.Call):
            variable, found = target.id, _made_by(value, file, doc)
        elif found is not None and isinstance(target, ast.Attribute):
            is_ours = isinstance(target.value, ast.Name) and target.value.id == variable
            if is_ours and target.attr in _TEXTS and (text := _text(value, doc)) is not None:
                found = _with_text(found, target.attr, text)
    return found


def _made_by(call: ast.Call, file: Path, doc: str | None) -> Functions | None:
    """The analysis that a call makes, if it makes one."""
    called = call.func.attr if isinstance(call.func, ast.Attribute) else None
    if isinstance(call.func, ast.Name):
        called = call.func.id
    named = {keyword.arg: _text(keyword.value, doc) for keyword in call.keywords}
    name = _text(call.args[0], None) if call.args else named.get("name")
    if called != "Analysis" or name is None:
        return None
    third = _text(call.args[2], doc) if len(call.args) > 2 else None  # signals, or a description
    return Functions(name, file, named.get("description") or third, named.get("thumbnail"))


def _with_text(found: Functions, key: str, text: str) -> Functions:
    if key == "thumbnail":
        return dataclasses.replace(found, thumbnail=text)
    return dataclasses.replace(found, description=text)


def _text(node: ast.expr, doc: str | None) -> str | None:
    """Plain text, or the module's docstring if that is named."""
    if isinstance(node, ast.Name) and node.id == "__doc__":
        return doc
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) else None


def find_functions(folder: Path) -> Iterator[Functions]:
    """The analyses whose modules lie in a folder, by name: those that its `__init__.py` imports.

    All of them if it imports none, or does not exist.

    Args:
        folder: The folder of analyses, absolute.
    """
    imported = _imported(folder / "__init__.py")
    for file in sorted(folder.glob("*.py")):
        if file.stem in imported or (not imported and file.name != "__init__.py"):
            found = read_functions(file)
            if found is not None:
                yield found


def find_one(folder: Path, name: str) -> Functions | None:
    """The analysis of that name, in its own folder or beside others.

    Args:
        folder: The folder of analyses, absolute.
        name: The analysis' name.
    """
    if os.path.isfile(folder / name / MODULE_FILE):  # false too for a name that is too long
        return read_functions(folder / name / MODULE_FILE)
    return next((found for found in find_functions(folder) if found.name == name), None)


def _imported(init: Path) -> set[str]:
    """The modules beside an `__init__.py` that it imports, in the ways of Python 2 and 3."""
    try:
        tree = ast.parse(init.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.rpartition(".")[2] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update(alias.name for alias in node.names)
            names.add((node.module or "").rpartition(".")[2])
    return {name for name in names if (init.parent / f"{name}.py").is_file()}
