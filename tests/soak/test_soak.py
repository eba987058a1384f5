"""One minute of the soak, and that each of its checks can fail."""

import pytest

from .checks import Stream, check_count, check_equal, check_flat, check_runs
from .run import Soak


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.certain
@pytest.mark.timeout(480)
async def test_a_minute_of_faults_breaks_no_promise():
    figures = await Soak(seed=4, pages=40, minutes=1.0).run()
    assert figures["requests"] > 200
    assert figures["kernels killed"] > 0
    assert figures["front killed"] > 1


def seen(*events):
    stream = Stream()
    for event in events:
        if event == "gap":
            stream.jump()
        else:
            stream.take(*event)


def test_a_stream_in_order_and_with_what_was_told_is_well():
    seen(("l", 1), ("m", 1), ("l", 2), "gap", ("l", 9), ("l", 10), ("m", 2), ("m", 3), ("n", 1))


@pytest.mark.parametrize(
    "events",
    [
        [("l", 1), ("l", 1)],
        [("l", 1), ("l", 2), ("l", 1)],
        [("l", 1), ("l", 3)],
        [("l", 2)],
        [("l", 1), ("m", 2)],
        [("l", 1), ("m", 1), ("l", 2), ("m", 3)],
        [("l", 1), "gap", ("l", 3), ("l", 5)],
        ["gap", ("l", 5), ("l", 4)],
    ],
)
def test_what_is_doubled_out_of_order_or_missing_is_seen(events):
    with pytest.raises(AssertionError, match="emit"):
        seen(*events)


def test_a_request_that_ran_twice_is_seen():
    assert check_runs(["a", "b"], ["a", "b", "c"], []) == 0
    assert check_runs(["a", "a"], ["a"], ["a"]) == 1
    with pytest.raises(AssertionError, match="ran twice"):
        check_runs(["a", "a"], ["a"], [])
    with pytest.raises(AssertionError, match="without a request"):
        check_runs(["x"], ["a"], [])


def test_a_lost_increment_is_seen():
    check_count(5, acknowledged=5, tried=7, may_lose=0)
    check_count(4, acknowledged=5, tried=7, may_lose=1)
    for count in (4, 8):
        with pytest.raises(AssertionError, match="count is"):
            check_count(count, acknowledged=5, tried=7, may_lose=0)


def test_a_page_that_knows_something_else_is_seen():
    check_equal({"a": 1, "gone": None}, {"a": 1}, "data")
    for page in ({"a": 2}, {}, {"a": 1, "b": 2}):
        with pytest.raises(AssertionError, match="data: page"):
            check_equal(page, {"a": 1}, "data")


def test_what_has_grown_is_seen():
    slack = {"descriptors": 2}
    check_flat({"descriptors": 5}, {"descriptors": 7}, slack)
    with pytest.raises(AssertionError, match="grown"):
        check_flat({"descriptors": 5}, {"descriptors": 8}, slack)
