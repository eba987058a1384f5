"""What the broker's parts share: analyses with their kernels, sessions, open requests, pages.

Owns no rule; `requests`, `sessions` and `inbound` work on these tables.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..protocol import codec, text
from ..protocol import messages as m
from ..protocol.session import Session
from ..settings import Settings
from .channel import Channel
from .keeper import Keeper
from .outbox import Outbox
from .specs import Page
from .stores.base import Store
from .stores.class_data import ClassData
from .supervisor import Supervisor

LOSSES = 10  # ends of one kernel that are shown


@dataclass(frozen=True, slots=True)
class Loss:
    """One end of a kernel.

    Attributes:
        at_s: When, on the loop's clock.
        generation: Which one it was.
        reason: Why, for people.
        stderr: The last lines that it wrote there.
    """

    at_s: float
    generation: int
    reason: str
    stderr: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Entry:
    """An analysis that is or was in use.

    Attributes:
        kernel: Its supervisor.
        store: Its `class_data`.
        seats: Its sessions by id.
        open_requests: How many requests the kernel has.
        open_bytes: What their payloads hold, sent and not yet ended.
        junk: Frames of its kernel's generation that were not understood.
        answer_bytes: Answers to writes of `class_data` since the kernel's last `pong`.
        code_change: What was saved while its kernel worked, which restarts when it is idle.
        sources: The files that the kernel has named, each with the time since when it may have
            been read; `None` while it has named none.
        sources_of: The generation that named them.
        began_s: When its kernel's process began, on the loop's clock.
        losses: How its kernel ended before, the latest last.
    """

    kernel: Supervisor
    store: ClassData
    seats: dict[str, Seat] = field(default_factory=dict)
    open_requests: int = 0
    open_bytes: int = 0
    junk: int = 0
    answer_bytes: int = 0
    code_change: str = ""
    sources: dict[str, float | None] | None = None
    sources_of: int = 0
    began_s: float = 0.0
    losses: deque[Loss] = field(default_factory=lambda: deque(maxlen=LOSSES))


@dataclass(slots=True, eq=False)
class Seat:
    """A session and the analysis that it belongs to.

    Attributes:
        is_open: Whether the kernel's current generation was told of the session.
        restored: Why it is to be opened again, or `None` the first time.
        is_cancelling: Whether its pages are shown that a cancel is under way.
    """

    session: Session
    entry: Entry
    is_open: bool = False
    restored: str | None = None
    is_cancelling: bool = False


@dataclass(slots=True, eq=False)
class PageRecord:
    """A page, its session, what is to be written and what has not drained."""

    page: Page
    seat: Seat
    frames: list[bytes] = field(default_factory=list)
    in_flight_bytes: int = 0


class Tables:
    """The broker's tables.

    Args:
        settings: The limits.
        debug: Whether pages may see tracebacks and kernels' last lines.
        store: Keeps state for a later front; `None`: nothing does.
    """

    def __init__(self, settings: Settings, *, debug: bool, store: Store | None = None) -> None:
        self.settings = settings
        self.debug = debug
        self.loop = asyncio.get_running_loop()
        self.keeper = Keeper(store, settings, self.loop)
        self.outbox = Outbox(2 * settings.credit_window_bytes)
        self.entries: dict[str, Entry] = {}
        self.seats: dict[str, Seat] = {}
        self.requests: dict[int, Seat] = {}
        self.by_routing: dict[bytes, Entry] = {}
        self.numbers = itertools.count(1)
        self.channel: Channel | None = None
        self.is_draining = False
        self.at_rest = asyncio.Event()  # told when the last open request has ended

    def send(self, kernel: Supervisor, message: m.Message) -> bool:
        """Send to the kernel's current generation; one that is not there gets nothing."""
        if self.channel is None:
            return False
        return self.channel.send(kernel.routing_id, codec.encode(message))

    def give_credit(self, seat: Seat) -> None:
        """Give back what the session's pages have drained."""
        size_bytes = seat.session.ledger.take_owed()
        if size_bytes and seat.is_open:
            self.send(seat.entry.kernel, m.Credit(seat.session.id_, None, size_bytes))

    def compose_kernel(self, seat: Seat) -> bytes:
        """The kernel's state as this session's pages are told it."""
        kernel = seat.entry.kernel
        state = kernel.life.state.value
        if seat.is_cancelling or state == "cancelling":
            # One page's cancel is no other session's business.
            state = "cancelling" if seat.is_cancelling and kernel.is_ready else "busy"
        is_down = state in ("backoff", "failed")
        return text.compose_kernel(
            state,
            reason=kernel.reason,
            generation=kernel.life.generation,
            retry_in_s=kernel.retry_in_s,
            sessions=len(seat.entry.seats),
            stderr=kernel.stderr_lines if self.debug and is_down else (),
            cancel_limit_s=self.settings.cancel_limit_s if state == "cancelling" else None,
            code_change=seat.entry.code_change,
        )

    def last_words(self, kernel: Supervisor) -> bytes:
        """The kernel's last lines of stderr, a JSON string, where pages may see them."""
        lines: Sequence[str] = kernel.stderr_lines if self.debug else ()
        return text.dump("\n".join(lines)) if lines else b""
