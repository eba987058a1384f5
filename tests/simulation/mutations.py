"""Mistakes, each put into the shipped code at run time: the simulation has to find every one."""

import contextlib
from unittest import mock

from databench.broker.kernels import Kernels
from databench.broker.pools import Pools
from databench.broker.sessions.class_values import ClassValues
from databench.broker.sessions.holdings import Holdings
from databench.broker.sessions.losses import Losses
from databench.broker.sessions.outbox import Outbox
from databench.broker.sessions.requests import Requests
from databench.broker.sessions.sessions import Sessions
from databench.kernel.send_window import SendWindow
from databench.protocol import grace, placement, reruns, text
from databench.protocol import messages as m
from databench.protocol.budget import Budget
from databench.protocol.flow import ReceiveWindow
from databench.protocol.ring import Ring
from databench.protocol.session import Session
from databench.protocol.waiting import WaitingRoom

take_owed = ReceiveWindow.take_owed
replay = Ring.replay
accept = Session.accept
lose_all = Losses.lose_all
join_replay = Session._replay
begin = Session.__init__
find = Sessions.find
requeue = Requests.requeue
start_again = Requests._start_again
may_go_on = reruns.may_go_on


def dropped_credit(self):
    size_bytes = take_owed(self)
    self.owed_bytes = 0
    return size_bytes


def doubled_credit(self):
    return 2 * take_owed(self)


def offset_off_by_one(self, received):
    return replay(self, received + 1 if received < self.offset else received)


def end_before_its_emits(self, frames, owner):
    return False


def kept_when_lost(self, record):
    for hosted in record.sessions.values():
        for request in hosted.session.requests.values():
            if request.is_sent:
                self._requests.requeue(hosted, request)  # so it is sent to the next process too
                request.is_rerun = False
    lose_all(self, record)


def sent_again(self, hosted, request):
    request.is_sent = True
    hosted.record.open_requests += 1
    message = m.Action(
        session=hosted.session.id_,
        request=request.number,
        name=request.action,
        payload=request.payload,
    )
    self._tables.send(hosted.record.kernel, message)


def run_twice_whatever_it_is(request, *, is_suspect):
    return not request.is_rerun and not request.is_cancelled


def run_again_whatever_is_said(self, hosted, request):
    request.is_idempotent = True
    return start_again(self, hosted, request)


def run_a_third_time(request, *, is_suspect):
    return request.is_idempotent and not request.is_cancelled


def run_again_after_a_cancel(request, *, is_suspect):
    return request.is_idempotent and not request.is_rerun


def run_again_after_a_restart(state, *, was_asked, **given):
    return may_go_on(state, was_asked=False, **given)


def lost_and_run_again(self, hosted, request):
    if request.process_id is not None:
        frame = text.compose_failure(request.process_id, "lost", "KernelLost", "it is gone")
        hosted.session.append(frame, is_end=True)
        self._tables.outbox.publish(hosted, (frame,), request.process_id)
    requeue(self, hosted, request)


def still_counted_in_the_dead_kernel(self, hosted, request):
    request.requeue()


def second_start_that_is_not_told(self, number):
    return []


def ids_are_forgotten(self, request, **given):
    self.recent.clear()
    return accept(self, request, **given)


def stale_generation_accepted(self, kernel, pgid):
    self._guardian.add(pgid, kernel.routing_id)
    self._tables.by_routing[kernel.routing_id] = self._tables.by_kernel[kernel]


def lost_pending_class_value(self):
    self.pending_class.clear()
    return []


def end_evicted(self, end):
    pass


def lag_that_never_catches_up(self, key, class_values):
    self.views[key].is_lagging = False
    self.views[key].cursor = self.ring.offset
    return []


def grace_that_never_ends(limits, *, is_unseen):
    return 10**9


def nothing_is_given(self, client, size_bytes):
    pass


def nobody_wakes(self, hosted):
    pass


def gap_that_is_not_told(self, received, class_values):
    at, frames = join_replay(self, received, class_values)
    return at, [frame for frame in frames if not frame.startswith(b'{"signal":"__gap"')]


def gap_before_its_values(self, received, class_values):
    held = self.ring.replay(received)
    frames = join_replay(self, received, class_values)[1]
    return held.at, sorted(frames, key=lambda frame: not frame.startswith(b'{"signal":"__gap"'))


def epoch_kept(self, id_, *, epoch, **given):
    begin(self, id_, epoch="the same", **given)


def unbounded_write(self, hosted, frames, process_id=None):
    for page, view in hosted.session.views.items():
        view.cursor = hosted.session.ring.offset
        self.add(
            self.page_records[page], frames if view.is_counting else view.select(frames, process_id)
        )


def session_not_closed_in_the_kernel(self, hosted, reason):
    self._tables.sessions.pop(hosted.session.id_, None)
    hosted.record.sessions.pop(hosted.session.id_, None)


def credit_kept_from_a_gone_page(self, key, now_s):
    if self.views.pop(key, None) and not self.views:
        self.detached_s = now_s


def offset_given_to_another_after_it_was_sent(self, offset, frame, charge_bytes=0):
    if not offset or not self.ring.replace(offset, frame):
        return self.append(frame, charge_bytes=charge_bytes)
    self.receive_window.charge(offset, charge_bytes)
    if not self.views:
        self.receive_window.deliver_all()
    return offset


def room_that_nobody_leaves(self, now_s, limits, rows):
    return []


def others_are_not_told(self, pool, key, writer=None):
    pass


def nobody_is_needed(self, record):
    pass


def room_without_end(sharing, kernels, leaving):
    return True


def session_that_wanders(self, id_, pool, place):
    hosted = find(self, id_, pool, place)
    if hosted is not None:
        hosted.record = pool.records[-1]
    return hosted


def answer_that_is_not_given(self, record, key, *, is_accepted):
    pass


MUTATIONS = {
    "dropped credit": ((ReceiveWindow, "take_owed", dropped_credit),),
    "doubled credit": ((ReceiveWindow, "take_owed", doubled_credit),),
    "credit kept from a gone page": ((Session, "leave", credit_kept_from_a_gone_page),),
    "offset off by one": ((Ring, "replay", offset_off_by_one),),
    "end before its emits": ((SendWindow, "put_end", end_before_its_emits),),
    "request sent twice after a restart": (
        (Losses, "lose_all", kept_when_lost),
        (Requests, "_send_action", sent_again),
    ),
    "action that may run once only run again": (
        (reruns, "may_rerun", run_twice_whatever_it_is),
        (Requests, "_start_again", run_again_whatever_is_said),
    ),
    "action run a third time": ((reruns, "may_rerun", run_a_third_time),),
    "cancelled action run again": ((reruns, "may_rerun", run_again_after_a_cancel),),
    "action run again after a restart by a page": (
        (reruns, "may_go_on", run_again_after_a_restart),
    ),
    "action both lost and run again": ((Requests, "requeue", lost_and_run_again),),
    "action run again that the dead kernel still has": (
        (Requests, "requeue", still_counted_in_the_dead_kernel),
    ),
    "second start that is not told": ((Session, "start_again", second_start_that_is_not_told),),
    "repeated request run again": ((Session, "accept", ids_are_forgotten),),
    "stale generation accepted": ((Kernels, "kernel_spawned", stale_generation_accepted),),
    "lost pending class value": ((Session, "take_pending_class", lost_pending_class_value),),
    "end evicted from the ring": ((Ring, "_keep", end_evicted),),
    "lag that never catches up": ((Session, "catch_up", lag_that_never_catches_up),),
    "grace that never ends": ((grace, "find_grace_s", grace_that_never_ends),),
    "gap that is not told": ((Session, "_replay", gap_that_is_not_told),),
    "gap before its values": ((Session, "_replay", gap_before_its_values),),
    "epoch kept over a front's death": ((Session, "__init__", epoch_kept),),
    "write without a limit": ((Outbox, "publish", unbounded_write),),
    "session not closed in the kernel": ((Sessions, "close", session_not_closed_in_the_kernel),),
    "offset given to another value after it was sent": (
        (Session, "_append_latest", offset_given_to_another_after_it_was_sent),
    ),
    "sessions never chosen to be closed": ((WaitingRoom, "choose_due", room_that_nobody_leaves),),
    "memory that is never given back": ((Budget, "give", nothing_is_given),),
    "session that waits while a page is there": ((Holdings, "wake", nobody_wakes),),
    "class_data not told to the other processes": (
        (ClassValues, "_tell_kernels", others_are_not_told),
    ),
    "culled kernel not started for a page": ((Pools, "need", nobody_is_needed),),
    "more processes than there may be": ((placement, "has_room", room_without_end),),
    "session given to another process": ((Sessions, "find", session_that_wanders),),
    "write of class_data not answered": ((ClassValues, "_answer", answer_that_is_not_given),),
}


@contextlib.contextmanager
def applied(mutation):
    """The shipped code has this mistake as long as this lasts."""
    with contextlib.ExitStack() as stack:
        for owner, name, wrong in mutation:
            stack.enter_context(mock.patch.object(owner, name, wrong))
        yield
