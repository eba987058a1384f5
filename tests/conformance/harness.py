"""Runs parts of the conformance suite, against the flawed kernel and against others."""

from pathlib import Path

from databench.conformance.bench import Bench
from databench.conformance.command import select
from databench.conformance.runner import run_cases
from databench.conformance.target import Target, find_target

REPOSITORY = Path(__file__).resolve().parents[2]
FLAWED = "tests/kernels/flawed"
START_LIMIT_S = 30.0


def find_kernel(word: str) -> Target:
    return find_target([word], None, REPOSITORY)


def run_suite(kernel, *names, limit_s=20.0, start_limit_s=START_LIMIT_S):
    """The results of these cases and topics, by name."""
    bench = Bench(find_kernel(kernel), limit_s, start_limit_s=start_limit_s)
    results = run_cases(select(names), bench, lambda _result: None)
    return {result.case.name: result for result in results}


def find_failed(results):
    """Name to reason of the cases that failed."""
    return {name: result.text for name, result in results.items() if result.outcome == "failed"}


def find_skipped(results):
    return {name for name, result in results.items() if result.outcome == "skipped"}
