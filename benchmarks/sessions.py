"""Groups of figures about sessions: kernels of their own, coming back, waiting without a page."""

from __future__ import annotations

import json
import os
import signal
import time

from benchmarks.client import COUNTING, Page, action, close_pages, open_pages
from benchmarks.loads import revival_s, stream_s
from benchmarks.run import Run
from benchmarks.servers import running

MISSED = 1000
SESSIONS = 1000
SETTLE_S = 1.5  # a spare kernel is there, and what a connection leaves to do is done


def alone(run: Run) -> None:
    """The first answer from a kernel that waits, and that of the next one after a kill."""
    with running(run.ours) as servers:
        port = servers[run.ours].port
        first = open_pages(port, 1, "alone")  # its kernel is not measured: a spare follows
        for _ in run.rounds(5):
            time.sleep(SETTLE_S)
            began_s = time.perf_counter()
            page = open_pages(port, 1, "alone")[0]
            run.results.add("preheated", "databench", 1e3 * (time.perf_counter() - began_s))
            pid = _pid(page)
            took_s = revival_s(page, lambda pid=pid: os.kill(pid, signal.SIGKILL))
            run.results.add("revival_alone", "databench", took_s)
            page.close()
        close_pages(first)


def _pid(page: Page) -> int:
    page.send(action("pid", "0"))
    return int(json.loads(page.wait_for(b'"pid"'))["load"])


def resume(run: Run) -> None:
    """A page comes back and gets what it missed, as long as the ring holds all of it."""
    with running(run.ours) as servers:
        port = servers[run.ours].port
        page = Page(port, connect=(COUNTING % ("null", 0, "null")).encode())
        told = json.loads(page.wait_for(b'"__connect"'))["load"]
        stream_s(page, MISSED)
        page.close()
        again = (COUNTING % (f'"{told["analysis_id"]}"', 0, f'"{told["epoch"]}"')).encode()
        last = b'"tick","load":%d}' % (MISSED - 1)
        for _ in run.rounds(7):
            began_s = time.perf_counter()
            page = Page(port, connect=again)
            page.wait_for(last)
            run.results.add("resume", "databench", 1e3 * (time.perf_counter() - began_s))
            page.close()


def detached(run: Run) -> None:
    """Memory of sessions whose pages have gone."""
    with running(run.ours) as servers:
        server = servers[run.ours]
        close_pages(open_pages(server.port, 1))
        time.sleep(SETTLE_S)
        before_kib = server.pss_kib()
        count = SESSIONS // 10 if run.is_quick else SESSIONS
        close_pages(open_pages(server.port, count))
        time.sleep(SETTLE_S)
        run.results.add("detached", "databench", (server.pss_kib() - before_kib) / count)
