"""A session's rules, each by itself, and in any order against pages that keep count."""

import json
from types import SimpleNamespace

from databench.protocol import codec, text
from databench.protocol import messages as m
from databench.protocol.records import Acceptance
from databench.protocol.session import Session
from tests.protocol.session_model import hold_class_values

LIMITS = {
    "ring_messages": 6,
    "ring_bytes": 10**9,
    "ring_ends": 1000,
    "credit_window_bytes": 1000,
    "open_actions": 3,
    "recent_ids": 5,
    "session_grace_s": 60.0,
    "result_grace_s": 86400.0,
    "state_bytes": 2**20,
}


def make_session(**limits):
    limits = SimpleNamespace(**{**LIMITS, **limits})
    return Session("s", epoch="e", request_args="?a=1", limits=limits)


def loads(frames):
    return [json.loads(frame) for frame in frames]


def accept(session, process_id=None, *, number=1, view="p", now_s=0.0, payload=b""):
    request = text.Request("run", payload, process_id)
    return session.accept(request, number=number, view=view, now_s=now_s)


def join(session, key="p", *, received=0, epoch=None, class_values=None):
    values = hold_class_values(class_values or {})
    at, frames = session.join(key, text.Connect(None, "", received, epoch), values)
    return at, list(frames)


def catch_up(session, key):
    return list(session.catch_up(key, hold_class_values({})))


# ---------------------------------------------------------------- requests


def test_request_gets_one_start_and_one_end():
    session = make_session()
    verdict, start = accept(session, 7)
    assert (verdict, start) == (Acceptance.ACCEPTED, [text.compose_start(7)])
    assert session.finish(1, "done", b"42") == [text.compose_end(7, "done", b"42")]
    assert session.finish(1, "done", b"42") == []
    assert session.fail(1, "E", "again") == []
    assert session.ring.replay(0).frames == [*start, text.compose_end(7, "done", b"42")]


def test_request_without_id_has_no_frames_but_is_open():
    session = make_session()
    assert accept(session) == (Acceptance.ACCEPTED, [])
    assert list(session.requests) == [1]
    assert session.finish(1, "done", b"42") == []
    assert not session.requests
    assert session.ring.offset == 0


def test_failure_says_error_and_then_the_end():
    session = make_session()
    accept(session, 7)
    frames = session.fail(1, "ValueError", "it failed", b'"trace"')
    assert frames == [
        b'{"signal":"error","load":"it failed"}',
        text.compose_failure(7, "error", "ValueError", "it failed", b'"trace"'),
    ]
    assert session.last_end == session.ring.offset


def test_failure_of_a_request_without_id_says_error_alone():
    session = make_session()
    accept(session)
    assert session.fail(1, "E", "no") == [b'{"signal":"error","load":"no"}']
    assert not session.requests


def test_failure_outside_of_any_request_says_error():
    session = make_session()
    assert session.fail(None, "E", "no") == [b'{"signal":"error","load":"no"}']


def test_repeated_id_is_not_run_again_while_open_and_after_its_end():
    session = make_session()
    accept(session, 7)
    assert accept(session, 7, number=2) == (Acceptance.REPEATED, [])
    assert accept(session, 7.0, number=2) == (Acceptance.REPEATED, [])
    session.finish(1, "done")
    assert accept(session, 7, number=3) == (Acceptance.REPEATED, [])
    assert list(session.requests) == []


def test_exactly_the_last_ended_ids_are_remembered():
    session = make_session(recent_ids=2)
    for number in (1, 2, 3):
        accept(session, number, number=number)
        session.finish(number, "done")
    assert accept(session, 2, number=4)[0] is Acceptance.REPEATED
    assert accept(session, 3, number=4)[0] is Acceptance.REPEATED
    assert accept(session, 1, number=4)[0] is Acceptance.ACCEPTED


def test_page_forgets_its_ids_with_the_session():
    session = make_session(recent_ids=2)
    join(session)
    for number in range(1, 9):
        accept(session, number, number=number)
        session.finish(number, "done")
    assert session.views["p"].own_ids == set(session.recent) == {7, 8}


def test_request_beyond_the_limit_gets_start_error_and_end():
    session = make_session(open_actions=2)
    for number in (1, 2):
        assert accept(session, number, number=number)[0] is Acceptance.ACCEPTED
    verdict, frames = accept(session, 3, number=3)
    assert verdict is Acceptance.REFUSED
    start, error, end = loads(frames)
    assert start["load"] == {"id": 3, "status": "start"}
    assert error == {
        "signal": "error",
        "load": "action 'run': open actions: 2, the limit; not run",
    }
    assert (end["load"]["status"], end["load"]["outcome"]) == ("end", "error")
    assert list(session.requests) == [1, 2]
    session.finish(1, "done")
    assert accept(session, 4, number=4)[0] is Acceptance.ACCEPTED


def test_waiting_are_the_requests_that_were_not_sent_in_order():
    session = make_session()
    for number in (1, 2, 3):
        accept(session, number, number=number)
    session.requests[2].is_sent = True
    assert [request.number for request in session.waiting()] == [1, 3]


def test_a_second_run_has_a_start_of_its_own_and_keeps_its_offset():
    session = make_session()
    for number in (1, 2):
        accept(session, 6 + number, number=number)
        session.requests[number].is_sent = True
    accept(session, number=3)
    session.requests[1].requeue()
    assert [request.number for request in session.waiting()] == [1, 3]
    (start,) = loads(session.start_again(1))
    assert start == {"signal": "__process", "load": {"id": 7, "status": "start", "again": True}}
    assert [running.get("again", False) for running in session.running(0.0)] == [True, False]
    assert session.start_again(3) == []  # no page asked for its start
    assert loads(session.finish(1, "done"))[0]["load"]["outcome"] == "done"
    assert session.finish(1, "done") == []


def test_progress_of_a_second_run_stands_behind_its_start_while_no_page_is_there():
    session = make_session(ring_messages=20)
    accept(session, 7)
    session.set_progress(1, 3, 4, charge_bytes=0)
    session.requests[1].requeue()
    session.start_again(1)
    for value in (1, 2):
        session.set_progress(1, value, 4, charge_bytes=0)
    words = [
        load.get("value", load.get("status"))
        for load in (frame["load"] for frame in loads(join(session)[1]))
    ]
    assert words == ["start", 3, "start", 2]


def test_running_tells_open_requests_that_have_an_id():
    session = make_session()
    accept(session, 7, number=1, now_s=10.0)
    accept(session, None, number=2, now_s=10.0)
    assert session.running(12.5) == [{"id": 7, "action": "run", "elapsed_s": 2.5}]


# ---------------------------------------------------------------- credit


def test_end_of_a_request_without_id_gives_its_credit_back():
    # Such an end makes no frame: nothing drains for it, so it must not wait for a page.
    session = make_session()
    join(session)
    accept(session, number=1)
    accept(session, number=2)
    session.finish(1, "done", charge_bytes=300)
    session.finish(2, "cancelled", charge_bytes=200)
    session.finish(3, "done", charge_bytes=10)  # one that is not open
    session.fail(4, "E", "no", charge_bytes=10)
    assert session.receive_window.take_owed() == 520
    assert session.receive_window.credit_bytes == 1000


def test_ends_overdraw_no_credit_since_they_go_without():
    session = make_session()
    join(session)
    session.append(b"x", charge_bytes=1000)
    for number in (1, 2, 3):
        accept(session, number, number=number)
    session.finish(1, "done", charge_bytes=5000)
    session.fail(2, "E", "no", charge_bytes=5000)
    assert session.receive_window.overdraft_bytes == 0
    session.append(b"x", charge_bytes=7)
    assert session.receive_window.overdraft_bytes == 7


def test_credit_waits_for_the_fastest_page_only():
    session = make_session()
    join(session, "a")
    join(session, "b")
    offset = session.append(b"x", charge_bytes=400)
    for view in session.views.values():
        view.cursor = offset
    assert session.receive_window.take_owed() == 0
    session.deliver("b")
    assert session.receive_window.take_owed() == 400


def test_credit_waits_for_nobody_while_no_page_is_there():
    session = make_session()
    session.append(b"x", charge_bytes=400)
    assert session.receive_window.take_owed() == 400
    join(session)
    session.append(b"x", charge_bytes=400)
    assert session.receive_window.take_owed() == 0
    session.leave("p", 1.0)
    assert session.receive_window.take_owed() == 400


def test_new_life_of_the_kernel_has_the_whole_window():
    session = make_session()
    join(session)
    session.append(b"x", charge_bytes=900)
    session.begin_receive_window()
    assert session.receive_window.credit_bytes == 1000
    session.deliver("p")
    assert session.receive_window.owed_bytes == 0


# ---------------------------------------------------------------- values


def test_state_bytes_count_what_is_held_now():
    session = make_session()
    shared = b"12345"
    session.set_value("k", shared, shared, charge_bytes=0)
    assert session.data.size_bytes == session.data._size_with("k", shared, shared) == 5
    assert session.data._size_with("k", b"1", b"22") == 3
    assert session.data._size_with("l", b"1", b"22") == 8
    session.set_value("k", b"1", b"22", charge_bytes=0)
    assert session.data.size_bytes == 3


def test_state_beyond_its_bytes_is_a_problem_and_a_smaller_value_is_none():
    session = make_session(state_bytes=10)
    session.set_value("k", b"12345678", b"12345678", charge_bytes=0)
    assert session.data.find_problem("k", b"x" * 10, b"") is None
    assert session.data.find_problem("l", b"12", b"") is None
    assert session.data.find_problem("l", b"12", b"3") == (
        "state 'l': 11 bytes of state, limit 10; not kept"
    )


def test_state_that_is_kept_can_always_be_restored():
    session = make_session(state_bytes=10**9)
    for name in ("short", "é" * 1000):
        for number in range(10_001):
            key = f"{name}{number}"
            problem = session.data.find_problem(key, b"1", b"1")
            if problem:
                break
            session.set_value(key, b"1", b"1", charge_bytes=0)
        assert "limit" in problem
        values = tuple(value.stored for value in session.data.values())
        again = m.Open(
            session="s",
            request_args="",
            restored="x" * 65536,
            data_keys=tuple(session.data),
            payload=b"",
            further=values,
        )
        assert codec.decode_to_kernel(codec.encode(again)) == again
        assert session.data.find_problem(next(iter(session.data)), b"2", b"2") is None
        session = make_session(state_bytes=10**9)


def test_class_value_waits_for_a_page_and_the_latest_one_is_shown():
    session = make_session()
    join(session)
    assert session.set_class_value("c", b"1", text.compose_state("class_data", "c", b"1"))
    for value in (b"2", b"3"):
        frame = text.compose_state("class_data", "c", value)
        assert not session.set_class_value("c", value, frame)
    session.views["p"].cursor = session.ring.offset
    session.deliver("p")
    assert session.take_pending_class() == [text.compose_state("class_data", "c", b"3")]
    assert session.take_pending_class() == []


def test_older_class_value_that_waits_never_follows_a_newer_one():
    session = make_session()
    join(session)
    session.append(b"x")
    session.set_class_value("c", b"1", b"one")
    session.leave("p", 0.0)
    assert session.set_class_value("c", b"2", b"two")
    assert session.take_pending_class() == []


# ---------------------------------------------------------------- joining


def test_first_page_gets_class_values_that_are_older_than_the_session():
    session = make_session()
    at, frames = join(session, class_values={"c": b"1"})
    assert at == 0
    assert frames == [b'{"signal":"class_data","snapshot":true,"load":{"c":1}}']


def test_page_that_comes_back_gets_what_followed():
    session = make_session()
    for number in range(4):
        session.append(b"%d" % number)
    assert join(session, received=2, epoch="e", class_values={"c": b"1"}) == (2, [b"2", b"3"])
    assert join(session, received=4, epoch="e") == (4, [])


def test_page_of_another_epoch_gets_all_that_is_held():
    session = make_session()
    session.data.hold("old", b"0", b"0")
    session.set_value("k", b"1", b"1", charge_bytes=0)
    session.append(b"x")
    for epoch in ("other", None):
        at, frames = join(session, received=1, epoch=epoch, class_values={"c": b"2"})
        assert at == 0
        assert frames == [
            b'{"signal":"class_data","snapshot":true,"load":{"c":2}}',
            b'{"signal":"data","snapshot":true,"load":{"old":0}}',
            b'{"signal":"data","load":{"k":1}}',
            b"x",
        ]


def test_page_that_does_not_count_gets_every_value():
    session = make_session()
    session.set_value("k", b"1", b"1", charge_bytes=0)
    at, frames = join(session, received=None, class_values={"c": b"2"})
    assert at == 1
    assert len(frames) == 2
    assert not session.views["p"].is_counting


def test_values_changed_before_what_is_held_come_before_the_gap_that_moves_the_page_on():
    session = make_session(ring_messages=2)
    session.set_value("old", b"1", b"1", charge_bytes=0)
    session.append(b"x")
    session.set_value("new", b"2", b"2", charge_bytes=0)
    session.append(b"y")
    at, frames = join(session)
    assert at == 0  # until it has the gap: cut off before it, it gets all of this again
    assert frames == [
        b'{"signal":"data","snapshot":true,"load":{"old":1}}',
        b'{"signal":"__gap","load":{"missed":2,"at":2}}',
        b'{"signal":"data","load":{"new":2}}',
        b"y",
    ]


def test_lagging_page_of_0_7_gets_its_own_requests_alone():
    session = make_session()
    join(session, "old", received=None)
    session.views["old"].is_lagging = True
    accept(session, 7, number=1, view="old")
    accept(session, 8, number=2, view="other")
    session.finish(1, "done")
    session.finish(2, "done")
    frames = catch_up(session, "old")
    assert frames == [text.compose_start(7), text.compose_end(7, "done")]


def test_page_of_0_7_that_lags_beyond_the_ring_still_gets_its_end_and_the_state():
    session = make_session(ring_messages=2)
    join(session, "old", received=None)
    session.views["old"].is_lagging = True
    accept(session, 7, number=1, view="old")
    session.finish(1, "done")
    session.set_value("k", b"1", b"1", charge_bytes=0)
    for _ in range(3):
        session.append(text.compose("s", b""))
    frames = catch_up(session, "old")
    assert frames[:2] == [
        text.compose_state("data", "k", b"1", snapshot=True),
        text.compose_end(7, "done"),
    ]
    assert frames[2:] == [text.compose("s", b"")] * 2


def test_page_of_0_7_that_lags_beyond_the_ring_gets_no_end_again():
    session = make_session(ring_messages=2)
    join(session, "old", received=None)
    accept(session, 7, number=1, view="old")
    session.finish(1, "done")
    view = session.views["old"]
    view.cursor, view.is_lagging = session.ring.offset, True
    for _ in range(3):
        session.append(text.compose("s", b""))
    assert catch_up(session, "old") == [text.compose("s", b"")] * 2


def test_page_of_0_7_may_catch_up_with_nothing():
    session = make_session()
    join(session, "old", received=None)
    session.views["old"].is_lagging = True
    accept(session, 8, view="other")
    assert catch_up(session, "old") == []
    assert session.views["old"].cursor == session.ring.offset


def test_a_value_that_changes_before_its_frame_is_taken_is_left_to_the_frame_that_follows():
    session = make_session()
    shared = hold_class_values({"old": b"1", "changed": b"1"})
    for key in ("kept", "changed"):
        session.data.hold(key, b"1", b"1")
    _, frames = session.join("p", text.Connect(None, "", 0, None), shared)
    frame = text.compose_state("class_data", "changed", b"2")
    assert session.set_class_value("changed", b"2", frame)
    shared.hold("changed", b"2", b"2")
    shared.hold("later", b"2", b"2")
    for key in ("changed", "later"):
        session.set_value(key, b"2", b"2", charge_bytes=0)
    assert list(frames) == [
        text.compose_state("class_data", "old", b"1", snapshot=True),
        text.compose_state("data", "kept", b"1", snapshot=True),
    ]


def test_pages_that_join_share_the_bytes_of_each_frame():
    session = make_session()
    session.data.hold("k", b"1" * 1000, b"1" * 1000)
    session.append(b"frame of the ring")
    shared = hold_class_values({"c": b"2" * 1000})
    pages = []
    for key in range(3):
        connect = text.Connect(None, "", 0, "e")
        session.data["k"].offset = 0
        pages.append(list(session.join(key, connect, shared)[1]))
    first, *others = pages
    assert len(first) == 3
    for other in others:
        assert all(a is b for a, b in zip(first, other, strict=True))


# ---------------------------------------------------------------- waiting


def test_session_is_held_while_a_page_looks_or_a_request_is_open():
    session = make_session()
    join(session)
    assert not session.is_waiting
    accept(session, 7)
    session.leave("p", 100.0)
    assert not session.is_waiting
    session.finish(1, "done")
    assert session.is_waiting and session.is_unseen


def test_session_whose_ends_were_all_seen_is_held_for_the_short_grace():
    session = make_session()
    join(session)
    accept(session, 7)
    session.finish(1, "done")
    session.views["p"].cursor = session.ring.offset
    session.deliver("p")
    session.append(b"later")
    session.leave("p", 100.0)
    assert session.is_waiting and not session.is_unseen


def test_end_that_was_written_but_not_drained_was_not_seen():
    session = make_session()
    join(session)
    accept(session, 7)
    session.finish(1, "done")
    session.views["p"].cursor = session.ring.offset
    session.leave("p", 100.0)
    assert session.is_waiting and session.is_unseen


def test_only_the_last_page_that_leaves_starts_the_grace():
    session = make_session()
    join(session, "a")
    join(session, "b")
    session.leave("a", 10.0)
    assert not session.is_waiting
    session.leave("b", 20.0)
    session.leave("b", 30.0)
    assert session.is_waiting
    assert session.detached_s == 20.0


# ---------------------------------------------------------------- nobody is there


def detached_session(**limits):
    session = make_session(**limits)
    join(session)
    request = text.Request("run", b"", 7)
    session.accept(request, number=1, view="p", now_s=0.0)
    session.set_value("k", b"0", b"0", charge_bytes=0)
    session.leave("p", 1.0)
    return session


def test_state_and_progress_take_one_offset_per_key_while_no_page_is_there():
    session = detached_session(ring_messages=5)
    for number in range(1, 1000):
        value = b"%d" % number
        session.set_value("k", value, value, charge_bytes=10)
        session.set_class_value("c", value, text.compose_state("class_data", "c", value))
        session.set_progress(1, number, 1000, charge_bytes=10)
        if number % 500 == 1:
            session.append(text.compose("n", value))
        assert session.receive_window.in_flight_bytes == 0
    assert join(session, received=2, epoch="e", class_values={"c": b"999"})[1] == [
        text.compose_state("data", "k", b"999"),
        text.compose_state("class_data", "c", b"999"),
        text.compose_progress(7, 999, 1000),
        text.compose("n", b"1"),
        text.compose("n", b"501"),
    ]


def test_a_value_that_a_page_may_have_been_sent_keeps_its_offset():
    session = detached_session()
    session.set_value("k", b"1", b"1", charge_bytes=0)
    assert join(session, received=1, epoch="e")[1] == [
        text.compose_state("data", "k", b"0"),
        text.compose_state("data", "k", b"1"),
    ]
    session.leave("p", 2.0)
    session.set_value("k", b"2", b"2", charge_bytes=0)
    assert session.ring.offset == 4


def test_a_value_whose_offset_is_gone_gets_another_one():
    session = detached_session(ring_messages=2)
    session.set_value("k", b"1", b"1", charge_bytes=0)
    session.append(text.compose("n", b"1"))
    session.append(text.compose("n", b"2"))
    session.set_value("k", b"2", b"2", charge_bytes=0)
    assert session.ring.replay(session.ring.cut).frames[-1] == text.compose_state("data", "k", b"2")


def test_a_session_says_what_it_holds():
    session = make_session(ring_messages=1000, ring_bytes=10**6)
    before_bytes = session.held_bytes
    for number in range(100):
        session.set_value(f"k{number}", b"1" * 1000, b"2" * 1000, charge_bytes=0)
    held_bytes = session.held_bytes - before_bytes
    assert 100 * 3000 < held_bytes < 100 * 5000  # the frame, as pages see it, as it is kept
    session.ring.trim(0)
    assert session.held_bytes < before_bytes + 100 * 3000 + 2000
