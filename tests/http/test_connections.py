"""Which connections are accepted, counted and closed, without a socket or a clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databench.http.connections import (
    Accepting,
    ConnectionShares,
    Idlers,
    Limits,
    find_reserve,
    find_share,
)


@pytest.mark.parametrize(
    ("limit", "reserve"), [(64, 8), (256, 32), (1024, 128), (20_000, 256), (2**30, 256)]
)
def test_reserve_scales_with_the_limit(limit, reserve):
    assert find_reserve(limit) == reserve


@given(st.integers(min_value=32, max_value=2**20))
def test_requests_are_answered_after_connections_are_no_longer_accepted(limit):
    accepting = Accepting()
    used = limit - find_reserve(limit)
    assert accepting.decide(used - 1, limit)
    assert not accepting.decide(used, limit)
    assert accepting.has_room(used, limit)
    assert not accepting.has_room(limit - find_reserve(limit) // 2, limit)


def test_accepting_goes_on_when_a_few_are_free_again():
    accepting = Accepting()
    assert not accepting.decide(896, 1024)
    assert not accepting.decide(895, 1024)
    assert accepting.decide(863, 1024)
    assert accepting.decide(895, 1024)


def test_pause_is_said_once_a_minute():
    accepting = Accepting()
    said = [now_s for now_s in range(0, 130, 5) if accepting.is_to_say(now_s)]
    assert said == [0, 60, 120]


@pytest.mark.parametrize(
    ("address", "share"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("", ""),
        ("/run/a.sock", ""),
    ],
)
def test_address_is_counted_under_its_share(address, share):
    assert find_share(address) == share


def test_loopback_that_a_proxy_names_is_counted():
    assert find_share("127.0.0.1", is_forwarded=True) == "127.0.0.1"


def test_address_has_its_share_and_others_have_theirs():
    shares = ConnectionShares(2)
    assert [shares.enter("a") for _ in range(3)] == [True, True, False]
    assert shares.enter("b")
    assert all(shares.enter("") for _ in range(9))
    for _ in range(2):
        shares.leave("a")
    assert shares.enter("a")
    for name in ("a", "a", "b", ""):
        shares.leave(name)
    assert len(shares) == 0


def test_no_limit_counts_and_refuses_nothing():
    shares = ConnectionShares(0)
    assert all(shares.enter("a") for _ in range(100))


# ---------------------------------------------------------------- idle ones

LIMITS = Limits(idle_limit_s=20, header_limit_s=8)


def run(idlers: Idlers, until_s: float, *, begun: tuple[str, ...] = ()) -> dict[str, float]:
    """When each is closed, looked at every half second."""
    closed = {}
    for half in range(int(until_s * 2) + 1):
        now_s = half / 2
        for name in list(idlers.take_due(now_s, 100)):
            if idlers.look(name, now_s, has_begun=name in begun):
                closed[name] = now_s
                idlers.discard(name)
    return closed


def test_connection_that_never_asks_is_closed_at_the_idle_limit():
    idlers = Idlers(LIMITS)
    idlers.add("silent", 0)
    assert run(idlers, 60) == {"silent": 20}


def test_headers_that_do_not_end_are_closed_at_their_own_limit():
    idlers = Idlers(LIMITS)
    idlers.add("slow", 0)
    assert run(idlers, 60, begun=("slow",)) == {"slow": 8}


def test_headers_that_begin_late_have_their_whole_time():
    idlers = Idlers(LIMITS)
    idlers.add("late", 0)
    assert run(idlers, 18) == {}
    now_s = 18.5
    closed_s = None
    while closed_s is None:
        for name in list(idlers.take_due(now_s, 100)):
            if idlers.look(name, now_s, has_begun=True):
                closed_s = now_s
        now_s += 0.5
    assert 18 + 8 - idlers.step_s <= closed_s <= 18 + 8 + idlers.step_s


def test_busy_connection_is_never_closed_and_is_idle_again_after_its_answer():
    idlers = Idlers(LIMITS)
    idlers.add("kept", 0)
    idlers.discard("kept")
    assert run(idlers, 100) == {}
    idlers.add("kept", 100)
    idlers.add("kept", 110)
    assert list(idlers.take_due(111.9, 9)) == []
    assert list(idlers.take_due(112, 9)) == ["kept"]
    assert not idlers.look("kept", 129.9, has_begun=False)
    assert idlers.look("kept", 130, has_begun=False)


def test_sweep_looks_at_a_bounded_number_and_at_the_rest_next_time():
    idlers = Idlers(LIMITS)
    for number in range(2500):
        idlers.add(number, 0)
    seen = [list(idlers.take_due(2, 1000)) for _ in range(4)]
    assert [len(each) for each in seen] == [1000, 1000, 500, 0]
    assert len({number for each in seen for number in each}) == 2500


def test_while_none_is_accepted_the_longest_waiting_make_room():
    idlers = Idlers(LIMITS)
    for number in range(5):
        idlers.add(number, number / 4)
    assert idlers.take_longest(1.5, 2) == [0, 1]
    assert idlers.take_longest(1.5, 9) == [0, 1, 2]
    assert idlers.take_longest(0.9, 9) == []


def test_without_limits_none_is_due():
    idlers = Idlers(Limits())
    idlers.add("a", 0)
    assert idlers.step_s == 0
    assert list(idlers.take_due(1e9, 9)) == []
    assert idlers.take_longest(5, 9) == ["a"]
    assert len(idlers) == 1


def test_far_from_the_limit_descriptors_are_not_counted_each_time():
    accepting = Accepting()
    assert not accepting.is_far()
    accepting.decide(100, 4096)
    assert [accepting.is_far() for _ in range(5)] == [True] * 4 + [False]
    accepting.decide(2048, 4096)
    assert not accepting.is_far()
    accepting.decide(10, 1000)
    assert not accepting.is_far()
