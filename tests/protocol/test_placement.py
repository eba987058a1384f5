"""Which kernel takes a session, who waits, who is ended."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databench.protocol.placement import (
    ANALYSIS,
    POOL,
    SESSION,
    Sharing,
    Standing,
    choose_kernel,
    count_missing,
    has_room,
    has_spares,
    is_unused,
    number_queue,
)

FAILED = Standing(0, is_ready=False, is_failed=True)
STARTING = Standing(0, is_ready=False)


@pytest.mark.parametrize(
    ("sharing", "kernels", "chosen"),
    [
        (Sharing(), [], None),
        (Sharing(), [Standing(500)], 0),
        (Sharing(), [FAILED], 0),
        (Sharing("pool", processes=3), [], None),
        (Sharing("pool", processes=3), [Standing(1)], None),
        (Sharing("pool", processes=3), [Standing(0)], 0),
        (Sharing("pool", processes=3), [Standing(1), Standing(1), Standing(1)], 0),
        (Sharing("pool", processes=3), [Standing(2), Standing(3), Standing(1)], 2),
        (Sharing("pool", processes=2), [FAILED, Standing(7)], 1),
        (Sharing("pool", processes=2), [FAILED, FAILED], 0),
        (Sharing("pool", processes=2), [FAILED], None),
        (Sharing("session"), [], None),
        (Sharing("session"), [Standing(1)], None),
        (Sharing("session"), [Standing(1), STARTING, Standing(0)], 2),
        (Sharing("session"), [FAILED, STARTING], 1),
        (Sharing("session"), [FAILED], 0),
    ],
)
def test_the_kernel_for_one_more_session(sharing, kernels, chosen):
    assert choose_kernel(sharing, kernels) == chosen


def test_only_processes_of_sessions_of_their_own_are_counted():
    sharing = Sharing("session", max_kernels=2)
    assert has_room(sharing, [], 0)
    assert has_room(sharing, [Standing(1)], 0)
    assert not has_room(sharing, [Standing(1), STARTING], 0)
    assert not has_room(sharing, [Standing(1)], 1)  # that one still holds its memory
    assert has_room(Sharing("pool", processes=1), [Standing(1)] * 9, 9)


@pytest.mark.parametrize(
    ("sharing", "kernels", "leaving", "missing"),
    [
        (Sharing("session", preheat=1, max_kernels=8), [Standing(1)], 0, 1),
        (Sharing("session", preheat=2, max_kernels=8), [Standing(1), STARTING], 0, 1),
        (Sharing("session", preheat=2, max_kernels=3), [Standing(1), Standing(1)], 0, 1),
        (Sharing("session", preheat=2, max_kernels=3), [Standing(1), Standing(1)], 1, 0),
        (Sharing("session", preheat=0, max_kernels=9), [Standing(1)], 0, 0),
        (Sharing("session", preheat=1, max_kernels=1), [Standing(1)], 0, 0),
        (Sharing("session", preheat=1, max_kernels=9), [Standing(1, is_ready=False)], 0, 0),
        (
            Sharing("session", preheat=1, max_kernels=9),
            [Standing(1), FAILED],
            0,
            0,
        ),  # not again and again
        (Sharing("pool", processes=4, preheat=4), [Standing(1)], 0, 0),
        (Sharing(preheat=4), [], 0, 0),
    ],
)
def test_spares_are_made_while_there_is_room(sharing, kernels, leaving, missing):
    assert count_missing(sharing, kernels, leaving) == missing
    assert count_missing(sharing, kernels, leaving, queued=1) == 0


@given(
    st.integers(0, 4),
    st.integers(1, 5),
    st.lists(st.sampled_from([Standing(1), STARTING, FAILED]), max_size=6),
    st.integers(0, 3),
)
def test_spares_never_take_more_processes_than_there_may_be(preheat, most, kernels, leaving):
    sharing = Sharing("session", preheat=preheat, max_kernels=most)
    missing = count_missing(sharing, kernels, leaving)
    begun = [*kernels, *[STARTING] * missing]
    used = len(begun) + leaving
    assert missing == 0 or used <= most
    assert missing == 0 or sum(not kernel.sessions for kernel in begun) <= preheat


@given(st.lists(st.booleans(), max_size=20))
def test_each_in_the_queue_is_behind_those_before_it_for_whom_somebody_waits(in_use):
    assert number_queue(iter(in_use)) == [sum(in_use[:place]) for place in range(len(in_use))]


def test_a_kernel_is_unused_after_the_limit_and_with_zero_never():
    assert not is_unused(100.0, 109.9, 10.0)
    assert is_unused(100.0, 110.0, 10.0)
    assert not is_unused(100.0, 1e9, 0.0)


@pytest.mark.parametrize(
    ("sharing", "has"),
    [
        (Sharing(SESSION, preheat=1), True),
        (Sharing(SESSION, preheat=0), False),
        (Sharing(ANALYSIS, preheat=3), False),
        (Sharing(POOL, processes=2, preheat=3), False),
    ],
)
def test_only_processes_of_one_session_each_wait_for_sessions(sharing, has):
    assert has_spares(sharing) is has
    # Who has none is never missing any.
    missing = count_missing(sharing, [Standing(1)], 0)
    assert has or missing == 0
