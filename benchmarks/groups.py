"""The groups of figures; each starts servers of its own and ends them."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import tempfile
import time
from collections.abc import Callable

from benchmarks.browsing import connections, loading, pages
from benchmarks.client import Page, close_pages, open_pages
from benchmarks.generator import Generator
from benchmarks.loads import (
    PAYLOAD_BYTES,
    echo_latencies_s,
    payload_s,
    pipelined_rate,
    reload_s,
    revival_s,
    share_s,
    stream_s,
)
from benchmarks.loops import Loop, burning, index_s, probe_s
from benchmarks.run import SIDES, Run, no_collector, p50_p99_ms, pages_on
from benchmarks.servers import Server, ServerError, databench_argv, running
from benchmarks.sessions import alone, detached, resume

IN_FLIGHT = 128
EMITS = 20_000
PAGES = 1000
SETTLE_S = 1.5
EDITED = """import databench


class Edited(databench.Analysis):
    @databench.on
    def echo(self, value):
        self.emit("echo", [value, {number}])
"""


def echo(run: Run) -> None:
    """Latency of one exchange after the other."""
    count = 500 if run.is_quick else 3000
    with run.pair() as servers, pages_on(servers, 1) as pages:
        for side in run.turns(7):
            page = pages[side][0]
            with run.cost("echo", side, servers[side]) as exchanges:
                p50, p99 = p50_p99_ms(echo_latencies_s(page, count))
                exchanges.append(count)
            run.results.add("echo_p50", side, p50)
            run.results.add("echo_p99", side, p99)
            name = "echo" if servers[side].kind == "relay" else "echo_plain"
            with no_collector():
                samples = echo_latencies_s(page, count // 2, name)
            run.results.add("echo_plain_p50", side, p50_p99_ms(samples)[0])


def pipelined(run: Run) -> None:
    """`IN_FLIGHT` exchanges at any time, on one page and on 32."""
    duration_s = 0.3 if run.is_quick else 1.0
    with run.pair() as servers:
        for count in (1, 32):
            key = f"pipelined_{count}"
            with pages_on(servers, count) as pages:
                for side in run.turns(7):
                    with run.cost(key, side, servers[side]) as exchanges:
                        answered, took_s = pipelined_rate(
                            pages[side], IN_FLIGHT // count, duration_s
                        )
                        exchanges.append(answered)
                    run.results.add(key, side, answered / took_s)


def stream(run: Run) -> None:
    """Small emits from one action, as fast as they come."""
    with run.pair() as servers, pages_on(servers, 1) as pages:
        for side in SIDES:
            stream_s(pages[side][0], EMITS)  # the first one pays for what later ones reuse
        for side in run.turns(7):
            with run.cost("stream", side, servers[side]) as exchanges:
                took_s = stream_s(pages[side][0], EMITS)
                exchanges.append(EMITS)
            run.results.add("stream", side, EMITS / took_s)


def payload(run: Run) -> None:
    """1 MB there and back, two at a time."""
    count = 20 if run.is_quick else 150
    with run.pair() as servers, pages_on(servers, 1) as pages:
        for side in SIDES:
            payload_s(pages[side][0], 10)
        for side in run.turns(7):
            with run.cost("payload", side, servers[side]) as exchanges:
                took_s = payload_s(pages[side][0], count)
                exchanges.append(count)
            run.results.add("payload", side, count * PAYLOAD_BYTES / 1e6 / took_s)


def loops(run: Run) -> None:
    """Echoes on the same and on another analysis while a loop computes and emits."""
    duration_s = 1.5 if run.is_quick else 5.0
    with running(run.ours) as servers, no_collector():
        port = servers[run.ours].port
        pages = {"same": open_pages(port, 1)[0], "other": open_pages(port, 1, "other")[0]}
        looping = open_pages(port, 1)[0]
        time.sleep(SETTLE_S)  # what a start leaves to do is no part of an idle server
        for _ in run.rounds(3):
            for where, page in pages.items():
                _loops_round(run, where, page, looping, duration_s)
        close_pages([*pages.values(), looping])


def _loops_round(run: Run, where: str, page: Page, looping: Page, duration_s: float) -> None:
    """Idle first, then during each loop; for the other analysis, also beside a bare process."""
    probed_s = duration_s - 0.6
    idle_p99 = p50_p99_ms(probe_s(page, probed_s))[1]
    for style, name in (("coroutine", "loop"), ("plain", "loop_plain")):
        loop = Loop(looping, name, duration_s)
        p99 = p50_p99_ms(probe_s(page, probed_s, loop))[1]
        run.results.add(f"rate_{style}", "databench", loop.finish())
        run.results.add(f"{where}_{style}", "databench", p99)
        run.results.add(f"{where}_{style}", "reference", idle_p99)
    if where == "other":
        with burning():
            p99 = p50_p99_ms(probe_s(page, probed_s))[1]
        run.results.add("other_control", "databench", p99)
        run.results.add("other_control", "reference", idle_p99)


def lock(run: Run) -> None:
    """Echoes on another analysis, and the index page, while one C call holds a kernel's lock."""
    probed_s = 0.5 if run.is_quick else 1.5
    with running(run.ours) as servers, no_collector():
        port = servers[run.ours].port
        echoing, holding = open_pages(port, 1, "other")[0], open_pages(port, 1)[0]
        for _ in run.rounds(3):
            idle = probe_s(echoing, probed_s), index_s(port, probed_s)
            loop = Loop(holding, "hold", 0)
            busy = probe_s(echoing, probed_s, loop), index_s(port, probed_s, loop)
            loop.finish()
            for key, quiet, held in zip(("lock_other", "lock_index"), idle, busy, strict=True):
                run.results.add(key, "reference", p50_p99_ms(quiet)[1])
                run.results.add(key, "databench", p50_p99_ms(held)[1])
        close_pages([echoing, holding])


def crowd(run: Run) -> None:
    """Memory of idle connections, and a change that all of them must hear of."""
    with run.pair() as servers, contextlib.ExitStack() as stack:
        pages = {}
        for side, server in servers.items():
            first = open_pages(server.port, 1)
            before_kib = _settled_kib(server)
            pages[side] = first + open_pages(server.port, PAGES - 1)
            stack.callback(close_pages, pages[side])
            grown_kib = _settled_kib(server) - before_kib
            run.results.add("memory", side, grown_kib / (PAGES - 1))
        for number, side in enumerate(run.turns(15)):
            with run.cost("share", side, servers[side]) as exchanges:
                took_s = share_s(pages[side], 1_000_000 + number)
                exchanges.append(PAGES)
            run.results.add("share", side, 1e3 * took_s)


def _settled_kib(server: Server) -> int:
    time.sleep(SETTLE_S)  # let what follows a connection end, such as the state it is sent
    return server.pss_kib()


def revival(run: Run) -> None:
    """The kernel is killed under an open page, which acts at once."""
    with running(run.ours) as servers:
        server = servers[run.ours]
        page = open_pages(server.port, 1)[0]
        for _ in run.rounds(7):
            run.results.add("revival", "databench", revival_s(page, lambda: _kill_kernel(server)))
            time.sleep(0.5)
        page.close()


def reload(run: Run) -> None:
    """The code of an idle kernel is saved under an open page."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        path = pathlib.Path(folder, "edited", "analysis.py")
        path.parent.mkdir()
        path.write_text(EDITED.format(number=1000))
        server = Server("databench", lambda port: databench_argv(port, pathlib.Path(folder)))
        stack.callback(server.stop)
        page = open_pages(server.port, 1, "edited")[0]
        for number in run.rounds(10):
            reload_s(page, lambda: None, b"%d" % (1000 + number))  # the kernel is there
            time.sleep(SETTLE_S)
            code = EDITED.format(number=1001 + number)
            took_s = reload_s(
                page, lambda code=code: path.write_text(code), b"%d" % (1001 + number)
            )
            run.results.add("reload", "databench", took_s)
        page.close()


def _kill_kernel(server: Server) -> None:
    kernels = server.kernels()
    if len(kernels) != 1:
        raise ServerError(f"one open analysis has {len(kernels)} kernels; which one to kill?")
    os.kill(kernels[0], signal.SIGKILL)


def start(run: Run) -> None:
    """A server's start to the last byte of its first page."""
    for side in run.turns(7):
        kind = run.ours if side == "databench" else "relay"
        with running(kind) as servers:
            run.results.add("start", side, servers[kind].start_s)


def generator(run: Run) -> None:
    """What the load generator can do at most, against a socket that answers without thinking."""
    with Generator() as server:
        for count in (1, 32):
            pages = open_pages(server.port, count)
            for _ in run.rounds(3):
                answered, took_s = pipelined_rate(pages, IN_FLIGHT // count, 0.5)
                run.results.add(f"generator_{count}", "databench", answered / took_s)
            close_pages(pages)
        page = open_pages(server.port, 1)[0]
        for _ in run.rounds(3):
            run.results.add(
                "generator_p50", "databench", p50_p99_ms(echo_latencies_s(page, 2000))[0]
            )
            took_s = payload_s(page, 100)
            run.results.add("generator_payload", "databench", 100 * PAYLOAD_BYTES / 1e6 / took_s)
        page.close()


GROUPS: dict[str, Callable[[Run], None]] = {
    "generator": generator,
    "echo": echo,
    "pipelined": pipelined,
    "stream": stream,
    "payload": payload,
    "loops": loops,
    "lock": lock,
    "pages": pages,
    "loading": loading,
    "connections": connections,
    "crowd": crowd,
    "revival": revival,
    "alone": alone,
    "resume": resume,
    "detached": detached,
    "reload": reload,
    "start": start,
}

# Without a kernel of Databench there is nothing to compute beside or to kill.
RELAY_GROUPS = (
    *("generator", "echo", "pipelined", "stream", "payload", "pages", "loading", "connections"),
    *("crowd", "start"),
)
