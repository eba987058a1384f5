"""Which sessions without a page are closed: those that are due, and the oldest beyond the cap."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from databench.protocol.grace import NO_ROOM, NOBODY_CAME, Detached, choose_closed, find_grace_s

LIMITS = SimpleNamespace(session_grace_s=60.0, result_grace_s=1000.0, result_bytes=100)
NOW_S = 5000.0


@st.composite
def sessions(draw):
    """Any sessions that left before now, each with a size that could be real."""
    found = []
    for number in range(draw(st.integers(0, 8))):
        left_s = NOW_S - draw(st.integers(0, 1200))
        is_unseen, is_running = draw(st.booleans()), draw(st.booleans())
        expires_s = None if is_running else left_s + find_grace_s(LIMITS, is_unseen=is_unseen)
        found.append(Detached(f"s{number}", left_s, expires_s, draw(st.integers(0, 80))))
    return found


def test_a_result_that_no_page_saw_is_kept_longer_but_never_shorter_than_the_rest():
    assert find_grace_s(LIMITS, is_unseen=False) == 60
    assert find_grace_s(LIMITS, is_unseen=True) == 1000
    short = SimpleNamespace(session_grace_s=60.0, result_grace_s=0.0)
    assert find_grace_s(short, is_unseen=True) == 60


@given(sessions())
def test_what_is_due_is_closed_and_what_runs_or_just_left_is_not(detached):
    closed = dict(choose_closed(detached, NOW_S, LIMITS))
    for session in detached:
        reason = closed.get(session.id_)
        if session.expires_s is None or session.left_s + 60 > NOW_S:
            assert reason is None
        else:
            assert (reason == NOBODY_CAME) == (session.expires_s <= NOW_S)


@given(sessions())
def test_what_waits_for_its_result_alone_fits_the_cap_and_no_more_is_closed(detached):
    closed = dict(choose_closed(detached, NOW_S, LIMITS))
    waiting = [
        session
        for session in detached
        if session.expires_s is not None
        and session.expires_s > NOW_S
        and session.left_s + 60 <= NOW_S
    ]
    kept = [session for session in waiting if session.id_ not in closed]
    shed = [session for session in waiting if closed.get(session.id_) == NO_ROOM]
    assert sum(session.size_bytes for session in kept) <= LIMITS.result_bytes
    if shed:
        last = max(shed, key=lambda session: session.left_s)
        assert all(session.left_s >= last.left_s for session in kept)
        assert sum(s.size_bytes for s in [*kept, last]) > LIMITS.result_bytes
