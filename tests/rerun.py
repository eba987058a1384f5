"""A failed test is run again by itself: what an unlucky moment failed passes, and is listed.

`python -m pytest -p tests.rerun --flaky-log=FILE` runs each test whose assertion failed three more
times, alone. A test that passes all three is flaky: it is listed with its first traceback, here and
in the file, and does not fail the run. Only assertions are given this chance. A crash, a time
limit, a leaked process, an error of a fixture and a test that is marked `certain` fail at once, and
more than `FLAKY_LIMIT` flaky tests in the file, which several runs may share, fail each of them.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

RERUNS = 3
FLAKY_LIMIT = 3
_HEAD = "FLAKY "


@dataclass(frozen=True)
class Failure:
    """One failed phase of a test: its call, or what comes before or after it."""

    test: str
    is_chance: bool  # whether it may have been an unlucky moment
    text: str


@dataclass
class Verdict:
    """What the failures of a run come to."""

    failed: list[str] = field(default_factory=list)
    flaky: dict[str, str] = field(default_factory=dict)  # test to its first traceback

    def is_failure(self, flaky_before: int) -> bool:
        """Whether the run has failed.

        Args:
            flaky_before: How many flaky tests earlier runs found.
        """
        return bool(self.failed) or flaky_before + len(self.flaky) > FLAKY_LIMIT


def judge(failures: Iterable[Failure], passes_again: Callable[[str], bool]) -> Verdict:
    """Separate flaky tests from failed ones.

    Args:
        failures: All of one run.
        passes_again: Runs a test by itself. It is asked for as many tests as may be flaky, and for
            none where the run has failed without it.
    """
    found: dict[str, list[Failure]] = {}
    for failure in failures:
        found.setdefault(failure.test, []).append(failure)
    verdict = Verdict([t for t, all_ in found.items() if not all(f.is_chance for f in all_)])
    chances = {test: all_ for test, all_ in found.items() if test not in verdict.failed}
    if verdict.failed or len(chances) > FLAKY_LIMIT:
        verdict.failed = list(found)
        return verdict
    for test, all_ in chances.items():
        if all(passes_again(test) for _ in range(RERUNS)):
            verdict.flaky[test] = all_[0].text
        else:
            verdict.failed.append(test)
    return verdict


def count_flaky(log: Path) -> int:
    """How many tests the file lists."""
    if not log.exists():
        return 0
    return sum(line.startswith(_HEAD) for line in log.read_text().splitlines())


class Rerun:
    """Collects the failures of a run, and judges them at its end."""

    def __init__(self, log: Path, root: Path) -> None:
        self._log = log
        self._root = root
        self._failures: list[Failure] = []
        self._verdict: Verdict | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a test has ended, here or in a process that shares the tests."""
        if report.failed:
            is_chance = getattr(report, "is_chance", False)  # none: its process crashed
            self._failures.append(Failure(report.nodeid, is_chance, report.longreprtext))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file was read."""
        if report.failed:
            self._failures.append(Failure(report.nodeid, False, report.longreprtext))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """All tests have ended."""
        if session.exitstatus != pytest.ExitCode.TESTS_FAILED or not self._failures:
            return
        before = count_flaky(self._log)
        self._verdict = judge(self._failures, self._passes_again)
        with self._log.open("a") as log:
            for test, text in self._verdict.flaky.items():
                log.write(f"{_HEAD}{test}\n{_indent(text)}\n")
        if not self._verdict.is_failure(before):
            session.exitstatus = pytest.ExitCode.OK

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The last lines."""
        if self._verdict is None:
            return
        for test in self._verdict.flaky:
            terminalreporter.write_line(f"{_HEAD}{test}: passed {RERUNS} times alone", yellow=True)
        if not self._verdict.failed and count_flaky(self._log) > FLAKY_LIMIT:
            terminalreporter.write_line(f"more than {FLAKY_LIMIT} flaky tests: failed", red=True)

    def _passes_again(self, test: str) -> bool:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
        return subprocess.run(command, cwd=self._root, check=False).returncode == 0


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that turns it on."""
    parser.addoption(
        "--flaky-log", metavar="FILE", help="run failed tests again; list the flaky ones here"
    )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Only the process that started the run judges it."""
    log = config.getoption("--flaky-log")
    if log and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Rerun(Path(log), config.rootpath), "rerun-failed")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Only here, where the test ran, the exception itself is known."""
    report = yield
    if report.failed:
        is_assertion = call.excinfo is not None and call.excinfo.errisinstance(AssertionError)
        is_certain = item.get_closest_marker("certain") is not None
        report.is_chance = call.when == "call" and is_assertion and not is_certain
    return report


def _indent(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())
