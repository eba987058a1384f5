"""What the handlers of the front share.

Owns what is served (`index`) and the parts that live as long as the front. Knows no handler: a
handler, a router and the watcher of files know this, and the application composes all of them.
"""

from __future__ import annotations

import functools
import secrets
import time
from typing import Any
from urllib.parse import quote

import tornado.web

from .. import http
from ..broker import Broker
from ..config import Entry, Index
from ..settings import Settings
from .content.authored import Authored
from .content.cache import Kept
from .content.earlierruns import Runs
from .content.readmes import Readmes
from .content.templates import Loader
from .reload import build
from .reload.saves import Saves
from .security import cookies
from .security.access import Access
from .security.sessionlinks import Links
from .security.visitors import Visitors, make_key
from .websockets.opensockets import Followers, Lookers
from .websockets.pace import Pacer
from .websockets.pagewatch import PageWatch


class FrontContext:
    """The parts of a front that handlers use.

    Args:
        index: What to serve.
        broker: Runs the analyses.
        limits: The settings in force.
        debug: Whether this is development: saved files show at once.
        access: Who may administer the server; by default no client.
        visitors: Knows browsers again; `None`: by words of this run alone.
        runs: Keeps over restarts which files analyses wrote; `None`: nothing does.

    Attributes:
        authored: Which files are templates.
        builder: Runs the commands of `build:`.
        epoch: Of the streams of pages without a session, which begin with the front.
        followers: The pages at `/_reload`.
        is_watched: Whether saves reload pages: then they follow them.
        kept: The answers in memory.
        links: Exchanges links of sessions for tickets.
        loader: Finds and compiles templates.
        lookers: The pages that look at the kernels.
        offered: By analysis: what its page last offered.
        pacer: Gives websockets their turns.
        route_faults: By analysis: the problems of its `routes.py`.
        saves: The saves since the server began.
        watch: Looks after the analyses' pages.
    """

    def __init__(
        self,
        index: Index,
        broker: Broker,
        limits: Settings,
        *,
        debug: bool = False,
        access: Access | None = None,
        visitors: Visitors | None = None,
        runs: Runs | None = None,
    ) -> None:
        self.index, self.broker, self.limits, self.debug = index, broker, limits, debug
        self.access = access or Access()
        self.visitors = visitors or Visitors(
            make_key(), port=0, project=cookies.find_project(index.folder)
        )
        self.links = Links(self.visitors, limits, self._has_session)
        self.authored = Authored(limits.project_files, takes_new=debug, runs=runs)
        self.loader = Loader(index.folder, self.authored, follows_saves=debug)
        check_s = 0.0 if debug else limits.kept_check_s  # an author who saves a file looks at once
        self.kept = Kept(limits.kept_bytes, check_s, time.monotonic)
        self.watch, self.pacer = PageWatch(limits), Pacer(limits, broker.budget)
        self.epoch = secrets.token_urlsafe(6)
        self.followers, self.lookers = Followers(), Lookers(self.describe_kernels)
        self.saves, self.is_watched = Saves(), False
        self.offered: dict[str, tuple[str, ...]] = {}
        self.builder = build.Builder(limits, around=self.authored.building)
        self.route_faults: dict[str, tuple[str, ...]] = {}

    @functools.cached_property
    def readmes(self) -> Readmes:
        """Makes readmes into HTML for pages."""
        return Readmes(self.limits)

    def entry(self, name: str) -> Entry:
        """The analysis of that name.

        Raises:
            HTTPError: 404, there is none.
        """
        entry = self.index.entries.get(name)
        if entry is None:
            raise tornado.web.HTTPError(404, f"there is no analysis {name!r:.200}")
        return entry

    def find_faults(self, name: str) -> list[str]:
        """The problems of an analysis that is served all the same; "": of the project."""
        of_project = self.builder.faults.get(build.PROJECT, ())
        of_analysis = self.builder.faults.get(name, ()) if name else ()
        return [*self.route_faults.get(name, ()), *of_analysis, *of_project]

    def describe_kernels(self) -> list[dict[str, Any]]:
        """The broker's kernels, each with the address of its page."""
        single = self.index.single
        return [
            {**kernel, "address": "/" if single else f"/{quote(kernel['analysis'])}/"}
            for kernel in self.broker.kernels()
        ]

    def _has_session(self, analysis: str, session: str) -> bool:
        return self.broker.has_session(analysis, session)  # which the broker has once it starts


class ContextApplication(http.Application):
    """An application whose handlers find the context in it: all that they know of it.

    Attributes:
        context: There before Tornado's own `__init__` runs.
    """

    context: FrontContext
