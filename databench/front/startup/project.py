"""The served project: a folder of analyses, or one script, with its specs for the broker.

Owns what belongs to it: its `index.yaml`, its kernel specs, its name and its address.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from ... import broker
from ...broker import AnalysisSpec
from ...broker.supervision.kernelspec import KernelSpec, find_folder_problem, find_kernelspecs
from ...config import Entry, Index, load, of_script
from ...protocol.placement import Sharing
from .. import folders
from .script import Routes, ServedScript


@dataclasses.dataclass(frozen=True)
class Project:
    """What is served.

    Attributes:
        index: The analyses, and everything else in `index.yaml`.
        specs: Those that can run, for the broker.
        kernelspecs: The kernels that there are.
        shown: Its name in the terminal.
        address: The page to open, without a slash in front.
        warnings: Doubts about it.
        extra_routes: Further handlers of a script.
        place: Where the analyses of a folder are.
    """

    index: Index
    specs: Mapping[str, AnalysisSpec]
    kernelspecs: Mapping[str, KernelSpec]
    shown: str
    address: str = ""
    warnings: tuple[str, ...] = ()
    extra_routes: Routes = ()
    place: folders.Place | None = None


def from_folder(wanted: str | None, *, here: Path) -> Project:
    """The analyses of a folder.

    Args:
        wanted: As in `folders.find`.
        here: The working directory.

    Raises:
        SettingError: The folder does not exist.
    """
    place = folders.find(wanted, here=here)
    kernelspecs = find_kernelspecs(place.kernels)
    index = _judge_kernels(load(place.folder, kernels=kernelspecs), kernelspecs, place)
    return Project(
        index,
        specs(index, place),
        kernelspecs,
        shown="the packaged analyses" if place.is_packaged else str(place.folder),
        place=place,
    )


def specs(index: Index, place: folders.Place) -> dict[str, AnalysisSpec]:
    """The specs, for the broker, of the analyses of a folder that can run."""
    return {
        entry.name: AnalysisSpec(
            name=entry.name,
            folder=entry.folder,
            module=_module(entry, place),
            root=place.root,
            kernel=entry.kernel,
            version=entry.version,
            limits=entry.limits,
            sharing=Sharing(entry.isolation, entry.processes, entry.preheat, entry.max_kernels),
            restarts_at_once=entry.reload == "at once",
        )
        for entry in index.entries.values()
        if not entry.problems
    }


def _judge_kernels(
    index: Index, kernelspecs: Mapping[str, KernelSpec], place: folders.Place
) -> Index:
    """The index with what is wrong with kernels: in the analyses that need them, else a warning."""
    entries = dict(index.entries)
    for name, entry in entries.items():
        spec = kernelspecs.get(entry.kernel)
        if spec and (problem := spec.find_problem(entry.folder, place.root)):
            text = problem if spec.problem else f"{spec.label}: {problem}"
            problems = (*entry.problems, f"{text}; analysis {name!r} needs this kernel")
            entries[name] = dataclasses.replace(entry, problems=problems)
    needed = {entry.kernel for entry in entries.values()}
    idle = [s for s in kernelspecs.values() if s.problem and s.name not in needed]
    warnings = [f"{spec.problem}; no analysis needs this kernel" for spec in idle]
    warnings += filter(None, [find_folder_problem(place.kernels)])
    return dataclasses.replace(index, entries=entries, warnings=(*index.warnings, *warnings))


def _module(entry: Entry, place: folders.Place) -> str:
    if entry.functions is None or not entry.functions.is_beside_others:
        return place.module(entry.name)
    return place.beside(entry.functions.file.stem)


def from_script(script: ServedScript, *, here: Path) -> Project:
    """One script.

    Args:
        script: What is known of it.
        here: The working directory, the kernel's too.

    Raises:
        SettingError: Its `info` or its `static` cannot be used.
    """
    index, warnings = of_script(
        script.file,
        script.folder,
        script.name,
        title=script.title,
        info=script.info,
        static=script.static,
        is_at_root=script.is_at_root,
    )
    file = None if script.is_imported else script.file
    spec = AnalysisSpec(
        name=script.name,
        folder=script.folder,
        module=script.module,
        root=here,
        version=index.version,
        script=broker.Script(file, script.class_name, script.argv, script.path),
    )
    return Project(
        index,
        {script.name: spec},
        find_kernelspecs(),
        shown=str(script.file),
        address="" if script.is_at_root else f"{script.name}/",
        warnings=tuple(warnings),
        extra_routes=script.extra_routes,
    )
