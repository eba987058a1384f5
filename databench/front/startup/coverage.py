"""`--coverage FILE`: which lines of the server and of the analyses have run.

The front and every kernel (`kernel.process.coverage`) measure themselves, each into a separate file
beside FILE; at the end, the front combines them into FILE, with its earlier content.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import SettingError
from ...install import pip_install
from ...protocol.variables import COVERAGE

log = logging.getLogger("databench.front")

_ANOTHER = "nothing was started; name another file, or remove this one"


def _find_problem(path: Path, *, has_branches: bool) -> str | None:
    """Why coverage.py cannot write to this file, or add to it; to an empty one it can.

    It is only read here: coverage.py itself makes its tables in whatever database it is given.
    """
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        return "the file cannot be written"
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return None
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as data:
            data.execute("SELECT version FROM coverage_schema").fetchall()
            found = dict(data.execute("SELECT key, value FROM meta"))
    except sqlite3.Error:
        return f"the file is not coverage data, and coverage.py would overwrite it; {_ANOTHER}"
    if bool(int(found.get("has_arcs", has_branches))) != has_branches:
        kinds = ("lines", "branches")
        found_kind, kind = kinds[not has_branches], kinds[has_branches]
        return f"the file holds {found_kind}, but this run measures {kind}; {_ANOTHER}"
    return None


def _start(own: Any) -> None:
    """Start, and no more: a configuration may ask to measure every process.

    Kernels measure themselves, and what an analysis starts is its own matter.
    """
    before = set(os.environ)
    own.start()
    for name in set(os.environ) - before:
        if name.startswith("COVERAGE_PROCESS_"):
            del os.environ[name]


@contextlib.contextmanager
def measured(file: str | None) -> Iterator[None]:
    """Measure what runs inside, and in the kernels that it starts.

    Args:
        file: Where to; `None`: nothing is measured.

    Raises:
        SettingError: The package coverage is missing, or FILE cannot be written, or is not its own.
    """
    if file is None:
        yield
        return
    try:
        import coverage
    except ImportError:
        raise SettingError(
            f"--coverage needs the package coverage: {pip_install('databench[coverage]')}",
            name="coverage",
        ) from None
    path = Path(file).absolute()
    own = coverage.Coverage(data_file=str(path), data_suffix=True)
    problem = _find_problem(path, has_branches=bool(own.get_option("run:branch")))
    if problem is not None:
        raise SettingError(f"--coverage {file}: {problem}", name="coverage")
    _start(own)
    os.environ[COVERAGE] = str(path)
    try:
        yield
    finally:
        own.stop()
        own.save()
        del os.environ[COVERAGE]
        combined = coverage.Coverage(data_file=str(path))
        combined.load()
        combined.combine()
        combined.save()
        log.info("coverage: written to %s", path)
