"""The base of all pages: how one is made, from memory or from its template, and its names."""

from __future__ import annotations

import dataclasses
import functools
import logging
from collections.abc import Hashable
from pathlib import Path
from typing import Any

from ..._version import __version__
from ...config import Entry
from ..basehandler import Headers
from ..content import addresses, formulae, functionpages, templates
from ..content.cache import Answer, Circumstances, may_keep
from ..content.sources import PageSources
from ..websockets import livereload

log = logging.getLogger("databench.front")


@dataclasses.dataclass
class PagePlan:
    """How a page is made.

    Attributes:
        key: Under which it is kept.
        circumstances: What it depends on in addition to files.
        sources: The files, as they are found.
        entry: The analysis.
        is_constant: Whether all that its template is given stays as it is.
    """

    key: Hashable
    circumstances: Circumstances
    sources: PageSources
    entry: Entry | None = None
    is_constant: bool = True


class PageHandler(Headers):
    """A page."""

    def _how_to_administer(self) -> str:
        """The text for a page in development without the token; empty if there is none."""
        context = self.context
        return context.access.how if context.debug and not self.may_administer else ""

    def find_given(self, plan: PagePlan) -> dict[str, Any]:
        """The names that Databench gives to each template, in addition to Tornado's own."""
        context = self.context
        return {
            "databench_version": __version__,
            "debug": self.may_administer,
            "how_to_administer": self._how_to_administer(),
            "is_watched": context.is_watched,
            "saves": context.saves.count,
            "static_url": functools.partial(
                addresses.find_address,
                *(context.kept, context.index),
                page=plan.entry,
                sources=plan.sources,
            ),
        }

    def find_kept(self, plan: PagePlan) -> Answer | None:
        """The kept page, if it would be made in the same way now."""
        return self.context.kept.find(plan.key, plan.circumstances)

    async def send_kept(self, plan: PagePlan) -> bool:
        """Answer with that; False: there is none."""
        answer = self.find_kept(plan)
        if answer is not None:
            await self.send(answer, plan.key)
        return answer is not None

    def plan(self, name: str, path: str = "") -> PagePlan:
        """How the page is made.

        Args:
            name: The analysis'; empty: the gallery.
            path: Of the page.
        """
        context = self.context
        circumstances = (
            context.index,
            context.is_watched,
            context.saves.count,
            context.authored.changes,
            context.find_faults(name),
        )
        return PagePlan((name, path, self.may_administer), circumstances, PageSources())

    async def show(
        self, path: str, namespace: dict[str, Any], plan: PagePlan, *, is_jinja: bool = False
    ) -> None:
        """Answer with a template, of Tornado or of Jinja2."""
        try:
            body, is_same = self._make(path, namespace, plan, is_jinja=is_jinja)
        except templates.TemplateError as error:
            self._show_error(error)
            return
        answer = Answer(body, "text/html; charset=utf-8", plan.sources, plan.circumstances)
        if is_same:
            self.context.kept.keep(plan.key, answer)
        await self.send(answer, plan.key)

    def _make(
        self, path: str, namespace: dict[str, Any], plan: PagePlan, *, is_jinja: bool
    ) -> tuple[bytes, bool]:
        """The page, and whether it is the same for every visitor."""
        context = self.context
        given = self.find_given(plan)
        tornados = self.get_template_namespace()  # which pages may rely on
        names = {**namespace, **tornados, **given}
        if is_jinja:
            folder, file = Path(path).parent, Path(path).name
            text = functionpages.render(folder, file, names, context.authored)
            return formulae.with_script(text, given["static_url"]), False
        with context.loader.noting(plan.sources):
            compiled = templates.find(context.loader, path)
        text = templates.render(compiled, path, names)
        known = (namespace.keys() - tornados.keys()) | given.keys()
        is_same = plan.is_constant and may_keep(compiled.reads, names, known)
        return formulae.with_script(text, given["static_url"]), is_same

    def _show_error(self, error: templates.TemplateError) -> None:
        context = self.context
        log.error("template failed: %s (request %s)", error, self.request_id)
        told = (
            str(error) if self.may_administer else "a template of this page is wrong: see the log"
        )
        # It comes back when the template is saved.
        foot = livereload.make_script(context.saves.count) if context.is_watched else ""
        self.refuse(500, told, title="Template error", foot=foot)
