"""Runs cases one after another, each to its result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from .bench import Bench
from .case import Case, ConformanceError, MissingPartError, Result, StartError


def run_cases(
    cases: Iterable[Case], bench: Bench, on_result: Callable[[Result], None]
) -> list[Result]:
    """Run cases in their order.

    Args:
        cases: Which.
        bench: Where they find the kernel; it is closed at the end.
        on_result: Called after each.

    Returns:
        The results, in the same order. After a kernel that does not start, the rest is skipped.
    """
    results: list[Result] = []
    has_started = True
    try:
        for case in cases:
            if has_started:
                result, has_started = _run(case, bench)
            else:
                result = Result(case, "skipped", "not tried: the kernel does not start")
            results.append(result)
            on_result(result)
    finally:
        bench.close()
    return results


def _run(case: Case, bench: Bench) -> tuple[Result, bool]:
    started_s = time.monotonic()
    result, has_started = Result(case, "passed"), True
    bench.begin(case)
    try:
        try:
            case.run(bench)
        except MissingPartError as missing:
            result = Result(case, "skipped", str(missing))
        bench.settle()
    except ConformanceError as failure:
        has_started = not isinstance(failure, StartError)
        result = Result(case, "failed", str(failure))
    result.frames, result.output = bench.find_evidence()
    bench.finish(failed=result.outcome == "failed")
    result.time_s = time.monotonic() - started_s
    return result, has_started
