"""Kernel specs: how to start a kernel of each language (`kernels/<name>/kernel.yaml`).

A spec is a map with `argv` (a list; `{python}` is this interpreter, `{databench}` the folder of
Databench's own code, `{spec}` the spec's, `{analysis}` the analysis'), `protocol` (the version it
speaks) and `language`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ...errors import SettingError
from ...protocol.messages import PROTOCOL_VERSION

PACKAGE = Path(__file__).resolve().parents[2]
KEYS = {"argv", "protocol", "language", "display_name", "build"}


@dataclass(frozen=True)
class KernelSpec:
    """How to start one kind of kernel.

    Attributes:
        name: The folder's name; `kernel:` in `index.yaml` names it.
        folder: Where `kernel.yaml` is, absolute.
        argv: The command, with its placeholders.
        language: For people.
    """

    name: str
    folder: Path
    argv: tuple[str, ...]
    language: str

    def command(self, analysis_folder: Path) -> list[str]:
        """The command line that starts it for an analysis."""
        values = {
            "{python}": sys.executable,
            "{databench}": str(PACKAGE),
            "{spec}": str(self.folder),
            "{analysis}": str(analysis_folder),
        }
        words = []
        for word in self.argv:
            for name, value in values.items():
                word = word.replace(name, value)
            words.append(word)
        return words


def find_kernelspecs(*folders: Path) -> dict[str, KernelSpec]:
    """Every kernel spec, by name.

    Args:
        folders: Further folders of specs, before the ones that Databench has.

    Raises:
        SettingError: A `kernel.yaml` that cannot be used.
    """
    found: dict[str, KernelSpec] = {}
    for folder in (*folders, PACKAGE.parent / "kernels", PACKAGE / "kernels_packaged"):
        for path in sorted(folder.glob("*/kernel.yaml")):
            found.setdefault(path.parent.name, read_kernelspec(path))
    return found


def read_kernelspec(path: Path) -> KernelSpec:
    """Read one `kernel.yaml`.

    Raises:
        SettingError: With the file, what was expected and what is there.
    """
    try:
        content: Any = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise SettingError(f"kernel spec cannot be read: {error}", file=str(path)) from None
    if not isinstance(content, dict):
        raise SettingError("kernel spec is not a map; it needs argv and protocol", file=str(path))
    unknown = sorted(set(content) - KEYS)
    if unknown:
        raise SettingError(
            f"kernel spec has the unknown key {unknown[0]!r}; known: {', '.join(sorted(KEYS))}",
            file=str(path),
        )
    argv = content.get("argv")
    if not isinstance(argv, list) or not argv or not all(isinstance(a, str) for a in argv):
        raise SettingError(f"argv is {argv!r}, expected a list of words", file=str(path))
    if content.get("protocol") != PROTOCOL_VERSION:
        raise SettingError(
            f"protocol is {content.get('protocol')!r}, this Databench speaks {PROTOCOL_VERSION}",
            file=str(path),
        )
    return KernelSpec(
        path.parent.name, path.parent.resolve(), tuple(argv), str(content.get("language", ""))
    )
