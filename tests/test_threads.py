"""Threads that cannot be had."""

import queue
import threading

import pytest

from databench.errors import KernelError, SettingError
from databench.threads import call_later, can_start, find_size, make_pool, require


def test_where_there_are_threads_they_are_started_and_end():
    before = threading.active_count()
    assert can_start(5)
    assert threading.active_count() == before


@pytest.mark.parametrize("count", [0, 3])
def test_where_there_are_too_few_nothing_is_left(few_threads, count):
    before = threading.active_count()
    with few_threads(count):
        assert can_start(count)
        assert not can_start(count + 1)
    assert threading.active_count() == before


def test_a_call_comes_later_or_is_said_not_to_come(few_threads):
    called = queue.SimpleQueue()
    assert call_later(0, called.put, 1)
    assert called.get(timeout=30) == 1
    with few_threads(0):
        assert not call_later(0, called.put, 2)
    assert called.empty()


def test_a_kernel_that_needs_more_is_refused_in_words(few_threads):
    with few_threads(3):
        require(3)
        with pytest.raises(KernelError, match=r"no further thread .* a kernel needs 4"):
            require(4)


def test_a_pool_needs_no_further_thread(few_threads):
    pool = make_pool("test", 3)
    try:
        with few_threads(0):
            is_full = threading.Barrier(3)
            waits = [pool.submit(is_full.wait) for _ in range(3)]
            assert sorted(wait.result(30) for wait in waits) == [0, 1, 2]
    finally:
        pool.shutdown()


def test_a_pool_that_cannot_be_had_is_a_sentence(few_threads):
    before = threading.active_count()
    with few_threads(4), pytest.raises(SettingError, match=r"no further thread .* needs 5 more"):
        make_pool("test", 3, more=2)
    assert threading.active_count() == before
    assert 5 <= find_size() <= 32
