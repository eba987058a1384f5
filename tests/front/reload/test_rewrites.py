"""Files that an analysis writes itself: when they stop to restart it, and when they do again."""

import pytest

from databench.front.reload.rewrites import Rewrites

PATH = "/p/analyses/a/stamp.py"


@pytest.fixture
def rewrites():
    return Rewrites(3, 5.0, 10.0)


def judge(rewrites, now_s, *files, name="a", is_starting=False):
    return rewrites.judge(name, files or [PATH], now_s, is_starting=is_starting)


def test_a_file_that_every_restart_writes_stops_to_restart(rewrites):
    assert [judge(rewrites, float(n)) for n in range(100, 105)] == [
        ([PATH], []),
        ([PATH], []),
        ([PATH], []),
        ([], [PATH]),
        ([], []),
    ]


def test_saves_that_are_far_apart_always_restart(rewrites):
    for n in range(20):
        assert judge(rewrites, 100 + 5.0 * n) == ([PATH], [])


def test_a_slow_start_counts_as_soon(rewrites):
    found = [judge(rewrites, 100 + 60.0 * n, is_starting=n > 0) for n in range(4)]
    assert found[-1] == ([], [PATH])


def test_other_files_and_analyses_are_counted_for_themselves(rewrites):
    for n in range(4):
        judge(rewrites, 100.0 + n)
    assert judge(rewrites, 104.0, PATH, "/p/other.py") == (["/p/other.py"], [])
    assert judge(rewrites, 104.0, name="b") == ([PATH], [])


def test_the_last_save_counts_once_when_the_file_is_left_alone(rewrites):
    for n in range(6):
        judge(rewrites, 100.0 + n)
    assert rewrites.take_quiet(114.9) == {}
    assert rewrites.take_quiet(115.0) == {"a": [PATH]}
    assert rewrites.take_quiet(130.0) == {}


def test_what_writes_it_again_ends_there_and_a_later_save_begins_anew(rewrites):
    for n in range(4):
        judge(rewrites, 100.0 + n)
    assert rewrites.take_quiet(113.0) == {"a": [PATH]}
    assert judge(rewrites, 114.0) == ([], [])
    assert rewrites.take_quiet(1000.0) == {}
    assert judge(rewrites, 1000.0) == ([PATH], [])


def test_what_is_over_is_forgotten(rewrites):
    for n in range(1000):
        judge(rewrites, 100.0, f"/p/{n}.py")
    assert rewrites.take_quiet(105.0) == {}
    assert rewrites._rows == {}
