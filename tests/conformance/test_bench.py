import pytest

from databench.conformance.bench import Bench
from databench.conformance.case import Case, ConformanceError, MissingPartError
from tests.conformance.harness import (
    FLAWED,
    START_LIMIT_S,
    find_failed,
    find_kernel,
    find_skipped,
    run_suite,
)

pytestmark = [pytest.mark.process, pytest.mark.slow]


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.delenv("FLAW", raising=False)
    bench = Bench(find_kernel(FLAWED), 20.0, start_limit_s=START_LIMIT_S)
    yield bench
    bench.close()


def make_case(**options):
    return Case("x", "t", "does", "1", lambda _bench: None, **options)


def test_cases_share_a_kernel_until_one_fails(bench):
    bench.begin(make_case())
    first = bench.front
    bench.finish(failed=False)
    bench.begin(make_case())
    assert bench.front is first
    bench.finish(failed=True)
    bench.begin(make_case())
    assert bench.front is not first


def test_a_case_may_have_a_kernel_of_its_own(bench):
    bench.begin(make_case())
    shared, own = bench.front, bench.start(cli_args=["x"])
    assert own is not shared
    bench.finish(failed=True)
    assert own.process.status is not None
    assert bench.front is shared


def test_sessions_of_a_case_are_closed_after_it(bench):
    bench.begin(make_case())
    bench.front.open()
    bench.finish(failed=False)
    assert bench.front.ledger.credits == {}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"capability": "buffers"}, "hello does not name the capability buffers"),
        ({"optional": ("echo", "fly")}, "the kernel has no action 'fly'"),
    ],
)
def test_what_a_case_needs_and_the_kernel_has_not_is_missing(bench, options, reason):
    bench.begin(make_case(**options))
    with pytest.raises(MissingPartError, match=reason):
        _ = bench.front


def test_a_mistake_is_found_when_the_case_settles(bench, monkeypatch):
    monkeypatch.setenv("FLAW", "two ends")
    bench.begin(make_case())
    bench.front.ask(bench.front.open(), "nothing")
    with pytest.raises(ConformanceError, match="a second end of request"):
        bench.settle()


def test_a_process_that_ended_is_found_when_the_case_settles(bench):
    bench.begin(make_case())
    bench.front.process.end_input()
    assert bench.front.process.wait_exit(20)
    with pytest.raises(ConformanceError, match="the process exited with status 0 during this"):
        bench.settle()


# What a kernel may leave out: the topic, and its cases that are skipped.
OPTIONAL = {
    "emits without request": ("cancel", set()),
    "declares nothing": ("start", {"actions-listed", "idempotent", "sources"}),
    "no tracebacks": ("actions", {"traceback"}),
    "no capabilities": (
        "flow",
        {"batch", "credit", "credit-wait"},
    ),
    "four actions": (
        "state",
        {"state-set", "state-get", "state-apart", "state-restore", "open-fields"},
    ),
}


@pytest.mark.parametrize("part", OPTIONAL)
def test_a_part_that_is_left_out_is_skipped_and_nothing_fails(part, monkeypatch):
    topic, skipped = OPTIONAL[part]
    monkeypatch.setenv("FLAW", part)
    results = run_suite(FLAWED, topic)
    assert find_failed(results) == {}
    assert find_skipped(results) == skipped


def test_a_required_action_that_is_missing_is_a_failure(monkeypatch):
    monkeypatch.setenv("FLAW", "no echo")
    failed = find_failed(run_suite(FLAWED, "echo", "further-fields"))
    assert set(failed) == {"echo", "further-fields"}
    assert all("no action 'echo', which is required" in text for text in failed.values())
