"""Kernel specs: how to start a kernel of each language (`kernels/<name>/kernel.yaml`).

A spec is a map with `argv` (a list; `{python}` is this interpreter, `{databench}` the folder of
Databench's own code, `{spec}` the spec's, `{analysis}` the analysis'), `protocol` (the version it
speaks) and `language`. A file that cannot be used makes a spec that says why: its analyses show
that, and everything else is served.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from ...config.nodes import compose_anew, construct, pairs, read_text
from ...errors import SettingError
from ...protocol.messages import PROTOCOL_VERSION
from ...settings import show

PACKAGE = Path(__file__).resolve().parents[2]
SPEC_FILE = "kernel.yaml"
SPEC_BYTES = 2**14  # a save of one is read on the loop
PLACEHOLDERS = ("python", "databench", "spec", "analysis")
_PLACEHOLDER = re.compile(r"\{(\w{1,32})\}")
KEYS = ("argv", "protocol", "language", "display_name", "build")


@dataclass(frozen=True)
class KernelSpec:
    """How to start one kind of kernel.

    Attributes:
        name: The folder's name; `kernel:` in `index.yaml` names it.
        folder: Where `kernel.yaml` is, absolute.
        argv: The command, with its placeholders; empty where there is a problem.
        language: For people.
        problem: Why it cannot be used, with file and line; empty when it can.
        file: Where it was read, absolute; `None`: a program made it, and nothing checks it.
    """

    name: str
    folder: Path
    argv: tuple[str, ...]
    language: str
    problem: str = ""
    file: Path | None = None

    @property
    def label(self) -> str:
        """The file, for people: `kernels/tiny/kernel.yaml`."""
        return f"kernels/{self.name}/{SPEC_FILE}"

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

    def find_problem(self, analysis_folder: Path, root: Path) -> str:
        """Why no kernel of an analysis can be started; empty: nothing is known against it.

        Args:
            analysis_folder: The analysis'.
            root: The kernel's working directory.
        """
        return self.problem or self.find_program_problem(analysis_folder, root)

    def refuse_start(self, analysis_folder: Path, root: Path) -> str:
        """The same for every page: without a file of the project."""
        if self.problem:
            return f"the kernel spec {self.name!r} cannot be used; the server's log says why"
        return self.find_program_problem(analysis_folder, root)

    def find_program_problem(self, analysis_folder: Path, root: Path) -> str:
        """Why its program cannot be run, in words without a file of ours; empty: it can."""
        places = self.find_places(analysis_folder, root)
        found = [place for place in places if os.path.isfile(place)]
        if not places or any(_may_run(place) for place in found):
            return ""
        program = self.command(analysis_folder)[0]
        if found:
            return f"the program {program!r} may not be executed; make it executable (chmod +x)"
        if os.sep in program:
            return f"the program {program!r} is not there"
        return (
            f"the program {program!r} is not in PATH; install it, or start Databench with a PATH "
            "that has it"
        )

    def find_places(self, analysis_folder: Path, root: Path) -> list[str]:
        """Where the system looks for its program; nowhere for one that is not checked."""
        if self.file is None or self.problem:
            return []
        program = self.command(analysis_folder)[0]
        folders = [""] if os.sep in program else os.get_exec_path()
        return [os.path.join(root, folder, program) for folder in folders]

    def read_again(self) -> KernelSpec:
        """The spec as its file is now."""
        return self if self.file is None else _read(self.file)


def find_kernelspecs(*folders: Path) -> dict[str, KernelSpec]:
    """Every kernel spec, by name; those that cannot be used have a problem.

    Args:
        folders: Further folders of specs, before the ones that Databench has.
    """
    found: dict[str, KernelSpec] = {}
    for folder in (*folders, PACKAGE.parent / "kernels", PACKAGE / "kernels_packaged"):
        for path in _list_files(folder):
            if path.parent.name not in found:
                found[path.parent.name] = _read(path)
    return found


def find_folder_problem(folder: Path) -> str:
    """Why a folder of specs cannot be looked through; empty: it can, or there is none."""
    try:
        os.listdir(folder)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{_shorten(folder)}: the folder of kernel specs cannot be read: {error.strerror}"
    return ""


def adopt(
    known: dict[str, KernelSpec], found: Mapping[str, KernelSpec], used: Iterable[str]
) -> None:
    """Replace the specs that are known by those that exist now.

    Args:
        known: By name; changed.
        found: By name.
        used: The names that analyses in use still need: one that is gone keeps its name.
    """
    gone = {name: known[name] for name in used if name in known and name not in found}
    known.clear()
    known.update(found)
    for name, spec in gone.items():
        problem = spec.problem or f"{spec.label}: the file is gone"
        known[name] = replace(spec, argv=(), problem=problem)


def read_kernelspec(path: Path) -> KernelSpec:
    """Read one `kernel.yaml`.

    Raises:
        SettingError: With file and line, what was expected and what is there.
    """
    shown = _shorten(path)
    text = _read_text(path, shown)
    node, problem, line = compose_anew(text)
    if problem:
        raise SettingError(problem, file=shown, line=line)
    if not isinstance(node, yaml.MappingNode):
        line = node.start_mark.line + 1 if node else None
        raise SettingError(
            "a kernel spec is a map of keys to values; it needs argv and protocol",
            file=shown,
            line=line,
        )
    values = _read_values(node, shown)
    for key, example in (("argv", "argv: [python3, kernel.py]"), ("protocol", "protocol: 1")):
        if key not in values:
            raise SettingError(f"{key} is missing, expected for example '{example}'", file=shown)
    folder = path.parent
    return KernelSpec(
        folder.name, folder.resolve(), values["argv"], values.get("language", ""), file=path
    )


# ---------------------------------------------------------------- parts


def _read(path: Path) -> KernelSpec:
    try:
        return read_kernelspec(path)
    except SettingError as error:
        return KernelSpec(path.parent.name, path.parent, (), "", str(error), path)


def _list_files(folder: Path) -> Iterator[Path]:
    """The `kernel.yaml` of each folder that has one, or that does not let itself be asked."""
    try:
        names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError:
        return  # see `find_folder_problem`
    for name in names:
        path = folder / name / SPEC_FILE
        try:
            path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            pass  # its reader says why
        yield path


def _shorten(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _read_text(path: Path, shown: str) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # to open a pipe would wait for its writer
            raise SettingError("the kernel spec is not a file", file=shown)
        return read_text(path, SPEC_BYTES)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SettingError(
            f"the kernel spec is not UTF-8: byte {error.object[error.start]:#04x}",
            file=shown,
            line=line,
        ) from None
    except (OSError, RuntimeError) as error:  # the latter is a circle of links
        why = getattr(error, "strerror", None) or error
        raise SettingError(f"the kernel spec cannot be read: {why}", file=shown) from None


def _read_values(node: yaml.MappingNode, shown: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    where: yaml.Node = node
    try:
        for key_node, value_node in list(pairs(node)):
            where = key_node
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key not in _CHECKS:
                raise ValueError(_tell_unknown(key))
            if key in values:
                raise ValueError(f"key {key!r} stands there twice; keep one")
            where = value_node
            values[key] = _CHECKS[key](construct(value_node))
    except (ValueError, yaml.YAMLError) as error:
        line = where.start_mark.line + 1
        raise SettingError(" ".join(str(error).split()), file=shown, line=line) from None
    return values


def _tell_unknown(key: str | None) -> str:
    if key is None:
        return f"a key is not text, expected one of {', '.join(KEYS)}"
    near = difflib.get_close_matches(key.lower(), KEYS, n=1)
    hint = f"did you mean '{near[0]}'? Known: " if near else "known: "
    return f"unknown key {show(key)}; {hint}{', '.join(KEYS)}"


def _check_argv(value: Any) -> tuple[str, ...]:
    expected = f"argv is {show(value)}, expected a list of words"
    if isinstance(value, str) and value.split():
        raise ValueError(f"{expected}, here {show(value.split())}")
    if not isinstance(value, list) or not value:
        raise ValueError(f"{expected}, the program first")
    for word in value:
        if not isinstance(word, str):
            raise ValueError(f"{expected}; {show(word)} is not text: put it in quotes")
        if "\0" in word or any("\ud800" <= letter <= "\udfff" for letter in word):
            raise ValueError(f"{expected}; {show(word)} cannot be passed to a program")
        for name in _PLACEHOLDER.findall(word):  # others may be the program's own
            near = difflib.get_close_matches(name, PLACEHOLDERS, n=1, cutoff=0.7)
            if near and name not in PLACEHOLDERS:
                raise ValueError(f"argv has '{{{name}}}'; did you mean '{{{near[0]}}}'?")
    if not value[0].strip():
        raise ValueError(f"{expected}, the program first")
    return tuple(value)


def _check_protocol(value: Any) -> int:
    if type(value) is int and value == PROTOCOL_VERSION:
        return value
    if type(value) is int:
        raise ValueError(
            f"protocol is {show(value)}, this Databench speaks {PROTOCOL_VERSION}; use a kernel "
            f"for version {PROTOCOL_VERSION}, or another Databench"
        )
    raise ValueError(f"protocol is {show(value)}, expected the number {PROTOCOL_VERSION}")


def _text_of(key: str) -> Any:
    def check(value: Any) -> str:
        if value is None or isinstance(value, str):
            return value or ""
        raise ValueError(f"{key} is {show(value)}, expected text (in quotes)")

    return check


def _check_nothing(value: Any) -> Any:
    return value  # reserved


_CHECKS = {
    "argv": _check_argv,
    "protocol": _check_protocol,
    "language": _text_of("language"),
    "display_name": _text_of("display_name"),
    "build": _check_nothing,
}


def _may_run(path: str) -> bool:
    """As the system decides it when the program is started: by the effective user."""
    return os.access(path, os.X_OK, effective_ids=os.access in os.supports_effective_ids)
