"""Pages of analyses made of functions: Jinja2 templates, as in the first release.

Owns what such a template finds: its own folder `templates`, then the `base.html` that comes with
Databench, which gives it jQuery and the script.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2

from .templates import PACKAGED, TemplateError

_BASE = PACKAGED / "functions"


def render(folder: Path, file: str, namespace: dict[str, Any]) -> bytes:
    """Run a template.

    Args:
        folder: Where it and those that it names are.
        file: Its name in there.
        namespace: The names that it may use.

    Raises:
        TemplateError: With the template's file and line.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([str(folder), str(_BASE)]),
        autoescape=jinja2.select_autoescape(),
    )
    environment.globals["url_for"] = _url_for
    try:
        return environment.get_template(file).render(namespace).encode()
    except jinja2.TemplateSyntaxError as error:
        place = error.filename or str(folder / file)
        raise TemplateError(error.message or "", file=place, line=error.lineno) from error
    except jinja2.TemplateNotFound as error:
        text = f"there is no template {error.name!r} in {str(folder)!r}"
        raise TemplateError(text, file=str(folder / file)) from error
    except Exception as error:  # any fault of a user's template, told with its place
        place, line = _place_of(error, folder / file)
        raise TemplateError(f"{type(error).__name__}: {error}", file=place, line=line) from error


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
