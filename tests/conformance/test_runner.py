"""The order of things around a case, with a bench that starts nothing."""

from databench.conformance.case import Case, ConformanceError, MissingPartError, StartError
from databench.conformance.runner import run_cases


class Recorder:
    """In the place of a bench."""

    def __init__(self, *, mistake=""):
        self.calls = []
        self.mistake = mistake

    def begin(self, case):
        self.calls.append(f"begin {case.name}")

    def settle(self):
        if self.mistake:
            raise ConformanceError(self.mistake)

    def find_evidence(self):
        return ["frame"], ["line"]

    def finish(self, *, failed):
        self.calls.append(f"finish {'failed' if failed else 'well'}")

    def close(self):
        self.calls.append("close")


def _case(name, error=None):
    def run(_bench):
        if error is not None:
            raise error

    return Case(name, "t", "does", "1", run)


def run(*cases, **options):
    bench, shown = Recorder(**options), []
    results = run_cases(cases, bench, shown.append)
    assert shown == results
    return [(result.outcome, result.text) for result in results], bench


def test_cases_run_one_after_another_to_their_results():
    outcomes, bench = run(_case("a"), _case("b", ConformanceError("bad")), _case("c"))
    assert outcomes == [("passed", ""), ("failed", "bad"), ("passed", "")]
    assert bench.calls == [
        *("begin a", "finish well", "begin b", "finish failed", "begin c", "finish well"),
        "close",
    ]


def test_an_optional_part_that_is_not_there_is_skipped():
    assert run(_case("a", MissingPartError("no x")))[0] == [("skipped", "no x")]


def test_a_mistake_fails_a_case_that_would_pass_or_be_skipped():
    outcomes, _bench = run(_case("a"), _case("b", MissingPartError("no x")), mistake="two ends")
    assert outcomes == [("failed", "two ends")] * 2


def test_after_a_kernel_that_does_not_start_nothing_is_tried():
    outcomes, bench = run(_case("a", StartError("no hello")), _case("b"))
    assert outcomes == [
        ("failed", "no hello"),
        ("skipped", "not tried: the kernel does not start"),
    ]
    assert "begin b" not in bench.calls
