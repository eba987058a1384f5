"""Actions.

Each flaw breaks one rule: the cases that see to it fail, and no other of the topic does.
"""

import pytest

from tests.conformance.harness import FLAWED, find_failed, find_skipped, run_suite

pytestmark = [pytest.mark.process, pytest.mark.slow]
TOPIC = "actions"
# Flaw of tests/kernels/flawed/kernel.py to the cases that notice it.
FLAWS = {
    "null for none": ["no-argument"],
    "two ends": ["no-argument", "one-end", "log", "progress"],
    "list as one argument": ["list-argument"],
    "object as one argument": ["object-argument", "process-id"],
    "keeps process id": ["process-id"],
    "no bare value": ["one-argument"],
    "dies of arguments": ["wrong-argument"],
    "error without text": ["error"],
    "error without type": ["error"],
    "bare traceback": ["wrong-argument", "error", "traceback", "one-end"],
    "empty traceback": ["traceback"],
    "out of order": ["order"],
    "late emit": ["one-argument", "wrong-argument", "error", "one-end", "order"],
    "ignores the unknown": ["one-end"],
    "no error level": ["log"],
    "progress back": ["progress"],
    "no total": ["progress"],
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_fails_its_cases_and_no_other(flaw, try_flaw):
    assert try_flaw(TOPIC, flaw) == set(FLAWS[flaw])


@pytest.mark.parametrize("kernel", [FLAWED, "py"])
def test_a_kernel_without_a_flaw_passes(kernel, monkeypatch):
    monkeypatch.delenv("FLAW", raising=False)
    results = run_suite(kernel, TOPIC)
    assert find_failed(results) == {}
    assert find_skipped(results) <= set()
