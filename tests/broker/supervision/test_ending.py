"""Why a process ended, as people are told and as it counts against actions."""

import dataclasses
import resource
import signal
from pathlib import Path

import pytest

from databench.broker import AnalysisSpec
from databench.broker.supervision import ending
from databench.broker.supervision.ending import Ending, find_limits
from databench.broker.supervision.launchers.local import Exit
from databench.settings import Settings


@pytest.fixture
def kills(monkeypatch):
    """How many processes the system has ended, before and after."""
    counts = [7, 7]
    monkeypatch.setattr(ending, "count_memory_kills", lambda: counts.pop(0))
    return counts


PLAIN = AnalysisSpec("fit", Path("/a/fit"), "fit", Path("/a"))
OWN = dataclasses.replace(PLAIN, limits={"kernel_processor_s": 60.0, "kernel_memory_bytes": 2**21})


def told(how, settings=None, spec=PLAIN, **attributes):
    made = Ending(settings or Settings(), spec)
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


@pytest.mark.parametrize(("spec", "name"), [(PLAIN, "kernel_memory_bytes"), (OWN, "memory_limit")])
def test_too_much_memory_is_told_with_who_said_so(spec, name):
    made = Ending(Settings(), spec)
    assert made.blame_memory("used 3 MiB of 2 MiB") == f"used 3 MiB of 2 MiB ({name})"
    assert made.was_memory


@pytest.mark.parametrize(
    ("spec", "name"), [(PLAIN, "kernel_processor_s"), (OWN, "processor_limit_s")]
)
def test_processor_time_above_the_limit_is_told_with_the_limit(spec, name):
    settings = Settings(kernel_processor_s=59.5)
    text, cause = told(Exit(signal=signal.SIGXCPU), settings, spec)
    assert text == f"was ended by SIGXCPU: used 60 s of processor time, limit 60 ({name})"
    assert cause == ""


def test_the_signal_of_processor_time_tells_nothing_of_a_limit_that_is_not_there():
    assert told(Exit(signal=signal.SIGXCPU)) == ("was ended by SIGXCPU", "")


def test_a_crash_speaks_against_what_ran():
    assert told(Exit(status=3)) == ("exited with status 3", "exit status 3")
    assert told(Exit(signal=signal.SIGSEGV))[1] == "SIGSEGV"


def test_an_end_that_a_person_asked_for_speaks_against_nothing():
    assert told(Exit(signal=signal.SIGSEGV), was_asked=True)[1] == ""


def test_limits_of_the_system_are_those_that_are_set():
    assert find_limits(Settings()) == {}
    settings = Settings(kernel_processor_s=9, kernel_open_files=64)
    assert find_limits(settings) == {resource.RLIMIT_CPU: 9, resource.RLIMIT_NOFILE: 64}


@pytest.mark.parametrize(
    ("how", "attributes", "is_fault"),
    [
        (Exit(signal=signal.SIGSEGV), {}, True),
        (Exit(status=0), {}, True),
        (Exit(status=3), {}, True),
        (Exit(signal=signal.SIGXCPU), {}, True),
        (Exit(signal=signal.SIGKILL), {}, False),
        (Exit(signal=signal.SIGTERM), {}, False),
        (Exit(signal=signal.SIGKILL), {"why": "it sent too much"}, True),
        (Exit(signal=signal.SIGKILL), {"why": "restarted", "was_asked": True}, False),
    ],
)
def test_what_the_kernel_did_itself_may_come_of_what_began_in_it(kills, how, attributes, is_fault):
    made = Ending(Settings(), PLAIN)
    for name, value in attributes.items():
        setattr(made, name, value)
    made.explain(how)
    assert made.is_fault(how) is is_fault


def test_a_kernel_that_says_that_it_ends_is_no_fault(kills):
    made = Ending(Settings(), PLAIN)
    made.say_bye("SIGTERM")
    assert made.explain(Exit(status=0)) == "exited with status 0: SIGTERM"
    assert not made.is_fault(Exit(status=0))
