"""What the end of a process says, of actions and of starts, once."""

import signal
from pathlib import Path

import pytest

from databench.broker import AnalysisSpec
from databench.broker.supervision.blame import Blame
from databench.broker.supervision.ending import Ending
from databench.broker.supervision.launchers.local import Exit
from databench.protocol.lifecycle import Lifecycle
from databench.protocol.poison import Poison
from databench.protocol.starts import NOTHING, Finding
from databench.settings import Settings

CRASH = Exit(signal=signal.SIGSEGV)


@pytest.fixture
def blame():
    """Of a kernel that has just been given a session."""
    made = Blame(Settings(), Poison(Settings()))
    made.starts.begin("s")
    return made


def end(blame, how, *, is_wished=False, was_asked=False):
    ending = Ending(Settings(), AnalysisSpec("a", Path("/"), "a", Path("/")))
    ending.was_asked = was_asked
    life = Lifecycle(Settings())
    if is_wished:
        life.wish_end()
    blame.judge(how, ending, life, 1.0)


def test_a_crash_while_a_session_starts_is_its_fault_once(blame):
    end(blame, CRASH)
    assert blame.cause == "SIGSEGV"
    assert blame.starts.aside == {"s": "was ended by SIGSEGV"}
    assert blame.take_finding() == Finding("s", True)
    assert blame.take_finding() == NOTHING


def test_an_end_on_purpose_is_nobody_s(blame):
    end(blame, CRASH, is_wished=True)
    assert blame.take_finding() == NOTHING


def test_a_kill_is_a_start_s_fault_when_it_comes_again_and_again(blame):
    for _ in range(2):
        end(blame, Exit(signal=signal.SIGKILL))
        assert blame.take_finding() == NOTHING
        blame.starts.begin("s")
    end(blame, Exit(signal=signal.SIGKILL))
    assert blame.take_finding() == Finding("s", True)
    assert blame.cause == ""


def test_ends_on_purpose_are_no_kills(blame):
    for _ in range(4):
        end(blame, Exit(signal=signal.SIGKILL), is_wished=True)
        assert blame.take_finding() == NOTHING
        blame.starts.begin("s")


def test_a_restart_by_a_person_forgives(blame):
    end(blame, CRASH)
    blame.forgive()
    assert blame.starts.aside == {}
    blame.begin_life()
    assert (blame.cause, blame.finding) == ("", NOTHING)


def test_whether_a_person_ended_the_process_is_known_until_the_next_one_begins(blame):
    end(blame, Exit(signal=signal.SIGKILL), was_asked=True)
    assert blame.was_asked
    blame.begin_life()
    assert not blame.was_asked
    end(blame, Exit(signal=signal.SIGKILL))
    assert not blame.was_asked
