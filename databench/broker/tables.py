"""The tables that the broker's parts share: analyses, kernels, sessions, requests, pages.

Owns no rule; `requests`, `sessions` and `inbound` work on these tables.
"""

from __future__ import annotations

import asyncio
import itertools

from ..protocol import codec, text
from ..protocol import messages as m
from ..protocol.budget import Budget
from ..settings import Settings
from .channel import Channel
from .records import HostedSession, KernelPool, KernelRecord
from .sessions.announcer import Announcer
from .sessions.holdings import Holdings
from .sessions.outbox import Outbox
from .sessions.parts import Parts
from .sessions.persistence import Persistence
from .stores.base import Store
from .supervision.supervisor import Supervisor


class Tables:
    """The broker's tables.

    Args:
        settings: The limits.
        budget: In which memory is counted; a new one when `None`.
        debug: Whether some page may see tracebacks and kernels' last lines: one that may
            administer the server.
        store: Keeps state for a later front; `None`: nothing does.
        how_to_administer: How a page gets that right, in sentences.
    """

    def __init__(
        self,
        settings: Settings,
        budget: Budget | None = None,
        *,
        debug: bool,
        store: Store | None = None,
        how_to_administer: str = "",
    ) -> None:
        self.settings = settings
        self.debug = debug
        self.how_to_administer = how_to_administer
        self.loop = asyncio.get_running_loop()
        self.persistence = Persistence(store, settings, self.loop)
        self.outbox = Outbox(2 * settings.credit_window_bytes, settings.replay_window_bytes)
        self.parts = Parts(self.loop, settings.turn_sessions, self.outbox.flush)
        self.announcer = Announcer(self.outbox, self.compose_kernel, self.parts)
        self.holdings = Holdings(settings, self.loop, budget)
        self.outbox.on_changed = self.holdings.settle
        self.outbox.on_written = self.holdings.settle_page
        self.pools: dict[str, KernelPool] = {}
        self.by_kernel: dict[Supervisor, KernelRecord] = {}  # those that end for good too
        self.sessions: dict[str, HostedSession] = {}
        self.requests: dict[int, HostedSession] = {}
        self.by_routing: dict[bytes, KernelRecord] = {}
        self.numbers = itertools.count(1)
        self.channel: Channel | None = None
        self.is_draining = False
        self.at_rest = asyncio.Event()  # set when the last open request has ended

    @property
    def records(self) -> list[KernelRecord]:
        """The kernels of all analyses."""
        return [record for pool in self.pools.values() for record in pool.records]

    def route(self, record: KernelRecord) -> None:
        """A process of the kernel has begun: messages of the one before are dropped."""
        self.by_routing.pop(record.routing_id, None)
        record.routing_id = record.kernel.routing_id
        self.by_routing[record.routing_id] = record

    def forget(self, record: KernelRecord) -> None:
        """A kernel has ended for good: its last messages are dropped."""
        del self.by_kernel[record.kernel]
        self.by_routing.pop(record.routing_id, None)

    def send(self, kernel: Supervisor, message: m.Message) -> bool:
        """Send to the kernel's current generation; one that is not there gets nothing."""
        if self.channel is None:
            return False
        return self.channel.send(kernel.routing_id, codec.encode(message))

    def give_credit(self, hosted: HostedSession) -> None:
        """Give back what the session's pages have taken.

        Without a page all comes back at once: to a kernel that reads it, which is asked. One that
        does not soon sends without credit.
        """
        record, session = hosted.record, hosted.session
        if not session.views and record.unread.is_lent_out:
            record.withheld[hosted] = None
            return
        size_bytes = session.receive_window.take_owed()
        if not size_bytes or not hosted.is_open:
            return
        kernel = record.kernel
        self.send(kernel, m.Credit(session=session.id_, size_bytes=size_bytes))
        if not session.views and "ping" in kernel.capabilities and record.unread.lend(size_bytes):
            kernel.heartbeat.ask()

    def take_pong(self, record: KernelRecord) -> bool:
        """A kernel has read all that it was sent; whether further sessions may be opened now."""
        record.answer_bytes = 0
        record.stray.renew()
        may_open = record.unread.read_all()
        withheld, record.withheld = record.withheld, {}
        for hosted in withheld:
            self.give_credit(hosted)
        return may_open

    def compose_kernel(self, hosted: HostedSession) -> bytes:
        """The kernel's state as this session's pages get it."""
        record = hosted.record
        kernel, pool = record.kernel, record.pool
        state = kernel.life.state.value
        if hosted.is_cancelling and kernel.life.is_live:
            state = "cancelling"
        reason, stderr = kernel.reason, kernel.stderr_lines
        if aside := hosted.set_aside_for:
            state, reason, stderr = "failed", aside, list(hosted.last_words)
        is_down = state in ("backoff", "failed")
        return text.compose_kernel(
            state,
            reason=text.without_file(reason),
            generation=kernel.life.generation,
            retry_in_s=kernel.retry_in_s,
            sessions=len(record.sessions),
            is_shared=record.is_shared(hosted),
            isolation=pool.spec.sharing.isolation,
            ahead=record.ahead if record in pool.queue else None,
            stderr=stderr if self.debug and is_down else (),
            cancel_limit_s=kernel.settings.cancel_limit_s if state == "cancelling" else None,
            code_change=record.code_change,
            analysis=kernel.spec.name,
            mistake=record.mistake if self.debug else "",
        )

    def last_words(self, kernel: Supervisor, since_s: float | None = None) -> bytes:
        """The kernel's last lines of stderr, a JSON string, if pages may see them.

        Args:
            kernel: The kernel.
            since_s: When what ended with its process had begun; `None`: its start failed.
        """
        if not self.debug:
            return b""
        lines = kernel.stderr_lines if since_s is None else kernel.lines_since(since_s)
        return text.dump("\n".join(lines)) if lines else b""
