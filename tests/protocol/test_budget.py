"""The front's memory: sums that run, and what goes when they are too high."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databench.protocol.budget import SEEN, SHORT, UNSEEN, Budget, choose_given_back
from databench.protocol.clients import Client
from databench.protocol.waiting import Waiting, WaitingRoom

ADDRESSES, PERSONS = ("192.0.2.1", "192.0.2.2"), ("", "p", "q")
CLIENTS = [Client(address, visitor) for address in ADDRESSES for visitor in PERSONS]
A, B = Client("192.0.2.1", "p"), Client("192.0.2.2", "p")


def test_over_the_budget_begins_above_it_and_ends_well_below():
    budget, told = Budget(1000), []
    budget.on_over = lambda: told.append(budget.total_bytes)
    budget.take(A, 1000)
    assert not budget.is_over
    budget.take(B, 1)
    budget.take(B, 1)
    assert budget.is_over
    assert told == [1001]
    budget.give(B, 100)
    assert budget.is_over  # below the budget, and not yet below what is to be reached
    budget.give(A, 2)
    assert not budget.is_over
    budget.take(A, 50)
    assert not budget.is_over
    assert budget.has_room(50)
    assert not budget.has_room(51)


@given(st.lists(st.tuples(st.sampled_from([None, *CLIENTS]), st.integers(0, 100))))
def test_sums_are_those_of_what_was_taken(steps):
    budget = Budget(10**9)
    for client, size_bytes in steps:
        budget.take(client, size_bytes)
    assert budget.total_bytes == sum(size for _, size in steps)
    for client in CLIENTS:
        assert budget.size_of(client) == sum(size for one, size in steps if one == client)
    by_address = {a: sum(s for c, s in steps if c and c.address == a) for a in ADDRESSES}
    if any(by_address.values()):
        assert by_address[budget.find_largest()] == max(by_address.values())
    else:
        assert budget.find_largest() is None
    for client, size_bytes in steps:
        budget.give(client, size_bytes)
    assert budget.total_bytes == 0
    assert budget.find_largest() is None


@st.composite
def servers(draw):
    """A budget and the sessions that wait, beside what has a page or runs."""
    budget, room, held = Budget(1000), WaitingRoom(), {}
    for number in range(draw(st.integers(0, 12))):
        client = draw(st.sampled_from(CLIENTS))
        size_bytes = draw(st.integers(1, 400))
        waiting = Waiting(f"s{number}", client, float(number), draw(st.booleans()), size_bytes)
        held[waiting.id_] = waiting
        room.enter(waiting)
        budget.take(client, size_bytes)
    for client in draw(st.lists(st.sampled_from([None, *CLIENTS]), max_size=3)):
        budget.take(client, draw(st.integers(1, 1500)))
    return budget, room, held


def close(budget, room, chosen):
    for id_, _ in chosen:
        waiting = room.leave(id_)
        budget.give(waiting.client, waiting.size_bytes)


@pytest.mark.slow
@given(servers(), st.integers(1, 4))
def test_what_goes_is_seen_before_unseen_and_oldest_first_and_of_the_largest_client(found, rows):
    budget, room, held = found
    chosen = choose_given_back(budget, room, rows)
    assert len(chosen) <= rows
    if not budget.is_over:
        assert chosen == []
    ids = [id_ for id_, _ in chosen]
    seen = [id_ for id_, waiting in held.items() if not waiting.is_unseen]
    unseen = [id_ for id_ in ids if held[id_].is_unseen]
    assert ids[: len(ids) - len(unseen)] == seen[: len(ids) - len(unseen)]
    if unseen:
        assert set(seen) <= set(ids)
        (client,) = {held[id_].client for id_ in unseen}
        assert client.address == budget.find_largest()
        rivals = room.clients_of(client.address)
        assert budget.size_of(client) == max(map(budget.size_of, rivals))
        own = [id_ for id_, w in held.items() if w.client == client and w.is_unseen]
        assert unseen == own[: len(unseen)]
    assert all(why == (UNSEEN if held[id_].is_unseen else SEEN) for id_, why in chosen)
    # No more than it takes: without the last one it would still be too much.
    if chosen:
        left = budget.total_bytes - sum(held[id_].size_bytes for id_ in ids[:-1])
        assert left > budget.low_bytes


@pytest.mark.slow
@given(servers())
def test_it_comes_to_rest_and_then_only_what_may_not_go_is_too_much(found):
    budget, room, _ = found
    for _ in range(50):
        chosen = choose_given_back(budget, room, 2)
        if not chosen:
            break
        close(budget, room, chosen)
    assert choose_given_back(budget, room, 2) == []
    if budget.is_over:
        assert not list(room.seen())
        assert not room.clients_of(budget.find_largest())


def test_the_text_of_a_refusal_fits_the_close_frame():
    assert len(SHORT.encode()) <= 123  # RFC 6455, 5.5
