"""Decisions about a server's connections: how many, whether to accept, which are idle.

Owns the decisions, without a clock or a socket. `server` counts, asks and carries out. Refuses
no work under way: a websocket, a download and a running request are never idle.
"""

from __future__ import annotations

import functools
import ipaddress
import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

_RESERVE_PART = 8
_RESERVE_MOST = 256
_UNCOUNTED_PART = 1024
_SAY_S = 60.0
# How long a connection may be idle while no further one can be accepted.
_PRESSED_S = 1.0
# An idle connection is checked so many times within the limit for headers.
_LOOKS = 4
# Addresses whose share is remembered; a proxy may forward any, which are as long as it lets them.
_ADDRESSES = 1024


class Limits(NamedTuple):
    """Of a server's connections; `None` and 0: no limit.

    Attributes:
        idle_limit_s: How long a connection may be open without a request.
        header_limit_s: How long the headers of a request, or a TLS handshake, may take.
        body_limit_s: How long the body of a request may take.
        per_address: Connections of one address; behind a proxy its requests and websockets.
        unfinished_bytes: Of bodies that have not come whole, together.
    """

    idle_limit_s: float | None = None
    header_limit_s: float | None = None
    body_limit_s: float | None = None
    per_address: int = 0
    unfinished_bytes: int = 0


def find_reserve(limit: int) -> int:
    """How many descriptors connections leave to ZeroMQ, kernels and files.

    Args:
        limit: How many the process may have.
    """
    return min(limit // _RESERVE_PART, _RESERVE_MOST)


class Accepting:
    """Whether to accept connections, and when to log that none is.

    A request needs a descriptor for a file that it may send. So requests are still answered when
    no connection is accepted any more, and are refused when half of the reserve is gone: libzmq
    ends the process when it cannot accept a kernel.
    """

    def __init__(self) -> None:
        self.is_paused = False
        self._said_s: float | None = None
        self._uncounted = 0

    def is_far(self) -> bool:
        """Whether the limit is so far that counting can wait: asked for each connection.

        Where half of it was free, a thousandth is gone through first. A small limit has none.
        """
        self._uncounted -= 1
        return self._uncounted >= 0

    def decide(self, used: int, limit: int) -> bool:
        """Whether to accept a further connection.

        Args:
            used: Open descriptors.
            limit: How many there may be.
        """
        self._uncounted = limit // _UNCOUNTED_PART if used < limit // 2 else 0
        reserve = find_reserve(limit)
        # Back when a few are free, not at each single one.
        slack = max(reserve // 4, 1) if self.is_paused else 0
        self.is_paused = used >= limit - reserve - slack
        return not self.is_paused

    def has_room(self, used: int, limit: int) -> bool:
        """Whether a request may begin that may open a file."""
        return used < limit - find_reserve(limit) // 2

    def is_to_say(self, now_s: float) -> bool:
        """Whether to log now that nothing is accepted: once a minute."""
        if self._said_s is not None and now_s - self._said_s < _SAY_S:
            return False
        self._said_s = now_s
        return True


class ConnectionShares:
    """How many connections each address has.

    Args:
        most: For one address; 0: no limit.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._counts: Counter[str] = Counter()

    def enter(self, name: str) -> bool:
        """Count one more; whether it is within the limit. An empty name is not counted."""
        if not name:
            return True
        self._counts[name] += 1
        return not self.most or self._counts[name] <= self.most

    def leave(self, name: str) -> None:
        """Count one less."""
        if not name:
            return
        self._counts[name] -= 1
        if not self._counts[name]:
            del self._counts[name]

    def __len__(self) -> int:
        return len(self._counts)


@functools.lru_cache(maxsize=_ADDRESSES)
def find_share(address: str, *, is_forwarded: bool = False) -> str:
    """The name under which an address is counted; empty: it is not.

    Args:
        address: As the system, or a proxy, gives it.
        is_forwarded: Whether a proxy gave it. Without one, this machine's own is not counted.

    Returns:
        The address; of IPv6 the network of 64 bits, of which a provider gives each customer one.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""  # a Unix socket
    if ip.is_loopback and not is_forwarded:
        return ""
    if ip.version == 6:
        return str(ipaddress.ip_network((ip.packed[:8] + bytes(8), 64)))
    return str(ip)


class _Idler:
    __slots__ = ("began_s", "look_s", "since_s")

    def __init__(self, now_s: float, look_s: float) -> None:
        self.since_s = now_s
        self.look_s = look_s
        self.began_s: float | None = None  # when headers were seen to have begun


class Idlers:
    """Connections that wait for a request, in the order in which to check them.

    Args:
        limits: Those in force.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        given = [s for s in (limits.header_limit_s, limits.idle_limit_s) if s]
        self._step_s = min(given) / _LOOKS if given else 0.0
        self._waiting: dict[Any, _Idler] = {}

    @property
    def step_s(self) -> float:
        """The time between two looks; 0: none is needed."""
        return self._step_s

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, connection: Any, now_s: float) -> None:
        """It waits for a request from now on."""
        self._waiting.pop(connection, None)
        self._waiting[connection] = _Idler(now_s, now_s + self._step_s)

    def discard(self, connection: Any) -> None:
        """It is busy, or gone."""
        self._waiting.pop(connection, None)

    def take_due(self, now_s: float, most: int) -> Iterator[Any]:
        """Those to check now, the longest waiting first; `look` at each.

        Args:
            now_s: The monotonic clock.
            most: How many at once.
        """
        for _ in range(most if self._step_s else 0):
            # Each has the same time until its next look, so the first of all is due first.
            connection = next(iter(self._waiting), None)
            if connection is None or self._waiting[connection].look_s > now_s:
                return
            idler = self._waiting.pop(connection)
            idler.look_s = now_s + self._step_s
            self._waiting[connection] = idler
            yield connection

    def take_longest(self, now_s: float, most: int) -> list[Any]:
        """Those to be closed because others wait to be accepted: a visitor asks at once.

        Args:
            now_s: The monotonic clock.
            most: How many at once.
        """
        latest_s = now_s - _PRESSED_S
        waiting = (key for key, idler in self._waiting.items() if idler.since_s <= latest_s)
        return list(itertools.islice(waiting, most))

    def look(self, connection: Any, now_s: float, *, has_begun: bool) -> bool:
        """Whether it is to be closed.

        Args:
            connection: One of those that are due.
            now_s: The monotonic clock.
            has_begun: Whether a part of headers, or of a handshake, is there.
        """
        idler = self._waiting[connection]
        if not has_begun:
            limit_s = self._limits.idle_limit_s
            return limit_s is not None and now_s - idler.since_s >= limit_s
        if idler.began_s is None:
            # It may have begun at any time since the last look.
            idler.began_s = max(now_s - self._step_s, idler.since_s)
        limit_s = self._limits.header_limit_s
        return limit_s is not None and now_s - idler.began_s >= limit_s
