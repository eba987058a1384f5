"""A session in any order of events: nothing is lost, nothing comes twice, no credit goes astray."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from databench.protocol import text
from databench.protocol.records import Acceptance
from tests.protocol.session_model import LIMITS, Page, World

SIZES = st.integers(1, 700)
KEYS = st.sampled_from(["a", "b", "c"])
PAGES = st.integers(0, 10)


def connected(machine):
    return [page for page in machine.world.pages if page.key is not None]


def away(machine):
    return [page for page in machine.world.pages if page.key is None]


def is_any(choose):
    return precondition(lambda machine: bool(choose(machine)))


class AnyOrder(RuleBasedStateMachine):
    """Pages, a kernel and the broker's shell do what they like, in any order."""

    @initialize(has_class_values=st.booleans())
    def begin(self, has_class_values):
        self.world = World({"old": b"0"} if has_class_values else {})
        self.count = 0
        self.used_ids = []

    def next_value(self):
        self.count += 1
        return b"%d" % self.count

    # -- pages

    @precondition(lambda self: len(self.world.pages) < 3)
    @rule(is_counting=st.booleans())
    def page_opens(self, is_counting):
        page = Page(is_counting=is_counting)
        self.world.pages.append(page)
        self.world.join(page)

    @is_any(connected)
    @rule(which=PAGES)
    def page_leaves(self, which):
        pages = connected(self)
        self.world.leave(pages[which % len(pages)])

    @is_any(away)
    @rule(which=PAGES, is_reloaded=st.booleans())
    def page_returns(self, which, is_reloaded):
        pages = away(self)
        page = pages[which % len(pages)]
        if is_reloaded:
            page.reload()
        self.world.join(page)

    @is_any(connected)
    @rule(which=PAGES)
    def page_gets_stuck(self, which):
        pages = connected(self)
        pages[which % len(pages)].is_stuck = True

    @is_any(connected)
    @rule(which=PAGES)
    def page_drains(self, which):
        pages = connected(self)
        self.world.delivered(pages[which % len(pages)])

    @is_any(connected)
    @rule(which=PAGES, count=st.integers(1, 8))
    def page_reads(self, which, count):
        pages = connected(self)
        page = pages[which % len(pages)]
        for _ in range(min(count, len(page.inbox))):
            page.read(self.world.stream)

    @is_any(connected)
    @rule(which=PAGES, id_=st.none() | st.integers(0, 12))
    def page_asks(self, which, id_):
        pages, world = connected(self), self.world
        page = pages[which % len(pages)]
        process_id = self.choose_id(id_)
        world.numbers += 1
        verdict, frames = world.session.accept(
            text.Request("run", b"", process_id),
            number=world.numbers,
            view=page.key,
            now_s=world.now_s,
        )
        assert verdict is self.expected(process_id)
        if verdict is Acceptance.REPEATED:
            assert frames == []
            return
        if process_id is not None:
            page.own_ids.add(process_id)
            page.ended.discard(process_id)
        world.open[world.numbers] = process_id
        if verdict is Acceptance.REFUSED:
            world.end(world.numbers, frames)
        else:
            world.publish(frames, process_id)

    def choose_id(self, wish):
        """Mostly a new id, sometimes one of the last twelve, or none."""
        if wish is None:
            return None
        if wish < len(self.used_ids[-12:]) and wish % 2:
            return self.used_ids[-12:][wish]
        self.used_ids.append(len(self.used_ids))
        return self.used_ids[-1]

    def expected(self, process_id):
        world = self.world
        known = [i for i in world.open.values() if i is not None] + world.recent
        if process_id in known:
            return Acceptance.REPEATED
        full = len(world.open) >= LIMITS.open_actions
        return Acceptance.REFUSED if full else Acceptance.ACCEPTED

    # -- the kernel

    @rule(size_bytes=SIZES)
    def kernel_emits(self, size_bytes):
        world = self.world
        world.spent_bytes += size_bytes
        frame = text.compose("n", self.next_value())
        world.session.append(frame, charge_bytes=size_bytes)
        world.publish((frame,))

    @rule(key=KEYS, size_bytes=SIZES)
    def kernel_sets_a_value(self, key, size_bytes):
        world = self.world
        value = world.data[key] = self.next_value()
        world.spent_bytes += size_bytes
        world.publish((world.session.set_value(key, value, value, charge_bytes=size_bytes),))

    @rule(size_bytes=SIZES)
    def kernel_says_what_makes_no_frame(self, size_bytes):
        self.world.spent_bytes += size_bytes
        self.world.session.return_charge(size_bytes)

    @precondition(lambda self: self.world.open)
    @rule(which=PAGES, size_bytes=SIZES)
    def kernel_progresses(self, which, size_bytes):
        world = self.world
        number, process_id = list(world.open.items())[which % len(world.open)]
        world.spent_bytes += size_bytes
        count = int(self.next_value())
        frames = world.session.set_progress(number, count, None, charge_bytes=size_bytes)
        assert len(frames) == (process_id is not None)
        world.publish(frames, process_id)

    @precondition(lambda self: self.world.open)
    @rule(which=PAGES, outcome=st.sampled_from(["done", "cancelled", "error"]), size_bytes=SIZES)
    def kernel_ends_a_request(self, which, outcome, size_bytes):
        world = self.world
        number = list(world.open)[which % len(world.open)]
        world.spent_bytes += size_bytes
        if outcome == "error":
            frames = world.session.fail(number, "E", "no", charge_bytes=size_bytes)
        else:
            frames = world.session.finish(number, outcome, charge_bytes=size_bytes)
        world.end(number, frames)

    @rule(size_bytes=SIZES, is_failure=st.booleans())
    def kernel_ends_what_is_not_open(self, size_bytes, is_failure):
        session = self.world.session
        self.world.spent_bytes += size_bytes
        if is_failure:
            assert session.fail(10**6, "E", "no", charge_bytes=size_bytes) == []
        else:
            assert session.finish(10**6, "done", charge_bytes=size_bytes) == []

    @rule(key=KEYS)
    def some_kernel_sets_a_class_value(self, key):
        world = self.world
        value = self.next_value()
        world.class_values.hold(key, value, value)
        frame = text.compose_state("class_data", key, value)
        if world.session.set_class_value(key, value, frame):
            world.publish((frame,))

    @rule(again=st.sets(st.integers(0, LIMITS.open_actions)))
    def kernel_dies(self, again):
        """Some of what it had is run again, once; the rest is lost."""
        world = self.world
        for at, (number, process_id) in enumerate(list(world.open.items())):
            request = world.session.requests[number]
            if at in again and not request.is_rerun:
                request.requeue()
                world.publish(world.session.start_again(number), process_id)
                continue
            frames = world.session.fail(number, "KernelLost", "gone", outcome="lost")
            world.end(number, frames)
        world.session.begin_receive_window()
        world.spent_bytes = 0

    # -- the front

    @rule()
    def front_gives_credit(self):
        self.world.spent_bytes -= self.world.session.receive_window.take_owed()

    @rule(delta_s=st.floats(0, 100))
    def time_passes(self, delta_s):
        self.world.now_s += delta_s

    @rule()
    def all_settles(self):
        self.world.settle()

    @invariant()
    def rules_hold(self):
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self):
        """However it went, pages that come back know everything in the end."""
        if not hasattr(self, "world"):
            return
        for page in away(self):
            self.world.join(page)
        self.world.settle()
        self.world.check()


TestAnyOrder = pytest.mark.slow(AnyOrder.TestCase)
