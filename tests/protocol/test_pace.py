"""When to wait for company: a flood is gathered, an exchange and a slow stream are not."""

from hypothesis import given
from hypothesis import strategies as st

from databench.protocol.pace import WINDOW_S, Pace

LIMIT_PER_S = 1000
TURNS = int(LIMIT_PER_S * WINDOW_S)


def run(pace, turns, *, per_turn=1, heard=0, windows=3, start_s=50.0):
    """So many turns in each window; the last answer."""
    wait_s = None
    for window in range(windows):
        for turn in range(turns):
            for _ in range(heard):
                pace.hear()
            wait_s = pace.note(per_turn, start_s + (window + (turn + 1) / turns) * WINDOW_S)
    return wait_s


def test_a_flood_is_gathered():
    assert run(Pace(LIMIT_PER_S, 0.25), TURNS * 2) == 0.25


def test_what_comes_slower_than_the_limit_is_handled_as_it_comes():
    assert run(Pace(LIMIT_PER_S, 0.25), TURNS // 2) == 0.0


def test_an_exchange_is_no_flood_however_fast():
    pace = Pace(LIMIT_PER_S, 0.25)
    assert run(pace, TURNS * 50, heard=1) == 0.0
    assert run(pace, TURNS * 50, start_s=60.0) == 0.25


def test_large_groups_are_no_flood():
    """What comes in batches already gains nothing by waiting."""
    assert run(Pace(LIMIT_PER_S, 0.25), TURNS // 2, per_turn=100) == 0.0


def test_gathered_messages_count_as_what_they_would_have_been():
    pace = Pace(LIMIT_PER_S, 0.25)
    run(pace, TURNS * 2)
    assert run(pace, TURNS // 2, per_turn=5, start_s=50 + 3 * WINDOW_S) == 0.25
    assert run(pace, TURNS // 2, per_turn=1, start_s=50 + 6 * WINDOW_S) == 0.0


def test_empty_turns_are_no_flood():
    assert run(Pace(LIMIT_PER_S, 0.25), TURNS * 50, per_turn=0) == 0.0


@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.floats(0, 1), st.integers(0, 5)), min_size=1, max_size=80
    )
)
def test_a_silence_always_ends_it(turns):
    pace, now_s = Pace(LIMIT_PER_S, 0.25), 10.0
    for messages, passed_s, heard in turns:
        now_s += passed_s
        for _ in range(heard):
            pace.hear()
        assert pace.note(messages, now_s) in (0.0, 0.25)
    pace.note(0, now_s + WINDOW_S)
    assert pace.note(1, now_s + 1.0) == 0.0
