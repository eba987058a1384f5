"""Which deaths speak against an action, and when it is refused."""

import pytest

from databench.protocol.poison import Poison, find_cause, make_fingerprint
from databench.settings import Settings


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
    assert cause == "out of memory"


def make(**limits):
    return Poison(Settings({"poison_limit": 2, "poison_suspects": 3, **limits}))


def test_an_action_is_refused_after_the_limit_with_its_arguments_alone():
    poison = make()
    bad = make_fingerprint("fit", b'{"n":1}')
    poison.note(bad, "SIGSEGV")
    assert poison.find_problem("fit", bad) == ""
    poison.note(bad, "out of memory")
    assert poison.find_problem("fit", bad) == (
        "action 'fit' with these arguments ended its kernel 2 times (SIGSEGV, out of memory), "
        "limit 2 (poison_limit); not run: restart the kernel or save its code to try again"
    )
    for other in (make_fingerprint("fit", b'{"n":2}'), make_fingerprint("fot", b'{"n":1}')):
        assert poison.find_problem("fit", other) == ""
    poison.forgive()
    assert poison.find_problem("fit", bad) == ""


def test_as_many_suspects_are_remembered_as_may_be_the_latest_ones():
    poison = make(poison_limit=1)
    for number in range(4):
        poison.note(number, "SIGSEGV")
    refused = [bool(poison.find_problem("a", number)) for number in range(4)]
    assert refused == [False, True, True, True]


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
