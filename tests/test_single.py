"""`databench.run`: who serves, and who is ended by it."""

import os

import pytest

import databench
from databench import cli
from databench.errors import ScriptEnd, SettingError

MARK = "DATABENCH_LOADING"


class Here(databench.Analysis):
    pass


@pytest.fixture
def served(monkeypatch):
    """What the command line is given, in the place of a server."""
    given = []
    monkeypatch.setattr(cli, "main", lambda script: given.append(script) or 0)
    return given


def test_run_serves_the_class(served):
    databench.run(Here, __file__, "n", {"title": "T"}, {"(x)": "."})
    (script,) = served
    assert (script.name, script.info, script.static) == ("n", {"title": "T"}, {"(x)": "."})


def test_status_of_the_command_line_is_the_scripts(monkeypatch):
    monkeypatch.setattr(cli, "main", lambda script: 2)
    with pytest.raises(SystemExit) as caught:
        databench.run(Here)
    assert caught.value.code == 2


@pytest.mark.parametrize("wrong", [Here(), object, "Here", None])
def test_what_is_no_analysis_is_refused(wrong):
    with pytest.raises(SettingError, match=r"expected a class: class Pi\(databench.Analysis\)"):
        databench.run(wrong)


def test_in_the_kernel_that_loads_the_file_it_ends_the_execution(monkeypatch, served):
    monkeypatch.setenv(MARK, f"{os.getpid()}:{__file__}")
    with pytest.raises(ScriptEnd) as caught:
        databench.run(Here)
    assert caught.value.analysis_class is Here
    assert not isinstance(caught.value, Exception)


def test_in_a_child_of_the_kernel_it_does_nothing(monkeypatch, served):
    monkeypatch.setenv(MARK, f"0:{__file__}")
    databench.run(Here)
    assert served == []


def test_another_script_that_a_kernel_starts_serves(monkeypatch, served, tmp_path):
    monkeypatch.setenv(MARK, f"0:{tmp_path / 'other.py'}")
    databench.run(Here)
    assert len(served) == 1


async def test_a_loop_that_runs_here_is_refused_in_one_sentence(served):
    with pytest.raises(SettingError, match=r"^databench.run starts an event loop, but one"):
        databench.run(Here)
    assert served == []
