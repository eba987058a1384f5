"""No schedule of faults breaks a promise: docs/design/simulation.md says what is simulated."""

import os

import pytest

from .runner import run_chunk, run_many, run_seed
from .world import simulated

SEEDS = int(os.environ.get("DATABENCH_TEST_SEEDS", "3000"))  # `.ci/run` tries more
PART = 500  # so that the processes that share the tests share the seeds

# A world that ends leaves what its kernels had begun: nobody awaits that any more.
LEFT = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
pytestmark = [LEFT, pytest.mark.certain]


def tell(failures):
    """What a person needs to look at each failure."""
    return "\n".join(
        f"{problem}\n  replay: make simulate SEED={seed}" for seed, problem in failures
    )


def test_some_schedules_of_faults_break_no_promise():
    failures = run_chunk(0, 20)
    assert not failures, tell(failures)


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.timeout(300)  # they may share the processor with whatever else runs
@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_no_schedule_of_faults_breaks_a_promise(first):
    failures = run_many(first, min(PART, SEEDS - first), processes=1)
    assert not failures, tell(failures)


def test_a_seed_lives_the_same_world_again():
    first, again = [], []
    with simulated():
        for lines in (first, again):
            assert run_seed(4, lines.append) is None
    assert first == again
    assert len(first) > 10


@pytest.mark.slow
def test_worlds_have_every_fault_in_them():
    lines = []
    with simulated():
        for seed in range(100):
            run_seed(seed, lines.append)
    words = "\n".join(lines)
    for fault in (
        "SIGKILL",
        "is frozen",
        "the front is killed",
        "is cut",
        "the front loses the connection",
        "reads nothing",
        "is reloaded",
        "is closed by the front",
        "2 times",
        "session s",
        "force: True",
        "asks for restart",
    ):
        assert fault in words, fault
