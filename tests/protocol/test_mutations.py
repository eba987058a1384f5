"""Whether the tests of the deciders see: each wrong decider below fails one of them.

Each case replaces one method by a variant with one mistake and runs the check that is there for it,
without shrinking. A check that passes then has gone blind.
"""

import dataclasses

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from databench.protocol import records, ring, session
from databench.protocol.flow import ReceiveWindow
from databench.protocol.lifecycle import TABLE, Event, Lifecycle, State
from tests.protocol import test_flow, test_lifecycle, test_ring, test_session
from tests.protocol.test_session_any_order import AnyOrder

Session, Ring, Replay, View = session.Session, ring.Ring, ring.Replay, records.View
BRIEF = settings(
    max_examples=600,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # no shrinking: any example will do
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


def any_order():
    run_state_machine_as_test(AnyOrder, settings=BRIEF)


def any_credit():
    run_state_machine_as_test(test_flow.ObeyingKernel, settings=BRIEF)


def own_requests():
    test_session.test_lagging_page_of_0_7_gets_its_own_requests_alone()


def follows():
    test_ring.test_page_gets_what_follows_its_offset(1, [b"2", b"3"])


real_end = Session._end
real_replay = Ring.replay
real_snapshot = Session._snapshot
real_charge = ReceiveWindow.charge
real_take = ReceiveWindow.take_owed


def end_without_id_keeps_its_credit(self, number, compose, *, charge_bytes):
    request = self.requests.get(number)
    if request is None or request.process_id is None:
        charge_bytes = 0
    return real_end(self, number, compose, charge_bytes=charge_bytes)


def end_does_not_remember_the_id(self, number, compose, *, charge_bytes):
    frames = real_end(self, number, compose, charge_bytes=charge_bytes)
    if frames:
        self.recent.popitem()
    return frames


def end_is_said_twice(self, number, compose, *, charge_bytes):
    request = self.requests.get(number)
    frames = real_end(self, number, compose, charge_bytes=charge_bytes)
    if frames and request:
        self.append(frames[0], is_end=True)
        frames = frames * 2
    return frames


def replay_is_one_offset_late(self, received):
    replay = real_replay(self, received)
    return dataclasses.replace(replay, frames=replay.frames[1:])


def replay_is_one_offset_early(self, received):
    return real_replay(self, max(0, received - 1))


def replay_forgets_the_ends(self, received):
    ends, self._ends = self._ends, type(self._ends)()
    try:
        return real_replay(self, received)
    finally:
        self._ends = ends


def replay_counts_from_the_cut(self, received):
    replay = real_replay(self, received)
    return dataclasses.replace(replay, at=max(self.cut, received))


def replay_without_gap_sends_all_ends(self, received):
    replay = real_replay(self, received)
    if received < self.cut and not replay.missed:
        frames = [f for _, f in self._ends] + [f for f, _ in self._frames]
        return Replay(frames, received, self.offset - len(frames))
    return replay


def snapshot_leaves_out_the_newest(self, class_values, *, since):
    return real_snapshot(self, class_values, since=since - 1)


def leave_keeps_credit_in_flight(self, key, now_s):
    self.views.pop(key, None)
    self.detached_s = now_s


def delivery_frees_nothing(self, key):
    view = self.views[key]
    view.delivered = view.cursor
    self.seen_offset = max(self.seen_offset, view.delivered)


def class_value_replaces_none_that_waits(self, key, shown, frame):
    if self.is_delivered:
        self.class_offsets[key] = self.append(frame)
        return True
    self.pending_class.setdefault(key, shown)
    return False


def page_of_0_7_gets_all(self, frames):
    return list(frames)


def charge_is_lost(self, offset, size_bytes, *, needs_credit=True):
    real_charge(self, offset, size_bytes, needs_credit=needs_credit)
    self._charges.pop()


def charge_blames_ends(self, offset, size_bytes, *, needs_credit=True):
    real_charge(self, offset, size_bytes)


def deliver_leaves_out_the_offset_itself(self, offset):
    while self._charges and self._charges[0][0] < offset:
        size_bytes = self._charges.popleft()[1]
        self.in_flight_bytes -= size_bytes
        self.owed_bytes += size_bytes


def take_drops_what_is_little(self):
    given = real_take(self)
    if not given:
        self.owed_bytes = 0
    return given


def take_gives_twice(self):
    return 2 * real_take(self)


real_step = Lifecycle.step


def step_keeps_completed(self, event):
    completed = self._completed
    after = real_step(self, event)
    self._completed = self._completed or completed
    return after


def forgive_forgets_early_exits_only(self):
    self._hello_exits = 0


ends_first = test_ring.test_ends_that_are_cut_come_before_the_ring_and_are_not_missed
only_ends = test_ring.test_page_that_lacks_only_ends_gets_exactly_those_and_counts_on
latest = test_session.test_class_value_waits_for_a_page_and_the_latest_one_is_shown
own_life = test_lifecycle.test_completed_action_counts_for_its_own_generation_alone
forgiven = test_lifecycle.test_forgiven_deaths_and_early_exits_do_not_count

MUTATIONS = [
    (any_order, Session, "_end", end_without_id_keeps_its_credit),
    (any_order, Session, "_end", end_does_not_remember_the_id),
    (any_order, Session, "_end", end_is_said_twice),
    (any_order, Session, "_snapshot", snapshot_leaves_out_the_newest),
    (any_order, Session, "leave", leave_keeps_credit_in_flight),
    (any_order, Session, "deliver", delivery_frees_nothing),
    (latest, Session, "set_class_value", class_value_replaces_none_that_waits),
    (own_requests, View, "select_replayed", page_of_0_7_gets_all),
    (any_order, Ring, "replay", replay_is_one_offset_late),
    (follows, Ring, "replay", replay_is_one_offset_early),
    (ends_first, Ring, "replay", replay_forgets_the_ends),
    (ends_first, Ring, "replay", replay_counts_from_the_cut),
    (only_ends, Ring, "replay", replay_without_gap_sends_all_ends),
    (any_order, ReceiveWindow, "deliver", deliver_leaves_out_the_offset_itself),
    (any_credit, ReceiveWindow, "charge", charge_is_lost),
    (any_credit, ReceiveWindow, "charge", charge_blames_ends),
    (any_credit, ReceiveWindow, "deliver", deliver_leaves_out_the_offset_itself),
    (any_credit, ReceiveWindow, "take_owed", take_drops_what_is_little),
    (any_credit, ReceiveWindow, "take_owed", take_gives_twice),
    (own_life, Lifecycle, "step", step_keeps_completed),
    (forgiven, Lifecycle, "forgive", forgive_forgets_early_exits_only),
]


@pytest.mark.parametrize(
    ("check", "owner", "name", "wrong"),
    MUTATIONS,
    ids=[f"{check.__name__}-{wrong.__name__}" for check, _, _, wrong in MUTATIONS],
)
def test_wrong_decider_is_seen(check, owner, name, wrong, monkeypatch):
    monkeypatch.setattr(owner, name, wrong)
    with pytest.raises((AssertionError, IndexError, KeyError)):
        check()


def test_table_with_a_step_too_many_is_seen(monkeypatch):
    monkeypatch.setitem(TABLE, (State.STOPPING, Event.SPAWN), State.STARTING)
    with pytest.raises(AssertionError):
        test_lifecycle.test_nothing_leads_out_of_stopping_but_the_end()
