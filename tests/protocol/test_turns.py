"""Pages take turns: whose next frame waits, and for how long, with time moved by hand."""

from hypothesis import given
from hypothesis import strategies as st

from databench.protocol.turns import Turns


def make(page_frames=16, page_bytes=2**18, pages=4, turn_s=0.002):
    turns = Turns(page_frames=page_frames, page_bytes=page_bytes, pages=pages, turn_s=turn_s)
    turns.begin(0)
    return turns


def test_first_frames_of_a_page_wait_for_nothing():
    turns = make(page_frames=4)
    assert [turns.note("a", 10, 0) for _ in range(4)] == [False, False, False, True]


def test_large_frames_use_up_a_turn_by_their_bytes():
    turns = make(page_bytes=1000)
    assert not turns.note("a", 999, 0)
    assert turns.note("a", 1, 0)
    assert turns.note("b", 5000, 0)


def test_after_the_time_of_a_turn_no_page_has_a_second_frame():
    turns = make(turn_s=0.002)
    assert not turns.note("a", 10, 0.001)
    assert turns.note("b", 10, 0.002)
    assert turns.note("a", 10, 0.003)


def test_waiting_pages_have_their_turn_in_order_and_go_to_the_end():
    turns = make(page_frames=1, pages=2)
    for page in "abcde":
        assert turns.note(page, 10, 0)
    seen = []
    for turn in range(1, 6):
        having = turns.begin(turn)
        seen.append("".join(having))
        for page in having:
            assert turns.note(page, 10, turn)
    assert seen == ["ab", "cd", "ea", "bc", "de"]


def test_page_that_was_quiet_is_handled_at_once_beside_a_queue():
    turns = make(page_frames=2, pages=1)
    for page in range(1000):
        turns.note(page, 10, 0)
        assert turns.note(page, 10, 0)
    turns.begin(1)
    assert not turns.note("quiet", 10, 1)
    assert len(turns) == 999


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 5000)), max_size=300),
    st.integers(1, 5),
    st.integers(1, 4),
)
def test_work_of_a_turn_is_bounded_whatever_pages_send(frames, page_frames, pages):
    """Those that wait have no more than their shares; nobody is forgotten, nobody waits twice."""
    turns = make(page_frames=page_frames, page_bytes=4096, pages=pages)
    waiting = set()
    used = {}
    for page, size in frames:
        if page in waiting:
            having = turns.begin(0)
            assert len(having) == min(pages, len(waiting))
            assert waiting.issuperset(having)
            waiting.difference_update(having)
            used.clear()
            continue
        used[page] = used.get(page, 0) + 1
        assert used[page] <= page_frames
        if turns.note(page, size, 0):
            waiting.add(page)
        assert len(turns) == len(waiting)
    rounds = 0
    while len(turns):
        turns.begin(0)
        rounds += 1
    assert rounds == -(-len(waiting) // pages)
