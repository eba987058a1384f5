"""Which deaths speak against an action, and when it is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databench.protocol.poison import (
    MEMORY,
    Growth,
    Poison,
    Suspect,
    find_cause,
    find_suspect,
    make_fingerprint,
)
from databench.settings import Settings

MIB = 2**20
LIMIT_BYTES = 100 * MIB


@pytest.mark.parametrize(
    ("status", "signal", "cause"),
    [
        (None, "SIGSEGV", "SIGSEGV"),
        (None, "SIGBUS", "SIGBUS"),
        (None, "SIGILL", "SIGILL"),
        (None, "SIGFPE", "SIGFPE"),
        (None, "SIGABRT", "SIGABRT"),
        (None, "SIGKILL", ""),
        (None, "SIGTERM", ""),
        (None, "SIGXCPU", ""),
        (3, None, "exit status 3"),
        (0, None, ""),
    ],
)
def test_a_crash_speaks_against_what_ran_and_a_kill_from_outside_does_not(status, signal, cause):
    assert find_cause(status, signal, was_asked=False, was_memory=False) == cause
    assert find_cause(status, signal, was_asked=True, was_memory=False) == ""


def test_an_end_for_memory_speaks_against_what_ran():
    cause = find_cause(None, "SIGKILL", was_asked=False, was_memory=True)
    assert cause == MEMORY


def make(**limits):
    return Poison(Settings(**{"poison_limit": 2, "poison_suspects": 3, **limits}))


def note(poison, fingerprint, cause="SIGSEGV", *, session="s", visitor="", is_alone=True):
    poison.note(fingerprint, cause, session=session, visitor=visitor, is_alone=is_alone)


def test_an_action_is_refused_after_the_limit_with_its_arguments_alone():
    poison = make()
    bad = make_fingerprint("fit", b'{"n":1}')
    note(poison, bad, "SIGSEGV")
    assert poison.find_problem("fit", bad, session="s") == ""
    note(poison, bad, "out of memory")
    assert poison.find_problem("fit", bad, session="s") == (
        "action 'fit' with these arguments ended its kernel 2 times (SIGSEGV, out of memory), "
        "limit 2 (poison_limit); not run: restart the kernel or save its code to try again"
    )
    for other in (make_fingerprint("fit", b'{"n":2}'), make_fingerprint("fot", b'{"n":1}')):
        assert poison.find_problem("fit", other, session="s") == ""
    poison.forgive()
    assert poison.find_problem("fit", bad, session="s") == ""


def refused(poison, session, fingerprint=1):
    return bool(poison.find_problem("a", fingerprint, session=session))


def test_one_death_is_enough_to_suspect_it_of_its_own_session_or_where_it_ran_alone():
    poison = make()
    note(poison, 1, session="s", is_alone=False)
    note(poison, 2, session="s", is_alone=True)
    suspected = [(f, s) for f in (1, 2, 3) for s in "st" if poison.is_suspected(f, session=s)]
    assert suspected == [(1, "s"), (2, "s"), (2, "t")]
    assert not refused(poison, "s", 1)
    poison.forgive()
    assert not poison.is_suspected(2, session="s")


def test_one_session_has_it_refused_to_itself_alone():
    poison = make()
    for _ in range(10):
        note(poison, 1, session="s")
    assert refused(poison, "s")
    assert not refused(poison, "t")


def test_sessions_of_one_person_are_one_visitor():
    poison = make()
    for session in "stuv":
        note(poison, 1, session=session, visitor="me")
    assert not refused(poison, "other")
    note(poison, 1, session="x", visitor="you")
    assert refused(poison, "other")


def test_two_visitors_have_it_refused_to_all_if_it_ran_alone():
    poison = make()
    for session in "stst":
        note(poison, 1, session=session, is_alone=False)
    assert (refused(poison, "s"), refused(poison, "other")) == (True, False)
    note(poison, 1, session="s")
    assert not refused(poison, "other")
    note(poison, 1, session="t")
    assert refused(poison, "other")


DEATHS = st.lists(
    st.tuples(
        st.integers(1, 3), st.sampled_from("stuv"), st.sampled_from(["", "me"]), st.booleans()
    ),
    max_size=30,
)


@given(DEATHS, st.integers(1, 3))
def test_to_others_it_is_refused_by_two_visitors_and_never_by_one(deaths, limit):
    poison = make(poison_limit=limit, poison_suspects=1000)
    alone = {}
    for fingerprint, session, visitor, is_alone in deaths:
        note(poison, fingerprint, session=session, visitor=visitor, is_alone=is_alone)
        if is_alone:
            alone.setdefault(fingerprint, []).append(visitor or session)
    for fingerprint in (1, 2, 3):
        who = alone.get(fingerprint, [])
        is_enough = len(who) >= limit and len(set(who)) >= 2
        assert refused(poison, "nobody of these", fingerprint) == is_enough


@given(st.integers(1, 5), st.integers(0, 200))
def test_what_is_kept_of_one_action_is_bounded(limit, count):
    poison = make(poison_limit=limit)
    for number in range(count):
        note(poison, 1, session=f"s{number}")
    assert len(poison._deaths.get(1, ())) == min(count, 16 * limit)


def test_as_many_suspects_are_remembered_as_may_be_the_latest_ones():
    poison = make(poison_limit=1)
    for number in range(4):
        note(poison, number)
    assert [refused(poison, "s", number) for number in range(4)] == [False, True, True, True]


# -- who is suspected


def test_a_crash_speaks_to_all_against_what_ran_alone():
    assert find_suspect("SIGSEGV", [7], Growth(), 0) == Suspect(7, True)
    assert find_suspect("SIGSEGV", [3, 7], Growth(), 0) == Suspect(7, False)
    assert find_suspect("SIGSEGV", [], Growth(), 0) is None
    assert find_suspect("", [7], Growth(), 0) is None


def test_a_crash_speaks_against_what_was_sent_last_whatever_came_first():
    growth = Growth()
    for number in (7, 9, 3):  # 3 came first, and waited until its session had begun
        growth.begin(number, "s")
    growth.end(7)
    assert growth.requests == [9, 3]
    assert find_suspect("SIGSEGV", growth.requests, growth, 0) == Suspect(3, False)


def test_a_crash_while_a_session_begins_speaks_to_all_against_nothing():
    """The start of that session may have done it, and its page says what the start is given."""
    growth = Growth()
    growth.begin("s")
    growth.begin(7)
    assert find_suspect("SIGABRT", [7], growth, 0) == Suspect(7, False)
    growth.end("s")
    assert find_suspect("SIGABRT", [7], growth, 0) == Suspect(7, True)


def grown(*steps):
    """A process that lived through these: `+7` and `-7` begin and end what is 7; else a look."""
    growth = Growth()
    for step in steps:
        if isinstance(step, str):
            key = int(step[1:]) if step[1:].isdigit() else step[1:]
            (growth.begin if step[0] == "+" else growth.end)(key)
        else:
            growth.look(step * MIB)
    return growth


@pytest.mark.parametrize(
    ("steps", "number"),
    [
        ((10, "+7", 110), 7),
        ((10, "+7", 20, 30, 40), 7),
        ((10, "+7", 30), None),  # no quarter of the limit
        (("+7", 110), None),  # before, nobody looked
        ((10, "+7", "-7", 110), None),
        ((10, "+1", 90, "-1", 90, "+7", 101), None),  # filled by others, and called last
        ((10, "+7", "+1", 90, "-1", "+2", 110), None),  # the same, called first
        ((10, "+7", "+1", "-1", 110), None),  # and ended before anybody looked
        ((10, "+7", "+s", "-s", 110), None),  # a session began
        ((10, "+s", "-s", "+7", 60, 110), 7),
        ((10, "+7", 30, 10, 30, 10, 30), None),  # taken and given back
        ((10, "+1", 20, "+7", 110), None),
        ((10, "+1", 110, "+7", 120), 1),
    ],
)
def test_memory_speaks_against_what_ran_alone_while_the_process_grew(steps, number):
    growth = grown(*steps)
    expected = None if number is None else Suspect(number, True)
    assert find_suspect(MEMORY, [7, 1], growth, LIMIT_BYTES) == expected


def test_memory_speaks_against_a_session_s_start_that_ran_alone_too():
    assert grown(10, "+s", 110).find_grown_sessions(LIMIT_BYTES) == ["s"]
    assert grown(10, "+s", "+7", 110).find_grown_sessions(LIMIT_BYTES) == []
    assert grown(10, "+s", 110, "-s").find_grown_sessions(LIMIT_BYTES) == []


def test_sessions_with_a_request_are_busy():
    growth = Growth()
    growth.begin(7, "s")
    growth.begin("t")
    assert list(growth.busy) == ["s"]
    growth.end(7)
    assert list(growth.busy) == []


STEPS = st.lists(
    st.one_of(
        st.integers(0, 200),
        st.sampled_from(["+1", "-1", "+2", "-2", "+s", "-s"]),
    ),
    max_size=30,
)


@given(STEPS)
def test_an_action_is_never_suspected_of_what_grew_while_others_ran(steps):
    """7 runs all the time, beside 8."""
    assert grown("+7", "+8", *steps).find_suspect(LIMIT_BYTES) is None


@given(STEPS, st.integers(0, 24))
def test_an_action_that_takes_little_is_never_suspected(steps, size):
    """Whatever came before it."""
    growth = grown(*steps, "-1", "-2", "-s", 200, "+7", 200 + size)
    assert growth.find_suspect(LIMIT_BYTES) is None


@pytest.mark.parametrize("size_bytes", [0, 100_000])
def test_the_number_that_a_page_gives_a_request_tells_nothing_apart(size_bytes):
    text = b"x" * size_bytes
    first, again, other = (
        make_fingerprint("a", b'{"n":%d,"t":"%b","__process_id": %d}' % (n, text, id_))
        for n, id_ in ((1, 7), (1, 12345), (2, 7))
    )
    assert first == again != other


def test_large_arguments_are_told_apart_by_length_and_both_ends():
    large = b"x" * 100_000
    same = make_fingerprint("a", large)
    assert make_fingerprint("a", large) == same
    assert make_fingerprint("a", large + b"x") != same
    assert make_fingerprint("a", b"y" + large[1:]) != same
    assert make_fingerprint("a", large[:-1] + b"y") != same
