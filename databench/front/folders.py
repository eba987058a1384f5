"""Where the analyses are: a folder, and the name under which a kernel imports what is in it.

Imports no user code: a dotted path is looked up without running any of its packages.
"""

from __future__ import annotations

import dataclasses
import importlib.machinery
import os
import sys
from pathlib import Path

from ..config import INDEX_FILE, MODULE_FILE
from ..errors import SettingError

PACKAGE = Path(__file__).resolve().parent.parent
PACKAGED = "databench.analyses_packaged"
NAME = "analyses"


@dataclasses.dataclass(frozen=True)
class Place:
    """A folder of analyses.

    Attributes:
        folder: The folder, absolute.
        root: The project's folder: a kernel's working directory and first on its path.
        package: The dotted name of `folder` from there; empty when it is `root` itself.
        is_packaged: Whether these are the demos that come with Databench.
    """

    folder: Path
    root: Path
    package: str
    is_packaged: bool = False

    @property
    def kernels(self) -> Path:
        """The project's kernel specs; the folder need not be there."""
        return self.root / "kernels"

    def module(self, name: str) -> str:
        """The module that the Python kernel imports for the analysis of that name."""
        return ".".join(part for part in (self.package, name, "analysis") if part)

    def beside(self, stem: str) -> str:
        """The module of an analysis without its own folder."""
        return ".".join(part for part in (self.package, stem) if part)


def find(wanted: str | None, *, here: Path) -> Place:
    """The analyses to serve.

    Args:
        wanted: A folder or a dotted path; `None` takes `analyses/` here, then this folder when it
            or its parent is called `analyses`, then the demos.
        here: The working directory.

    Raises:
        SettingError: The folder does not exist.
    """
    if wanted is not None:
        return _find_wanted(wanted, here)
    for folder in (here / NAME, here, here.parent):
        if folder.name == NAME and folder.is_dir():
            return from_folder(folder)
    return packaged()


def packaged() -> Place:
    """The demos: beside the package in a source tree, inside it in an installation."""
    inside = PACKAGE / "analyses_packaged"
    if inside.is_dir():
        return Place(inside, inside, PACKAGED, is_packaged=True)
    beside = PACKAGE.parent / NAME
    if beside.is_dir():
        return dataclasses.replace(from_folder(beside), is_packaged=True)
    raise SettingError(
        f"the packaged analyses are missing (neither '{inside}' nor '{beside}'); "
        "install Databench again, or give --analyses"
    )


def from_folder(folder: Path) -> Place:
    """A folder as a place: as far up as there are packages, or without one if it has no name.

    A folder whose name holds a dot cannot be named in an import; it is then the root itself.
    """
    folder = Path(os.path.abspath(folder))
    parts: list[str] = []
    root = folder
    while root.parent != root and (not parts or (root / "__init__.py").is_file()):
        if "." in root.name:
            return Place(folder, folder, "")
        parts.insert(0, root.name)
        root = root.parent
    return Place(folder, root, ".".join(parts))


def _find_wanted(wanted: str, here: Path) -> Place:
    folder = here / wanted
    if folder.is_dir():
        if (folder / MODULE_FILE).is_file() and not (folder / INDEX_FILE).is_file():
            raise SettingError(
                f"--analyses is '{wanted}', which is one analysis; give the folder that holds it: "
                f"'{Path(wanted) / '..' if wanted in ('.', '..') else Path(wanted).parent}'",
                name="analyses",
            )
        return from_folder(folder)
    if wanted == PACKAGED:
        return packaged()
    found = _find_dotted(wanted, here)
    if found is None:
        raise SettingError(
            f"--analyses is '{wanted}', which is neither a folder (relative to '{here}') "
            f"nor a package; give a folder, or a dotted path such as {NAME}",
            name="analyses",
        )
    root = found
    for _ in wanted.split("."):
        root = root.parent
    return Place(found, root, wanted, is_packaged=wanted == PACKAGED)


def _find_dotted(dotted: str, here: Path) -> Path | None:
    """The folder of a package, found without running any of its parents."""
    first, *others = dotted.split(".")
    if not all(part.isidentifier() for part in (first, *others)):
        return None
    specs = (_find_spec(finder, first, [str(here), *sys.path]) for finder in sys.meta_path)
    found = next(filter(None, specs), None)
    folders = found.submodule_search_locations if found else None
    for folder in folders or ():
        inner = Path(folder, *others)
        if inner.is_dir():
            return inner
    return None


def _find_spec(finder: object, name: str, path: list[str]) -> importlib.machinery.ModuleSpec | None:
    # A finder of an editable installation knows its packages by name, whatever the path.
    find_spec = getattr(finder, "find_spec", None)
    return None if find_spec is None else find_spec(name, path)
