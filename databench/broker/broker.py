"""The front's only door to sessions and kernels.

Theory of operation: pages call `join`, `receive`, `delivered` and `leave`; the channel passes in
the messages of kernels, which `inbound` turns into frames of sessions; supervisors report kernels
that become ready or are lost. All of it runs on one loop and never waits. The outbox gathers all
writes, and flushes once at the end of each of these calls.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from secrets import token_urlsafe
from typing import Any

from ..closecodes import GOING_AWAY, SERVER_STOPS, TRY_LATER
from ..protocol import text
from ..protocol.clients import make_client
from ..protocol.poison import Poison
from ..settings import Settings
from .channel import Channel
from .code import Code
from .inbound import Inbound
from .kernels import Kernels
from .mistakes import Mistakes
from .overview import Overview, outline
from .pools import Pools
from .records import KernelPool
from .retiring import Retiring
from .sessions.class_values import ClassValues
from .sessions.holdings import make_budget
from .sessions.opening import Opening
from .sessions.requests import Requests
from .sessions.sessions import Sessions
from .socketfolder import SocketFolder
from .specs import AnalysisSpec, Page
from .stores.base import Store
from .supervision.guardian import Guardian
from .supervision.kernelspec import KernelSpec, adopt, find_kernelspecs
from .tables import Tables
from .trace import TracedChannel

logger = logging.getLogger("databench.broker")

SWEEP_S = 1.0
STOP_PART = 0.8  # of `shutdown_limit_s`: the rest is for what comes after the kernels


class Broker:
    """The broker of one front.

    Args:
        specs: The analyses by name.
        settings: The limits.
        debug: Whether some page may see tracebacks and kernels' last lines: one that may
            administer the server.
        log_level: For kernels' own logging.
        cli_args: What kernels get as `cli_args`.
        analyses_version: The version in `index.yaml`.
        kernelspecs: The kernel specs by name; found where they usually are when `None`.
        store: Keeps state for a later front, and is closed with this one; `None`: nothing does.
        how_to_administer: How a page gets that right, in sentences.
        traced: The analyses with whose kernels each message is logged.

    Attributes:
        budget: Of the server's memory; a part that holds bytes for a client takes them from it.
    """

    def __init__(
        self,
        specs: Mapping[str, AnalysisSpec],
        settings: Settings,
        *,
        debug: bool = False,
        log_level: str = "WARNING",
        cli_args: Sequence[str] = (),
        analyses_version: str | None = None,
        kernelspecs: Mapping[str, KernelSpec] | None = None,
        store: Store | None = None,
        how_to_administer: str = "",
        traced: Collection[str] = (),
    ) -> None:
        self.mark = f"DATABENCH_FRONT={token_urlsafe(12)}"
        self.budget = make_budget(settings)
        self._specs = dict(specs)
        self._settings = settings
        self._log_level = log_level
        self._cli_args = tuple(cli_args)
        self._analyses_version = analyses_version
        self._traced = frozenset(traced)
        self._kernelspecs = dict(kernelspecs) if kernelspecs is not None else find_kernelspecs()
        self._make_tables: Callable[[], Tables] = lambda: Tables(  # on the loop
            settings, self.budget, debug=debug, store=store, how_to_administer=how_to_administer
        )
        self._sweeper: asyncio.TimerHandle | None = None

    # ------------------------------------------------------------ its life

    async def start(self) -> None:
        """Bind the socket in a fresh private directory, and start the guard.

        Raises:
            OSError: The directory or the socket cannot be made.
        """
        self._make_parts()
        self._guardian = Guardian(self.mark)
        self._guardian.start()
        self._connect_parts()
        try:
            self._channel.open()
            self._folder.open()
        except BaseException:
            self._channel.close()
            self._guardian.stop()
            raise
        self._tables.channel = self._channel
        self._sweep()

    def _make_parts(self) -> None:
        self._tables = self._make_tables()
        self._requests = Requests(self._tables)
        self._opening = Opening(self._tables, self._requests)
        self.class_values = ClassValues(self._tables)
        parts = self._tables, self._requests, self._opening
        self._sessions = Sessions(*parts, self.class_values)
        self.has_session = self._sessions.is_there
        self.code = Code(self._tables, self._requests)
        self.overview = Overview(self._tables, self._requests)
        self._mistakes = Mistakes(self._tables, self._requests)
        self._inbound = Inbound(*parts, self.code, self.class_values, self._mistakes)
        self._retiring = Retiring(self._tables, self._requests, self._sessions, self.class_values)

    def _connect_parts(self) -> None:
        """To the socket, and to the processes."""
        settings = self._settings
        traced = functools.partial(TracedChannel, self._tables, self._traced)
        self._channel = (traced if self._traced else Channel)(
            on_message=self._inbound.receive,
            on_flush=self._tables.outbox.flush,
            drain_messages=settings.drain_messages,
            drain_turn_s=settings.drain_turn_s,
            message_bytes=settings.kernel_message_bytes,
            on_disconnected=self._mistakes.note_disconnected,
        )
        add = self._guardian.add_directory
        self._folder = SocketFolder(self._channel.bind, add, settings.socket_touch_s)
        self._kernels = Kernels(
            self.mark,
            self._tables,
            self._opening,
            self._guardian,
            self._channel,
            self._folder,
            cli_args=self._cli_args,
            log_level=self._log_level,
            kernelspecs=self._kernelspecs,
        )
        self._pools = Pools(self._tables, self._retiring, self._kernels.make)
        self._kernels.on_ready, self._kernels.on_culled = self._pools.ready, self._pools.culled
        self._sessions.on_closed = self._pools.vacate

    @property
    def endpoint(self) -> str:
        """Where kernels that start now connect to."""
        return self._folder.endpoint

    async def wind_down(self, limit_s: float) -> None:
        """Accept no further request, and wait for the end of those that are open.

        Args:
            limit_s: After this what still runs is left to `stop`.
        """
        tables = self._tables
        tables.is_draining = True
        if not tables.requests:
            return
        count = len(tables.requests)
        still = "1 action is" if count == 1 else f"{count} actions are"
        logger.info(
            "%s still running; waiting up to %.1f s (Ctrl-C again quits now)", still, limit_s
        )
        tables.at_rest.clear()
        try:
            await asyncio.wait_for(tables.at_rest.wait(), limit_s)
        except asyncio.TimeoutError:
            count = len(tables.requests)
            late = "1 action" if count == 1 else f"{count} actions"
            logger.warning("%s took more than %.1f s, the limit; ended", late, limit_s)

    async def stop(self, limit_s: float | None = None) -> None:
        """Stop all kernels; leave nothing behind.

        Args:
            limit_s: For the kernels; most of `shutdown_limit_s` when `None`.
        """
        if self._sweeper:
            self._sweeper.cancel()
        self._tables.is_draining = True
        self._pools.close()
        self._kernels.memory.stop()
        limit_s = self._settings.shutdown_limit_s * STOP_PART if limit_s is None else limit_s
        has_begun = bool(self._tables.by_kernel)
        kernels = (record.kernel.stop(limit_s) for record in self._tables.records)
        await asyncio.gather(*kernels, self._retiring.wait())
        self._tables.outbox.flush()
        self._tables.channel = None
        self._channel.close()
        if has_begun:
            self._guardian.clean()
        self._guardian.stop()
        await self._tables.persistence.stop()

    def status(self) -> dict[str, Any]:
        """Kernels, and counts of sessions, pages and dropped messages."""
        tables = self._tables
        return {
            "kernels": [outline(record.kernel) for record in tables.records],
            "sessions": len(tables.sessions),
            "pages": len(tables.outbox.page_records),
            "dropped": self._inbound.dropped,
        }

    def kernels(self) -> list[dict[str, Any]]:
        """See `Overview.describe`."""
        return self.overview.describe()

    def command_kernel(self, kernel: str, command: str) -> str:
        """See `Overview.command`."""
        return self.overview.command(kernel, command)

    def kernel_state(self, analysis: str) -> str:
        """The state of the analysis' first kernel; `"none"` while it was never needed."""
        pool = self._tables.pools.get(analysis)
        return pool.records[0].kernel.life.state.value if pool and pool.records else "none"

    def swap(
        self,
        specs: Mapping[str, AnalysisSpec],
        kept: Iterable[str] = (),
        *,
        analyses_version: str | None = None,
        kernelspecs: Mapping[str, KernelSpec] | None = None,
    ) -> None:
        """Other analyses from now on; a kernel whose analysis is to be run otherwise restarts.

        Args:
            specs: All that can run.
            kept: Those that cannot, and stay as they were as long as a page uses them.
            analyses_version: The version that joining pages get.
            kernelspecs: The kernel specs by name; `None`: as before.
        """
        self._analyses_version = analyses_version
        before = self._specs
        self._specs = {**{name: before[name] for name in kept if name in before}, **specs}
        if kernelspecs is not None:
            adopt(self._kernelspecs, kernelspecs, {s.kernel for s in self._specs.values()})
        for name, pool in list(self._tables.pools.items()):
            if name not in self._specs:
                self._retiring.begin(pool)
            elif name in specs:
                self.code.change_spec(pool, specs[name], self._kernelspecs[specs[name].kernel])

    @property
    def kernelspecs(self) -> Mapping[str, KernelSpec]:
        """The kernel specs by name, those too that cannot be used."""
        return self._kernelspecs

    def watch_sources(self, on_sources: Callable[[str], None]) -> None:
        """Call back when a kernel has named files that it was read from; see `Code.on_sources`."""
        self.code.on_sources = on_sources

    def sources(self, analysis: str) -> Mapping[str, float | None] | None:
        """See `Code.sources`."""
        return self.code.sources(analysis)

    def change_code(self, analysis: str, what: str, *, at_once: bool) -> None:
        """See `Code.change`."""
        self.code.change(analysis, what, at_once=at_once)

    def announce(self, frame: bytes) -> None:
        """A frame outside of the stream, for each page that knows such frames."""
        self._tables.announcer.announce(frame)
        self._tables.outbox.flush()

    # ------------------------------------------------------------ pages

    def join(self, analysis: str, page: Page, connect: text.Connect) -> None:
        """A page's first frame: it joins a session, or begins one.

        Args:
            analysis: The analysis' name.
            page: The page's connection.
            connect: The page's `__connect`.

        Raises:
            KeyError: There is no such analysis.
        """
        tables = self._tables
        if tables.is_draining:
            return page.close(GOING_AWAY, SERVER_STOPS)
        pool = self._get_pool(analysis)
        client = make_client(page.address, page.visitor)
        hosted, problem = self._sessions.admit(client, connect, pool, self._pools.place)
        if hosted is None:
            return page.close(TRY_LATER, problem)
        page_record, session = self._sessions.attach(page, hosted, client), hosted.session
        at, frames = session.join(page, connect, pool.store)
        self._sessions.note_viewed(hosted)
        answer = self._sessions.answer(page_record, connect, at, self._analyses_version)
        tables.outbox.add(page_record, [answer])
        tables.outbox.replay(page_record, frames)
        self._pools.need(hosted.record)
        if connect.received is not None:
            tables.outbox.add(page_record, [tables.compose_kernel(hosted)])
        self._sessions.welcome_page(page_record, connect)
        tables.outbox.flush()

    def receive(self, page: Page, message: text.PageMessage) -> None:
        """Any frame of a page after `__connect`."""
        page_record = self._tables.outbox.page_records.get(page)
        if page_record is not None:
            self._requests.receive(page_record, message)
            self._tables.outbox.flush()

    def complain(self, page: Page, problem: str) -> None:
        """Answer what was not understood with `error`; the connection stays."""
        page_record = self._tables.outbox.page_records.get(page)
        if page_record is None:
            page.write([text.compose_value("error", problem)])
            return
        self._requests.complain(page_record.hosted, problem)
        self._tables.outbox.flush()

    def delivered(self, page: Page) -> None:
        """Everything written to this page has left the process."""
        self._sessions.note_delivered(page)
        self._tables.outbox.flush()

    def leave(self, page: Page) -> None:
        """The page's connection is gone; the session stays for a while."""
        page_record = self._tables.outbox.forget(page)
        if page_record is not None:
            self._tables.holdings.forget_page(page_record)
            self._sessions.leave(page, page_record)
            self._pools.leave(page_record.hosted.record)

    # ------------------------------------------------------------ parts

    def _get_pool(self, analysis: str) -> KernelPool:
        """The analysis' table; its first kernel starts when its first page opens."""
        pool = self._tables.pools.get(analysis)
        if pool is None:
            values = self.class_values.store(analysis)
            pool = KernelPool(self._specs[analysis], values, Poison(self._settings))
            self._tables.pools[analysis] = pool
        return pool

    def _sweep(self) -> None:
        self._sessions.reclaim.sweep()
        self._pools.sweep()
        self._folder.touch(self._tables.loop.time())
        self._sweeper = self._tables.loop.call_later(SWEEP_S, self._sweep)
