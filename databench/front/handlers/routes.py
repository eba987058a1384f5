"""`routes.py` of an analysis: its own handlers below `/<analysis>/`, run in the front.

Owns reading `ROUTES`, and what its handlers get in addition to Tornado's own. A file that cannot be
used harms only its analysis: the log has file and line. Importing it imports the
project's code into this process, as its author wants.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import importlib
import itertools
import logging
import os
import sys
import traceback
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tornado.httputil
import tornado.routing
import tornado.web

from ...config import ROUTES_FILE, Entry, Index
from ..basehandler import Refused, find_own_headers
from ..content.sources import Stamp, find_stamp
from ..content.templates import OfRoutes
from ..context import ContextApplication, FrontContext
from ..folders import Place
from ..security.hosts import matches_origin, tell_foreign
from ..security.visitors import is_encrypted
from .blocking import BlockingWatch
from .class_data import HandlerClassData

log = logging.getLogger("databench.front")

_EXPECTED = "(route, handler, settings)"
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")  # RFC 9110 section 9.2.1
_OPT_OUT = "if other sites' pages may use this handler, set any_origin = True in its class"
# The methods of a handler that Tornado calls, in the loop that serves all pages.
_MEASURED = (
    *("initialize", "prepare", "on_finish", "data_received", "write_error"),
    *(method.lower() for method in tornado.web.RequestHandler.SUPPORTED_METHODS),
    *("open", "on_message", "on_close"),
)


@dataclasses.dataclass(frozen=True)
class Route:
    """One route.

    Attributes:
        matcher: Of the whole path.
        handler: The class, with the attributes that handlers get here.
        arguments: Of its `initialize`.
    """

    matcher: tornado.routing.PathMatches
    handler: type[tornado.web.RequestHandler]
    arguments: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Loaded:
    """The result of reading one `routes.py`.

    Attributes:
        stamp: Of the file that was read; `None` if there is none.
        routes: In their order.
        problems: Each with file and line.
    """

    stamp: Stamp | None = None
    routes: tuple[Route, ...] = ()
    problems: tuple[str, ...] = ()


class Routes(tornado.routing.Router):
    """The routes of all analyses, by the name that begins the path.

    Args:
        application: The handlers' own; its context gets their problems.
    """

    def __init__(self, application: ContextApplication) -> None:
        self._application = application
        self._context = application.context
        self._loaded: dict[str, Loaded] = {}

    def load(self, index: Index, place: Place) -> None:
        """Read each `routes.py` that is new or was changed; forget those that are gone."""
        loaded: dict[str, Loaded] = {}
        for entry in index.entries.values():
            stamp = _find_stamp(entry)
            before = self._loaded.get(entry.name)
            if before is not None and before.stamp == stamp is not None:
                loaded[entry.name] = before
            elif stamp is not None:
                loaded[entry.name] = self._read(entry, place, stamp, before)
        self._loaded = loaded
        self._report()

    def add(self, name: str, items: Sequence[Any]) -> None:
        """Take routes that did not come from a file.

        Args:
            name: The analysis'.
            items: As in `ROUTES`.
        """
        self._loaded[name] = self._make(name, items, None, itertools.repeat(""))
        self._report()

    def find_handler(
        self, request: tornado.httputil.HTTPServerRequest, **kwargs: Any
    ) -> tornado.httputil.HTTPMessageDelegate | None:
        """The handler of a request, or `None` if no route here has the path."""
        loaded = self._loaded.get(first_word(request.path))
        for route in loaded.routes if loaded else ():
            found = route.matcher.match(request)
            if found is not None:
                if _is_foreign(request, route.handler):
                    why = f"{tell_foreign(request.headers['Origin'], request.host)}; {_OPT_OUT}"
                    return self._application.get_handler_delegate(request, Refused, {"text": why})
                return self._application.get_handler_delegate(
                    request,
                    route.handler,
                    dict(route.arguments),
                    found.get("path_args"),
                    found.get("path_kwargs"),
                )
        return None

    def _report(self) -> None:
        problems = {name: loaded.problems for name, loaded in self._loaded.items()}
        self._context.route_faults = problems

    def _read(self, entry: Entry, place: Place, stamp: Stamp, before: Loaded | None) -> Loaded:
        file = entry.folder / ROUTES_FILE
        watch = BlockingWatch(f"{entry.name}/{ROUTES_FILE}", self._context.limits.block_limit_s)
        try:
            with _importing(place.root):
                items = watch.call(_import, entry, place)
            if not isinstance(items, list | tuple):
                raise TypeError(f"ROUTES is {items!r:.60}, expected a list of {_EXPECTED}")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a project's code may do anything
            kept = before.routes if before else ()
            what = "its previous routes are served" if kept else "its routes are not served"
            problem = f"{_tell(error, file)}; {what}, the rest of the analysis is"
            log.error("analysis %r: %s", entry.name, problem)
            return Loaded(stamp, kept, (problem,))
        return self._make(entry.name, items, stamp, _places(file))

    def _make(
        self,
        name: str,
        items: Sequence[Any],
        stamp: Stamp | None,
        places: Iterator[str],
    ) -> Loaded:
        routes, problems = [], []
        for at, (item, place) in enumerate(zip(items, places, strict=False)):
            try:
                routes.append(self._make_one(name, item))
            except Exception as error:  # noqa: BLE001 - whatever stands in a project's list
                problems.append(f"{place}ROUTES[{at}] is left out: {error}")
                log.error("analysis %r: %s", name, problems[-1])
        return Loaded(stamp, tuple(routes), tuple(problems))

    def _make_one(self, name: str, item: Any) -> Route:
        if not isinstance(item, list | tuple) or len(item) not in (2, 3):
            raise ValueError(f"{item!r:.60}, expected {_EXPECTED}")
        route, handler, arguments = (*item, None)[:3]
        if not isinstance(route, str):
            raise ValueError(f"route {route!r:.60}, expected a regular expression")
        if not (isinstance(handler, type) and issubclass(handler, tornado.web.RequestHandler)):
            raise ValueError(f"handler {handler!r:.60}, expected a tornado.web.RequestHandler")
        if arguments is not None and not isinstance(arguments, Mapping):
            raise ValueError(f"settings {arguments!r:.60}, expected a map for its initialize()")
        return Route(
            tornado.routing.PathMatches(f"/{name}/{route.lstrip('/')}"),
            self._bind(name, handler),
            dict(arguments or {}),
        )

    def _bind(
        self, name: str, handler: type[tornado.web.RequestHandler]
    ) -> type[tornado.web.RequestHandler]:
        """The handler as a separate class: measured, and with the analysis' `class_data`."""
        context = self._context
        watch = BlockingWatch(
            f"{name}/{ROUTES_FILE}: {handler.__name__}", context.limits.block_limit_s
        )
        body: dict[str, Any] = {"__module__": handler.__module__, "__doc__": handler.__doc__}
        for method in _MEASURED:
            own = getattr(handler, method, None)
            if own is not None and own is not getattr(tornado.web.RequestHandler, method, None):
                body[method] = watch.wrap(own)
        body["set_default_headers"] = _with_headers(handler, context)
        if not hasattr(handler, "class_data"):
            body["class_data"] = property(
                lambda _: HandlerClassData(context.broker.class_values, name)
            )
        make_loader = handler.create_template_loader
        if make_loader is tornado.web.RequestHandler.create_template_loader:
            authored = context.authored
            body["create_template_loader"] = lambda _, folder: OfRoutes(folder, authored)
            authored.learn_new(_find_template_folders(handler))
        if handler.get_template_path is tornado.web.RequestHandler.get_template_path:
            body["get_template_path"] = lambda _: str(context.index.folder)
        return type(handler.__name__, (handler,), body)


def _with_headers(
    handler: type[tornado.web.RequestHandler], context: FrontContext
) -> Callable[[tornado.web.RequestHandler], None]:
    """The headers of each answer first: the handler's own replace them."""

    def set_default_headers(self: tornado.web.RequestHandler) -> None:
        headers = find_own_headers(context, is_secure=is_encrypted(self))
        if getattr(handler, "any_origin", False):
            del headers["Cross-Origin-Resource-Policy"]
        for name, value in headers.items():
            self.set_header(name, value)
        handler.set_default_headers(self)

    return set_default_headers


def _find_template_folders(handler: type[tornado.web.RequestHandler]) -> list[str]:
    """The folder of a handler's templates, if it depends on no request."""
    if handler.get_template_path is tornado.web.RequestHandler.get_template_path:
        return []
    try:
        folder = handler.get_template_path(handler.__new__(handler))
    except Exception:  # noqa: BLE001 - a project's code, asked before it expects it
        return []
    return [folder] if isinstance(folder, str) else []


def _is_foreign(
    request: tornado.httputil.HTTPServerRequest, handler: type[tornado.web.RequestHandler]
) -> bool:
    """Whether another site's page makes a browser change something here.

    Browsers send `Origin` with each such request; one that only reads reveals nothing to that page.
    """
    if request.method in _SAFE or getattr(handler, "any_origin", False):
        return False
    return not matches_origin(request.headers.get("Origin"), request.host)


def first_word(path: str) -> str:
    """The first part of a path, an analysis' name; `OPTIONS *` (RFC 9112, 3.2.4) has none."""
    return path.partition("/")[2].partition("/")[0]


def _find_stamp(entry: Entry) -> Stamp | None:
    """The stamp of the analysis' file; `None` if there is nothing to read."""
    if entry.file is not None or entry.problems:
        return None
    return find_stamp(entry.folder / ROUTES_FILE)


@contextlib.contextmanager
def _importing(root: Path) -> Iterator[None]:
    """The project's folder is first on the path, and nothing that is saved twice is read once."""
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def _import(entry: Entry, place: Place) -> Any:
    _forget_modules(entry.folder)
    name = place.module(entry.name).rpartition(".")[0]
    _make_packages(name, entry.folder)
    module = importlib.import_module(f"{name}.{Path(ROUTES_FILE).stem}")
    return getattr(module, "ROUTES", ())


def _make_packages(name: str, folder: Path) -> None:
    """Folders without `__init__.py` as packages: another one of that name would win over them."""
    parent = name.rpartition(".")[0]
    if parent:
        _make_packages(parent, folder.parent)
    known = sys.modules.get(name)
    if known is not None:
        if str(folder) not in map(str, getattr(known, "__path__", ())):
            taken = getattr(known, "__file__", None) or "a module of another folder"
            raise ImportError(f"the name {name!r} is taken by {taken}; rename the folder {folder}")
    elif not (folder / "__init__.py").is_file():
        package = types.ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package


def _forget_modules(folder: Path) -> None:
    """Modules that an earlier `routes.py` imported from its own folder are read again."""
    inside = str(folder) + os.sep
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(inside):
            del sys.modules[name]
            parent, _, own = name.rpartition(".")
            vars(sys.modules.get(parent, module)).pop(own, None)  # `from . import` asks there first


def _tell(error: BaseException, file: Path) -> str:
    """The error and its place: in the project, rather than in a library that it calls."""
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(str(file.parent.parent))]
    place = f"{own[-1].filename}:{own[-1].lineno}" if own else str(file)
    return f"{place}: {text}"


def _places(file: Path) -> Iterator[str]:
    """File and line of each item of `ROUTES`; the file alone if it is not written as a list."""
    items: list[ast.expr] = []
    try:
        body = ast.parse(file.read_bytes()).body
    except (OSError, ValueError, SyntaxError, RecursionError):
        body = []  # saved again since it was imported
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.List):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(to, ast.Name) and to.id == "ROUTES" for to in targets):
                items = node.value.elts
    known = (f"{file}:{item.lineno}: " for item in items)
    return itertools.chain(known, itertools.repeat(f"{file}: "))
