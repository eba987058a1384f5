"""The start, and what a kernel ignores.

Each flaw breaks one rule: the cases that see to it fail, and no other of the topic does.
"""

import pytest

from tests.conformance.harness import FLAWED, find_failed, find_skipped, run_suite

pytestmark = [pytest.mark.process, pytest.mark.slow]
TOPIC = "start"
# Flaw of tests/kernels/flawed/kernel.py to the cases that notice it.
FLAWS = {
    "no language": ["hello"],
    "ignores reject": ["reject"],
    "not opened": ["opened"],
    "emits twice": ["echo", "unknown-action", "unknown-kinds", "junk"],
    "no end": ["echo", "unknown-action", "unknown-kinds", "further-fields", "junk"],
    "text for a number": ["echo", "unknown-kinds", "unknown-action", "further-fields", "junk"],
    "bytes for text": ["echo", "unknown-kinds", "unknown-action", "further-fields", "junk"],
    "ignores the unknown": ["unknown-action"],
    "dies of kinds": ["unknown-kinds"],
    "strict headers": ["further-fields"],
    "dies of junk": ["junk"],
    "no pong": ["ping"],
    "short pong": ["ping"],
    "declares too few": ["actions-listed"],
    "odd idempotent": ["idempotent"],
    "relative sources": ["sources"],
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


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        ("no hello", "no hello came within 2 s"),
        ("routing id", "the routing id is"),
        ("wrong token", "the token is not the one"),
        ("version as text", "hello: version is '1'"),
        ("dies at start", "the process exited with status 1"),
    ],
)
def test_without_a_hello_nothing_else_is_tried(flaw, reason, monkeypatch):
    monkeypatch.setenv("FLAW", flaw)
    results = run_suite(FLAWED, TOPIC, start_limit_s=2.0)
    failed = find_failed(results)
    assert list(failed) == ["hello"]
    assert reason in failed["hello"]
    assert find_skipped(results) == set(results) - {"hello"}
