"""The order of one session's actions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databench.kernel.lane import Lane


def test_items_start_in_order():
    lane = Lane()
    lane.push(1)
    lane.push(2)
    assert [lane.take(), lane.take(), lane.take()] == [1, 2, None]


def test_a_holder_keeps_the_later_ones_back():
    lane = Lane()
    lane.push(1)
    lane.push(2)
    lane.hold(lane.take())
    assert lane.is_held
    assert lane.take() is None
    lane.let_go(2)
    assert lane.take() is None
    lane.let_go(1)
    assert lane.take() == 2


def test_only_one_holds():
    lane = Lane()
    lane.hold(1)
    with pytest.raises(AssertionError):
        lane.hold(2)


def test_what_waits_can_be_removed():
    lane = Lane()
    lane.push(1)
    lane.push(2)
    assert lane.remove(1)
    assert not lane.remove(1)
    assert len(lane) == 1
    assert lane.clear() == [2]
    assert lane.take() is None


def test_who_holds_the_lane_may_hold_it_again_and_nobody_else():
    lane = Lane()
    lane.hold(1)
    lane.hold(1)
    with pytest.raises(AssertionError):
        lane.hold(2)
    lane.let_go(1)
    assert not lane.is_held


@given(st.lists(st.sampled_from(["push plain", "push free", "take", "let go"]), max_size=60))
def test_any_order_of_events_keeps_the_order(events):
    lane, pushed, taken, holder = Lane(), 0, [], None
    for event in events:
        if event.startswith("push"):
            lane.push((pushed, event.endswith("plain")))
            pushed += 1
        elif event == "let go" and holder is not None:
            lane.let_go(holder)
            holder = None
        elif event == "take":
            item = lane.take()
            if holder is not None:
                assert item is None
            elif item is not None:
                taken.append(item[0])
                if item[1]:
                    lane.hold(item)
                    holder = item
    assert taken == list(range(len(taken)))
