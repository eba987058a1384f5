"""What is promised, checked with what pages saw. Pure: a test shows that each can fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping


class Stream:
    """What one page sees of its session: emits in order, each once, no hole that is not reported.

    Actions of a session run at the same time, so each counts for itself.
    """

    def __init__(self) -> None:
        self._told = 0  # how often the page learned that messages are gone
        self._last: dict[str, tuple[int, int]] = {}

    def jump(self) -> None:
        """The page learned that messages are gone (`__gap`, another epoch)."""
        self._told += 1

    def restart(self) -> None:
        """The page is empty, and gets its session from the beginning."""
        self._told = 0
        self._last.clear()

    def take(self, run: str, number: int) -> None:
        """An emit of that run of an action.

        Raises:
            AssertionError: It is doubled, out of order, or behind a hole.
        """
        last, told = self._last.get(run, (0, 0))
        may_jump = self._told > told
        text = f"emit {number} of {run!r}, expected {last + 1}"
        assert number > last or may_jump, f"{text}: doubled or out of order"
        assert number == last + 1 or may_jump, f"{text}: a hole that was not told"
        self._last[run] = (number, self._told)


def check_runs(runs: Iterable[str], sent: Iterable[str], may_double: Iterable[str]) -> int:
    """Each request runs once at most.

    Args:
        runs: The token of each run.
        sent: The tokens of the requests.
        may_double: Those under way when the front was killed: its store may not know them.

    Returns:
        How many of these ran twice.
    """
    counts = Counter(runs)
    unknown = set(counts) - set(sent)
    assert not unknown, f"ran without a request: {sorted(unknown)[:5]}"
    doubled = {token for token, count in counts.items() if count > 1}
    wrong = doubled - set(may_double)
    assert not wrong, f"ran twice: {sorted(wrong)[:5]}"
    return len(doubled)


def check_count(count: int, *, acknowledged: int, tried: int, may_lose: int) -> None:
    """No increment that a page saw acknowledged is lost, and none is counted twice.

    Args:
        count: What all kernels and pages have in the end.
        acknowledged: How many ended well.
        tried: How many were sent.
        may_lose: How many ended less than the store's interval before the front was killed.
    """
    low = acknowledged - may_lose
    assert low <= count <= tried, f"count is {count}, expected {low} to {tried}"


def check_equal(page: Mapping[str, object], kernel: Mapping[str, object], what: str) -> None:
    """At rest a page knows what its kernel has; a deleted value is null there."""
    known = {key: value for key, value in page.items() if value is not None}
    assert known == dict(kernel), f"{what}: page {known}, kernel {dict(kernel)}"


def check_flat(before: Mapping[str, float], after: Mapping[str, float], slack: Mapping[str, float]):
    """Nothing has grown by more than its slack."""
    grown = {
        name: (before[name], after[name])
        for name in before
        if after[name] > before[name] + slack[name]
    }
    assert not grown, f"grown (before, after): {grown}, slack {dict(slack)}"
