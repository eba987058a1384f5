"""Pages of analyses made of functions: Jinja2 templates, as in the first release.

Owns what such a template can use: its own folder `templates`, then Databench's `base.html`,
which gives it jQuery, d3, some classes of Bootstrap and the script; mpld3 if the page
names it and it is installed; the filter `markdown`, the block `highlight`, and `include_src` of
`macros.html`, which shows a file of the analyses' folder and no other.
"""

from __future__ import annotations

import functools
import os
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.parser
from markupsafe import Markup

from ...config.packages import PREFIX, find_folder
from ...readme import render_markdown
from .authored import Authored
from .sources import PageSources
from .templates import PACKAGED, TemplateError

_BASE = PACKAGED / "functions"
# mpld3 asks for the global `d3` whenever it draws, and today's needs a newer one than pages of the
# first release had: a page has one or the other. Both have their version in their names.
_MPLD3_SCRIPTS = ("d3.v5.min.js", "mpld3.v*.min.js")
_SOURCE_BYTES = 2**20
_ENVIRONMENTS = 64  # folders whose compiled templates are kept


class _Loader(jinja2.FileSystemLoader):
    """Finds templates, and no other files."""

    def __init__(self, folder: Path, authored: Authored | None) -> None:
        super().__init__([str(folder), str(_BASE)])
        self._authored = authored

    def get_source(self, environment: jinja2.Environment, template: str) -> Any:
        """The template's text, its place, and a check whether it has changed."""
        sources = PageSources(*(os.path.join(folder, template) for folder in self.searchpath))
        text, file, _ = super().get_source(environment, template)
        is_packaged = Path(file).is_relative_to(_BASE)
        if self._authored is not None and not (is_packaged or self._authored.may_run(file)):
            told = f"{template!r} was added or changed while a server ran"
            raise jinja2.TemplateNotFound(template, told)
        return text, file, lambda: sources.is_settled and sources.are_unchanged()


def render(
    folder: Path, file: str, namespace: dict[str, Any], authored: Authored | None = None
) -> bytes:
    """Run a template.

    Args:
        folder: Where it and those that it names are.
        file: Its name in there.
        namespace: The names that it may use.
        authored: Which files are templates; `None`: all are.

    Raises:
        TemplateError: With the template's file and line.
    """
    environment = _find_environment(folder, authored)
    names = {"mpld3_scripts": _find_mpld3_scripts(folder / file), **namespace}
    try:
        return environment.get_template(file).render(names).encode()
    except jinja2.TemplateSyntaxError as error:
        place = error.filename or str(folder / file)
        raise TemplateError(error.message or "", file=place, line=error.lineno) from error
    except jinja2.TemplateNotFound as error:
        text = f"there is no template {error.name!r} in {str(folder)!r}"
        if error.message != error.name:
            text = f"{text}: {error.message}"
        raise TemplateError(text, file=str(folder / file)) from error
    except Exception as error:  # any fault of a user's template, reported with its place
        place, line = _place_of(error, folder / file)
        raise TemplateError(f"{type(error).__name__}: {error}", file=place, line=line) from error


@functools.cache
def find_mpld3() -> tuple[Path, ...]:
    """The folder of mpld3's scripts in its package; none if it is not installed."""
    folder = Path(find_folder(f"{PREFIX}mpld3/js"))
    return (folder,) if folder.is_absolute() else ()


def _find_mpld3_scripts(page: Path) -> list[str]:
    """The scripts of the installed mpld3 that a page needs; none if it does not name it."""
    try:
        is_named = b"mpld3" in page.read_bytes()
    except OSError:  # reported when the template is looked for
        return []
    places = [sorted(root.glob(name)) for root in find_mpld3() for name in _MPLD3_SCRIPTS]
    return [found[-1].name for found in places] if is_named and all(places) else []


@functools.lru_cache(maxsize=_ENVIRONMENTS)
def _find_environment(folder: Path, authored: Authored | None) -> jinja2.Environment:
    """Compiles the templates of a folder, and keeps them until they change."""
    environment = jinja2.Environment(
        loader=_Loader(folder, authored),
        autoescape=jinja2.select_autoescape(),
        extensions=[_Highlight],
    )
    environment.filters["markdown"] = _markdown
    environment.globals["read_source"] = functools.partial(_read_source, folder.parent)
    environment.globals["url_for"] = _url_for
    return environment


class _Highlight(jinja2.ext.Extension):
    """The block `highlight`, with a language: its text as a program's, without colours."""

    tags = {"highlight"}

    def parse(self, parser: jinja2.parser.Parser) -> jinja2.nodes.Node:
        """Read the block to its end."""
        line = next(parser.stream).lineno
        language = parser.parse_expression()
        body = parser.parse_statements(("name:endhighlight",), drop_needle=True)
        call = self.call_method("_show", [language])
        return jinja2.nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _show(self, language: str, caller: Callable[[], str]) -> Markup:
        text = str(caller()).strip("\n")
        return Markup('<pre><code class="language-{}">{}</code></pre>').format(language, text)


def _markdown(text: str) -> Markup:
    """The text of a template, unchanged: it has escaped the values in it."""
    return Markup(render_markdown(textwrap.dedent(str(text))))


def _read_source(folder: Path, name: str) -> str:
    """A file of the analyses' folder, for a page that shows its own source.

    Raises:
        ValueError: It is not a file of theirs, or too large.
    """
    root = folder.resolve()
    file = (root / name).resolve()
    if not file.is_relative_to(root) or not file.is_file():
        raise ValueError(f"include_src({name!r:.200}): there is no such file in {str(root)!r}")
    if file.stat().st_size > _SOURCE_BYTES:
        raise ValueError(f"include_src({name!r:.200}): over {_SOURCE_BYTES:,} bytes, limit")
    return file.read_text(encoding="utf-8", errors="replace")


def _place_of(error: Exception, file: Path) -> tuple[str, int | None]:
    """The innermost line of a template; Jinja2 puts those into the traceback."""
    place, line = str(file), None
    step = error.__traceback__
    while step is not None:
        name = step.tb_frame.f_code.co_filename
        if "__jinja_template__" in step.tb_frame.f_globals or name.endswith(".html"):
            place, line = name, step.tb_lineno
        step = step.tb_next
    return place, line


def _url_for(endpoint: str, **values: Any) -> str:
    """The address of a static file, as templates of that time ask for it."""
    if endpoint.rpartition(".")[2] != "static" or "filename" not in values:
        raise ValueError(f"url_for({endpoint!r}): only url_for('static', filename=...) is known")
    return f"/static/{quote(str(values['filename']))}"
