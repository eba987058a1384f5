"""The promises: kept beside the world, by code that the shipped code cannot mislead."""

from collections import Counter, defaultdict

import orjson

from databench.broker.sessions.holdings import SLACK_BYTES
from databench.protocol import text
from databench.protocol.lifecycle import State
from databench.protocol.placement import SESSION

from .wire import split

TWICE = "_twice"  # how the names of the actions end that may run twice
FREE = ("opened",)  # sent without asking for credit, at a session's begin
ENDS = ("done", "error", "cancelled")


class Truth:
    """The messages of kernels, in the order in which they reached the front.

    Attributes:
        tried: How often actions began to add one to a counter of `class_data`, by class.
        counted: How often they learned that it was done.
    """

    def __init__(self, world):
        self._world = world
        self.tried, self.counted = Counter(), Counter()
        self.runs = Counter()
        self._offsets = defaultdict(dict)
        self._ids = {}  # by the life of the front and the request's number there
        self._sent_to = defaultdict(list)  # the processes that were sent each of these, in order
        self._sessions = defaultdict(set)  # in which each action was sent to a process
        self._again = Counter()  # how often each action was sent to a second process
        self._unwanted = set()  # those of them whose end a visitor has asked for

    def note(self, frames):
        """A message of a kernel is read by the front."""
        for header, inner in split(frames):
            if header[0] == "emit":
                offsets = self._offsets[header[1]]
                load = orjson.loads(inner[1])
                offsets[(load["life"], load["id"], load["n"])] = len(offsets)

    def note_run(self, id_):
        """An action runs: once, and once more where it was run again, as long as the front lives.

        And as long as its session does: a page whose session was closed for want of memory, before
        the page had read what was written to it, asks again in the new one.
        """
        key = (self._world.deaths_of_front, id_)
        self.runs[key] += 1
        if self.runs[key] > len(self._sessions[key]) + self._again[key]:
            self._world.fail(f"{id_} runs again")

    def note_sent(self, process, header, payload):
        """The front sends an action: once, or, where it may run twice, to the next process too."""
        life, (_, session, number, action) = self._world.deaths_of_front, header
        if (life, number) not in self._ids:
            self._ids[life, number] = orjson.loads(payload)["id_"]
        key = (life, self._ids[life, number])
        self._sessions[key].add(session)
        before = self._sent_to[life, number]
        if before:
            self._again[key] += 1
            self._check_second(key, action, before)
        before.append(process)

    def _check_second(self, key, action, before):
        id_, fail = key[1], self._world.fail
        if not action.endswith(TWICE):
            fail(f"{id_} is sent again, and may run once only")
        elif len(before) > 1:
            fail(f"{id_} is sent a third time")
        elif before[0] is not None and not before[0].is_over:
            fail(f"{id_} is sent again, and {before[0]} lives")
        elif key in self._unwanted:
            fail(f"{id_} is sent again, and its end was asked for")
        else:
            self._world.trace(f"{id_} is sent again")

    def note_wish(self, front, socket, message):
        """A visitor asks to end what was begun; called when the front has the request."""
        page_record = front.tables.outbox.page_records.get(socket)
        if page_record is None or not isinstance(message, text.PageCancel | text.Control):
            return
        hosted = page_record.hosted
        requests = hosted.session.requests
        if isinstance(message, text.PageCancel):
            requests = [hosted.session.ids.get(message.process_id)]
        elif message.command == "restart":
            # Where it waits for its next process, it only waits no longer.
            is_heard = hosted.record.kernel._ending.was_asked
            sessions = hosted.record.sessions.values() if is_heard else ()
            requests = [number for other in sessions for number in other.session.requests]
        life = self._world.deaths_of_front
        ids = [self._ids[life, number] for number in requests if (life, number) in self._ids]
        self._unwanted.update((life, id_) for id_ in ids)

    def offset(self, session, load):
        """The offset of an emit among all of its session."""
        return self._offsets[session][(load["life"], load["id"], load["n"])]

    def last(self, session):
        return len(self._offsets[session]) - 1


class Audit:
    """Counts the credit of each session and kernel life, and what the front holds."""

    def __init__(self, world):
        self._world = world
        self._credit = {}
        self.window_bytes = {}

    def open(self, process, message, window_bytes):
        key = (process.pid, message.session)
        assert key not in self._credit, f"{key} is opened twice in one life"
        self._credit[key] = self.window_bytes[process.pid] = window_bytes

    def spend(self, process, header, frames):
        kind, session = header[:2]
        if session is None:
            return
        key = (process.pid, session)
        may_go = self._credit[key] > 0 or kind in FREE or (kind in ENDS and header[2] is not None)
        if not may_go:
            self._world.fail(f"{kind} of {session} without credit: {self._credit[key]}")
        self._credit[key] -= sum(map(len, frames))

    def grant(self, process, message):
        key = (process.pid, message.session)
        if key not in self._credit:
            return
        self._credit[key] += message.size_bytes
        if self._credit[key] > self.window_bytes[process.pid]:
            self._world.fail(f"{key[1]} has more credit than its window: {self._credit}")

    def look(self, front):
        """Nothing grows beyond its limit; no kernel that keeps to the rules is blamed."""
        if front.is_over:
            return
        tables, settings = front.tables, self._world.settings
        held_bytes = min(settings.ring_bytes, 1500 * settings.ring_messages)
        for record in tables.records:
            assert record.mistakes == 0, f"{record.junk} messages of an honest kernel are junk"
        for pool in tables.pools.values():
            alive = sum(not record.kernel.life.is_without_process for record in pool.records)
            most = pool.spec.sharing.max_kernels
            alone = pool.spec.sharing.isolation == SESSION
            assert not alone or alive + pool.leaving <= most, f"{alive} kernels, limit {most}"
        for hosted in tables.sessions.values():
            session = hosted.session
            assert len(session.ring._frames) <= settings.ring_messages
            assert session.ring.size_bytes <= 2 * settings.ring_bytes
            assert session.receive_window.overdraft_bytes == 0, (
                "an honest kernel is told to overdraw"
            )
            assert len(session.requests) <= settings.open_actions + 1
            waits = 0 if session.views else session.receive_window.in_flight_bytes
            assert not waits, f"{waits} bytes of credit wait for a page, and none is there"
        self._look_at_requests(tables)
        self._look_at_holdings(tables)
        # In addition to what lags: all that is held at once, and values and ends that are beside
        # it.
        limit_bytes = 2 * settings.credit_window_bytes + held_bytes + 8000
        for page_record in tables.outbox.page_records.values():
            count = page_record.in_flight_bytes
            assert count <= limit_bytes, f"{count} bytes wait for a page, limit {limit_bytes}"

    def _look_at_requests(self, tables):
        """Each open request counts once, whether it runs, waits, or waits to run again."""
        count = 0
        for record in tables.by_kernel.values():
            sessions = [hosted.session for hosted in record.sessions.values()]
            requests = [r for session in sessions for r in session.requests.values()]
            sent, size_bytes = sum(r.is_sent for r in requests), sum(r.size_bytes for r in requests)
            assert record.open_requests == sent, f"{record.open_requests} sent requests of {sent}"
            assert record.open_bytes == size_bytes, f"{record.open_bytes} bytes of {size_bytes}"
            count += len(requests)
        assert count == len(tables.requests), f"{len(tables.requests)} open requests of {count}"

    def _look_at_holdings(self, tables):
        """The running sums equal a count of everything."""
        holdings = tables.holdings
        held_bytes = sum(
            page_record.counted_bytes for page_record in tables.outbox.page_records.values()
        )
        held_bytes += sum(store._size_bytes for store in self._stores(tables))
        held_bytes += sum(v.frame_bytes for s in self._stores(tables) for _, v in s)
        for record in tables.by_kernel.values():
            held_bytes += record.open_bytes
            assert record.waiting == sum(s.session.is_waiting for s in record.sessions.values())
        for hosted in tables.sessions.values():
            session = hosted.session
            assert session.is_waiting == (session.id_ in holdings.room), session.id_
            # Charges that were paid count until there are enough of them to look.
            over_bytes = hosted.counted_bytes - session.held_bytes
            assert -SLACK_BYTES < over_bytes < 3 * SLACK_BYTES, f"{over_bytes} bytes too many"
            held_bytes += hosted.counted_bytes
        live = len(tables.sessions)
        kept = [w for w in tables.persistence.list_kept() if w.id_ not in tables.sessions]
        held_bytes += sum(waiting.size_bytes for waiting in kept)
        assert len(holdings.shares) == live + len(kept)
        total_bytes = holdings.budget.total_bytes
        assert total_bytes == held_bytes, f"{total_bytes} bytes are counted, {held_bytes} held"
        assert live <= tables.settings.sessions

    def _stores(self, tables):
        return self._world.front.broker.class_values._stores.values()

    def check_credit(self, process, hosted):
        """All is delivered: no side owes more than what is not worth a message."""
        receive_window = hosted.session.receive_window
        lent = receive_window.window_bytes - self._credit[(process.pid, hosted.session.id_)]
        assert receive_window.in_flight_bytes == 0, (
            f"{receive_window.in_flight_bytes} bytes wait for nobody"
        )
        assert lent == receive_window.owed_bytes, (
            f"kernel spent {lent}, front owes {receive_window.owed_bytes}"
        )
        assert 4 * lent < receive_window.window_bytes, f"{lent} bytes of credit are held back"


def check_settled(world):
    """After the faults: every page and kernel knows the same."""
    tables = world.front.tables
    for tab in world.tabs:
        if not tab.is_gone:
            _check_tab(world, tab)
    for record in tables.records:
        assert record.open_requests == 0 and record.open_bytes == 0, record
        if record.kernel.life.state is State.CULLED:
            assert not record.is_in_use, "a page has no kernel"
            continue
        if not any(tab.session in record.sessions and not tab.is_gone for tab in world.tabs):
            continue  # no page is open, and none could ask for another start
        process = world.process_of(record)
        class_ = process.kernel.context.analysis_class
        values = _find_class_values(process)
        shown = {key: orjson.loads(value.shown) for key, value in record.store}
        assert values == shown, f"class_data: kernel {values}, front {shown}"
        counted, tried = world.truth.counted, world.truth.tried
        count = values.get("count") or 0
        low = 0 if world.deaths_of_front else counted[class_.__name__]
        assert low <= count <= tried[class_.__name__], f"count is {count}"
        for hosted in record.sessions.values():
            world.audit.check_credit(process, hosted)


def _check_tab(world, tab):
    assert tab.is_joined, f"{tab} found no way back"
    assert not tab.outbox
    if not tab.is_old:
        assert not tab.open, f"{tab}: no end of {tab.open}"
    hosted = world.front.tables.sessions[tab.session]
    assert tab.is_old or tab.received == hosted.session.ring.offset, f"{tab} counts {tab.received}"
    process = world.process_of(hosted.record)
    data = dict(process.kernel.sessions[tab.session].analysis.data.items())
    shown = {key: value for key, value in tab.data.items() if value is not None}  # null: deleted
    assert shown == data, f"{tab} has {tab.data}, its kernel {data}"
    values = _find_class_values(process)
    assert tab.class_data == values, f"{tab} has {tab.class_data}, its class {values}"
    last = world.truth.last(tab.session)
    if not tab.is_old and not tab.may_jump:
        assert tab.offset == last, f"{tab} is at emit {tab.offset} of {last}"


def _find_class_values(process):
    """What the kernel has; the front's answer to a write that it refused of a new key is null."""
    items = process.kernel.context.class_data._store.items()
    return {key: value for key, value in items if value is not None}


def check_empty(world):
    """All pages left, and the grace is over: nothing is kept of them."""
    tables = world.front.tables
    assert not tables.sessions and not tables.requests and not tables.outbox.page_records
    for record in tables.records:
        assert not record.sessions
        if record.kernel.life.state in (State.FAILED, State.CULLED):
            continue
        kernel = world.process_of(record).kernel
        assert not kernel.sessions, "the kernel was not told to close"
        assert not kernel.context.requests
