import sys
from xml.etree import ElementTree

import pytest

from databench import cli
from databench.conformance import command
from databench.conformance.cases import CASES
from databench.errors import SettingError
from tests.conformance.harness import REPOSITORY

KERNEL = str(REPOSITORY / "tests" / "kernels" / "flawed")


def test_every_case_is_selected_without_a_name():
    assert command.select([]) == list(CASES)


def test_cases_are_selected_by_name_and_by_topic_in_their_order():
    names = [case.name for case in command.select(["payloads", "echo"])]
    assert names == ["echo", "scalars", "containers", "unicode", "large", "deep", "not-a-number"]


def test_a_case_that_is_not_there_is_refused():
    with pytest.raises(SettingError, match="no case or topic 'fly'; --list names them"):
        command.select(["fly"])


def test_the_list_names_every_case(capsys):
    assert cli.main(["kernel-test", "--list"], {}) == 0
    printed = capsys.readouterr().out
    assert [case.name for case in CASES if f"  {case.name} " not in printed] == []


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "no kernel is named; give a kernel spec, or -- and a command"),
        (["py", "--only", "fly"], "--only: no case or topic 'fly'"),
        (["py", "--limit-s", "0"], "--limit-s: 0, expected more than 0"),
        (["py", "--analysis", "/none"], "'/none' is not a folder"),
        (["--", "/none/kernel", "--x"], "'/none/kernel' cannot be started"),
    ],
)
def test_what_cannot_be_used_is_said_and_ends_with_2(words, complaint, capsys):
    assert cli.main(["kernel-test", *words], {}) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.process
def test_a_kernel_that_keeps_the_rules_ends_with_0(capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("FLAW", raising=False)
    file = tmp_path / "results.xml"
    words = ["kernel-test", KERNEL, "--only", "echo", "--junit", str(file)]
    assert cli.main(words, {}) == 0
    printed = capsys.readouterr().out
    assert "  ok    echo " in printed
    assert "1 passed, 0 failed, 0 skipped" in printed
    assert "messages:" not in printed
    assert ElementTree.parse(file).getroot().get("failures") == "0"


@pytest.mark.slow
@pytest.mark.process
def test_a_kernel_that_breaks_a_rule_ends_with_1_and_shows_the_messages(capsys, monkeypatch):
    monkeypatch.setenv("FLAW", "two ends")
    command_words = [sys.executable, f"{KERNEL}/kernel.py"]
    assert cli.main(["kernel-test", "--only", "no-argument", "--", *command_words], {}) == 1
    printed = capsys.readouterr().out
    assert "FAIL  no-argument" in printed
    assert "a second end of request" in printed
    assert "kernel → front  ['done', 'session-1'," in printed
    assert "mend no-argument first" in printed
