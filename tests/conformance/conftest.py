"""What the tests of the conformance suite share."""

import pytest

from tests.conformance.harness import FLAWED, find_failed, run_suite

# For an answer of a kernel that runs: one that is missing takes the test that long.
_LIMIT_S = 3.0


@pytest.fixture
def try_flaw(monkeypatch):
    """The names of the cases of a topic that fail with a flaw."""

    def run(topic: str, flaw: str, **limits: float) -> set[str]:
        monkeypatch.setenv("FLAW", flaw)
        return set(find_failed(run_suite(FLAWED, topic, **{"limit_s": _LIMIT_S, **limits})))

    return run
