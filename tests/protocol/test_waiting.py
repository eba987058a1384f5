"""Sessions that wait for a page: the queues say what a look through all of them would say."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databench.protocol.clients import Client
from databench.protocol.grace import NO_ROOM, NOBODY_CAME, find_grace_s
from databench.protocol.waiting import Waiting, WaitingRoom

LIMITS = SimpleNamespace(session_grace_s=60.0, result_grace_s=1000.0, result_bytes=100)
CLIENTS = [Client(address, visitor) for address in "ab" for visitor in ("", "p", "q")]
ROWS = 1000


@st.composite
def rooms(draw):
    """A room in which sessions came, grew and left, and what is in it by its own count."""
    room, held, now_s = WaitingRoom(), {}, 0.0
    for number in range(draw(st.integers(0, 12))):
        now_s += draw(st.integers(0, 200))
        client = draw(st.sampled_from(CLIENTS))
        size_bytes = draw(st.integers(0, 80))
        waiting = Waiting(f"s{number}", client, now_s, draw(st.booleans()), size_bytes)
        room.enter(waiting)
        held[waiting.id_] = waiting
        if draw(st.integers(0, 3)) == 0:
            id_ = draw(st.sampled_from(sorted(held)))
            assert room.leave(id_) is held.pop(id_)
            assert room.leave(id_) is None
        elif draw(st.booleans()):
            room.resize(draw(st.sampled_from(sorted(held))), draw(st.integers(0, 80)))
        if draw(st.integers(0, 4)) == 0:  # this moves those that are kept for their result alone
            room.choose_due(now_s, LIMITS, ROWS)
    return room, list(held.values()), now_s


@pytest.mark.slow
@given(rooms(), st.integers(0, 1500))
def test_what_is_due_is_closed_and_what_just_came_is_not(found, later_s):
    room, held, now_s = found
    now_s += later_s
    closed = dict(room.choose_due(now_s, LIMITS, ROWS))
    kept_bytes = 0
    for waiting in held:
        is_due = waiting.since_s + find_grace_s(LIMITS, is_unseen=waiting.is_unseen) <= now_s
        reason = closed.get(waiting.id_)
        assert (reason == NOBODY_CAME) == is_due
        if waiting.since_s + 60 > now_s or not waiting.is_unseen:
            assert reason != NO_ROOM
        elif reason is None:
            kept_bytes += waiting.size_bytes
    assert kept_bytes <= LIMITS.result_bytes
    shed = [waiting for waiting in held if closed.get(waiting.id_) == NO_ROOM]
    kept = [w for w in held if w.is_unseen and w.since_s + 60 <= now_s and w.id_ not in closed]
    if shed:
        assert kept_bytes + shed[-1].size_bytes > LIMITS.result_bytes
        assert all(waiting.since_s >= shed[-1].since_s for waiting in kept)


@given(rooms(), st.integers(1, 3))
def test_a_turn_looks_at_so_many_rows_and_further_turns_at_the_rest(found, rows):
    room, held, now_s = found
    now_s += 2000
    ids = {waiting.id_ for waiting in held}
    while chosen := room.choose_due(now_s, LIMITS, rows):
        assert len(chosen) <= rows
        for id_, _ in chosen:
            assert room.leave(id_) is not None
            ids.remove(id_)
    assert not ids
    assert len(room) == 0


@given(rooms())
def test_the_oldest_without_an_unseen_result_goes_first(found):
    room, held, _ = found
    seen = [waiting for waiting in held if not waiting.is_unseen]
    assert list(room.seen()) == seen
    assert len(room) == len(held)
    if seen:
        assert room.oldest() is seen[0]
    elif held:
        count = {c: sum(w.client == c for w in held) for c in CLIENTS}
        oldest = room.oldest()
        assert count[oldest.client] == max(count.values())
        assert oldest is next(w for w in held if w.client == oldest.client)
    else:
        assert room.oldest() is None


@given(rooms())
def test_a_client_and_an_address_lose_their_own(found):
    room, held, _ = found
    for address in "abc":
        here = [w for w in held if w.client.address == address]
        oldest = room.oldest_at(address)
        assert (oldest is None) == (not here)
        if here:
            assert oldest in here
            assert oldest.is_unseen == all(w.is_unseen for w in here)
        with_unseen = {w.client for w in here if w.is_unseen}
        assert set(room.clients_of(address)) == with_unseen
        for client in with_unseen:
            own = [w for w in here if w.client == client and w.is_unseen]
            assert list(room.unseen_of(client)) == own
    assert room.clients_of(None) == []
