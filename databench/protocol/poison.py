"""Refuses actions that end their kernel again and again (docs/protocol.md, 7.2). Pure.

Theory of operation: visitors who cannot be trusted share a process, and one of them may end it
while an innocent action runs. So a crash counts for all sessions only if that action was the only
one: for a crash, the only one that ran; for memory, the only one that ran while the process grew.
It also takes two visitors, each with a crash of their own. If others ran too, the crash counts
against the action that was sent last, and only for its own session. An action that runs as long as
its page is open is there at each crash, and is seldom the last.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..settings import Settings

_CRASHES = frozenset({"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT"})
_OWN = re.compile(rb'"__process_id" *: *[-+.0-9eE]+')  # differs in each request
_WHOLE_BYTES = 2**16
_PART_BYTES = 2**12
MEMORY = "out of memory"
VISITORS = 2  # whose word it takes to refuse an action to others
_GROWN_SHARE = 0.25  # of the kernel's memory limit; less did not cause its end
_KEPT = 16  # crashes of one action, within limits: more of one visitor push out those of others


def find_cause(status: int | None, signal: str | None, *, was_asked: bool, was_memory: bool) -> str:
    """The evidence of a crash against the action that ran; empty: none.

    Args:
        status: The exit status, or `None`.
        signal: The signal's name, or `None`.
        was_asked: Whether a visitor or new code ended it.
        was_memory: Whether it was ended for the memory that it used.
    """
    if was_asked:
        return ""
    if was_memory:
        return MEMORY
    if signal is not None:
        # SIGKILL from outside does not count against the action.
        return signal if signal in _CRASHES else ""
    return f"exit status {status}" if status else ""


def make_fingerprint(action: str, payload: bytes) -> int:
    """Distinguishes an action with its arguments from others, in this process only.

    Of a payload over 64 KiB the length and both ends count: to read all of it would cost more than
    to pass it on.
    """
    if len(payload) <= _WHOLE_BYTES:
        return hash((action, _OWN.sub(b"", payload)))
    head, tail = payload[: 2 * _PART_BYTES], payload[-2 * _PART_BYTES :]
    own_bytes = sum(map(len, _OWN.findall(head) + _OWN.findall(tail)))
    ends = _OWN.sub(b"", head)[:_PART_BYTES], _OWN.sub(b"", tail)[-_PART_BYTES:]
    return hash((action, len(payload) - own_bytes, *ends))


@dataclass(frozen=True, slots=True)
class Suspect:
    """A request that may have ended its process.

    Attributes:
        number: The request's.
        is_alone: Whether nothing else can have done it.
    """

    number: int
    is_alone: bool


class Growth:
    """Which request of a process ran alone while the process grew.

    Fed with the begins and ends of requests (by number) and of sessions' starts (by id), and with
    readings of the memory, in their order. Memory that the process allocates while several of them
    run counts for none: the front cannot see from outside which one took it.
    """

    def __init__(self) -> None:
        self._running: set[int | str] = set()
        self._seen: set[int | str] = set()  # those that ran at any time since the last look
        self._most_bytes: int | None = None
        self._grown_bytes: dict[int | str, int] = {}
        self._owners: dict[int | str, str] = {}

    @property
    def is_session_beginning(self) -> bool:
        """Whether the code of a session's start runs, which may be what ends the process."""
        return any(isinstance(key, str) for key in self._running)

    @property
    def busy(self) -> Collection[str]:
        """The sessions that have a request in the process."""
        return self._owners.values()

    @property
    def requests(self) -> Sequence[int]:
        """The requests that the process has, in the order in which it was sent them."""
        return [key for key in self._owners if isinstance(key, int)]

    def begin(self, key: int | str, owner: str = "") -> None:
        """The process was sent a request of that session, or a session."""
        self._running.add(key)
        self._seen.add(key)
        if isinstance(key, int):
            self._owners[key] = owner

    def end(self, key: int | str) -> None:
        """The request has ended, or the session has begun."""
        self._running.discard(key)
        self._grown_bytes.pop(key, None)
        self._owners.pop(key, None)

    def look(self, used_bytes: int) -> None:
        """So much memory it holds now."""
        most_bytes = used_bytes if self._most_bytes is None else self._most_bytes
        grown_bytes = used_bytes - most_bytes
        # Above the most there was: what is freed and taken again is not counted twice.
        self._most_bytes = max(most_bytes, used_bytes)
        if grown_bytes > 0 and len(self._seen) == 1:
            (key,) = self._seen
            if key in self._running:
                self._grown_bytes[key] = self._grown_bytes.get(key, 0) + grown_bytes
        self._seen = set(self._running)

    def find_suspect(self, limit_bytes: int) -> Suspect | None:
        """The request that took what was too much, if one did.

        Args:
            limit_bytes: What the process may hold.
        """
        grown = {key: self._grown_bytes[key] for key in self._find_grown(limit_bytes)}
        numbers = [key for key in grown if isinstance(key, int)]
        return Suspect(max(numbers, key=lambda n: grown[n]), True) if numbers else None

    def find_grown_sessions(self, limit_bytes: int) -> Collection[str]:
        """The sessions whose start took a part of it that counts.

        Args:
            limit_bytes: What the process may hold.
        """
        return [key for key in self._find_grown(limit_bytes) if isinstance(key, str)]

    def _find_grown(self, limit_bytes: int) -> list[int | str]:
        enough_bytes = _GROWN_SHARE * limit_bytes
        return [key for key, size in self._grown_bytes.items() if size >= enough_bytes]


def find_suspect(
    cause: str, sent: Sequence[int], growth: Growth, limit_bytes: int
) -> Suspect | None:
    """The request that a crash counts against.

    Args:
        cause: As from `find_cause`.
        sent: The requests that the process had, the one that it was sent last at the end. Their
            numbers do not show the order: a request that waited may be older than a later one.
        growth: What grew.
        limit_bytes: The memory that the process was allowed.
    """
    if not cause or not sent:
        return None
    if cause == MEMORY:
        return growth.find_suspect(limit_bytes)
    return Suspect(sent[-1], len(sent) == 1 and not growth.is_session_beginning)


@dataclass(frozen=True, slots=True)
class _Death:
    cause: str
    session: str
    visitor: str
    is_alone: bool


class Poison:
    """The suspects of one analysis.

    Args:
        limits: An object with the settings' attributes.
    """

    def __init__(self, limits: Settings) -> None:
        self._limits = limits
        # The crashes at which each was there, the longest unsuspected first.
        self._deaths: OrderedDict[int, list[_Death]] = OrderedDict()

    def note(
        self, fingerprint: int, cause: str, *, session: str, visitor: str, is_alone: bool
    ) -> None:
        """A process died, and this action with its arguments is suspected.

        Args:
            fingerprint: The action's.
            cause: As from `find_cause`.
            session: Whose request it was.
            visitor: The visitor who sent it; empty if not known.
            is_alone: Whether nothing else can have done it.
        """
        deaths = self._deaths.setdefault(fingerprint, [])
        deaths.append(_Death(cause, session, visitor or session, is_alone))
        del deaths[: -_KEPT * self._limits.poison_limit]
        self._deaths.move_to_end(fingerprint)
        while len(self._deaths) > self._limits.poison_suspects:
            self._deaths.popitem(last=False)

    def find_problem(self, action: str, fingerprint: int, *, session: str) -> str:
        """Why this action is not run with these arguments for a session; empty: it is."""
        deaths = self._deaths.get(fingerprint)
        if deaths is None:
            return ""
        limit = self._limits.poison_limit
        against = [death for death in deaths if death.is_alone]
        if len(against) < limit or len({death.visitor for death in against}) < VISITORS:
            against = [death for death in deaths if death.session == session]
        if len(against) < limit:
            return ""
        against = against[-limit:]
        return (
            f"action {action!r} with these arguments ended its kernel {len(against)} times "
            f"({', '.join(dict.fromkeys(death.cause for death in against))}), limit {limit} "
            "(poison_limit); not run: restart the kernel or save its code to try again"
        )

    def is_suspected(self, fingerprint: int, *, session: str) -> bool:
        """Whether a single death speaks against this action with these arguments, for a session.

        That is too little to refuse it to a visitor who asks for it. To run it again unasked takes
        more trust: one death of its own session, or one in which nothing else ran, is enough.
        """
        deaths = self._deaths.get(fingerprint, ())
        return any(death.is_alone or death.session == session for death in deaths)

    def forgive(self) -> None:
        """A visitor restarted a kernel, or its code changed."""
        self._deaths.clear()
