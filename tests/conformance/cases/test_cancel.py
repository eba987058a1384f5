"""Cancel and interrupt.

Each flaw breaks one rule: the cases that see to it fail, and no other of the topic does.
"""

import pytest

from tests.conformance.harness import FLAWED, find_failed, find_skipped, run_suite

pytestmark = [pytest.mark.process, pytest.mark.slow]
TOPIC = "cancel"
# Flaw of tests/kernels/flawed/kernel.py to the cases that notice it.
FLAWS = {
    "cancel as error": ["cancel-waiting", "cancel-only-that", "cancel-twice", "interrupt"],
    "cancels in silence": ["cancel-waiting", "cancel-only-that", "cancel-twice", "interrupt"],
    "cancels anything": ["cancel-only-that"],
    "cancelled twice": ["cancel-waiting", "cancel-only-that", "cancel-twice", "interrupt"],
    "answers late cancels": ["cancel-ended", "cancel-twice", "interrupt"],
    "ignores the pipe": ["interrupt"],
    "any interrupt": ["interrupt-other"],
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


def test_a_kernel_that_dies_of_the_signal_fails_each_case_of_it(try_flaw):
    # Whether `cancel-twice` has all its answers before the signal comes is a matter of luck.
    failed = try_flaw(TOPIC, "dies of SIGINT") - {"cancel-twice"}
    assert failed == {"interrupt", "interrupt-other", "interrupt-idle"}
