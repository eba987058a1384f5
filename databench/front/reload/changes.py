"""What a changed file means: which kernels restart, which pages reload, what else is read again.

Pure: no file, clock or socket. `scan` finds the changes, `watch` carries out the decisions.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ...broker.supervision.kernelspec import SPEC_FILE
from ...config import INDEX_FILE, MODULE_FILE, ROUTES_FILE
from .scan import PAGE_ENDINGS, SOURCE_ENDINGS, Scan, Token

_EXAMPLES = ("analyses_packaged", "tests")  # of Databench's folder: analyses like any other


@dataclass(frozen=True)
class AnalysisFiles:
    """An analysis, as far as changes concern it.

    Attributes:
        name: Its name.
        folder: Its folder.
        globs: Its patterns under `watch:`, absolute, and those of the whole project.
        sources: The files that its kernel named; `None` while it has named none.
        is_ready: Whether its kernel came to the end of its start; one that did not may wait for a
            file that it could not name.
        kernel_folder: The folder of its kernel spec, where that is the project's own.
        is_broken: Whether `index.yaml` has a problem with it.
    """

    name: str
    folder: str
    globs: frozenset[str] = frozenset()
    sources: frozenset[str] | None = None
    is_ready: bool = True
    kernel_folder: str = ""
    is_broken: bool = False


@dataclass(frozen=True)
class Steps:
    """The steps to take.

    Attributes:
        restarts: Analyses with the files for which their kernels restart.
        shown: Files that pages may show.
        reads_index: Whether to read `index.yaml`, the list of folders or a `routes.py` again.
        own: Databench's own source files.
    """

    restarts: dict[str, list[str]] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)
    reads_index: bool = False
    own: list[str] = field(default_factory=list)


def judge(
    scan: Scan,
    analyses: Sequence[AnalysisFiles],
    *,
    folder: str,
    package: str,
    kernels: str = "",
    programs: frozenset[str] = frozenset(),
) -> Steps:
    """Decide what follows.

    Args:
        scan: What changed.
        analyses: All that there are.
        folder: The analyses' folder.
        package: Databench's own folder.
        kernels: The folder of the project's kernel specs; empty: it has none.
        programs: The patterns of the programs that broken analyses may lack.
    """
    steps = Steps(
        own=sorted(p for p, tokens in scan.changed.items() if _is_own(p, tokens, package))
    )
    reads_index = False
    for path, tokens in sorted(scan.changed.items()):
        if _ending(path) in PAGE_ENDINGS:
            steps.shown.append(path)
        is_gone = path in scan.gone
        reads_index = reads_index or _concerns_index(path, analyses, folder, is_gone=is_gone)
        reads_index |= _is_spec(path, kernels)
        reads_index |= any(kind == "glob" and pattern in programs for kind, pattern in tokens)
        for analysis in analyses:
            if _concerns_kernel(path, tokens, analysis, folder):
                steps.restarts.setdefault(analysis.name, []).append(path)
    names = {analysis.name for analysis in analyses}
    for name, path in sorted(scan.late):
        if name in names and path not in steps.restarts.get(name, ()):
            steps.restarts.setdefault(name, []).append(path)
    return Steps(steps.restarts, steps.shown, reads_index, steps.own)


def find_builds(
    scan: Scan, analyses: Sequence[AnalysisFiles], project: frozenset[str], folder: str
) -> dict[str, set[str]]:
    """The builds to run again: by the file that was saved, the names that depend on it.

    An analysis depends on what its patterns name, and on the Python files for which its kernel
    restarts; the project on what its own patterns name, and on those of any of its analyses.

    Args:
        scan: What changed.
        analyses: All that there are.
        project: The patterns of the whole project, whose name is "".
        folder: The analyses' folder.
    """
    found: dict[str, set[str]] = {}
    for path, tokens in scan.changed.items():
        patterns = {pattern for kind, pattern in tokens if kind == "glob"}
        names = {analysis.name for analysis in analyses if patterns & analysis.globs}
        is_python = _ending(path) == ".py"
        readers = {a.name for a in analyses if is_python and _concerns_kernel(path, (), a, folder)}
        names |= readers
        if patterns & project or readers:
            names.add("")
        if names:
            found[path] = names
    return found


def _concerns_kernel(
    path: str, tokens: Iterable[Token], analysis: AnalysisFiles, folder: str
) -> bool:
    if analysis.sources is not None and path in analysis.sources:
        return True
    if any(kind == "glob" and pattern in analysis.globs for kind, pattern in tokens):
        return True
    if _ending(path) not in SOURCE_ENDINGS or os.path.basename(path) == ROUTES_FILE:
        return False
    if analysis.sources is not None and analysis.is_ready:
        return False
    if _is_below(path, analysis.folder):
        return not _is_of_page(path, analysis.folder)
    if analysis.kernel_folder and _is_below(path, analysis.kernel_folder):
        return True
    # A start that failed may have looked for a module beside the analyses.
    return not analysis.is_ready and os.path.dirname(path) == folder


def _is_of_page(path: str, folder: str) -> bool:
    """Whether only the page reads this file of an analysis."""
    return _is_below(path, os.path.join(folder, "static")) or path == os.path.join(
        folder, "analysis.js"
    )


def _concerns_index(
    path: str, analyses: Sequence[AnalysisFiles], folder: str, *, is_gone: bool
) -> bool:
    inside, name = os.path.split(path)
    if path == os.path.join(folder, INDEX_FILE):
        return True
    owner = next((a for a in analyses if _is_below(path, a.folder)), None)
    if owner is not None and owner.is_broken:
        return True
    if name == ROUTES_FILE:
        return owner is not None and inside == owner.folder
    if inside == folder and _ending(path) == ".py":
        return True  # the description of an analysis made of functions
    return name == MODULE_FILE and os.path.dirname(inside) == folder and (owner is None or is_gone)


def _is_spec(path: str, kernels: str) -> bool:
    folder, name = os.path.split(path)
    return bool(kernels) and name == SPEC_FILE and os.path.dirname(folder) == kernels


def _is_own(path: str, tokens: Iterable[Token], package: str) -> bool:
    if _ending(path) != ".py" or ("folder", package) not in tokens:
        return False
    return not any(_is_below(path, os.path.join(package, name)) for name in _EXAMPLES)


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(folder + os.sep)


def _ending(path: str) -> str:
    return os.path.splitext(path)[1].lower()
