"""The replay ring against a list that forgets nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databench.protocol.ring import Ring

BIG = 10**9


def fill(ring, frames):
    for number, (frame, is_end) in enumerate(frames, 1):
        assert ring.append(frame, is_end=is_end) == number


def numbered(count, ends=()):
    return [(b"%d" % number, number in ends) for number in range(1, count + 1)]


# ---------------------------------------------------------------- by hand


def test_offsets_count_from_one():
    ring = Ring(messages=2, size_bytes=BIG, ends=9)
    assert [ring.append(b"x") for _ in range(5)] == [1, 2, 3, 4, 5]
    assert (ring.offset, ring.cut) == (5, 3)


@pytest.mark.parametrize(
    ("received", "frames"),
    [(0, [b"1", b"2", b"3"]), (1, [b"2", b"3"]), (2, [b"3"]), (3, [])],
)
def test_page_gets_what_follows_its_offset(received, frames):
    ring = Ring(messages=9, size_bytes=BIG, ends=9)
    fill(ring, numbered(3))
    replay = ring.replay(received)
    assert (replay.frames, replay.at, replay.missed) == (frames, received, 0)


@pytest.mark.parametrize("received", [-1, 4, 2**60])
def test_offset_that_cannot_be_counts_as_nothing_received(received):
    ring = Ring(messages=9, size_bytes=BIG, ends=9)
    fill(ring, numbered(3))
    assert ring.replay(received) == ring.replay(0)


def test_offset_at_the_cut_misses_nothing_and_one_before_it_misses_one():
    ring = Ring(messages=2, size_bytes=BIG, ends=9)
    fill(ring, numbered(5))
    assert ring.replay(3).missed == 0
    assert ring.replay(3).frames == [b"4", b"5"]
    assert (ring.replay(2).missed, ring.replay(2).at) == (1, 3)
    assert (ring.replay(0).missed, ring.replay(0).at) == (3, 3)


def test_ends_that_are_cut_come_before_the_ring_and_are_not_missed():
    ring = Ring(messages=2, size_bytes=BIG, ends=9)
    fill(ring, numbered(6, ends={1, 3}))
    replay = ring.replay(0)
    assert replay.frames == [b"1", b"3", b"5", b"6"]
    assert (replay.at, replay.missed) == (2, 2)


def test_page_that_lacks_only_ends_gets_exactly_those_and_counts_on():
    # It already has end 1: sent once more, it would shift the count of a page that is not told.
    ring = Ring(messages=2, size_bytes=BIG, ends=9)
    fill(ring, numbered(5, ends={1, 3}))
    replay = ring.replay(2)
    assert (replay.frames, replay.at, replay.missed) == ([b"3", b"4", b"5"], 2, 0)


def test_page_that_leaves_amid_a_replay_still_gets_every_end():
    ring = Ring(messages=1, size_bytes=BIG, ends=9)
    fill(ring, numbered(100, ends={1, 2, 3}))
    first = ring.replay(0)
    assert first.frames == [b"1", b"2", b"3", b"100"]
    for count in range(3):  # it has read that many of the ends
        again = ring.replay(first.at + count)
        assert first.frames[count:] == [f for f in again.frames if f in first.frames[count:]]
        assert again.at + len(again.frames) == ring.offset


def test_newest_frame_and_newest_end_are_held_whatever_their_size():
    ring = Ring(messages=9, size_bytes=4, ends=9)
    fill(ring, [(b"a" * 100, True), (b"b" * 200, True), (b"c" * 300, False)])
    assert ring.replay(0).frames == [b"b" * 200, b"c" * 300]
    assert ring.replay(0).missed == 1
    assert ring.size_bytes == 500


def test_ends_are_kept_within_their_count():
    ring = Ring(messages=1, size_bytes=BIG, ends=2)
    fill(ring, numbered(5, ends={1, 2, 3}))
    replay = ring.replay(0)
    assert (replay.frames, replay.missed) == ([b"2", b"3", b"5"], 2)


def test_ends_are_kept_within_the_rings_size():
    ring = Ring(messages=1, size_bytes=10, ends=1000)
    fill(ring, [(b"%04d" % number, True) for number in range(100)])
    assert ring.replay(0).frames == [b"0097", b"0098", b"0099"]
    assert ring.size_bytes == 12


# ---------------------------------------------------------------- against the list

FRAMES = st.lists(st.tuples(st.integers(0, 6), st.sampled_from([True, True, False])), max_size=30)


@st.composite
def rings(draw, *, ends=True):
    """A ring, all frames that it ever had, and its limits."""
    limits = {
        "messages": draw(st.integers(1, 5)),
        "size_bytes": draw(st.sampled_from([1, 20, BIG])),
        "ends": draw(st.sampled_from([1, 3, 1000])),
    }
    ring = Ring(**limits)
    drawn = draw(FRAMES)
    frames = [
        (b"%d:" % offset + b"x" * size, is_end and ends)
        for offset, (size, is_end) in enumerate(drawn, 1)
    ]
    fill(ring, frames)
    return ring, frames, limits


def received_by(ring):
    """Any offset that a page may have, often one near the cut."""
    return st.integers(0, ring.offset) | st.integers(max(0, ring.cut - 3), ring.cut)


def offsets(frames):
    return [int(frame.split(b":")[0]) for frame in frames]


@given(rings(), st.data())
def test_page_gets_each_frame_after_its_offset_once_or_a_gap_with_the_right_count(made, data):
    ring, _, _ = made
    received = data.draw(received_by(ring))
    replay = ring.replay(received)
    got = offsets(replay.frames)
    assert got == sorted(set(got))
    after = set(range(received + 1, ring.offset + 1))
    assert replay.missed == len(after - set(got))
    if not replay.missed:
        assert replay.at == received
        assert got == sorted(after)


@pytest.mark.slow
@given(rings(), st.data())
def test_page_that_counts_ends_at_the_rings_offset(made, data):
    ring, _, _ = made
    replay = ring.replay(data.draw(st.integers(-2, ring.offset + 2)))
    assert replay.at >= 0
    assert replay.at + len(replay.frames) == ring.offset


@given(rings(), st.data())
def test_what_is_not_sent_after_a_gap_is_gone_and_is_no_kept_end(made, data):
    ring, frames, limits = made
    replay = ring.replay(data.draw(received_by(ring)))
    cut_ends = [
        offset for offset, (_, is_end) in enumerate(frames, 1) if is_end and offset <= ring.cut
    ]
    if replay.missed and limits["size_bytes"] == BIG:
        kept = cut_ends[-limits["ends"] :]
        assert offsets(replay.frames) == kept + list(range(ring.cut + 1, ring.offset + 1))


@pytest.mark.slow
@given(rings())
def test_ring_stays_within_its_limits_and_counts_its_bytes(made):
    ring, frames, limits = made
    held = frames[ring.cut :]
    size_bytes = sum(len(frame) for frame, _ in held)
    assert len(held) <= limits["messages"]
    assert size_bytes <= limits["size_bytes"] or len(held) == 1
    ends = [frame for frame in ring.replay(0).frames if frame not in {f for f, _ in held}]
    assert len(ends) <= limits["ends"]
    if ring.replay(0).missed:
        assert ring.size_bytes == size_bytes + sum(map(len, ends))
    # And it cuts no more than it must.
    if ring.cut:
        more = frames[ring.cut - 1 :]
        assert (
            len(more) > limits["messages"]
            or sum(len(frame) for frame, _ in more) > limits["size_bytes"]
        )


@given(rings(), st.data())
def test_ends_reach_a_page_that_breaks_off_anywhere_in_its_replay(made, data):
    ring, _, _ = made
    received = data.draw(received_by(ring))
    first = ring.replay(received)
    read = data.draw(st.integers(0, len(first.frames)))
    again = ring.replay(first.at + read)
    assert set(first.frames[read:]) <= set(again.frames)


def test_a_frame_is_replaced_where_it_is_held_and_its_bytes_are_counted():
    ring = Ring(messages=2, size_bytes=10, ends=5)
    for frame in (b"a", b"b", b"c"):
        ring.append(frame)
    assert not ring.replace(1, b"gone")
    assert ring.replace(3, b"cc")
    assert ring.size_bytes == 3
    assert ring.replay(1).frames == [b"b", b"cc"]
    assert ring.offset == 3
    assert ring.replace(3, b"c" * 10)  # the oldest goes, as with an append
    assert (ring.cut, ring.size_bytes) == (2, 10)
