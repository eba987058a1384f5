"""The rows of the broker's tables: pools, kernels, the sessions that they host, and pages.

Owns no rule.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..protocol.actions import UNDECLARED, Declared
from ..protocol.clients import NOBODY, Client
from ..protocol.flow import LEAST_BYTES, Allowance, Unread
from ..protocol.lifecycle import State
from ..protocol.poison import Poison
from ..protocol.session import Session
from .specs import AnalysisSpec, Page
from .stores.class_data import ClassData
from .supervision.supervisor import Supervisor

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
class KernelPool:
    """An analysis that is or was in use.

    Attributes:
        spec: The analysis.
        store: Its `class_data`.
        poison: Its actions that are suspected of ending kernels.
        records: Its kernels.
        queue: Those of them that may not start yet, the first one first.
        running: Those that have a process, or are about to.
        leaving: How many of its processes are ending for good.
    """

    spec: AnalysisSpec
    store: ClassData
    poison: Poison
    records: list[KernelRecord] = field(default_factory=list)
    queue: dict[KernelRecord, None] = field(default_factory=dict)
    running: dict[KernelRecord, None] = field(default_factory=dict)
    leaving: int = 0

    @property
    def sessions(self) -> Iterator[HostedSession]:
        """The sessions of all its kernels."""
        return (hosted for record in self.records for hosted in record.sessions.values())


@dataclass(slots=True, eq=False)
class KernelRecord:
    """A kernel and its sessions.

    Attributes:
        kernel: Its supervisor.
        pool: The analysis that it runs.
        routing_id: By which messages of its kernel's process come, the latest that began.
        sessions: Its sessions by id.
        shown: Those of them that have a page.
        ahead: How many begin before it, as its pages were shown last, if it is queued.
        open_requests: How many requests the kernel has.
        open_bytes: What their payloads hold, sent and not yet ended.
        stray: What its kernel's generation may send that no session's credit pays for.
        mistakes: Messages of its kernel's generation that were not as specified.
        mistakes_said: What was wrong with them, the latest last.
        answer_bytes: Values of `class_data` sent to the kernel since its last `pong`.
        unread: Sessions and credit that its kernel's generation was sent and has not read.
        withheld: Sessions without a page whose credit waits until it has read that.
        stale: Keys of `class_data` that it has to get, once it has read the others.
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
    pool: KernelPool
    routing_id: bytes = b""
    sessions: dict[str, HostedSession] = field(default_factory=dict)
    shown: dict[HostedSession, None] = field(default_factory=dict)
    ahead: int = 0
    open_requests: int = 0
    open_bytes: int = 0
    stray: Allowance = field(init=False)
    unread: Unread = field(init=False)
    withheld: dict[HostedSession, None] = field(default_factory=dict)
    mistakes: int = 0
    mistakes_said: dict[str, None] = field(default_factory=dict)
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
        """For its kernel's next process, credit and class values start from the beginning."""
        settings = self.kernel.settings
        self.stray = Allowance(max(settings.credit_window_bytes, LEAST_BYTES))
        self.unread = Unread(settings.kernel_queue_bytes, settings.credit_window_bytes)
        self.withheld.clear()
        self.mistakes = self.answer_bytes = 0
        self.mistakes_said.clear()
        self.stale.clear()  # it gets all with its welcome
        self.code_change = ""  # it reads the new code
        self.declared = UNDECLARED  # it declares by itself what pages may ask for

    @property
    def store(self) -> ClassData:
        """The analysis' `class_data`."""
        return self.pool.store

    @property
    def mistake(self) -> str:
        """The latest that its kernel's process has made, of those that were said; or empty."""
        return next(reversed(self.mistakes_said), "")

    @property
    def is_in_use(self) -> bool:
        """Whether it has a page, or a request is open."""
        return self.waiting < len(self.sessions)

    def is_shared(self, hosted: HostedSession) -> bool:
        """Whether another session than this one has a page, or runs an action in the process."""
        own = sum(request.is_sent for request in hosted.session.requests.values())
        return len(self.shown) > (hosted in self.shown) or self.open_requests > own


@dataclass(slots=True, eq=False)
class HostedSession:
    """A session and the kernel that it belongs to.

    Attributes:
        is_open: Whether the kernel's current generation got the session.
        client: The client that began it.
        restored: Why it is to be opened again, or `None` the first time.
        is_cancelling: Whether its pages are shown that a cancel is under way.
        was_restored: Whether the kernel got values of its state when it was opened.
        last_words: The kernel's last lines on stderr, if the session's start ended it.
        counted_bytes: What of it is in the account; `None`: it is closed, or not yet begun.
        class_writes: How many writes of `class_data` it has in its stream, while it has no page.
        uncounted: Charges that its pages have paid since they were last counted.
    """

    session: Session
    record: KernelRecord
    client: Client = NOBODY
    is_open: bool = False
    restored: str | None = None
    is_cancelling: bool = False
    was_restored: bool = False
    last_words: tuple[str, ...] = ()
    counted_bytes: int | None = None
    class_writes: int = 0
    uncounted: int = 0

    def begin_life(self, reason: str) -> None:
        """No process has it any more, for that reason; the next one gets it, with credit."""
        self.is_open = self.is_cancelling = False
        self.restored = reason
        self.session.begin_receive_window()

    @property
    def set_aside_for(self) -> str:
        """Why no process gets the session, while its kernel continues; empty: it does."""
        kernel = self.record.kernel
        is_failed = kernel.life.state is State.FAILED
        return "" if is_failed else kernel.blame.starts.aside.get(self.session.id_, "")


@dataclass(slots=True, eq=False)
class PageRecord:
    """A page, its session, what is to be written and what is on its way.

    Attributes:
        page: Its connection.
        hosted: Its session.
        frames: What the next flush writes.
        in_flight_bytes: What was written and has not left yet, and what of the stream waits.
        replay: What is left of its replay, which is written in steps of a window.
        following: Frames that came meanwhile, and follow.
        following_bytes: What those hold.
        is_stepping: Whether the next step is on its way.
        client: The visitor of the page.
        counted_bytes: What of it is in the account.
    """

    page: Page
    hosted: HostedSession
    frames: list[bytes] = field(default_factory=list)
    in_flight_bytes: int = 0
    replay: Iterator[bytes] | None = None
    following: list[bytes] = field(default_factory=list)
    following_bytes: int = 0
    is_stepping: bool = False
    client: Client = NOBODY
    counted_bytes: int = 0
