"""Pages: the gallery, the analyses' pages and the files beside them.

Owns what a template gets. What is wrong with an analysis or a template stands on its page, with
file and line in development.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import tornado.template
import tornado.util
import tornado.web

from .._version import __version__
from ..config import IMAGES, Entry, Index
from ..readme import summarize
from . import follow, formulae, functions, offered, templates
from .authored import Authored
from .handlers import Headers, wants_page
from .static import Files, find_file

if TYPE_CHECKING:
    from .app import Front

log = logging.getLogger("databench.front")

# The scripts that pages of the first release look for below /static/.
OLD = r"databench\.js|socket\.io/socket\.io\.min\.js"
_OWN_FILES = ("analysis.js", "analysis.css")
_HOW_TO_WRITE = (
    "This page shows the actions that need no argument, and the values of data. To make your own, "
    "save an index.html beside the analysis."
)
_PROBLEMS = """{% extends "base.html" %}
{% block content %}
<h1>{{ title }}</h1>
{% for problem in problems %}<div class="alert alert-danger" role="alert">{{ problem }}</div>
{% end %}
<p>Mend this{% if not is_watched %} and start Databench again{% end %}; the others are served.</p>
{% end %}
{% block footer %}{% if is_watched %}<script>Databench.follow();</script>{% end %}{% end %}
"""


def find_thumbnail(entry: Entry) -> str | None:
    """The analysis' image, relative to its folder: the one that is named, or `thumbnail.*`."""
    if entry.thumbnail:
        return entry.thumbnail
    if entry.functions and entry.functions.thumbnail:
        return entry.functions.thumbnail
    names = (f"thumbnail{ending}" for ending in IMAGES)
    return next((name for name in names if (entry.folder / name).is_file()), None)


def describe(entry: Entry, index: Index, readme: str | None, *, is_trusted: bool) -> dict[str, Any]:
    """What a template gets of one analysis: the keys of `index.yaml` and what belongs to them.

    Args:
        entry: The analysis.
        index: The file that it stands in.
        readme: Its readme as HTML.
        is_trusted: Whether its problems are told as they are.
    """
    return tornado.util.ObjectDict(
        entry.extra,
        name=entry.name,
        title=entry.title,
        description=entry.description,
        version=entry.version or index.version,
        kernel=entry.kernel,
        isolation=entry.isolation,
        processes=entry.processes,
        preheat=entry.preheat,
        max_kernels=entry.max_kernels,
        watch=list(entry.watch),
        build=list(entry.build),
        reload=entry.reload,
        show_in_index=entry.show_in_index,
        thumbnail=find_thumbnail(entry),
        problems=_told(entry.problems, is_trusted=is_trusted),
        author=index.author,
        site_title=index.title,
        description_html=index.description_html,
        home_link=None if index.single else "/",
        readme=readme,
        summary=None if readme is None else summarize(readme),
    )


def _told(problems: Sequence[str], *, is_trusted: bool) -> list[str]:
    """Problems name files and lines, which concern nobody but the project's people."""
    return (
        list(problems) if is_trusted or not problems else ["something is wrong here: see the log"]
    )


class Page(Headers):
    """What pages share: a template, and what is shown when it is wrong."""

    application: Front

    def _how_to_administer(self) -> str:
        """What a page in development says that lacks the token; empty where nothing is to say."""
        front = self.application
        return front.access.how if front.debug and not self.may_administer else ""

    def _shared_names(self) -> dict[str, Any]:
        front = self.application
        return {
            **self.get_template_namespace(),  # Tornado's own, which pages may rely on
            "databench_version": __version__,
            "debug": self.may_administer,
            "how_to_administer": self._how_to_administer(),
            "is_watched": front.is_watched,
            "saves": front.saves.count,
        }

    def show(self, path: str, namespace: dict[str, Any], *, is_jinja: bool = False) -> None:
        """Answer with a template, of Tornado or of Jinja2."""
        front = self.application
        if front.debug:
            front.loader.reset()  # a saved template shows at once
        names = {**namespace, **self._shared_names()}
        try:
            if is_jinja:
                text = functions.render(Path(path).parent, Path(path).name, names, front.authored)
            else:
                text = templates.render(front.loader, path, names)
            body = formulae.with_script(text)
        except templates.TemplateError as error:
            log.error("template failed: %s (request %s)", error, self.request_id)
            told = (
                str(error)
                if self.may_administer
                else "a template of this page is wrong: see the log"
            )
            # It comes back when the template is saved.
            foot = follow.make_script(front.saves.count) if front.is_watched else ""
            self.refuse(500, told, title="Template error", foot=foot)
            return
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        self.finish(body)


class Gallery(Page):
    """The list of analyses, and what is wrong with `index.yaml`."""

    async def get(self) -> None:
        """Show it."""
        front = self.application
        index = front.index
        infos = [
            describe(entry, index, await front.readmes.make(entry), is_trusted=self.may_administer)
            for entry in index.entries.values()
        ]
        self.show(
            _gallery(front),
            {
                "title": index.title,
                "site_title": index.title,
                "description": index.description,
                "description_html": index.description_html,
                "author": index.author,
                "version": index.version,
                "readme": await front.readmes.make_of_folder(index.folder),
                "home_link": None,
                "thumbnail": None,
                "show_in_index": True,
                "meta_infos": infos,
                "analyses": infos,
                "problems": _told(
                    [*index.problems, *front.find_faults("")], is_trusted=self.may_administer
                ),
                "warnings": list(index.warnings) if self.may_administer else [],
            },
        )

    head = get


def _gallery(front: Front) -> str:
    """Its template: the folder's own, unless that is the page of the one script in it."""
    if front.index.is_script:
        return str(templates.PACKAGED / "index.html")
    return front.loader.find("index.html")


class AnalysisPage(Page):
    """A page of an analysis: its `index.html`, any `*.html` beside it, or the default one."""

    async def get(self, name: str, path: str = "index.html") -> None:
        """Show it."""
        front = self.application
        entry = front.entry(name)
        if front.links.redirect(self, name):
            return
        readme = await front.readmes.make(entry)
        names = describe(entry, front.index, readme, is_trusted=self.may_administer)
        if entry.problems:
            self._show_problems(entry, names)
            return
        jinja = find_jinja_page(entry, front.authored) if path == "index.html" else None
        file = jinja or find_file([entry.folder], path)
        if file is not None and path == "index.html" and not front.loader.knows(file):
            file = None  # an analysis wrote it: what was there before is its page
        if file is not None and path != "index.html" and not front.loader.is_template(file):
            self.send_as_it_is(file)
            return
        if file is None and path != "index.html":
            raise tornado.web.HTTPError(404, f"analysis {name!r} has no page {path!r:.200}")
        names["faults"] = _told(front.find_faults(name), is_trusted=self.may_administer)
        front.visitors.give(self)
        template = str(file) if file else front.loader.find("analysis.html")
        if file is None:
            names |= await self._offer(entry)
        self.show(template, names, is_jinja=jinja is not None)

    head = get

    async def _offer(self, entry: Entry) -> dict[str, Any]:
        """What the default page has of its analysis."""
        front = self.application
        found = offered.find_known(entry)
        if found is None:
            found = await asyncio.to_thread(offered.find_offered, entry)
        front.offered[entry.name] = found
        how = _HOW_TO_WRITE if self.may_administer else ""
        return {"offered": found, "how_to_write": how}

    def send_as_it_is(self, file: Path) -> None:
        """A file that no author wrote, such as a report: a template's words mean nothing in it."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        self.finish(file.read_bytes())

    def _show_problems(self, entry: Entry, names: dict[str, Any]) -> None:
        text = "\n".join(names["problems"])
        if not wants_page(self.request.headers.get("Accept", "")):
            self.refuse(503, text)
            return
        self.set_status(503)
        self.set_header("X-Request-Id", self.request_id)
        self.set_header("Vary", "Accept")
        try:
            template = tornado.template.Template(_PROBLEMS, loader=self.application.loader)
            front = self.application
            names.update(databench_version=__version__, debug=self.may_administer)
            names["how_to_administer"] = self._how_to_administer()
            names.update(is_watched=front.is_watched, saves=front.saves.count)
            names["readme"] = None
            self.finish(template.generate(**names))
        except Exception as error:  # noqa: BLE001 - an overridden base.html may raise anything
            log.error("template failed: %s (request %s)", error, self.request_id)
            self.refuse(503, text, title=entry.title)


class AnalysisRedirect(Headers):
    """`/<name>` without its slash: relative addresses in the page need it."""

    application: Front

    def get(self, name: str) -> None:
        """Send to the address with a slash."""
        self.application.entry(name)
        query = f"?{self.request.query}" if self.request.query else ""
        self.set_header("Cache-Control", "no-store")  # it may hold the key of a session
        self.redirect(f"/{quote(name)}/{query}", permanent=False)

    head = get


class AnalysisStatic(Files):
    """`/<name>/static/…`: the folder `static` of an analysis."""

    application: Front

    def initialize(self) -> None:  # type: ignore[override]
        """The folder depends on the address."""
        super().initialize(roots=())

    async def get(self, name: str, path: str, include_body: bool = True) -> None:  # type: ignore[override]
        """Send the file."""
        entry = self.application.entry(name)
        # Modules that lie beside each other share a folder `static`.
        self.roots = (entry.functions.static if entry.functions else entry.folder / "static",)
        if path in (*_OWN_FILES, find_thumbnail(entry)):
            self.roots += _own_roots(entry)  # where pages of early releases look for them
        await super().get(path, include_body)

    def head(self, name: str, path: str) -> Any:  # type: ignore[override]
        """As `get`, without the body."""
        return self.get(name, path, include_body=False)


class AnalysisFile(AnalysisStatic):
    """`/<name>/…`: `analysis.js`, `analysis.css` and the thumbnail; nothing else."""

    async def get(self, name: str, path: str, include_body: bool = True) -> None:  # type: ignore[override]
        """Send the file."""
        entry = self.application.entry(name)
        if path not in (*_OWN_FILES, find_thumbnail(entry)):
            raise tornado.web.HTTPError(404, f"analysis {name!r} gives out no {path!r:.200}")
        self.roots = _own_roots(entry)
        await Files.get(self, path, include_body)


def find_jinja_page(entry: Entry, authored: Authored) -> Path | None:
    """The page of an analysis in the style of the first release, if it has one."""
    page = entry.functions.page if entry.functions else None
    return page if page is not None and page.is_file() and authored.knows(page) else None


def _own_roots(entry: Entry) -> tuple[Path, ...]:
    """Where the few files are that an analysis gives out by name."""
    return (entry.folder, entry.functions.static) if entry.functions else (entry.folder,)


def static_roots(index: Index) -> dict[str, tuple[Path, ...]]:
    """The folders behind `/_static/`, `/static/` and `/node_modules/`."""
    folder = index.folder
    return {
        "_static": (Path(__file__).resolve().parent.parent / "static", *functions.find_mpld3()),
        "static": (folder / "static",),
        "node_modules": (folder / "node_modules", folder.parent / "node_modules"),
    }
