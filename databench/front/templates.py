"""Templates: where a name is looked up, and what is said when one is wrong.

A name in `extends` or `include` is looked for beside the template that says it, then in the
analyses' folder, then in the package; never is it that template itself, so that an overriding
`base.html` may extend the `base.html` that it overrides. The package's own templates look in the
analyses' folder first.
"""

from __future__ import annotations

import os
import re
import traceback
from pathlib import Path

import tornado.template

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


class Loader(tornado.template.BaseLoader):
    """Loads templates by absolute path, and finds those that they name.

    Args:
        folder: The analyses' folder.
    """

    def __init__(self, folder: Path) -> None:
        # White space stays as it is written: collapsing it spoils `<pre>` and `<textarea>`.
        super().__init__(whitespace="all")
        self.folder = folder

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
        for folder in folders:
            path = os.path.normpath(folder / name)
            if path != parent_path and os.path.isfile(path):
                return path
        raise TemplateError(f"there is no template {name!r}", file=parent_path)

    def _create_template(self, name: str) -> tornado.template.Template:
        try:
            content = Path(name).read_bytes()
        except OSError as error:
            raise TemplateError(f"cannot be read: {error.strerror}", file=name) from None
        return tornado.template.Template(content, name=name, loader=self)


def render(loader: Loader, path: str, namespace: dict[str, object]) -> bytes:
    """Run a template.

    Args:
        loader: Finds it and what it names.
        path: Its absolute path.
        namespace: The names that it may use.

    Raises:
        TemplateError: With the template's file and line.
    """
    try:
        template = loader.load(path)
    except tornado.template.ParseError as error:
        raise TemplateError(error.message, file=error.filename, line=error.lineno) from error
    except (SyntaxError, UnicodeDecodeError) as error:
        # A Python expression in the template; the line is that of the generated code.
        file, line = _generated_place(getattr(error, "text", None) or "")
        raise TemplateError(f"{type(error).__name__}: {error}", file=file or path, line=line) from (
            error
        )
    try:
        return template.generate(**namespace)
    except Exception as error:  # any fault of a user's template, told with its place
        file, line = _place_of(error, template)
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
