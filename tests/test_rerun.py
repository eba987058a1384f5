"""A failed test is run again by itself: flaky ones are listed, the others fail the run."""

import subprocess
import sys

import pytest

from tests.rerun import FLAKY_LIMIT, RERUNS, Failure, count_flaky, judge


class Answers:
    """Says whether a test passes again, and knows how often it was asked."""

    def __init__(self, **answers):
        self.answers = {test: list(all_) for test, all_ in answers.items()}
        self.asked = []

    def __call__(self, test):
        self.asked.append(test)
        return self.answers[test].pop(0)


def test_a_test_that_passes_each_time_alone_is_flaky():
    again = Answers(a=[True] * RERUNS)
    verdict = judge([Failure("a", True, "first")], again)
    assert (verdict.failed, verdict.flaky) == ([], {"a": "first"})
    assert again.asked == ["a"] * RERUNS
    assert not verdict.is_failure(FLAKY_LIMIT - 1)
    assert verdict.is_failure(FLAKY_LIMIT)


def test_a_test_that_fails_once_more_has_failed():
    again = Answers(a=[True, False, True], b=[True] * RERUNS)
    verdict = judge([Failure("a", True, ""), Failure("b", True, "")], again)
    assert (verdict.failed, list(verdict.flaky)) == (["a"], ["b"])
    assert verdict.is_failure(0)


@pytest.mark.parametrize(
    "failures",
    [
        [Failure("a", False, "a crash")],
        [Failure("a", True, ""), Failure("a", False, "left running")],
        [Failure("a", True, ""), Failure("b", False, "a crash")],
        [Failure(str(number), True, "") for number in range(FLAKY_LIMIT + 1)],
    ],
    ids=["no assertion", "and its end", "beside another", "too many"],
)
def test_what_has_failed_anyway_is_not_run_again(failures):
    verdict = judge(failures, Answers())
    assert verdict.failed == list({f.test: None for f in failures})
    assert verdict.is_failure(0)


_INNER = """
import os, pathlib, pytest

def unlucky_once(name):
    path = pathlib.Path(name)
    is_first = not path.exists()
    path.touch()
    return is_first

def test_passes():
    pass
"""
_CASES = {
    "an unlucky moment": ("def test_it(): assert not unlucky_once('seen')", True),
    "no luck again": ("def test_it(): assert False", False),
    "another exception": ("def test_it():\n    if unlucky_once('seen'): raise OSError", False),
    "marked": ("@pytest.mark.certain\ndef test_it(): assert not unlucky_once('seen')", False),
    "a crash": ("def test_it():\n    if unlucky_once('seen'): os._exit(1)", False),
    "a fixture": (
        "@pytest.fixture\ndef gone():\n    yield\n    assert not unlucky_once('seen')\n"
        "def test_it(gone): pass",
        False,
    ),
    "a time limit": (
        "@pytest.mark.timeout(1)\ndef test_it():\n"
        "    import time\n    time.sleep(30 * unlucky_once('seen'))",
        False,
    ),
    "a collection": ("assert not unlucky_once('seen')\ndef test_it(): pass", False),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", _CASES)
def test_a_run_passes_after_an_unlucky_moment_alone(case, tmp_path, repository, monkeypatch):
    source, passes = _CASES[case]
    (tmp_path / "test_inner.py").write_text(_INNER + source)
    (tmp_path / "flaky.log").touch()  # as mktemp does
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = certain\n")
    monkeypatch.setenv("PYTHONPATH", str(repository))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # they take most of the time
    monkeypatch.setenv("PYTEST_PLUGINS", "xdist.plugin,pytest_timeout")
    command = ["-p", "tests.rerun", "--flaky-log=flaky.log", "-p", "no:cacheprovider"]
    if case in ("an unlucky moment", "a crash"):  # as reports come from other processes
        command += ["-n", "2"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (run.returncode == 0) == passes, run.stdout + run.stderr
    assert count_flaky(tmp_path / "flaky.log") == passes
    if passes:
        assert "FLAKY test_inner.py::test_it: passed 3 times alone" in run.stdout
        assert "assert not unlucky_once" in (tmp_path / "flaky.log").read_text()


def test_the_list_counts_tests_and_no_lines_of_tracebacks(tmp_path):
    log = tmp_path / "flaky.log"
    assert count_flaky(log) == 0
    log.write_text("FLAKY a\n    FLAKY b\nFLAKY c\n")
    assert count_flaky(log) == 2
