"""The knowledge and decisions of a session: requests, replay, state, views (protocol.md, 8 and 9).

Owns the rules of a session; refuses to know sockets, pages and clocks: the caller passes the time
and the views' keys, and gets the frames to write.

Theory of operation: every frame of the stream goes through `append`, which gives it its offset;
`join` decides what a page gets when it comes (back). A request is open from `accept` until exactly
one of `finish` or `fail`, whether it runs once or, after the loss of its kernel, a second time
(`start_again`). The session remembers its process id after that, so that a request which a page
sends again does not run again.

While no page is open, a value of which only the latest matters (state, progress) takes one slot per
key: a newer value replaces the older one, which no page has got. So it comes before the emits in
between, never after them, and an hour of progress leaves the emits in the ring.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from ..settings import Settings
from . import text
from .flow import ReceiveWindow
from .records import Acceptance, OpenRequest, ProcessId, View
from .ring import Ring
from .values import Snapshots, Values, take_snapshots

# What Python holds in addition to the bytes, measured with tracemalloc on 64 bits, rounded up.
SESSION_BYTES = 8192
SMALL_BYTES = 128  # an id, a charge, a request; a value takes four of them


class Session:
    """One session.

    Args:
        id_: Unguessable.
        epoch: A random word for this life of the ring.
        request_args: The query string of the page that began it.
        limits: An object with the settings' attributes.
        visitor: A word for the visitor who began it, and may find it again; empty: none.
    """

    __slots__ = (
        'class_offsets', 'data', 'detached_s', 'ended_before', 'epoch', 'id_', 'ids', 'last_end',
        'left_offset', 'limits', 'pending_class', 'receive_window', 'recent', 'request_args',
        'requests', 'ring', 'seen_offset', 'views', 'visitor',
    )  # fmt: skip

    def __init__(
        self, id_: str, *, epoch: str, request_args: str, limits: Settings, visitor: str = ""
    ) -> None:
        self.id_ = id_
        self.visitor = visitor
        self.epoch = epoch
        self.request_args = request_args
        self.limits = limits
        self.ring = Ring(
            messages=limits.ring_messages, size_bytes=limits.ring_bytes, ends=limits.ring_ends
        )
        self.receive_window = ReceiveWindow(limits.credit_window_bytes)
        self.requests: dict[int, OpenRequest] = {}
        self.ids: dict[ProcessId, int] = {}
        self.recent: OrderedDict[ProcessId, None] = OrderedDict()
        self.ended_before: set[ProcessId] = set()  # of these, what ended in an earlier server
        self.data = Values(limits.state_bytes)
        self.class_offsets: dict[str, int] = {}
        self.pending_class: dict[str, bytes] = {}
        self.views: dict[Any, View] = {}
        self.detached_s = 0.0
        self.left_offset = 0  # the last that a page may have been sent, once none is there
        self.last_end = 0
        self.seen_offset = 0

    # ------------------------------------------------------------ the stream

    def append(
        self,
        frame: bytes,
        *,
        charge_bytes: int = 0,
        is_end: bool = False,
        needs_credit: bool = True,
    ) -> int:
        """Give a frame its offset in the stream.

        Args:
            frame: The text frame.
            charge_bytes: What it costs the kernel's credit.
            is_end: Whether it is the end of a request.
            needs_credit: False if the kernel may send it without credit.
        """
        offset = self.ring.append(frame, is_end=is_end)
        if is_end:
            self.last_end = offset
        if charge_bytes:
            self.receive_window.charge(offset, charge_bytes, needs_credit=needs_credit)
            if not self.views:
                self.receive_window.deliver_all()
        return offset

    def set_value(self, key: str, shown: bytes, stored: bytes, *, charge_bytes: int) -> bytes:
        """Keep a value of `data`.

        Returns:
            Its frame, appended.
        """
        frame = text.compose_state("data", key, shown)
        before = self.data.get(key)
        offset = self._append_latest(before.offset if before else 0, frame, charge_bytes)
        self.data.hold(key, shown, stored, offset)
        return frame

    def set_progress(
        self, number: int, value: float, total: float | None, *, charge_bytes: int
    ) -> list[bytes]:
        """Report the progress of an open request.

        Returns:
            Its frame, appended; none if no page asked for it.
        """
        request = self.requests[number]
        if request.process_id is None:
            self.return_charge(charge_bytes)
            return []
        frame = text.compose_progress(request.process_id, value, total)
        offset = self._append_latest(request.progress_offset, frame, charge_bytes)
        request.progress_offset = offset
        return [frame]

    def return_charge(self, size_bytes: int) -> None:
        """A message that makes no frame costs nothing in the end."""
        self.receive_window.owed_bytes += size_bytes

    def begin_receive_window(self) -> None:
        """A new life of the kernel begins with the whole window."""
        self.receive_window = ReceiveWindow(self.limits.credit_window_bytes)

    def set_class_value(self, key: str, shown: bytes, frame: bytes) -> bool:
        """Show a value of `class_data`, or hold it while a page has not taken everything.

        Args:
            key: The value's name.
            shown: The value as pages see it.
            frame: The composed frame, shared by all sessions.

        Returns:
            Whether the frame was appended and is to be written now. Otherwise it is the one
            value of this key that waits for `take_pending_class`.
        """
        if self.is_delivered:
            self.pending_class.pop(key, None)  # an older value must not follow this one
            offset = self.class_offsets.get(key, 0)
            self.class_offsets[key] = self._append_latest(offset, frame)
            return True
        self.pending_class[key] = shown
        return False

    def take_pending_class(self) -> list[bytes]:
        """The class values that waited, appended."""
        frames = []
        for key, shown in self.pending_class.items():
            frame = text.compose_state("class_data", key, shown)
            offset = self.class_offsets.get(key, 0)
            self.class_offsets[key] = self._append_latest(offset, frame)
            frames.append(frame)
        self.pending_class.clear()
        return frames

    @property
    def is_delivered(self) -> bool:
        """Whether some page has everything, or no page is there."""
        offset = self.ring.offset
        return not self.views or any(view.delivered >= offset for view in self.views.values())

    # ------------------------------------------------------------ requests

    def accept(
        self, request: text.Request, *, number: int, view: Any, now_s: float
    ) -> tuple[Acceptance, list[bytes]]:
        """Decide on a request of a page.

        Returns:
            The verdict, and the frames it makes, appended: a start, or a start and an end.
        """
        process_id = request.process_id
        if process_id is not None:
            if process_id in self.ids or process_id in self.recent:
                return Acceptance.REPEATED, self._end_again(number, process_id, request.action)
            if view in self.views:
                self.views[view].own_ids.add(process_id)
        frames = []
        if process_id is not None:
            frames.append(text.compose_start(process_id))
            self.append(frames[0])
            self.ids[process_id] = number
        action, payload = request.action, request.payload
        self.requests[number] = OpenRequest(number, action, payload, process_id, now_s)
        limit = self.limits.open_actions
        if len(self.requests) > limit:
            problem = f"action {action!r}: open actions: {limit}, the limit; not run"
            return Acceptance.REFUSED, frames + self.fail(number, "TooManyActions", problem)
        return Acceptance.ACCEPTED, frames

    def start_again(self, number: int) -> list[bytes]:
        """A request that was lost with its kernel is sent to the next one.

        Returns:
            Its second start, appended; nothing if no page asked for the first.
        """
        process_id = self.requests[number].process_id
        if process_id is None:
            return []
        frame = text.compose_second_start(process_id)
        self.append(frame)
        return [frame]

    def finish(
        self, number: int, outcome: str, result: bytes = b"", *, charge_bytes: int = 0
    ) -> list[bytes]:
        """End a request that went its way (`done`, `cancelled`); see `_end`."""
        return self._end(
            number, lambda id_: text.compose_end(id_, outcome, result), charge_bytes=charge_bytes
        )

    def fail(
        self,
        number: int | None,
        type_: str,
        problem: str,
        traceback: bytes = b"",
        *,
        outcome: str = "error",
        charge_bytes: int = 0,
    ) -> list[bytes]:
        """End a request that failed or was lost, and send the signal `error`.

        Args:
            number: The request, or `None` for the session's own code.
            type_: The exception's name.
            problem: One readable line.
            traceback: A JSON string, or empty.
            outcome: `error` or `lost`.
            charge_bytes: What it costs the kernel's credit.
        """
        frame = text.compose_value("error", problem)
        if number is not None and number not in self.requests:
            self.return_charge(charge_bytes)
            return []
        self.append(frame, charge_bytes=charge_bytes, needs_credit=number is None)
        if number is None:
            return [frame]

        def compose(id_: ProcessId) -> bytes:
            return text.compose_failure(id_, outcome, type_, problem, traceback)

        return [frame, *self._end(number, compose, charge_bytes=0)]

    def waiting(self) -> Iterable[OpenRequest]:
        """The requests that no kernel has yet, in order."""
        return [request for request in self.requests.values() if not request.is_sent]

    def running(self, now_s: float) -> list[dict[str, Any]]:
        """The open requests that have a process id, as `__connect` lists them."""
        return [
            {
                "id": r.process_id,
                "action": r.action,
                "elapsed_s": round(now_s - r.accepted_s, 3),
                **({"again": True} if r.is_rerun else {}),
            }
            for r in self.requests.values()
            if r.process_id is not None
        ]

    def _end(
        self, number: int, compose: Callable[[ProcessId], bytes], *, charge_bytes: int
    ) -> list[bytes]:
        """Exactly one end per request: one that is not open gives no frame."""
        request = self.requests.pop(number, None)
        if request is None or request.process_id is None:
            self.return_charge(charge_bytes)
            return []
        self.ids.pop(request.process_id, None)
        self.recent[request.process_id] = None
        while len(self.recent) > self.limits.recent_ids:
            self._forget(self.recent.popitem(last=False)[0])
        frame = compose(request.process_id)
        self.append(frame, charge_bytes=charge_bytes, is_end=True, needs_credit=False)
        return [frame]

    def _end_again(self, number: int, process_id: ProcessId, action: str) -> list[bytes]:
        """An end for a page that waits for one which went with the ring of an earlier server."""
        if process_id not in self.ended_before:
            return []  # it is in this ring, or will be
        self.ended_before.remove(process_id)
        self.requests[number] = OpenRequest(number, action, b"", process_id, 0.0)
        problem = f"action {action!r} has run; the server's restart lost its result"
        return self.fail(number, "ServerRestarted", problem, outcome="lost")

    def _forget(self, process_id: ProcessId) -> None:
        self.ended_before.discard(process_id)
        for view in self.views.values():
            view.own_ids.discard(process_id)

    # ------------------------------------------------------------ views

    def join(
        self, key: Any, connect: text.Connect, class_values: Snapshots
    ) -> tuple[int, Iterator[bytes]]:
        """A page comes.

        Args:
            key: What the page is called from here on.
            connect: The page's `__connect`.
            class_values: The class's values as pages see them.

        Returns:
            The offset for `__connect`, and the frames that follow it. They are made as they are
            taken, which may be later: what is appended meanwhile follows them.
        """
        if connect.received is None:
            self.views[key] = View(False, self.ring.offset, 0)
            return self.ring.offset, self._snapshot(class_values, since=self.ring.offset)
        self.views[key] = View(True, self.ring.offset, 0)
        # The ring of another epoch is gone: nothing in this one was seen by that page.
        received = connect.received if connect.epoch == self.epoch else 0
        return self._replay(received, class_values)

    def catch_up(self, key: Any, class_values: Snapshots) -> Iterator[bytes]:
        """The frames for a page that lagged, when it has taken the others; there may be none."""
        view = self.views[key]
        view.is_lagging = False
        received, view.cursor = view.cursor, self.ring.offset
        if view.is_counting:
            return self._replay(received, class_values)[1]
        replay = self.ring.replay(received)
        # The offset is ours and so exact: such a page does not know an end that it had.
        frames = view.select_replayed(replay.frames[replay.repeated :])
        if not replay.missed:
            return iter(frames)
        return chain(self._snapshot(class_values, since=self.ring.cut), frames)

    def leave(self, key: Any, now_s: float) -> None:
        """A page left: with the last one, credit no longer waits for a page."""
        left = self.views.pop(key, None)
        if left and not self.views:
            self.detached_s = now_s
            self.left_offset = self.ring.offset
            self.receive_window.deliver_all()

    def deliver(self, key: Any) -> None:
        """Everything written to that page has left the process."""
        view = self.views[key]
        view.delivered = view.cursor
        self.seen_offset = max(self.seen_offset, view.delivered)
        self.receive_window.deliver(view.delivered)

    @property
    def is_unseen(self) -> bool:
        """Whether a request has an end that no page has seen."""
        return self.last_end > self.seen_offset

    @property
    def is_waiting(self) -> bool:
        """Whether it has no page and runs nothing."""
        return not self.views and not self.requests

    @property
    def held_bytes(self) -> int:
        """Its part of the front's memory, without payloads that wait for the kernel."""
        data = self.data
        small = len(self.recent) + self.receive_window.charges + len(self.requests) + 4 * len(data)
        held_bytes = SESSION_BYTES + data.size_bytes + data.key_bytes
        return held_bytes + self.ring.held_bytes + SMALL_BYTES * small

    def _append_latest(self, offset: int, frame: bytes, charge_bytes: int = 0) -> int:
        """Append a frame, or replace its older value, which no page has got."""
        if self.views or offset <= self.left_offset or not self.ring.replace(offset, frame):
            return self.append(frame, charge_bytes=charge_bytes)
        if charge_bytes:
            self.receive_window.charge(offset, charge_bytes)
            self.receive_window.deliver_all()
        return offset

    def _replay(self, received: int, class_values: Snapshots) -> tuple[int, Iterator[bytes]]:
        replay = self.ring.replay(received)
        if not replay.missed:
            # An empty page also gets the class's values that are older than this session.
            if replay.at:
                return replay.at, iter(replay.frames)
            return replay.at, chain(self._snapshot(class_values, since=0), replay.frames)
        # The gap moves the page's offset on, so it comes after the values: a page that
        # is cut off before comes back with its old offset, and gets all of this again.
        gap = text.compose_gap(replay.missed, replay.at)
        snapshot = self._snapshot(class_values, since=self.ring.cut)
        return replay.received, chain(snapshot, (gap,), replay.frames)

    def _snapshot(self, class_values: Snapshots, *, since: int) -> Iterator[bytes]:
        """The values last changed at or before the offset `since`, marked; they are not counted.

        One that changes before its frame is taken has a later offset: its new frame follows.
        """
        offsets, data = self.class_offsets, self.data
        return chain(
            take_snapshots(class_values, lambda key: offsets.get(key, 0) <= since),
            take_snapshots(data, lambda key: data[key].offset <= since),
        )
