"""Templates: where a name is looked up, and the message if one is wrong.

Databench looks for a name in `extends` or `include` beside the template that has it, then in the
analyses' folder, then in the package; it never is that template itself, so an overriding
`base.html` may extend the `base.html` that it overrides. The package's own templates look in the
analyses' folder first. A file that is not a template (`authored`) is not found.

A compiled template is kept, with the files that it was made of, until one of them changes: those
that it extends and includes, and missing ones that would come before them. In production, only
files that the author wrote before the start run, so nothing is checked again there.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import re
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

import tornado.template

from . import templatereads
from .authored import Authored
from .sources import PageSources

_CHANGED = (
    "was changed after the server started, so it is not run: an analysis may have written it. If "
    "you wrote it, stop the server, save the file again and start the server, or start it with "
    "--trust-pages"
)
PACKAGED = Path(__file__).resolve().parent / "templates"
# Tornado ends each generated line with `# <template>:<line>`.
_PLACE = re.compile(r"#\s(?P<file>[^#]+?):(?P<line>\d+)(?: \(via .*\))?$")


class TemplateError(Exception):
    """A template that cannot be read, parsed or run.

    Args:
        text: What is wrong.
        file: Which template, or `None`.
        line: Where in it, from 1, or `None`.
    """

    def __init__(self, text: str, *, file: str | None = None, line: int | None = None) -> None:
        place = "" if file is None else f"{file}: " if line is None else f"{file}:{line}: "
        super().__init__(place + text)
        self.file = file
        self.line = line


@dataclasses.dataclass(frozen=True)
class Compiled:
    """A template that was read.

    Attributes:
        template: Tornado's.
        sources: What it was made of.
    """

    template: tornado.template.Template
    sources: PageSources

    @functools.cached_property
    def reads(self) -> frozenset[str] | None:
        """The names on which alone its page depends; `None`: it may depend on something else."""
        return templatereads.find_reads(self.template.code)


class Loader(tornado.template.BaseLoader):
    """Loads templates by absolute path, and finds those that they name.

    Args:
        folder: The analyses' folder.
        authored: Which files are templates; `None`: all are.
        follows_saves: Whether a template is read again when a file of it has changed.
    """

    def __init__(
        self, folder: Path, authored: Authored | None = None, *, follows_saves: bool = False
    ) -> None:
        # White space stays as it is written: collapsing it spoils `<pre>` and `<textarea>`.
        super().__init__(whitespace="all")
        self.folder = folder
        self._authored = authored
        self._follows_saves = follows_saves
        self._compiled: dict[str, Compiled] = {}
        self._noting: list[PageSources] = []
        self._reading: list[str] = []  # each is extended or included by the one before
        # Those that were read meanwhile: Tornado asks for each again and again then.
        self._current: set[str] = set()

    def load(self, name: str, parent_path: str | None = None) -> tornado.template.Template:
        """A template, as it is now."""
        return self.compile(self.resolve_path(name, parent_path)).template

    def compile(self, path: str) -> Compiled:
        """The template of an absolute path, with what is known of it.

        Raises:
            TemplateError: It cannot be read, or is none.
            ParseError: Tornado's.
        """
        known = self._compiled.get(path)
        if known is None or not (path in self._current or self._is_current(known)):
            known = self._compiled[path] = self._read(path)
        if self._reading:
            self._current.add(path)
        for noting in self._noting[-1:]:
            noting.update(known.sources)
        return known

    def _read(self, path: str) -> Compiled:
        if path in self._reading:
            circle = [*self._reading[self._reading.index(path) :], path]
            raise TemplateError(
                f"templates extend or include each other in a circle: {self._name(circle)}",
                file=self._reading[-1],
            )
        sources = PageSources(path)
        self._reading.append(path)
        try:
            with self.noting(sources):
                return Compiled(self._create_template(path), sources)
        finally:
            self._reading.pop()
            if not self._reading:
                self._current.clear()

    def _name(self, paths: Sequence[str]) -> str:
        """Paths as messages show them: below the analyses' folder from there."""
        return " > ".join(path.removeprefix(f"{self.folder}{os.sep}") for path in paths)

    def _is_current(self, known: Compiled) -> bool:
        if not self._follows_saves:
            return True
        return known.sources.is_settled and known.sources.are_unchanged()

    @contextlib.contextmanager
    def noting(self, sources: PageSources) -> Iterator[None]:
        """Note the files that are checked inside."""
        self._noting.append(sources)
        try:
            yield
        finally:
            self._noting.pop()

    def is_template(self, path: str | Path) -> bool:
        """Whether a file is a template as it is now, or was one when it was first used."""
        return str(path) in self._compiled or _is_own(path, self._authored, as_it_is=True)

    def knows(self, path: str | Path) -> bool:
        """Whether a file is a template, which may have been changed since it was known."""
        return _is_own(path, self._authored)

    def find(self, name: str) -> str:
        """The path of a template that no other one names.

        Raises:
            TemplateError: There is none.
        """
        return self.resolve_path(name, None)

    def resolve_path(self, name: str, parent_path: str | None = None) -> str:
        """The path of the template that `parent_path` calls `name`."""
        folders = [self.folder, PACKAGED]
        if parent_path is not None and not parent_path.startswith("<"):
            beside = Path(parent_path).parent
            if beside not in folders:
                folders.insert(0, beside)
        if os.path.isabs(name):
            return name
        late = ""
        for folder in folders:
            path = os.path.normpath(folder / name)
            if path == parent_path:
                continue
            for noting in self._noting[-1:]:
                noting.add(path)
            if os.path.isfile(path):
                if self.knows(path):
                    return path
                late = f"; {path!r} is not run as one, because it was written while a server ran"
        raise TemplateError(f"there is no template {name!r}{late}", file=parent_path)

    def _create_template(self, name: str) -> tornado.template.Template:
        if not _is_own(name, self._authored, as_it_is=True):
            raise TemplateError(_CHANGED, file=name)
        try:
            content = Path(name).read_bytes()
        except OSError as error:
            raise TemplateError(f"cannot be read: {error.strerror}", file=name) from None
        return tornado.template.Template(content, name=name, loader=self)


class OfRoutes(tornado.template.Loader):
    """Loads the templates that a handler of `routes.py` renders.

    Args:
        folder: Where the handler looks for them.
        authored: Which files are templates.
    """

    def __init__(self, folder: str, authored: Authored) -> None:
        super().__init__(folder)
        self._authored = authored

    def _create_template(self, name: str) -> tornado.template.Template:
        path = os.path.join(self.root, name)
        if os.path.isfile(path) and not self._authored.may_run(path):
            raise TemplateError(_CHANGED, file=path)
        return super()._create_template(name)


def _is_own(path: str | Path, authored: Authored | None, *, as_it_is: bool = False) -> bool:
    """Whether a file is a template: the package's own all are."""
    if authored is None or Path(path).is_relative_to(PACKAGED):
        return True
    return authored.may_run(path) if as_it_is else authored.knows(path)


def find(loader: Loader, path: str) -> Compiled:
    """A template, read when it is new or has changed.

    Args:
        loader: Finds it and what it names.
        path: Its absolute path.

    Raises:
        TemplateError: With the template's file and line.
    """
    try:
        return loader.compile(path)
    except tornado.template.ParseError as error:
        raise TemplateError(error.message, file=error.filename, line=error.lineno) from error
    except (SyntaxError, UnicodeDecodeError, RecursionError, MemoryError) as error:
        # A Python expression in the template; the line is that of the generated code. One that is
        # too deep, or a thousand templates that extend each other, has no line.
        file, line = _generated_place(getattr(error, "text", None) or "")
        raise TemplateError(f"{type(error).__name__}: {error}", file=file or path, line=line) from (
            error
        )


def render(compiled: Compiled, path: str, namespace: dict[str, object]) -> bytes:
    """Run a template.

    Args:
        compiled: As `find` gives it.
        path: Its absolute path.
        namespace: The names that it may use.

    Raises:
        TemplateError: With the template's file and line.
    """
    try:
        return compiled.template.generate(**namespace)
    except Exception as error:  # any fault of a user's template, reported with its place
        file, line = _place_of(error, compiled.template)
        raise TemplateError(
            f"{type(error).__name__}: {error}", file=file or path, line=line
        ) from error


def _generated_place(code_line: str) -> tuple[str | None, int | None]:
    found = _PLACE.search(code_line.rstrip())
    return (found["file"], int(found["line"])) if found else (None, None)


def _place_of(
    error: Exception, template: tornado.template.Template
) -> tuple[str | None, int | None]:
    """File and line in the template of the innermost frame of generated code."""
    lines = template.code.split("\n")
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.endswith(".generated.py") and 0 < (frame.lineno or 0) <= len(lines):
            return _generated_place(lines[(frame.lineno or 1) - 1])
    return None, None
