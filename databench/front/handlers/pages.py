"""Pages: the gallery, the analyses' pages and the files beside them.

Owns the names that a template gets. A problem of an analysis or a template stands on its page, with
file and line in development.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import tornado.template
import tornado.util
import tornado.web

from ...config import Entry, Index
from ...readme import summarize
from ..basehandler import Headers, wants_page
from ..content import addresses, offeredactions, templates
from ..content.authored import Authored
from ..content.cache import are_constant
from ..content.files import find_file
from ..content.sources import PageSources
from ..context import FrontContext
from .basepage import PageHandler, PagePlan
from .static import Files

log = logging.getLogger("databench.front")

_FIRST = "index.html"
_HOW_TO_WRITE = (
    "This page shows the actions that need no argument, and the values of data. To make your own, "
    "save an index.html beside the analysis."
)
_PROBLEMS = """{% extends "base.html" %}
{% block content %}
<h1>{{ title }}</h1>
{% for problem in problems %}<div class="alert alert-danger" role="alert">{{ problem }}</div>
{% end %}
<p>Fix this{% if not is_watched %} and restart Databench{% end %}. All others are served.</p>
{% end %}
{% block footer %}{% if is_watched %}<script>Databench.follow();</script>{% end %}{% end %}
"""


def describe(
    entry: Entry, index: Index, readme: str | None, *, is_trusted: bool, sources: PageSources
) -> dict[str, Any]:
    """The names of one analysis for a template: keys of `index.yaml`, and others that follow.

    Args:
        entry: The analysis.
        index: The file that it stands in.
        readme: Its readme as HTML.
        is_trusted: Whether the page shows its problems in full.
        sources: Gets what was checked.
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
        thumbnail=addresses.find_thumbnail(entry, sources),
        problems=_told(entry.problems, is_trusted=is_trusted),
        author=index.author,
        site_title=index.title,
        description_html=index.description_html,
        home_link=None if index.single else "/",
        readme=readme,
        summary=None if readme is None else summarize(readme),
    )


def _told(problems: Sequence[str], *, is_trusted: bool) -> list[str]:
    """Problems name files and lines, which only administrators may see."""
    return (
        list(problems)
        if is_trusted or not problems
        else ["this analysis has a problem: see the log"]
    )


class Gallery(PageHandler):
    """The list of analyses, and what is wrong with `index.yaml`."""

    async def get(self) -> None:
        """Show it."""
        context = self.context
        plan = self.plan("")
        if await self.send_kept(plan):
            return
        index, sources = context.index, plan.sources
        infos = []
        for entry in index.entries.values():
            readme = await context.readmes.make(entry, sources)
            infos.append(
                describe(entry, index, readme, is_trusted=self.may_administer, sources=sources)
            )
        plan.is_constant = all(are_constant(entry.extra) for entry in index.entries.values())
        readme = await context.readmes.make_of_folder(index.folder, sources)
        with context.loader.noting(sources):
            template = _gallery(context)
        await self.show(template, self._describe(index, readme, infos), plan)

    head = get

    def _describe(
        self, index: Index, readme: str | None, infos: list[dict[str, Any]]
    ) -> dict[str, Any]:
        problems = [*index.problems, *self.context.find_faults("")]
        return {
            "title": index.title,
            "site_title": index.title,
            "description": index.description,
            "description_html": index.description_html,
            "author": index.author,
            "version": index.version,
            "readme": readme,
            "folder_name": index.folder.name,
            "home_link": None,
            "thumbnail": None,
            "show_in_index": True,
            "meta_infos": infos,
            "analyses": infos,
            "problems": _told(problems, is_trusted=self.may_administer),
            "warnings": list(index.warnings) if self.may_administer else [],
        }


def _gallery(context: FrontContext) -> str:
    """Its template: the folder's own, unless that is the page of the one script in it."""
    if context.index.is_script:
        return str(templates.PACKAGED / "index.html")
    return context.loader.find("index.html")


class AnalysisPage(PageHandler, Files):
    """A page of an analysis: its `index.html`, any `*.html` beside it, or the default one."""

    def initialize(self) -> None:  # type: ignore[override]
        """The folder depends on the address."""
        super().initialize(roots=())

    async def get(self, name: str, path: str = _FIRST) -> None:  # type: ignore[override]
        """Show it."""
        context = self.context
        entry = context.entry(name)
        if context.links.redirect(self, name):
            return
        plan = self.plan(name, path)
        if (answer := self.find_kept(plan)) is not None:
            context.visitors.give(self)
            await self.send(answer, plan.key)
            return
        names = await self._describe(entry, plan)
        if entry.problems:
            self._show_problems(entry, names, plan)
            return
        file, is_jinja = self._find_file(entry, path, plan.sources)
        if file is None and path != _FIRST:
            raise tornado.web.HTTPError(404, f"analysis {name!r} has no page {path!r:.200}")
        if file is not None and path != _FIRST and not context.loader.is_template(file):
            await self.send_as_it_is(entry, path)
            return
        context.visitors.give(self)
        with context.loader.noting(plan.sources):
            template = str(file) if file else context.loader.find("analysis.html")
        if file is None:
            names |= await self._offer(entry, plan.sources)
        await self.show(template, names, plan, is_jinja=is_jinja)

    head = get  # type: ignore[assignment]

    def _find_file(self, entry: Entry, path: str, sources: PageSources) -> tuple[Path | None, bool]:
        """The page's file, and whether it is one of Jinja2; `None`: it has none."""
        context = self.context
        jinja = find_jinja_page(entry, context.authored, sources) if path == _FIRST else None
        if jinja is not None:
            return jinja, True
        file = find_file([entry.folder], path, sources)
        if file is not None and path == _FIRST and not context.loader.knows(file):
            return None, False  # an analysis wrote it: its page is the earlier one
        return file, False

    async def _describe(self, entry: Entry, plan: PagePlan) -> dict[str, Any]:
        context = self.context
        plan.entry, plan.is_constant = entry, are_constant(entry.extra)
        readme = await context.readmes.make(entry, plan.sources)
        names = describe(
            *(entry, context.index, readme),
            is_trusted=self.may_administer,
            sources=plan.sources,
        )
        names["faults"] = _told(context.find_faults(entry.name), is_trusted=self.may_administer)
        return names

    async def _offer(self, entry: Entry, sources: PageSources) -> dict[str, Any]:
        """The names of an analysis for the default page."""
        context = self.context
        sources.add(offeredactions.find_path(entry))
        found = offeredactions.find_known(entry)
        if found is None:
            found = await asyncio.to_thread(offeredactions.find_offered, entry)
        context.offered[entry.name] = found
        how = _HOW_TO_WRITE if self.may_administer else ""
        return {"offered": found, "how_to_write": how}

    async def send_as_it_is(self, entry: Entry, path: str) -> None:
        """A file that no author wrote, such as a report: a template's words mean nothing in it."""
        self.roots = (entry.folder,)
        await Files.get(self, path, include_body=self.request.method != "HEAD")

    def _show_problems(self, entry: Entry, names: dict[str, Any], plan: PagePlan) -> None:
        text = "\n".join(names["problems"])
        if not wants_page(self.request.headers.get("Accept", "")):
            self.refuse(503, text)
            return
        self.set_status(503)
        self.set_header("X-Request-Id", self.request_id)
        self.set_header("Vary", "Accept")
        try:
            template = tornado.template.Template(_PROBLEMS, loader=self.context.loader)
            self.finish(template.generate(**{**names, "readme": None, **self.find_given(plan)}))
        except Exception as error:  # noqa: BLE001 - an overridden base.html may raise anything
            log.error("template failed: %s (request %s)", error, self.request_id)
            self.refuse(503, text, title=entry.title)


class AnalysisRedirect(Headers):
    """`/<name>` without its slash: relative addresses in the page need it."""

    def get(self, name: str) -> None:
        """Send to the address with a slash."""
        self.context.entry(name)
        query = f"?{self.request.query}" if self.request.query else ""
        self.set_header("Cache-Control", "no-store")  # it may hold the key of a session
        self.redirect(f"/{quote(name)}/{query}", permanent=False)

    head = get


class AnalysisStatic(Files):
    """`/<name>/static/…`: the folder `static` of an analysis."""

    def initialize(self) -> None:  # type: ignore[override]
        """The folder depends on the address."""
        super().initialize(roots=())

    async def get(self, name: str, path: str, include_body: bool = True) -> None:  # type: ignore[override]
        """Send the file."""
        entry = self.context.entry(name)
        self.roots = (addresses.own_static(entry),)
        if addresses.is_own_file(entry, path):
            self.roots += addresses.own_roots(entry)  # where pages of early releases look for them
        await super().get(path, include_body)

    def head(self, name: str, path: str) -> Any:  # type: ignore[override]
        """As `get`, without the body."""
        return self.get(name, path, include_body=False)


class AnalysisFile(AnalysisStatic):
    """`/<name>/…`: `analysis.js`, `analysis.css` and the thumbnail; nothing else."""

    async def get(self, name: str, path: str, include_body: bool = True) -> None:  # type: ignore[override]
        """Send the file."""
        entry = self.context.entry(name)
        if not addresses.is_own_file(entry, path):
            raise tornado.web.HTTPError(404, f"analysis {name!r} has no file {path!r:.200}")
        self.roots = addresses.own_roots(entry)
        await Files.get(self, path, include_body)


def find_jinja_page(entry: Entry, authored: Authored, sources: PageSources) -> Path | None:
    """The page of an analysis in the style of the first release, if it has one.

    Args:
        entry: The analysis.
        authored: Which files are templates.
        sources: Gets what was checked.
    """
    page = entry.functions.page if entry.functions else None
    if page is None:
        return None
    sources.add(page)
    return page if page.is_file() and authored.knows(page) else None
