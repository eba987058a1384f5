"""Serves: from the command line, the environment and `index.yaml` to a running front.

Owns the order of a start and of an end; the parts are in `startup`, the application is in `app`.
"""

from __future__ import annotations

import argparse
import asyncio
import difflib
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tornado.ioloop

from .. import descriptors, http, settings, threads
from .._version import __version__
from ..broker import Broker, SqliteStore, Store
from ..config import Index
from ..errors import SettingError
from ..http.queued import queued_streams
from ..printable import clean_line
from .app import Front
from .content import addresses, earlierruns
from .content.earlierruns import Runs
from .context import FrontContext
from .reload import build, reexec
from .reload.watch import Watcher, is_editable
from .security import access, cookies
from .security.access import Access
from .security.hosts import ANY_ADDRESS, Hosts
from .security.visitors import Visitors, make_key
from .startup import allocator, askedactions, coverage, logs, misspelt, ports, project
from .startup.project import Project
from .startup.script import ServedScript

log = logging.getLogger("databench.front")

Tell = Callable[[Front, tornado.ioloop.IOLoop], None]

_HEADERS_BYTES = 2**20
# How often the sources of a kept page are checked if pages reload after a save: pages
# get the reload later than that (`watch.QUIET_MS`), so none of them gets the old version.
_WATCHED_CHECK_S = 0.02
_OTHER_THREADS = 4  # libzmq's two, the watcher's and a readme's
_OF_CONNECTIONS = (
    "http_idle_limit_s",
    "http_header_limit_s",
    "http_body_limit_s",
    "connections_per_address",
    "unfinished_bytes",
)


def serve(
    options: argparse.Namespace,
    environ: Mapping[str, str],
    cli_args: Sequence[str],
    script: ServedScript | None = None,
) -> int:
    """Serve until a signal.

    Args:
        options: Databench's own options, as `cli` parsed them.
        environ: The environment.
        cli_args: For the analyses.
        script: The script to serve instead of a folder.

    Returns:
        The exit status.

    Raises:
        SettingError: An option cannot be carried out; nothing was started.
    """
    descriptors.raise_limit()
    allocator.keep_freed()
    with queued_streams():
        logs.configure(options.log)
        with coverage.measured(options.coverage):
            return _serve(options, environ, cli_args, script)


def _serve(
    options: argparse.Namespace,
    environ: Mapping[str, str],
    cli_args: Sequence[str],
    script: ServedScript | None,
) -> int:
    served = _find(options.analyses, script)
    index = served.index
    doubtful = misspelt.find(() if options.is_divided else cli_args, environ)
    _tell_problems(index, [*doubtful, *served.warnings])
    limits = _limits(options, environ, index)
    _begin_log(options, index, limits)
    if options.build:
        return 1 if any(build.run_now(index, limits).values()) else 0
    host = ports.find_host(options.host, environ)
    debug = access.find_mode(options, environ, host)
    chosen = access.find_chosen(options.admin_token, environ)
    opened = ports.open_ports(options, environ, host)
    hosts, port = Hosts(host, options.allow_host), opened.addresses[0][1]
    right = access.make(index.folder, port, environ, chosen, is_development=debug)
    runs = _find_runs(index, environ, options)
    context = _make_context(served, options, limits, cli_args, debug, port, right, runs)
    front = Front(context, hosts=hosts, extra_routes=served.extra_routes, place=served.place)
    _build(context)
    tell = _teller(served, host, opened.addresses)
    run_settings = _run_settings(limits, options.xheaders)
    loop = script.loop if script else None
    runner = http.Runner(front, **opened._asdict(), settings=run_settings, loop=loop)
    _prepare_process(front)
    if debug if options.watch is None else options.watch:
        _run_watched(runner, front, lambda: _read_again(front, options.analyses, script), tell)
    else:
        front.on_start_callbacks.append(tell)
        runner.run()
    return 0


def _begin_log(options: argparse.Namespace, index: Index, limits: settings.Settings) -> None:
    """With its limits, and with the messages of kernels where that is asked for."""
    logs.adopt(limits)
    for name in options.trace_kernel:
        if name not in index.entries:
            near = difflib.get_close_matches(name, index.entries, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise SettingError(
                f"--trace-kernel is {name!r}, and there is no such analysis{hint}",
                name="trace_kernel",
            )
    if options.trace_file and not options.trace_kernel:
        raise SettingError(
            "--trace-file without --trace-kernel NAME: no kernel is traced", name="trace_file"
        )
    if options.trace_kernel:
        logs.trace(options.trace_file)


def _build(context: FrontContext) -> None:
    """Run what makes the pages, before they are served."""
    context.builder.faults.update(build.run_now(context.index, context.limits))
    context.authored.learn_built()


def _prepare_process(front: Front) -> None:
    """At the start, once all is loaded.

    The threads for what waits are started: the loop does so one by one, as long as it can.
    """
    pool = threads.make_pool("pool", threads.find_size(), more=_OTHER_THREADS)

    async def use(_front: Front, _io_loop: tornado.ioloop.IOLoop) -> None:
        asyncio.get_running_loop().set_default_executor(pool)
        allocator.exempt_loaded()

    front.on_start_callbacks.insert(0, use)


def _make_context(
    served: Project,
    options: argparse.Namespace,
    limits: settings.Settings,
    cli_args: Sequence[str],
    debug: bool,
    port: int,
    right: Access,
    runs: Runs,
) -> FrontContext:
    """The common parts of the front's handlers, with the broker."""
    store = _open_store(served.index)
    broker = Broker(
        served.specs,
        limits,
        debug=bool(right.token),
        how_to_administer=right.how,
        log_level=options.log,
        cli_args=cli_args,
        analyses_version=served.index.version,
        kernelspecs=served.kernelspecs,
        store=store,
        traced=options.trace_kernel,
    )
    return FrontContext(
        served.index,
        broker,
        limits,
        debug=debug,
        access=right,
        visitors=Visitors(_find_key(store), port=port, project=runs.project),
        runs=runs,
    )


def _find_runs(index: Index, environ: Mapping[str, str], options: argparse.Namespace) -> Runs:
    """Keeps what analyses write while this server, and earlier ones of its project, run."""
    name = cookies.find_project(index.folder)
    return Runs(earlierruns.find_folder(environ), name, trusts=options.trust_pages)


def _find_key(store: Store | None) -> str:
    """The key that signs browsers' words: the datastore's, else one for this run."""
    key = store.key if store else ""
    if not key:
        key = make_key()
        if store:
            store.pending.put_key(key)
    return key


def _limits(
    options: argparse.Namespace, environ: Mapping[str, str], index: Index
) -> settings.Settings:
    given = {row.name: value for row in settings.TABLE if (value := getattr(options, row.name))}
    return settings.resolve(options=given, environ=environ, file=index.settings)


def _open_store(index: Index) -> Store | None:
    if index.datastore is None:
        return None
    here = Path.cwd()
    given_out = [root / folder for _, folder in index.static for root in (index.folder, here)]
    given_out += [root for roots in addresses.static_roots(index).values() for root in roots]
    given_out += [entry.folder / "static" for entry in index.entries.values()]
    path = index.datastore.find_path(index.folder, given_out)
    return SqliteStore(path) if path else None


def _find(analyses: str | None, script: ServedScript | None) -> Project:
    here = Path.cwd()
    if script is None:
        return project.from_folder(analyses, here=here)
    return project.from_script(script, here=here)


def _run_settings(limits: settings.Settings, xheaders: bool) -> dict[str, Any]:
    """The runner's settings: limits of Tornado's server that follow from ours, and the rest."""
    return {
        "xheaders": xheaders,
        "shutdown_limit_s": limits.shutdown_limit_s,
        "max_body_size": limits.page_message_bytes,
        # Tornado reads a websocket's message into this; see websocket.max_message_size.
        "max_buffer_size": 2 * limits.page_message_bytes + _HEADERS_BYTES,
        **{name: getattr(limits, name) for name in _OF_CONNECTIONS},
    }


def _run_watched(
    runner: http.Runner, front: Front, read_again: Callable[[], None], tell: Tell
) -> None:
    """Run it, watch what it serves, and run again in its place when its own code was saved."""
    follower = reexec.Again(runner.sockets, runner.tls_sockets)
    follower.stop = runner.stop
    on_own = follower.on_own if is_editable() else None
    watcher = Watcher(front.context, on_index=read_again, on_own=on_own, place=front.place)
    front.context.is_watched = True
    front.context.kept.interval_s = _WATCHED_CHECK_S

    async def begin(_front: Front, io_loop: tornado.ioloop.IOLoop) -> None:
        await watcher.start()  # a save after the address was printed is seen
        tell(front, io_loop)

    front.on_start_callbacks.append(begin)
    front.on_shutdown_callbacks.append(lambda _front: watcher.stop())
    runner.run()
    follower.finish(os.environ)


def _read_again(front: Front, analyses: str | None, script: ServedScript | None) -> None:
    """`index.yaml` or a `routes.py` was saved, or an analysis came or went."""
    if script is not None:
        return  # the script's own call defines what is served
    try:
        served = _find(analyses, None)
    except SettingError as error:  # the folder is gone
        log.warning("%s; the analyses read before are served", error)
        return
    if served.index != front.context.index:
        _tell_problems(served.index, before=front.context.index)
    front.swap(served.index)
    if served.index.is_read:
        broken = [name for name, entry in served.index.entries.items() if entry.problems]
        front.context.broker.swap(
            served.specs,
            broken,
            analyses_version=served.index.version,
            kernelspecs=served.kernelspecs,
        )


def _tell_problems(
    index: Index, misspelt: Sequence[str] = (), *, before: Index | None = None
) -> None:
    """Log what is wrong.

    Args:
        index: The project.
        misspelt: Problems with the command line and the environment.
        before: What was served until now, and logged; `None`: nothing was.
    """
    told = set() if before is None else set(_find_problems(before))
    for text in (*misspelt, *_find_problems(index)):
        if text not in told:
            log.warning("%s", text)


def _find_problems(index: Index) -> list[str]:
    of_entries = [text for entry in index.entries.values() for text in entry.problems]
    others = [f"{text}; the other analyses are served" for text in of_entries]
    return [*index.warnings, *index.problems, *askedactions.find_problems(index), *others]


def _show_host(host: str) -> str:
    """The host in an address that answers on this machine.

    `localhost` may be 127.0.0.1 alone, which a socket on `::` does not take.
    """
    if host in ANY_ADDRESS:
        return "[::1]" if host == "::" else "localhost"
    return f"[{host}]" if ":" in host else host


def _teller(served: Project, host: str, addresses: Sequence[tuple[str, int]]) -> Tell:
    """Prints where the pages are, once they are there."""

    def tell(front: Front, io_loop: tornado.ioloop.IOLoop) -> None:
        shown = _show_host(host)
        page = f"{served.address}{front.context.access.printed}"
        urls = [f"  {scheme}://{shown}:{port}/{page}" for scheme, port in addresses]
        urls[0] += "    (Ctrl-C stops)"
        lines = [f"Databench {__version__} serves {served.shown}", *urls]
        if front.context.is_watched:
            lines.append(
                "  Saved files restart kernels and reload pages (--no-watch turns this off)"
            )
        print("\n".join(map(clean_line, lines)))

    return tell
