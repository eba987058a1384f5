"""What the broker's parts share: analyses, kernels, sessions, open requests, pages.

Owns no rule; `requests`, `sessions` and `inbound` work on these tables.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..protocol import codec, text
from ..protocol import messages as m
from ..protocol.actions import UNDECLARED, Declared
from ..protocol.budget import Budget
from ..protocol.clients import NOBODY, Client
from ..protocol.flow import Allowance, Unread
from ..protocol.lifecycle import State
from ..protocol.poison import Poison
from ..protocol.session import Session
from ..settings import Settings
from .announcer import Announcer
from .channel import Channel
from .holdings import Holdings
from .keeper import Keeper
from .outbox import Outbox
from .parts import Parts
from .specs import AnalysisSpec, Page
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
class Group:
    """An analysis that is or was in use.

    Attributes:
        spec: The analysis.
        store: Its `class_data`.
        poison: Its actions that are suspected of ending kernels.
        entries: Its kernels.
        queue: Those of them that may not start yet, the first one first.
        running: Those that have a process, or are about to.
        leaving: How many of its processes are ending for good.
    """

    spec: AnalysisSpec
    store: ClassData
    poison: Poison
    entries: list[Entry] = field(default_factory=list)
    queue: dict[Entry, None] = field(default_factory=dict)
    running: dict[Entry, None] = field(default_factory=dict)
    leaving: int = 0

    @property
    def seats(self) -> Iterator[Seat]:
        """The sessions of all its kernels."""
        return (seat for entry in self.entries for seat in entry.seats.values())


@dataclass(slots=True, eq=False)
class Entry:
    """A kernel and its sessions.

    Attributes:
        kernel: Its supervisor.
        group: The analysis that it runs.
        routing_id: By which messages of its kernel's process come, the latest that began.
        seats: Its sessions by id.
        shown: Those of them that have a page.
        ahead: How many begin before it, as its pages were shown last, where it is queued.
        open_requests: How many requests the kernel has.
        open_bytes: What their payloads hold, sent and not yet ended.
        stray: What its kernel's generation may send that no session's credit pays for.
        junk: Messages of its kernel's generation that were not understood.
        answer_bytes: Values of `class_data` sent to the kernel since its last `pong`.
        unread: Sessions and credit that its kernel's generation was sent and has not read.
        withheld: Sessions without a page whose credit waits until it has read that.
        stale: Keys of `class_data` that it is to be told of, once it has read the others.
        declared: What its kernel's process lets pages ask for.
        code_change: What was saved while its kernel worked, which restarts when it is idle.
        sources: The files that the kernel has named, each with the time since when it may have
            been read; `None` while it has named none.
        sources_of: The generation that named them.
        used_s: When it last had a page or ran an action, on the loop's clock.
        began_s: When its kernel's process began, on the loop's clock.
        losses: How its kernel ended before, the latest last.
        waiting: How many of its sessions have no page and run nothing.
        is_restoring: Whether its process was given sessions' state, and no action since.
        restore_deaths: How often in a row it ended while that was so.
    """

    kernel: Supervisor
    group: Group
    routing_id: bytes = b""
    seats: dict[str, Seat] = field(default_factory=dict)
    shown: dict[Seat, None] = field(default_factory=dict)
    ahead: int = 0
    open_requests: int = 0
    open_bytes: int = 0
    stray: Allowance = field(init=False)
    unread: Unread = field(init=False)
    withheld: dict[Seat, None] = field(default_factory=dict)
    junk: int = 0
    answer_bytes: int = 0
    stale: set[str] = field(default_factory=set)
    declared: Declared = UNDECLARED
    code_change: str = ""
    sources: dict[str, float | None] | None = None
    sources_of: int = 0
    used_s: float = 0.0
    began_s: float = 0.0
    losses: deque[Loss] = field(default_factory=lambda: deque(maxlen=LOSSES))
    waiting: int = 0
    is_restoring: bool = False
    restore_deaths: int = 0

    def __post_init__(self) -> None:
        self.begin_life()

    def begin_life(self) -> None:
        """What its kernel's next process may send, and is to be sent, begins anew."""
        settings = self.kernel.settings
        self.stray = Allowance(settings.credit_window_bytes)
        self.unread = Unread(settings.kernel_queue_bytes, settings.credit_window_bytes)
        self.withheld.clear()
        self.junk = self.answer_bytes = 0
        self.stale.clear()  # it is told all with its welcome

    @property
    def store(self) -> ClassData:
        """The analysis' `class_data`."""
        return self.group.store

    @property
    def is_in_use(self) -> bool:
        """Whether it has a page, or a request is open."""
        return self.waiting < len(self.seats)

    def is_shared(self, seat: Seat) -> bool:
        """Whether another session than this one has a page, or runs an action in the process."""
        own = sum(request.is_sent for request in seat.session.requests.values())
        return len(self.shown) > (seat in self.shown) or self.open_requests > own


@dataclass(slots=True, eq=False)
class Seat:
    """A session and the kernel that it belongs to.

    Attributes:
        is_open: Whether the kernel's current generation was told of the session.
        client: Who began it.
        restored: Why it is to be opened again, or `None` the first time.
        is_cancelling: Whether its pages are shown that a cancel is under way.
        was_restored: Whether the kernel got values of its state when it was opened.
        last_words: What the kernel wrote last on stderr, where the session's start ended it.
        counted_bytes: What of it is in the account; `None`: it is closed, or not yet begun.
        class_writes: How many writes of `class_data` it has in its stream, while it has no page.
        uncounted: Charges that its pages have drained since it was last looked at for that.
    """

    session: Session
    entry: Entry
    client: Client = NOBODY
    is_open: bool = False
    restored: str | None = None
    is_cancelling: bool = False
    was_restored: bool = False
    last_words: tuple[str, ...] = ()
    counted_bytes: int | None = None
    class_writes: int = 0
    uncounted: int = 0

    @property
    def set_aside_for(self) -> str:
        """Why no process is given the session, while its kernel goes on; empty: it is."""
        kernel = self.entry.kernel
        is_failed = kernel.life.state is State.FAILED
        return "" if is_failed else kernel.blame.starts.aside.get(self.session.id_, "")


@dataclass(slots=True, eq=False)
class PageRecord:
    """A page, its session, what is to be written and what has not drained.

    Attributes:
        page: Its connection.
        seat: Its session.
        frames: What the next flush writes.
        in_flight_bytes: What was written and has not drained, and what of the stream waits.
        replay: What is left of its replay, which is written in steps of a window.
        following: Frames that came meanwhile, and follow.
        following_bytes: What those hold.
        is_stepping: Whether the next step is on its way.
        client: Who looks.
        counted_bytes: What of it is in the account.
    """

    page: Page
    seat: Seat
    frames: list[bytes] = field(default_factory=list)
    in_flight_bytes: int = 0
    replay: Iterator[bytes] | None = None
    following: list[bytes] = field(default_factory=list)
    following_bytes: int = 0
    is_stepping: bool = False
    client: Client = NOBODY
    counted_bytes: int = 0


class Tables:
    """The broker's tables.

    Args:
        settings: The limits.
        budget: In which what is held is counted; one of its own when `None`.
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
        self.keeper = Keeper(store, settings, self.loop)
        self.outbox = Outbox(2 * settings.credit_window_bytes, settings.replay_window_bytes)
        self.parts = Parts(self.loop, settings.turn_sessions, self.outbox.flush)
        self.announcer = Announcer(self.outbox, self.compose_kernel, self.parts)
        self.holdings = Holdings(settings, self.loop, budget)
        self.outbox.on_changed = self.holdings.settle
        self.outbox.on_written = self.holdings.settle_page
        self.groups: dict[str, Group] = {}
        self.by_kernel: dict[Supervisor, Entry] = {}  # those that end for good too
        self.seats: dict[str, Seat] = {}
        self.requests: dict[int, Seat] = {}
        self.by_routing: dict[bytes, Entry] = {}
        self.numbers = itertools.count(1)
        self.channel: Channel | None = None
        self.is_draining = False
        self.at_rest = asyncio.Event()  # told when the last open request has ended

    @property
    def entries(self) -> list[Entry]:
        """The kernels of all analyses."""
        return [entry for group in self.groups.values() for entry in group.entries]

    def route(self, entry: Entry) -> None:
        """A process of the kernel has begun: messages of the one before are nobody's."""
        self.by_routing.pop(entry.routing_id, None)
        entry.routing_id = entry.kernel.routing_id
        self.by_routing[entry.routing_id] = entry

    def forget(self, entry: Entry) -> None:
        """A kernel has ended for good: its last messages are nobody's."""
        del self.by_kernel[entry.kernel]
        self.by_routing.pop(entry.routing_id, None)

    def send(self, kernel: Supervisor, message: m.Message) -> bool:
        """Send to the kernel's current generation; one that is not there gets nothing."""
        if self.channel is None:
            return False
        return self.channel.send(kernel.routing_id, codec.encode(message))

    def give_credit(self, seat: Seat) -> None:
        """Give back what the session's pages have drained.

        Without a page all comes back at once: to a kernel that reads it, which is asked. One that
        does not soon sends without credit.
        """
        entry, session = seat.entry, seat.session
        if not session.views and entry.unread.is_lent_out:
            entry.withheld[seat] = None
            return
        size_bytes = session.ledger.take_owed()
        if not size_bytes or not seat.is_open:
            return
        kernel = entry.kernel
        self.send(kernel, m.Credit(session.id_, None, size_bytes))
        if not session.views and "ping" in kernel.capabilities and entry.unread.lend(size_bytes):
            kernel.pulse.ask()

    def take_pong(self, entry: Entry) -> bool:
        """A kernel has read all that it was sent; whether further sessions may be opened now."""
        entry.answer_bytes = 0
        entry.stray.renew()
        may_open = entry.unread.read_all()
        withheld, entry.withheld = entry.withheld, {}
        for seat in withheld:
            self.give_credit(seat)
        return may_open

    def compose_kernel(self, seat: Seat) -> bytes:
        """The kernel's state as this session's pages are told it."""
        entry = seat.entry
        kernel, group = entry.kernel, entry.group
        state = kernel.life.state.value
        if seat.is_cancelling or state == "cancelling":
            # One page's cancel is no other session's business.
            state = "cancelling" if seat.is_cancelling and kernel.is_ready else "busy"
        reason, stderr = kernel.reason, kernel.stderr_lines
        if aside := seat.set_aside_for:
            state, reason, stderr = "failed", aside, list(seat.last_words)
        is_down = state in ("backoff", "failed")
        return text.compose_kernel(
            state,
            reason=text.without_file(reason),
            generation=kernel.life.generation,
            retry_in_s=kernel.retry_in_s,
            sessions=len(entry.seats),
            is_shared=entry.is_shared(seat),
            isolation=group.spec.sharing.isolation,
            ahead=entry.ahead if entry in group.queue else None,
            stderr=stderr if self.debug and is_down else (),
            cancel_limit_s=kernel.settings.cancel_limit_s if state == "cancelling" else None,
            code_change=entry.code_change,
            analysis=kernel.spec.name,
        )

    def last_words(self, kernel: Supervisor) -> bytes:
        """The kernel's last lines of stderr, a JSON string, where pages may see them."""
        lines: Sequence[str] = kernel.stderr_lines if self.debug else ()
        return text.dump("\n".join(lines)) if lines else b""
