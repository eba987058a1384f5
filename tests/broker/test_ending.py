"""Why a process ended, as people are told and as it counts against actions."""

import resource
import signal

import pytest

from databench.broker import ending
from databench.broker.ending import Ending, find_limits
from databench.broker.launchers.local import Exit
from databench.settings import Settings


@pytest.fixture
def kills(monkeypatch):
    """How many processes the system has ended, before and after."""
    counts = [7, 7]
    monkeypatch.setattr(ending, "count_memory_kills", lambda: counts.pop(0))
    return counts


def told(how, settings=None, **attributes):
    made = Ending(settings or Settings())
    for name, value in attributes.items():
        setattr(made, name, value)
    return made.explain(how), made.find_cause(how)


def test_a_kill_from_outside_is_told_as_such(kills):
    assert told(Exit(signal=signal.SIGKILL)) == ("was ended by SIGKILL", "")


def test_a_kill_of_the_system_for_memory_is_told(kills):
    kills[1] = 8
    text = "was ended by SIGKILL: the system was out of memory"
    assert told(Exit(signal=signal.SIGKILL)) == (text, "out of memory")


def test_a_kill_of_ours_is_not_taken_for_one_of_the_system(kills):
    kills[1] = 8
    how = Exit(signal=signal.SIGKILL)
    assert told(how, why="no hello") == ("was ended by SIGKILL: no hello", "")


def test_memory_above_the_limit_speaks_against_what_ran(kills):
    how = Exit(signal=signal.SIGKILL)
    why = "used 3 MiB of 2 MiB"
    assert told(how, why=why, was_memory=True)[1] == "out of memory"


def test_processor_time_above_the_limit_is_told_with_the_limit(kills):
    settings = Settings({"kernel_processor_s": 60})
    text, cause = told(Exit(signal=signal.SIGXCPU), settings)
    assert text == (
        "was ended by SIGXCPU: used 60 s of processor time, the limit (processor_limit_s)"
    )
    assert cause == ""


def test_a_crash_speaks_against_what_ran():
    assert told(Exit(status=3)) == ("exited with status 3", "exit status 3")
    assert told(Exit(signal=signal.SIGSEGV))[1] == "SIGSEGV"


def test_an_end_that_a_person_asked_for_speaks_against_nothing():
    assert told(Exit(signal=signal.SIGSEGV), was_asked=True)[1] == ""


def test_limits_of_the_system_are_those_that_are_set():
    assert find_limits(Settings()) == {}
    settings = Settings({"kernel_processor_s": 9, "kernel_open_files": 64})
    assert find_limits(settings) == {resource.RLIMIT_CPU: 9, resource.RLIMIT_NOFILE: 64}
