"""Sessions as a store keeps them, and as they come back."""

import json

from databench.protocol import text
from databench.protocol.records import Acceptance
from databench.protocol.saved import SAVED_IDS, revive, save
from databench.protocol.session import Session
from databench.settings import Settings
from tests.protocol.session_model import hold_class_values

LIMITS = Settings(session_grace_s=60, result_grace_s=1000)


def begin():
    return Session("s", epoch="old", request_args="?a=1", limits=LIMITS)


def accept(session, number, *, process_id):
    request = text.Request("run", b"", process_id)
    session.accept(request, number=number, view=None, now_s=0.0)


def back(session, values=None, left_s=None):
    saved = save(session, "pi", left_s)
    return revive("s", saved, values or {}, epoch="new", limits=LIMITS)


def join(session, *, received=0, epoch=None):
    shared = hold_class_values({"c": b"9"})
    at, frames = session.join("p", text.Connect("s", "", received, epoch), shared)
    return at, [json.loads(frame) for frame in frames]


def test_a_session_comes_back_with_its_values_and_a_gap():
    session = back(begin(), {"k": (b"1", b'"stored"')})
    assert (session.id_, session.epoch, session.request_args) == ("s", "new", "?a=1")
    assert session.data["k"].stored == b'"stored"'
    for received, epoch in ((0, None), (1, "old"), (700, "old")):
        at, frames = join(session, received=received, epoch=epoch)
        assert at == 0  # the gap moves it on
        assert frames == [
            {"signal": "class_data", "snapshot": True, "load": {"c": 9}},
            {"signal": "data", "snapshot": True, "load": {"k": 1}},
            {"signal": "__gap", "load": {"missed": 1, "at": 1}},
        ]
    assert join(session, received=1, epoch="new") == (1, [])


def test_restored_values_count_against_the_limit():
    limits = Settings(state_bytes=1024)
    saved = save(begin(), "pi", None)
    session = revive("s", saved, {"k": (b"1" * 500, b"2" * 500)}, epoch="new", limits=limits)
    problem = "state 'm': 1040 bytes of state, limit 1024; not kept"
    assert session.data.find_problem("m", b"1" * 20, b"2" * 20) == problem
    assert session.data.find_problem("k", b"1", b"2") is None


def test_a_request_whose_end_went_with_the_ring_ends_as_lost_when_it_is_sent_again():
    before = begin()
    accept(before, 1, process_id=7)
    before.finish(1, "done")
    session = back(before)
    offset = session.ring.offset
    request = text.Request("run", b"", 7)
    verdict, frames = session.accept(request, number=2, view=None, now_s=0.0)
    assert verdict is Acceptance.REPEATED
    problem = "action 'run' has run; the server's restart lost its result"
    assert frames == [
        text.compose_value("error", problem),
        text.compose_failure(7, "lost", "ServerRestarted", problem, b""),
    ]
    assert session.ring.replay(offset).frames == frames
    assert session.accept(request, number=3, view=None, now_s=0.0) == (Acceptance.REPEATED, [])


def test_open_requests_come_back_as_lost_once_and_are_not_run_again():
    before = begin()
    accept(before, 1, process_id=7)
    accept(before, 2, process_id=None)
    accept(before, 3, process_id=8.5)
    before.finish(3, "done")
    session = back(before)
    assert session.requests == {}
    _, frames = join(session, received=2, epoch="old")
    problem = "action 'run' is lost: the server was restarted while it ran"
    assert [f["load"] for f in frames if f["signal"] == "error"] == [problem]
    (end,) = [f["load"] for f in frames if f["signal"] == "__process"]
    assert (end["id"], end["outcome"], end["error"]["message"]) == (7, "lost", problem)
    for process_id in (7, 8.5):
        accept(session, 9, process_id=process_id)
        assert session.requests == {}


def test_the_newest_ids_are_saved_in_their_order():
    session = begin()
    for number in range(SAVED_IDS + 10):
        accept(session, number, process_id=number)
        session.finish(number, "done")
    assert save(session, "pi", None).recent == tuple(range(10, SAVED_IDS + 10))


def test_an_end_that_nobody_saw_is_waited_for_longer():
    session = begin()
    join(session)
    assert not save(session, "pi", 0.0).is_unseen
    accept(session, 1, process_id=7)
    assert save(session, "pi", 0.0).is_unseen  # should the server end now
    session.finish(1, "done")
    assert save(session, "pi", 0.0).is_unseen
    again = back(session)
    again.leave("p", 0.0)
    assert again.is_waiting and again.is_unseen
    join(again)
    again.views["p"].cursor = again.ring.offset
    again.deliver("p")
    again.leave("p", 0.0)
    assert again.is_waiting and not again.is_unseen


def test_the_address_of_who_began_it_is_kept():
    assert save(begin(), "pi", None, "192.0.2.7").address == "192.0.2.7"
