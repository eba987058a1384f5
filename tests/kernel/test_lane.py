"""The order of one session's actions."""

from hypothesis import given
from hypothesis import strategies as st

from databench.kernel.lane import Lane


def lane_of(*items):
    lane = Lane()
    for item in items:
        lane.push(item)
    return lane


def test_items_start_in_order():
    lane, taken = lane_of(1, 2), []
    while (item := lane.take()) is not None:
        taken.append(item)
        lane.let_go(item)
    assert taken == [1, 2]


def test_what_starts_keeps_the_later_ones_back_until_it_lets_go():
    lane = lane_of(1, 2)
    assert lane.take() == 1
    assert lane.is_held_by(1)
    assert lane.take() is None
    assert not lane.let_go(2)
    assert lane.take() is None
    assert lane.let_go(1)
    assert lane.take() == 2


def test_who_lets_go_hears_whether_one_waits():
    lane = lane_of(1)
    lane.take()
    assert not lane.let_go(1)
    assert not lane.let_go(1)
    lane.push(2)
    lane.take()
    lane.push(3)
    assert lane.let_go(2)


def test_what_waits_can_be_removed():
    lane = lane_of(1, 2)
    assert lane.remove(1)
    assert not lane.remove(1)
    assert len(lane) == 1
    assert lane.take() == 2
    assert not lane.remove(2)


class Meddling(Lane):
    """Another thread lets go between any two steps of `push` and `take`."""

    def __init__(self, at):
        super().__init__()
        self.steps, self.at, self.is_told = 0, at, False

    def __getattribute__(self, name):
        value = object.__getattribute__(self, name)
        if name in ("_holder", "_waiting") and object.__getattribute__(self, "steps") >= 0:
            self.steps += 1
            if self.steps == self.at:
                self.steps = -1
                self.is_told = self.let_go("before")
        return value


def test_an_item_that_comes_while_another_thread_lets_go_is_never_left_lying():
    outcomes = set()
    for at in range(1, 8):
        lane = Meddling(0)
        lane.steps = -1
        lane.push("before")
        lane.take()
        lane.steps, lane.at = 0, at
        lane.push("item")
        taken = lane.take()
        has_let_go, lane.steps = lane.steps < 0, -1
        if not has_let_go:
            assert lane.let_go("before")
            assert taken is None
            continue
        assert taken == "item" or (lane.is_told and lane.take() == "item")
        outcomes.add(taken)
    assert outcomes == {"item", None}


@given(st.lists(st.sampled_from(["push", "take", "let go"]), max_size=60))
def test_any_order_of_events_keeps_the_order(events):
    lane, pushed, taken, holder = Lane(), 0, [], None
    for event in events:
        if event == "push":
            lane.push(pushed)
            pushed += 1
        elif event == "let go" and holder is not None:
            assert lane.let_go(holder) == (len(taken) < pushed)
            holder = None
        elif event == "take":
            item = lane.take()
            if holder is not None:
                assert item is None
            elif item is not None:
                taken.append(item)
                holder = item
    assert taken == list(range(len(taken)))
