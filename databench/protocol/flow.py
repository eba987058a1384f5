"""Credit: how many bytes a kernel may have in flight for one session (docs/protocol.md, 6).

The front keeps one `ReceiveWindow` per session and kernel process. It charges each message to it,
frees the charge when a page has the message, and decides when to give credit back. Messages without
a session cost the kernel's `Allowance`.
"""

from __future__ import annotations

from collections import deque


class ReceiveWindow:
    """One session's credit, as the front sees it.

    A kernel may send while its credit is above zero, so it goes below by one message at most.
    The front sees more credit than the kernel does, never less (what it gave back may still be
    on its way): a kernel that sends without credit by this count surely overdrew.

    Args:
        window_bytes: The initial credit, which is also the most a kernel can ever have.
    """

    __slots__ = ("_charges", "in_flight_bytes", "overdraft_bytes", "owed_bytes", "window_bytes")

    def __init__(self, window_bytes: int) -> None:
        self.window_bytes = window_bytes
        self.in_flight_bytes = 0
        self.owed_bytes = 0
        self.overdraft_bytes = 0
        self._charges: deque[tuple[int, int]] = deque()

    @property
    def credit_bytes(self) -> int:
        """The bytes that the kernel may still send; below zero by at most one message."""
        return self.window_bytes - self.in_flight_bytes - self.owed_bytes

    @property
    def charges(self) -> int:
        """How many messages are in flight."""
        return len(self._charges)

    @property
    def is_overdrawn(self) -> bool:
        """Whether the kernel ignored its credit beyond twice the window."""
        return self.overdraft_bytes > 2 * self.window_bytes

    def charge(self, offset: int, size_bytes: int, *, needs_credit: bool = True) -> None:
        """Count a message of the kernel that got this offset in the ring.

        Args:
            offset: The offset.
            size_bytes: Its cost.
            needs_credit: False for an end, which may come without credit: it overdraws nothing.
        """
        if needs_credit and self.credit_bytes <= 0:
            self.overdraft_bytes += size_bytes
        self.in_flight_bytes += size_bytes
        self._charges.append((offset, size_bytes))

    def deliver(self, offset: int) -> None:
        """A page has everything up to this offset: free what it cost."""
        charges = self._charges
        while charges and charges[0][0] <= offset:
            size_bytes = charges.popleft()[1]
            self.in_flight_bytes -= size_bytes
            self.owed_bytes += size_bytes

    def deliver_all(self) -> None:
        """No page is there to wait for: free everything."""
        self.owed_bytes += self.in_flight_bytes
        self.in_flight_bytes = 0
        self._charges.clear()

    def take_owed(self) -> int:
        """The credit to send to the kernel now, in bytes; 0 while it is not worth a message.

        A quarter of the window may stay owed: the kernel then still has what is left of three
        quarters, so that it never waits for credit that we hold back.
        """
        if self.owed_bytes * 4 < self.window_bytes:
            return 0
        owed_bytes, self.owed_bytes = self.owed_bytes, 0
        self.overdraft_bytes = max(0, self.overdraft_bytes - owed_bytes)
        return owed_bytes


STRAY_BYTES = 200  # the least that a message costs: it holds so much while it waits
GRANTS = 16  # windows at most
# The least of an allowance: a kernel declares what it can, names its files, and answers
# all pings at once that came while it was frozen.
LEAST_BYTES = 2**16


class Allowance:
    """The bytes that a kernel's process may send without a session's credit.

    Words of a later protocol, messages for sessions that were closed, files that it has read, and
    whatever is not understood: nothing else would limit them.

    Args:
        window_bytes: As much as for a session.
    """

    __slots__ = ("left_bytes", "window_bytes")

    def __init__(self, window_bytes: int) -> None:
        self.window_bytes = window_bytes
        self.left_bytes = window_bytes

    @property
    def is_spent(self) -> bool:
        """Whether the kernel sent more than it may."""
        return self.left_bytes < 0

    def spend(self, size_bytes: int) -> None:
        """A message came that nothing else pays for."""
        self.left_bytes -= max(size_bytes, STRAY_BYTES)

    def grant(self) -> None:
        """A session was closed: its messages under way were sent by its credit."""
        most_bytes = GRANTS * self.window_bytes
        self.left_bytes = min(self.left_bytes + self.window_bytes, most_bytes)

    def renew(self) -> None:
        """The kernel has read what the front sent, so it keeps up."""
        self.left_bytes = max(self.left_bytes, self.window_bytes)


class Unread:
    """The bytes that a kernel's process was sent and may not have read.

    A kernel that reads nothing makes the front hold all of it: sessions that are opened, and the
    credit that comes back at once while no page is there.

    Args:
        limit_bytes: The most that may wait before no further session is opened.
        window_bytes: The credit of one session; `GRANTS` of them may be lent.
    """

    __slots__ = (
        "_lent_bytes",
        "_limit_bytes",
        "_most_lent_bytes",
        "_sent",
        "is_full",
        "size_bytes",
    )

    def __init__(self, limit_bytes: int, window_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._most_lent_bytes = GRANTS * window_bytes
        self._lent_bytes = 0
        self._sent: dict[str, int] = {}
        self.size_bytes = 0
        self.is_full = False

    def open(self, session: str, size_bytes: int) -> None:
        """The kernel was sent a session with that many bytes of state."""
        self._count(self._sent.pop(session, 0), -1)
        self._sent[session] = size_bytes = max(size_bytes, STRAY_BYTES)
        self._count(size_bytes, 1)

    def lend(self, size_bytes: int) -> bool:
        """It was given credit that no page has paid for; whether to ask it if it reads."""
        self._lent_bytes += size_bytes
        return self.is_lent_out

    @property
    def is_lent_out(self) -> bool:
        """Whether it gets no more such credit until it has read what it was sent."""
        return self._lent_bytes > self._most_lent_bytes

    def opened(self, session: str) -> bool:
        """It has read this session, and so those before; whether further ones may be opened now."""
        was_full = self.is_full
        while session in self._sent:
            self._count(self._sent.pop(next(iter(self._sent))), -1)
        return was_full and not self.is_full

    def read_all(self) -> bool:
        """It has read all that it was sent; whether further sessions may be opened now."""
        was_full = self.is_full
        self._sent.clear()
        self.size_bytes = self._lent_bytes = 0
        self.is_full = False
        return was_full

    def _count(self, size_bytes: int, sign: int) -> None:
        self.size_bytes += sign * size_bytes
        # Half of it free before the next one, so that they are not looked through for each.
        limit_bytes = self._limit_bytes // 2 if self.is_full else self._limit_bytes
        self.is_full = self.size_bytes > limit_bytes
