"""One soak: a real server, real kernels, pages behind a proxy, and faults by seed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.processes.server import Server

from . import project
from .checks import check_count, check_equal, check_flat, check_runs
from .page import Page
from .proxy import Proxy

ACTIONS = ("stream", "stream", "plain", "generator", "count", "count", "share")
SETTLE_S = 120.0
LOSE_S = 1.0  # before a kill of the front; its datastore has what is older than 0.1 s
# How much more there may be at the end than at rest before the faults. Descriptors and processes
# come and go with kernels; memory is the allocator's.
SLACK = {"descriptors": 12, "threads": 8, "processes": 0, "memory_mib": 60.0}


class Soak:
    """Everything of one run.

    Args:
        seed: What all that is random comes from.
        pages: How many.
        minutes: How long faults happen.
        tell: Gets a line now and then.
    """

    def __init__(
        self, seed: int, pages: int, minutes: float, tell: Callable[[str], None] = print
    ) -> None:
        self.chance = random.Random(seed)
        self.minutes = minutes
        self._tell = tell
        self._folder = tempfile.TemporaryDirectory(prefix="soak-")
        self.root = Path(self._folder.name)
        self.server = Server(project.make(self.root), "--no-watch", "--log", "ERROR")
        shared = [name for name in project.NAMES if name != "alone"]
        names = ["alone"] * min(project.MOST_ALONE, pages // 8)
        names += [shared[i % len(shared)] for i in range(pages - len(names))]
        self.pages = [
            Page(f"p{i}", name, random.Random(f"{seed} {i}")) for i, name in enumerate(names)
        ]
        self.kills: list[float] = []
        self._replacing: asyncio.Future[None] | None = None
        self.stopped: set[int] = set()
        self.counts: dict[str, int] = {}

    async def run(self) -> dict[str, object]:
        """Live it, and check it; returns its figures.

        Raises:
            AssertionError: A promise was broken.
        """
        try:
            self.server.start()
            self.proxy = Proxy(self.server.port)
            await self.proxy.start()
            await self._begin()
            before = self._measure()
            await self._live()
            await self._settle()
            after = self._measure()
            await self._check()
            check_flat(before, after, SLACK)
            return self._figures(before, after)
        finally:
            await self._end()

    # -- its parts

    async def _begin(self) -> None:
        """Each page has joined and acted, and the front was killed once, as it will be."""
        for page in self.pages:
            page.start(self.proxy.port)
        for _ in range(2):
            await self._wait(lambda: all(page.is_joined for page in self.pages), "all joined")
            for page in self.pages:
                page.request("stream", count=300, size=1000)  # fills its ring
            await self._wait(self._is_at_rest, "the first requests ended")
            if not self.kills:
                await self._kill_front()

    async def _live(self) -> None:
        until_s = time.monotonic() + 60 * self.minutes
        faults = asyncio.ensure_future(self._make_faults())
        acting = [asyncio.ensure_future(self._act(page, until_s)) for page in self.pages]
        told_s = time.monotonic()
        try:
            while time.monotonic() < until_s:
                await asyncio.sleep(0.5)
                self._raise_failures()
                if faults.done():
                    faults.result()
                if time.monotonic() - told_s > 60:
                    told_s = time.monotonic()
                    self._tell(f"{(until_s - told_s) / 60:.0f} min to go: {self.counts}")
            await asyncio.gather(*acting)
        finally:
            faults.cancel()
            await asyncio.gather(faults, return_exceptions=True)

    async def _act(self, page: Page, until_s: float) -> None:
        while time.monotonic() < until_s:
            await asyncio.sleep(page.chance.expovariate(1 / 2.0))
            if len(page.open) < 5:
                action = page.chance.choice(ACTIONS)
                load = {}
                if action in ("stream", "plain", "generator"):
                    sizes = (10, 10, 1000, 20_000)
                    count = page.chance.choice((1, 20, 200))
                    load = {"count": count, "size": page.chance.choice(sizes)}
                page.request(action, **load)
            if page.chance.random() < 0.1:
                page.cancel()
            if page.chance.random() < 0.03:
                page.reload()

    async def _make_faults(self) -> None:
        faults: list[tuple[int, Callable[[], object]]] = [
            (20, self._cut),
            (20, self._stall),
            (12, self._kill_kernel),
            (8, self._stop_kernel),
        ]
        weights, acts = zip(*faults, strict=True)
        next_front_s = time.monotonic() + 10
        while True:
            await asyncio.sleep(self.chance.expovariate(3.0))
            if time.monotonic() > next_front_s:
                await self._kill_front()
                next_front_s = time.monotonic() + self.chance.uniform(12, 40)
            else:
                self.chance.choices(acts, weights)[0]()

    # -- faults

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def _wire(self):
        wires = sorted(self.proxy.wires, key=id)
        return self.chance.choice(wires) if wires else None

    def _cut(self) -> None:
        if (wire := self._wire()) is not None:
            self._count("connections cut")
            wire.cut()

    def _stall(self) -> None:
        """Half open for a while: then it continues, or it is cut."""
        if (wire := self._wire()) is not None:
            self._count("connections stalled")
            wire.stall()
            end = wire.go_on if self.chance.random() < 0.6 else wire.cut
            asyncio.get_running_loop().call_later(self.chance.choice((0.5, 3.0, 8.0)), end)

    def _kernels(self) -> list[psutil.Process]:
        found = []
        for process in psutil.Process(self.server.pid).children():
            try:
                if any("databench/kernel/" in word for word in process.cmdline()):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def _kill_kernel(self) -> None:
        kernels = self._kernels()
        if kernels:
            self._count("kernels killed")
            self._signal(self.chance.choice(kernels).pid, signal.SIGKILL)

    def _stop_kernel(self) -> None:
        kernels = self._kernels()
        if kernels:
            self._count("kernels stopped")
            pid = self.chance.choice(kernels).pid
            self.stopped.add(pid)
            self._signal(pid, signal.SIGSTOP)
            loop = asyncio.get_running_loop()
            loop.call_later(self.chance.choice((0.3, 2.0, 9.0)), self._go_on, pid)

    def _go_on(self, pid: int) -> None:
        if pid in self.stopped:
            self.stopped.discard(pid)
            self._signal(pid, signal.SIGCONT)

    @staticmethod
    def _signal(pid: int, number: int) -> None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

    async def _kill_front(self) -> None:
        self._count("front killed")
        loop = asyncio.get_running_loop()
        self.kills.append(loop.time())
        self.stopped.clear()  # the guard ends them
        # In one go: when the faults end in between, they leave a front behind.
        self._replacing = loop.run_in_executor(None, self._replace_front)
        await asyncio.shield(self._replacing)

    def _replace_front(self) -> None:
        self.server.kill()
        self.server.restart()

    # -- at rest

    def _raise_failures(self) -> None:
        for page in self.pages:
            page.raise_failure()

    def _is_at_rest(self) -> bool:
        return all(page.is_joined and not page.open for page in self.pages)

    async def _wait(self, is_there: Callable[[], bool], what: str) -> None:
        until_s = time.monotonic() + SETTLE_S
        while not is_there():
            self._raise_failures()
            assert time.monotonic() < until_s, f"not within {SETTLE_S:g} s: {what}{self._late()}"
            await asyncio.sleep(0.05)

    def _late(self) -> str:
        late = [page for page in self.pages if not page.is_joined or page.open]
        return "".join(
            f"\n{page.name} ({page.analysis}), joined: {page.is_joined}, open: {page.open}\n  "
            + "\n  ".join(page.events)
            for page in late[:3]
        )

    async def _settle(self) -> None:
        """No more faults, until all that is open has ended."""
        if self._replacing is not None:
            await self._replacing
        for pid in list(self.stopped):
            self._go_on(pid)
        for wire in list(self.proxy.wires):
            wire.go_on()
        await self._wait(self._is_at_rest, "all requests ended")
        # One more for each, so that all kernels run; then nothing happens for a while.
        for page in self.pages:
            page.request("stream", count=1, size=1)
        await self._wait(self._is_at_rest, "the last requests ended")
        await asyncio.sleep(2.0)

    async def _check(self) -> None:
        told = {page: page.request("tell") for page in self.pages}
        await self._wait(self._is_at_rest, "what kernels have was told")
        shared: dict[str, int] = {}
        for page, number in told.items():
            kernel = page.results[number]
            assert isinstance(kernel, dict), f"{page.name}: {kernel}"
            check_equal(page.data, kernel["data"], f"data of {page.name}")
            check_equal(page.class_data, kernel["class_data"], f"class_data at {page.name}")
            shared[page.analysis] = kernel["class_data"].get("count") or 0
        for name, count in shared.items():
            pages = [page for page in self.pages if page.analysis == name]
            acknowledged = [at_s for page in pages for at_s in page.acknowledged]
            lost = sum(
                any(0 <= kill - at_s < LOSE_S for kill in self.kills) for at_s in acknowledged
            )
            tried = sum(self.tried(page) for page in pages)
            check_count(count, acknowledged=len(acknowledged), tried=tried, may_lose=lost)
        sent = [token for page in self.pages for token in page.sent]
        double = {token for page in self.pages for token in page.may_double}
        self.doubled = check_runs(project.read_runs(self.root), sent, double)

    def _may_be_lost(self, at_s: float) -> bool:
        return any(0 <= kill_s - at_s < LOSE_S for kill_s in self.kills)

    @staticmethod
    def tried(page: Page) -> int:
        """How many increments it may have caused: one that ran twice counts twice."""
        return len(page.sent) + len(page.may_double)

    def _measure(self) -> dict[str, float]:
        """Of the front and its kernels, at rest."""
        front = psutil.Process(self.server.pid)
        kernels = self._kernels()
        return {
            "descriptors": front.num_fds(),
            "threads": front.num_threads(),
            "processes": len(kernels),
            "memory_mib": sum(p.memory_info().rss for p in (front, *kernels)) / 2**20,
        }

    def _figures(self, before: dict[str, float], after: dict[str, float]) -> dict[str, object]:
        pages = self.pages
        return {
            **self.counts,
            "requests": sum(len(page.sent) for page in pages),
            "messages": sum(page.messages for page in pages),
            "joins": sum(page.joins for page in pages),
            "gaps": sum(page.gaps for page in pages),
            "ran twice, as it may": self.doubled,
            "before": {key: round(value, 1) for key, value in before.items()},
            "after": {key: round(value, 1) for key, value in after.items()},
        }

    async def _end(self) -> None:
        for pid in list(self.stopped):
            self._go_on(pid)
        for page in self.pages:
            page._is_over = True
        try:
            await asyncio.gather(*(page.stop() for page in self.pages))
            await self.proxy.stop()
            if self.server._process is not None:
                await asyncio.get_running_loop().run_in_executor(None, self.server.stop)
        finally:
            if self.server._process is not None:
                self.server.kill()
            self._folder.cleanup()
