"""The states of a kernel process, and when the supervisor starts it again (docs/protocol.md, 7).

`TABLE` holds every legal step of a kernel's states. `Lifecycle` adds the restart budget: it gets
events with the time, and returns instructions for the supervisor, which has the clock, the
processes and the randomness (`jitter` comes in as an argument).
"""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass

from ..settings import Settings

YOUNG_S = 2.0  # new code this soon after a start may come of the start itself
FREE_RELOADS = 4  # of such changes in a row; what follows waits
RELOAD_WAIT_S = 2.0  # at most: the saves may also come from a user who saves a lot
EXCUSED_WAIT_S = 2.0  # at most, after a crash in a session's start: other sessions wait too


class State(enum.Enum):
    """The states of one kernel, as pages get them.

    Pages know one more word, `cancelling`: that of a session of which a request is cancelled.
    """

    QUEUED = "queued"
    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    UNRESPONSIVE = "unresponsive"
    BACKOFF = "backoff"
    FAILED = "failed"
    STOPPING = "stopping"
    STOPPED = "stopped"
    CULLED = "culled"


class Event(enum.Enum):
    """The events of a kernel."""

    HELLO = "hello"  # it said hello and was welcomed
    WORK = "work"  # an action is open
    REST = "rest"  # no action is open
    SILENT = "silent"  # pings went unanswered
    TRAFFIC = "traffic"  # it sent a message
    EXIT_RETRY = "exit: wait"  # it died; it is started again after a wait
    EXIT_NOW = "exit: at once"  # it died; it is started again at once
    EXIT_FINAL = "exit: give up"  # it died once too often
    EXIT_CULL = "exit: not needed"  # it was ended because no page needs it
    SPAWN = "spawn"  # the wait is over, or a page asked
    QUEUE = "queue"  # a page needs it, and the limit of processes is reached
    STOP = "stop"  # the server ends
    GONE = "gone"  # the process was reaped while stopping


# Those of a process that came to the end of its start, and is not to end.
LIVE = (State.IDLE, State.BUSY, State.UNRESPONSIVE)
_WAITING = (State.QUEUED, State.BACKOFF, State.FAILED, State.CULLED)  # without a process

TABLE: dict[tuple[State, Event], State] = {
    (State.STARTING, Event.HELLO): State.IDLE,
    (State.IDLE, Event.WORK): State.BUSY,
    (State.BUSY, Event.WORK): State.BUSY,
    (State.BUSY, Event.REST): State.IDLE,
    (State.UNRESPONSIVE, Event.WORK): State.UNRESPONSIVE,
    (State.UNRESPONSIVE, Event.TRAFFIC): State.BUSY,
    (State.UNRESPONSIVE, Event.REST): State.IDLE,
    (State.BACKOFF, Event.SPAWN): State.STARTING,
    (State.BACKOFF, Event.EXIT_FINAL): State.FAILED,
    (State.BACKOFF, Event.EXIT_CULL): State.CULLED,
    (State.QUEUED, Event.SPAWN): State.STARTING,
    (State.CULLED, Event.SPAWN): State.STARTING,
    (State.CULLED, Event.QUEUE): State.QUEUED,
    (State.FAILED, Event.SPAWN): State.STARTING,
    (State.STOPPING, Event.GONE): State.STOPPED,
    **{(state, Event.TRAFFIC): state for state in LIVE if state is not State.UNRESPONSIVE},
    **{(state, Event.SILENT): State.UNRESPONSIVE for state in LIVE},
    **{
        (state, event): after
        for state in (State.STARTING, *LIVE)
        for event, after in (
            (Event.EXIT_RETRY, State.BACKOFF),
            (Event.EXIT_NOW, State.STARTING),
            (Event.EXIT_FINAL, State.FAILED),
            (Event.EXIT_CULL, State.CULLED),
        )
    },
    **{(state, Event.STOP): State.STOPPING for state in (State.STARTING, *LIVE, *_WAITING)},
    (State.STOPPING, Event.STOP): State.STOPPING,
}
"""Every legal step. A pair that is not here is a mistake of the caller."""


class OnChange(enum.Enum):
    """The step after a change of a kernel's code."""

    RESTART = "restart"  # now; a kernel that waits or has failed starts again
    WAIT = "wait"  # until no action is open: pages see it, and may ask for it now
    NOTHING = "nothing"  # the server ends, or no process has read the old code


@dataclass(frozen=True, slots=True)
class ExitVerdict:
    """What the supervisor does after a process has ended.

    Attributes:
        event: `EXIT_NOW`, `EXIT_RETRY`, `EXIT_FINAL` or `EXIT_CULL`.
        wait_s: How long to wait before the next start.
        note: What follows, for people; empty when nothing special does.
    """

    event: Event
    wait_s: float = 0.0
    note: str = ""


class Lifecycle:
    """The state and the restart budget of one kernel.

    Args:
        limits: An object with the settings' attributes.
        is_queued: Whether it may not start yet.

    Attributes:
        limits: As given; those that hold from now on.
        is_ending: Whether this generation was asked to end: it may still look alive, but what is
            asked from now on is for the next one.
    """

    def __init__(self, limits: Settings, *, is_queued: bool = False) -> None:
        self.limits = limits
        self.state = State.QUEUED if is_queued else State.STARTING
        self.generation = 0 if is_queued else 1
        self._said_hello = False
        self._completed = False
        self._is_end_wished = False
        self._is_stop_wished = False
        self._is_cull_wished = False
        self._is_hopeless = False
        self.is_ending = False
        self._deaths: deque[float] = deque()
        self._excused: deque[float] = deque()
        self._hello_exits = 0
        self._young_reloads = 0

    def step(self, event: Event) -> State:
        """Take one step of the table.

        Raises:
            AssertionError: The table has no such step.
        """
        after = TABLE.get((self.state, event))
        if after is None:
            raise AssertionError(f"no step from {self.state.value} on {event.value}")
        if after is State.STARTING:
            self.generation += 1
            self._said_hello = self._completed = self.is_ending = False
            self._is_end_wished = self._is_stop_wished = self._is_cull_wished = False
            self._is_hopeless = False
        elif event is Event.HELLO:
            self._said_hello = True
            self._hello_exits = 0
        self.state = after
        return after

    def allows(self, event: Event) -> bool:
        """Whether the table has a step from here on that event."""
        return (self.state, event) in TABLE

    @property
    def is_live(self) -> bool:
        """Whether its process came to the end of its start and has not ended."""
        return self.state in LIVE

    @property
    def takes_actions(self) -> bool:
        """Whether an action that is sent now can be run: a kernel that is killed runs none."""
        return self.state in LIVE and not self.is_ending

    def note_completed(self) -> None:
        """An action of this generation ended: it does not loop, so its crash will not count."""
        self._completed = True

    def wish_end(self) -> None:
        """The server or a visitor ends this generation on purpose: it does not count as a crash."""
        self._is_end_wished = True
        self._is_stop_wished = self._is_cull_wished = False

    @property
    def is_end_wished(self) -> bool:
        """Whether this generation is being ended on purpose, whatever follows."""
        return self._is_end_wished or self._is_stop_wished or self._is_cull_wished

    def wish_stop(self) -> None:
        """This generation is ended, and the next one starts only when a page or the admin asks."""
        self._is_stop_wished = True

    def give_up(self) -> None:
        """This generation cannot start, nor can the next one until its spec is corrected."""
        self._is_hopeless = True

    @property
    def is_halted(self) -> bool:
        """Whether the admin has stopped it, and nothing has failed."""
        return self._is_stop_wished and self.state is State.FAILED

    def wish_cull(self) -> None:
        """No page needs this generation; the next one begins when one does."""
        self._is_cull_wished = True

    def unwish_cull(self) -> None:
        """A page came while it ends: the next generation begins at once."""
        if self._is_cull_wished:
            self.wish_end()

    @property
    def is_without_process(self) -> bool:
        """Whether it has no process, and gets one only when a page needs it."""
        return self.state in (State.QUEUED, State.CULLED)

    def judge_change(self, *, is_working: bool, at_once: bool) -> OnChange:
        """Decide what follows when code that this kernel has read was changed.

        Args:
            is_working: Whether it has open requests.
            at_once: Whether it is restarted whatever it does.
        """
        if self.state in (State.STOPPING, State.STOPPED) or self.is_without_process:
            return OnChange.NOTHING
        if self.state in LIVE and is_working and not at_once:
            return OnChange.WAIT
        return OnChange.RESTART

    def forgive(self) -> None:
        """A visitor restarted it, or its code changed: earlier crashes no longer count."""
        self._deaths.clear()
        self._excused.clear()
        self._hello_exits = 0

    def judge_silence(self, silent_s: float) -> str:
        """Decide whether a kernel that does not answer is ended: why, or nothing.

        Args:
            silent_s: For how long it has not answered.
        """
        limit_s = self.limits.hang_timeout_s
        if self.state is State.UNRESPONSIVE and 0 < limit_s <= silent_s:
            return f"no answer for {silent_s:g} s, limit {limit_s:g} (hang_timeout_s)"
        return ""

    def note_reload(self, age_s: float) -> None:
        """It is restarted for new code; a start that writes the files it reads would loop forever.

        Args:
            age_s: The time since its hello, if it has sent one.
        """
        is_young = not self._completed and (not self._said_hello or age_s < YOUNG_S)
        self._young_reloads = self._young_reloads + 1 if is_young else 0

    def judge_exit(self, now_s: float, *, jitter: float, is_excused: bool = False) -> ExitVerdict:
        """Decide what follows the end of the current generation.

        Args:
            now_s: Monotonic time.
            jitter: From -1 to 1; moves the wait by up to a fifth.
            is_excused: Whether it came of a session's start (`protocol.starts`).
        """
        if self._is_stop_wished or self._is_hopeless:
            return ExitVerdict(Event.EXIT_FINAL)
        if self._is_cull_wished:
            return ExitVerdict(Event.EXIT_CULL)
        if self._is_end_wished:
            return self._judge_wished(jitter)
        if not self._said_hello:
            self._hello_exits += 1
            limit = self.limits.hello_exit_limit
            if self._hello_exits >= limit:
                count = f"it ended {self._hello_exits} times while starting, limit {limit}"
                return ExitVerdict(Event.EXIT_FINAL, note=f"{count}; not restarting")
        if self._completed:
            return ExitVerdict(Event.EXIT_NOW)
        if is_excused:
            times = self._count(self._excused, now_s)
            wait_s = min(self._wait_s(times, jitter), EXCUSED_WAIT_S)
            return ExitVerdict(Event.EXIT_RETRY if wait_s else Event.EXIT_NOW, wait_s)
        return self._judge_death(now_s, jitter)

    def _count(self, deaths: deque[float], now_s: float) -> int:
        """Count one more crash: how many there were within the time."""
        deaths.append(now_s)
        while deaths[0] < now_s - self.limits.restart_window_s:
            deaths.popleft()
        return len(deaths)

    def _judge_death(self, now_s: float, jitter: float) -> ExitVerdict:
        limits = self.limits
        count = self._count(self._deaths, now_s)
        if count >= limits.restart_limit:
            note = (
                f"{count} crashes without a completed action in {limits.restart_window_s:g} s, "
                f"limit {limits.restart_limit}; not restarting"
            )
            return ExitVerdict(Event.EXIT_FINAL, note=note)
        wait_s = self._wait_s(count, jitter)
        return ExitVerdict(Event.EXIT_RETRY if wait_s else Event.EXIT_NOW, wait_s)

    def _judge_wished(self, jitter: float) -> ExitVerdict:
        wait_s = min(self._wait_s(self._young_reloads - FREE_RELOADS, jitter), RELOAD_WAIT_S)
        if not wait_s:
            return ExitVerdict(Event.EXIT_NOW)
        return ExitVerdict(Event.EXIT_RETRY, wait_s, "its files change each time it starts")

    def _wait_s(self, count: int, jitter: float) -> float:
        """0, then 0.5, 1, 2 … up to the longest wait, each moved by up to a fifth."""
        if count <= 1:
            return 0.0
        doublings = min(count - 2, 64)  # a float ends at 2 ** 1024
        wait_s: float = min(self.limits.backoff_first_s * 2**doublings, self.limits.backoff_max_s)
        return wait_s * (1 + 0.2 * jitter)


class LastMessages:
    """How long the last messages of a dead kernel are awaited.

    As long as some come: the loop reads them part by part, among those of kernels that live. A
    child of the kernel that holds its socket open, or writes to it, delays the end by a limit.

    Args:
        limits: An object with the settings' attributes.
        now_s: When the kernel's process ended, monotonic.
    """

    def __init__(self, limits: Settings, now_s: float) -> None:
        self._limits = limits
        self._quiet_since_s = now_s
        self._until_s = now_s + max(limits.exit_drain_s, limits.exit_drain_most_s)

    def is_awaited(self, now_s: float, *, is_heard: bool) -> bool:
        """Whether to wait on, while the end of the kernel's messages is not read.

        Args:
            now_s: The time on the same clock.
            is_heard: Whether a message of the kernel came since this was last asked.
        """
        if is_heard:
            self._quiet_since_s = now_s
        return bool(now_s < min(self._quiet_since_s + self._limits.exit_drain_s, self._until_s))
