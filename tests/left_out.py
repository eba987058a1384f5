"""Prints at the end of a run what it left out: `python -m pytest -p tests.left_out`.

A run that is asked for some tests only looks like one of all of them: both end with "passed".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

_ALL = "make test runs all"
_KINDS = {
    "browser": "in a browser",
    "heavy": "that start processes or are slow",
    "other": "of other choices",
}


def name_kind(marks: Iterable[str]) -> str | None:
    """The kind of test that is left out; `None` for one that no run of tests has in it.

    Args:
        marks: The names of its marks.
    """
    marks = set(marks)
    if "bench" in marks:
        return None
    if "browser" in marks:
        return "browser"
    return "heavy" if marks & {"slow", "process"} else "other"


def tell(counts: dict[str, int], files: int) -> str:
    """The line about what was left out; an empty one when nothing was.

    Args:
        counts: How many tests were left out, by kind.
        files: How many files of tests were not read.
    """
    parts = [f"{counts[kind]:,} {words}" for kind, words in _KINDS.items() if counts.get(kind)]
    if parts:
        first, _, rest = parts[0].partition(" ")
        parts[0] = f"{first} {'test' if first == '1' else 'tests'} {rest}"
    if files:
        parts.append(f"{files:,} {'file' if files == 1 else 'files'} of tests")
    return f"left out: {', '.join(parts)}; {_ALL}" if parts else ""


class LeftOut:
    """Counts what a run deselects. Where several processes share it, each deselects the same."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._counts: Counter[str] = Counter()

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Tests that the run was not asked for."""
        kinds = (name_kind(mark.name for mark in item.iter_markers()) for item in items)
        self._counts.update(kind for kind in kinds if kind)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """A process that shares the tests hands its counts to the one that started it."""
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput["left_out"] = dict(self._counts)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node) -> None:
        """A process that shared the tests has ended."""
        self._counts |= Counter(getattr(node, "workeroutput", {}).get("left_out", {}))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter):
        """The last line before the count of those that passed: failures stand above it."""
        yield
        if line := tell(self._counts, self._count_unread()):
            terminalreporter.write_line(line)

    def _count_unread(self) -> int:
        """How many files of tests are below the folder of all, and not below what was asked for."""
        root = self._config.rootpath
        tops = [root / top for top in self._config.getini("testpaths")]
        asked = [Path(root, word.partition("::")[0]) for word in self._config.args]
        files = {path for top in tops for path in top.rglob("test_*.py")}
        return sum(not any(path.is_relative_to(each) for each in asked) for path in files)


def pytest_configure(config: pytest.Config) -> None:
    """Each process counts; the first one prints."""
    config.pluginmanager.register(LeftOut(config), "left-out")
