"""Payloads.

Each flaw breaks one rule: the cases that see to it fail, and no other of the topic does.
"""

import pytest

from tests.conformance.harness import FLAWED, find_failed, find_skipped, run_suite

pytestmark = [pytest.mark.process, pytest.mark.slow]
TOPIC = "payloads"
# Flaw of tests/kernels/flawed/kernel.py to the cases that notice it.
FLAWS = {
    "nan": ["not-a-number"],
    "null is nothing": ["scalars"],
    "truncates": ["large"],
    "byte order mark": ["scalars", "containers", "unicode", "large", "deep", "not-a-number"],
    "emits twice": ["scalars", "containers", "unicode", "large", "deep"],
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
