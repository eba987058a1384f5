"""How often something may be asked for within a time."""

from hypothesis import given
from hypothesis import strategies as st

from databench.protocol import rates
from databench.protocol.rates import Rates


def test_so_many_within_the_time_and_the_next_when_the_first_is_over():
    asked = Rates(60.0)
    assert [asked.ask([("k", 3)], now_s) for now_s in (0, 10, 20)] == [0, 0, 0]
    assert asked.ask([("k", 3)], 30) == 30
    assert asked.ask([("k", 3)], 60) == 0
    assert asked.ask([("k", 3)], 61) == 9


def test_what_is_refused_counts_for_nobody():
    asked = Rates(60.0)
    assert asked.ask([("kernel", 1), ("a", 2)], 0) == 0
    assert asked.ask([("kernel", 1), ("b", 1)], 1) == 59
    assert asked.ask([("other", 1), ("b", 1)], 2) == 0
    assert asked.ask([("third", 1), ("b", 1)], 3) == 59


def test_who_asked_long_ago_is_forgotten(monkeypatch):
    monkeypatch.setattr(rates, "REMEMBERED", 3)
    asked = Rates(60.0)
    for key in range(10):
        asked.ask([(key, 1)], 0)
    assert len(asked._asked) == 3


def test_a_refusal_is_never_taken_for_a_grant_however_times_are_rounded():
    asked = Rates(10.0)
    assert asked.ask([("k", 1)], 0.13436424411240122) == 0
    assert asked.ask([("k", 1)], 10.134364244112401) == 0.001


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 30)), max_size=60))
def test_no_key_is_ever_granted_more_than_its_limit_within_the_time(asks):
    asked, now_s, granted = Rates(10.0), 0.0, []
    for key, later_s in asks:
        now_s += later_s
        wait_s = asked.ask([(key, 2), ("all", 4)], now_s)
        assert wait_s >= 0
        if not wait_s:
            granted.append((key, now_s))
        for name, limit in (("a", 2), ("b", 2), ("c", 2), ("all", 4)):
            recent = [at for who, at in granted if name in (who, "all") and at > now_s - 10]
            assert len(recent) <= limit
