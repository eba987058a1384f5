"""Which kernel is tested: a kernel spec by its name or its file, or a command."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..broker.supervision.kernelspec import KernelSpec, find_kernelspecs, read_kernelspec
from ..errors import SettingError

# Beside `kernel.yaml`: the conformance analysis in that kernel's language.
ANALYSIS_FOLDER = "conformance"


@dataclass(frozen=True)
class Target:
    """How the kernel is started.

    Attributes:
        name: For the report.
        command: Its command line.
        folder: The folder of the conformance analysis, absolute.
        root: The working directory, absolute.
    """

    name: str
    command: tuple[str, ...]
    folder: Path
    root: Path


def find_target(words: Sequence[str], analysis: Path | None, here: Path) -> Target:
    """The kernel that the command line names.

    Args:
        words: The name of a spec, its folder or `kernel.yaml`; anything else is a command.
        analysis: The folder of the conformance analysis; `None`: `conformance/` in the spec's
            folder, or for a command `here`.
        here: The working directory: `kernels/` in it holds specs.

    Raises:
        SettingError: The spec or the folder cannot be used.
    """
    if analysis is not None and not analysis.is_dir():
        raise SettingError(f"--analysis: '{analysis}' is not a folder", name="analysis")
    spec = _find_spec(words[0], here) if len(words) == 1 else None
    if spec is None:
        command = shlex.split(words[0]) if len(words) == 1 else list(words)
        if not command:
            raise SettingError("the command is empty; give a kernel spec or a command")
        return Target(Path(command[0]).name, tuple(command), (analysis or here).resolve(), here)
    if analysis is None:
        own = spec.folder / ANALYSIS_FOLDER
        analysis = own if own.is_dir() else spec.folder
    folder = analysis.resolve()
    problem = spec.find_problem(folder, folder.parent)
    if problem:
        raise SettingError(problem)
    return Target(spec.name, tuple(spec.command(folder)), folder, folder.parent)


def _find_spec(word: str, here: Path) -> KernelSpec | None:
    path = here / word
    if path.name == "kernel.yaml" and path.is_file():
        return read_kernelspec(path)
    if (path / "kernel.yaml").is_file():
        return read_kernelspec(path / "kernel.yaml")
    if "/" in word or " " in word:
        return None
    return find_kernelspecs(here / "kernels").get(word)
