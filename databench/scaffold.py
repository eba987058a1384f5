"""`databench new NAME`: makes an analysis to start from, which runs at once.

Owns which names are refused, and the files that it writes: two from the packaged `scaffold_py`, and
an entry in an `index.yaml` that lists its analyses. Overwrites nothing.
"""

from __future__ import annotations

import argparse
import difflib
import keyword
import os
import re
import shutil
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import yaml

from .broker.supervision.kernelspec import KernelSpec, find_kernelspecs
from .config import INDEX_FILE, MODULE_FILE, RESERVED, find_problem, load
from .errors import EXIT_USAGE, SettingError
from .front import folders

_TEMPLATE = "scaffold_py"
_CLASS = "ScaffoldPy"
_FILES = (MODULE_FILE, "index.html")
_DESCRIPTION = """\
Create the analysis NAME in the folder 'analyses', and the folder if it does not exist: a class and
a page, ready to run. Nothing is overwritten.

  databench new pi && databench
"""


def make_parser(prog: str = "databench new") -> argparse.ArgumentParser:
    """The parser of the subcommand; the help is made from it."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description=_DESCRIPTION,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("name", metavar="NAME", help="its folder and its place in the address: /NAME/")
    add("--kernel", default="py", metavar="KERNEL", help="the kernel spec that runs it (py)")
    return parser


def main(words: Sequence[str] | None = None, *, prog: str = "scaffold-databench") -> int:
    """Run the subcommand.

    Args:
        words: What follows its name; this process' own command line when `None`.
        prog: Its name, for the help.

    Returns:
        The exit status: 2 for what cannot be used.
    """
    options = make_parser(prog).parse_args(words)
    try:
        for line in make(options.name, options.kernel, here=Path.cwd()):
            print(line)
    except SettingError as error:
        print(f"databench: {error}", file=sys.stderr)
        return EXIT_USAGE
    return 0


def make(name: str, kernel: str, *, here: Path) -> list[str]:
    """Make an analysis.

    Args:
        name: Its name.
        kernel: The name of its kernel spec.
        here: The working directory.

    Returns:
        The lines to print: what was made, and what to do next.

    Raises:
        SettingError: It cannot be made; nothing was written.
    """
    _check_name(name)
    place = folders.find(None, here=here)
    analyses = here / folders.NAME if place.is_packaged else place.folder
    folder = analyses / name
    spec = _find_spec(kernel, find_kernelspecs(analyses.parent / "kernels"))
    if spec.problem:
        raise SettingError(spec.problem)
    if os.path.lexists(folder):
        raise SettingError(
            f"'{_show(folder, here)}' already exists, and nothing is overwritten; "
            "give another name, or move it away"
        )
    is_ours = False
    try:
        folder.mkdir(parents=True)
        is_ours = True
        made = _write_files(name, spec, folder)
        told = [f"created {', '.join(_show(path, here) for path in made)}"]
        told += _enter(name, kernel, analyses, here)
    except OSError as error:
        if is_ours:
            shutil.rmtree(folder, ignore_errors=True)
        raise SettingError(f"'{_show(folder, here)}' cannot be created: {error.strerror}") from None
    return [*told, f"start it with: databench    (its page: /{name}/)"]


def _check_name(name: str) -> None:
    """Refuse what would not be served.

    Raises:
        SettingError: With a name that would be.
    """
    if name and find_problem(name) is None:
        return
    near = re.sub(r"[^A-Za-z0-9-]+", "_", name).strip("_-")
    near = f"my_{near}" if near in RESERVED else near or "analysis"
    raise SettingError(
        f"name of an analysis is {name!r}, expected letters, digits, - and _, a letter or a digit "
        f"first, and none of {', '.join(RESERVED)}; how about '{near}'?",
        name="name",
    )


def _name_class(name: str) -> str:
    """The class of an analysis, in Python's manner: `my-pi` has `MyPi`."""
    joined = "".join(part[:1].upper() + part[1:] for part in re.split("[-_]", name))
    is_fine = joined.isidentifier() and not keyword.iskeyword(joined)
    return joined if is_fine else f"Analysis{joined}"


def _find_spec(kernel: str, kernelspecs: dict[str, KernelSpec]) -> KernelSpec:
    if kernel in kernelspecs:
        return kernelspecs[kernel]
    near = difflib.get_close_matches(kernel, kernelspecs, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    known = ", ".join(sorted(kernelspecs))
    raise SettingError(f"there is no kernel {kernel!r} (--kernel), known: {known}{hint}")


def _write_files(name: str, spec: KernelSpec, folder: Path) -> list[Path]:
    """The template's files; a kernel of another language has its own, or a page alone."""
    source = folders.packaged().folder / _TEMPLATE
    sources = [source / file for file in _FILES]
    if spec.name != "py":
        own = sorted((spec.folder / "scaffold").glob("*"))
        sources = [path for path in own if path.is_file()] or [source / "index.html"]
    class_name = _name_class(name)
    made = []
    for path in sources:
        text = path.read_text(encoding="utf-8").replace(_CLASS, class_name)
        made.append(folder / path.name)
        made[-1].write_text(text, encoding="utf-8")
    return made


def _show(path: Path, here: Path) -> str:
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


# ---------------------------------------------------------------- index.yaml


def _enter(name: str, kernel: str, analyses: Path, here: Path) -> list[str]:
    """Enter it in `index.yaml`, if it would not be served otherwise; the lines to print."""
    file = analyses / INDEX_FILE
    index = load(analyses, kernels=(kernel,))
    if index.entries.get(name) and kernel == "py":
        return []  # found by its folder
    others = [entry for entry in index.entries if entry != name]
    lines = [f"- name: {name}"] + ([f"  kernel: {kernel}"] if kernel != "py" else [])
    before = file.read_bytes().decode("utf-8") if file.is_file() else ""
    after = None if index.problems else enter(before, lines, others)
    if after is None:
        return [f"add to 'analyses' in {_show(file, here)}:", *(f"  {line}" for line in lines)]
    file.write_bytes(after.encode("utf-8"))
    return [f"added it to {_show(file, here)}"]


def enter(text: str, lines: Sequence[str], others: Collection[str] = ()) -> str | None:
    """The text of an `index.yaml` with one more entry; all else stays as it is.

    Args:
        text: As it is; empty if there is none.
        lines: The entry, without indentation.
        others: The analyses that are served although no list names them.

    Returns:
        `None` if it is written so that the user must do it.
    """
    text = text if text.endswith(("\n", "\r")) or not text else f"{text}\n"
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None or (isinstance(root, yaml.MappingNode) and not _find(root, "analyses")):
        listed = [line for other in others for line in (f"  - name: {other}",)]
        rows = ["analyses:", *listed, *(f"  {line}" for line in lines)]
        return _if_sound(text, _join(text.splitlines(), rows, text), lines)
    node = _find(root, "analyses") if isinstance(root, yaml.MappingNode) else None
    if not isinstance(node, yaml.SequenceNode) or node.flow_style or not node.value:
        return None
    rows = text.splitlines()
    end = node.end_mark.line
    while end > 0 and (not rows[end - 1].strip() or rows[end - 1].lstrip().startswith("#")):
        end -= 1
    own = [" " * node.start_mark.column + line for line in lines]
    # Before comments that stand behind the list; they may be lines of a text in it, though.
    tries = (_join(rows[:at], [*own, *rows[at:]], text) for at in (end, node.end_mark.line))
    return next((after for each in tries if (after := _if_sound(text, each, lines))), None)


def _find(root: yaml.MappingNode, key: str) -> yaml.Node | None:
    return next((value for name, value in root.value if name.value == key), None)


def _join(before: list[str], after: list[str], text: str) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    return end.join([*before, *after]) + end


def _if_sound(before: str, after: str, lines: Sequence[str]) -> str | None:
    """The new text, if it means the same as the old one plus the entry."""
    old: dict[str, Any] = yaml.safe_load(before) or {}
    try:
        new = yaml.safe_load(after)
    except yaml.YAMLError:
        return None
    entry = yaml.safe_load("\n".join(lines))
    listed = old.get("analyses") or new["analyses"][:-1]
    is_sound = new == {**old, "analyses": [*listed, *entry]}
    return after if is_sound else None
