"""Pages, a kernel and a shell around one session, for the tests that try any order of events.

The shell does what the broker does: it hands appended frames to pages, lets a page lag, and reports
what was delivered. The pages do what `databench.js` does (or the client of 0.7): they count, and
keep what they got. A broken promise of docs/protocol.md, 8 and 9, fails an assertion.
"""

import json
from types import SimpleNamespace

from databench.protocol import text
from databench.protocol.session import Session
from databench.protocol.values import Values

LIMITS = SimpleNamespace(
    ring_messages=6,
    ring_bytes=10**9,
    ring_ends=10**6,
    credit_window_bytes=1000,
    open_actions=3,
    recent_ids=5,
    session_grace_s=60.0,
    result_grace_s=86400.0,
    state_bytes=2**20,
)


def hold_class_values(values):
    """Values of `class_data`, as a store hands them in."""
    held = Values(10**9, "class_data")
    for key, value in values.items():
        held.hold(key, value, value)
    return held


UNCOUNTED = {"__connect", "__gap", "__kernel"}


class Page:
    """A page; it survives its connections, unless it is reloaded.

    Attributes:
        key: What the session calls its connection, or `None` while it has none.
        inbox: Frames that were written to it and that it has not read.
    """

    def __init__(self, *, is_counting):
        self.is_counting = is_counting
        self.key = None
        self.reload()

    def reload(self):
        """Empty, as after F5."""
        self.received, self.epoch = 0, None
        self.inbox = []
        self.replay, self.following = None, []
        self.is_stuck = self.undelivered = False
        self.own_ids, self.ended = set(), set()
        self.values = {"data": {}, "class_data": {}}
        self.has_gap = False

    def connect(self):
        """Its first frame."""
        if not self.is_counting:
            return text.Connect(None, "", None, None)
        return text.Connect("s", "", self.received, self.epoch)

    def read(self, stream):
        """Read one frame; `stream` holds every frame of the session by its offset."""
        frame = self.inbox.pop(0)
        said = json.loads(frame)
        signal, load = said["signal"], said.get("load")
        if signal == "__connect":
            self.received, self.epoch = load["at"], load["epoch"]
        elif signal == "__gap":
            assert self.is_counting
            self.received, self.has_gap = load["at"], True
        elif not said.get("snapshot"):
            self.received += 1
            if self.is_counting:
                self._check_offset(frame, said, stream)
        self._take(signal, load)

    def _check_offset(self, frame, said, stream):
        if stream[self.received - 1] == frame:
            return
        is_end = said["signal"] == "__process" and said["load"]["status"] == "end"
        assert is_end, f"{frame} is not at offset {self.received}"
        assert frame in stream, f"{frame} was never in the stream"

    def _take(self, signal, load):
        if signal in self.values:
            self.values[signal].update(load)
        elif signal in ("__process", "__progress"):
            # The client of 0.7 throws on an id that it does not know.
            assert self.is_counting or load["id"] in self.own_ids
            if load.get("status") == "end":
                self.ended.add(load["id"])


class World:
    """One session with its pages and its kernel."""

    def __init__(self, class_values=()):
        self.session = Session("s", epoch="e", request_args="", limits=LIMITS)
        self.stream = []
        self.sent_offset = 0  # the last that any page may have been sent
        self._watch_ring()
        self.class_values = hold_class_values(dict(class_values))
        self.data = {}
        self.pages = []
        self.by_key = {}
        self.spent_bytes = 0
        self.keys = 0
        self.numbers = 0
        self.open = {}  # number to process id
        self.recent = []
        self.lives = {}  # process id to "start" or "end", its last word in the stream
        self.again = set()  # process ids that were started a second time
        self.now_s = 0.0

    def _watch_ring(self):
        ring = self.session.ring

        class Watched(type(ring)):
            __slots__ = ()

            def append(inner, frame, *, is_end=False):
                self.stream.append(frame)
                self._note(json.loads(frame))
                offset = super().append(frame, is_end=is_end)
                assert offset == len(self.stream)
                return offset

            def replace(inner, offset, frame):
                assert not self.session.views and offset > self.sent_offset
                if is_held := super().replace(offset, frame):
                    self.stream[offset - 1] = frame
                return is_held

        ring.__class__ = Watched

    def _note(self, said):
        """Each id's words in the stream: a start, one more at most, then an end."""
        if said["signal"] != "__process":
            return
        process_id, status = said["load"]["id"], said["load"]["status"]
        if said["load"].get("again"):
            assert self.lives[process_id] == "start" and process_id not in self.again
            self.again.add(process_id)
            return
        assert self.lives.get(process_id, "end") == ("end" if status == "start" else "start")
        self.lives[process_id] = status
        self.again.discard(process_id)

    # -- what the broker does

    def publish(self, frames, process_id=None):
        if not self.session.views:
            return  # a value may have gone to the offset of an older one
        offset = self.session.ring.offset
        assert self.stream[offset - len(frames) : offset] == list(frames)
        for key, view in self.session.views.items():
            page = self.by_key[key]
            if view.is_lagging:
                continue
            if page.is_stuck:
                view.is_lagging = True
                view.cursor = offset - len(frames)
                continue
            view.cursor = offset
            written = frames if view.is_counting else view.select(frames, process_id)
            self.write(page, written)

    def write(self, page, frames):
        if page.replay is not None:
            page.following += frames
            return
        page.inbox += frames
        page.undelivered = page.undelivered or bool(frames)
        if not page.undelivered:
            self.session.deliver(page.key)  # nothing is on its way: it has all that concerns it

    def step(self, page):
        """One frame of its replay, and with the last one what came meanwhile."""
        frame = next(page.replay, None)
        page.undelivered = True
        if frame is not None:
            page.inbox.append(frame)
            return
        page.inbox += page.following
        page.replay, page.following = None, []

    def delivered(self, page):
        session = self.session
        if page.replay is not None:
            self.step(page)
            return
        page.is_stuck = page.undelivered = False
        session.deliver(page.key)
        if session.views[page.key].is_lagging:
            page.replay = session.catch_up(page.key, self.class_values)
            self.step(page)
        if session.pending_class and session.is_delivered:
            self.publish(session.take_pending_class())

    def join(self, page):
        self.keys += 1
        page.key = self.keys
        page.is_stuck = False
        page.undelivered = True
        self.by_key[page.key] = page
        connect = page.connect()
        at, page.replay = self.session.join(page.key, connect, self.class_values)
        head = text.compose_connect(
            "s",
            backend_version="0",
            analyses_version=None,
            resumed=True,
            at=at,
            epoch=self.session.epoch,
            running=self.session.running(self.now_s),
        )
        page.inbox.append(head)
        self.step(page)

    def leave(self, page):
        key, page.key = page.key, None
        page.inbox.clear()
        page.replay, page.following = None, []
        if not page.is_counting:
            page.reload()
        del self.by_key[key]
        self.session.leave(key, self.now_s)
        self.sent_offset = self.session.ring.offset
        if not self.session.views:
            self.session.take_pending_class()

    def end(self, number, frames):
        process_id = self.open.pop(number)
        if process_id is not None:
            self.recent = [*self.recent, process_id][-LIMITS.recent_ids :]
        self.publish(frames, process_id)

    # -- what must always hold

    def check(self):
        session, receive_window = self.session, self.session.receive_window
        assert self.spent_bytes == receive_window.in_flight_bytes + receive_window.owed_bytes
        assert receive_window.credit_bytes == LIMITS.credit_window_bytes - self.spent_bytes
        assert {n: r.process_id for n, r in session.requests.items()} == self.open
        open_ids = [process_id for process_id in self.open.values() if process_id is not None]
        assert sorted(session.ids) == sorted(open_ids)
        assert list(session.recent) == self.recent
        assert {i for i, word in self.lives.items() if word == "start"} == set(open_ids)
        assert not (set(open_ids) & set(self.recent))
        if not session.views:
            assert receive_window.in_flight_bytes == 0
            assert not session.pending_class
        if session.is_delivered:
            assert receive_window.in_flight_bytes == 0
        assert session.is_waiting == (not session.views and not session.requests)
        assert session.is_unseen == (session.last_end > session.seen_offset)
        for view in session.views.values():
            assert view.delivered <= view.cursor <= session.ring.offset
            assert len(view.own_ids) <= LIMITS.recent_ids + LIMITS.open_actions
        assert session.data.size_bytes == sum(map(len, self.data.values()))

    def settle(self):
        """Let every connected page take and read all: then it knows all that there is."""
        connected = [page for page in self.pages if page.key is not None]
        for _ in range(3):
            for page in connected:
                while page.replay is not None:
                    self.delivered(page)
                self.delivered(page)
        for page in connected:
            while page.inbox:
                page.read(self.stream)
            self.check_knowledge(page)

    def check_knowledge(self, page):
        session = self.session
        assert not session.pending_class
        assert not session.views[page.key].is_lagging
        assert page.values["data"] == {k: json.loads(v) for k, v in self.data.items()}
        assert page.values["class_data"] == {
            k: json.loads(v.shown) for k, v in self.class_values.items()
        }
        if page.is_counting:
            assert page.received == session.ring.offset
        own_ids = page.own_ids
        if not page.is_counting:
            own_ids = own_ids & session.views[page.key].own_ids  # older ones are forgotten
        for process_id in own_ids:
            assert process_id in page.ended or self.lives[process_id] == "start"
        assert session.receive_window.in_flight_bytes == 0
