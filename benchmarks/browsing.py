"""Figures of pages: what they cost the front, and what others wait while they are loaded."""

from __future__ import annotations

import time

from benchmarks.client import Page, action
from benchmarks.loops import probe_s
from benchmarks.run import SIDES, Run, no_collector, p50_p99_ms, pages_on
from benchmarks.servers import Server, processor_s
from benchmarks.visits import connections_s, find_assets, visit_again, visit_new, visiting

RATE = 50.0
_PATHS = {"gallery": "/", "page": "/bench/"}
_VISITS = {"new": visit_new, "again": visit_again}


def _path(server: Server, what: str) -> str:
    """The relay has one page, of a few bytes."""
    return "/" if server.kind == "relay" else _PATHS[what]


def pages(run: Run) -> None:
    """Processor time of the front for each request."""
    count = 100 if run.is_quick else 400
    with run.pair() as servers:
        for server in servers.values():
            for what in _PATHS:
                visit_new(server.port, _path(server, what), 50)  # what is kept is there then
        for what in _PATHS:
            for how, visit in _VISITS.items():
                for side in run.turns(9):
                    server = servers[side]
                    before_s = processor_s([server.process.pid])
                    with no_collector():
                        visit(server.port, _path(server, what), count)
                    spent_s = processor_s([server.process.pid]) - before_s
                    run.results.add(f"{what}_{how}", side, 1e6 * spent_s / count)


def loading(run: Run) -> None:
    """Echoes on an open page while visitors come, without and with the files of their pages."""
    duration_s = 1.5 if run.is_quick else 5.0
    with run.pair() as servers, pages_on(servers, 1) as opened, no_collector():
        names = (
            find_assets(servers["databench"].port, "/bench/")
            if servers["databench"].kind == "databench"
            else ["databench.css", "databench.js"]
        )
        paths = {side: _loaded(servers[side], names) for side in SIDES}
        for key, count in (("loading_html", 1), ("loading_assets", None)):
            for side in run.turns(5):
                port = servers[side].port
                with visiting(port, RATE, duration_s, paths[side][:count]):
                    samples = probe_s(opened[side][0], duration_s - 0.6)
                run.results.add(key, side, p50_p99_ms(samples)[1])


def _loaded(server: Server, names: list[str]) -> list[str]:
    """A page and the files that it brings; the relay has the same files, without their words."""
    if server.kind == "relay":
        return ["/", *(f"/assets/{name.partition('?')[0]}" for name in names)]
    return ["/bench/", *(f"/_static/{name}" for name in names)]


def connections(run: Run) -> None:
    """New connections in a second: for one page each, and for a websocket that joins."""
    count = 160 if run.is_quick else 800
    with run.pair() as servers:
        for server in servers.values():
            _joins_s(server.port, 1)  # which starts a kernel
        for side in run.turns(7):
            server = servers[side]
            with no_collector():
                took_s = connections_s(server.port, _path(server, "page"), count)
                run.results.add("connections", side, count / took_s)
                took_s = _joins_s(server.port, count // 4)
                run.results.add("joins", side, count // 4 / took_s)


def _joins_s(port: int, count: int) -> float:
    """How long so many pages take that open a websocket, act once and leave."""
    frame = action("echo", '"hello"')
    started_s = time.perf_counter()
    for _ in range(count):
        page = Page(port)
        page.send(frame)
        page.wait_for(b'"hello"')
        page.close()
    return time.perf_counter() - started_s
