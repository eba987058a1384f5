from xml.etree import ElementTree

import pytest

from databench.conformance.case import Case, Result
from databench.conformance.report import (
    compose_junit,
    compose_list,
    compose_result,
    compose_summary,
)
from databench.protocol import messages as m

CASE = Case("echo", "start", "answers", "4.1", lambda _bench: None, capability="ping")
PASSED = Result(CASE, "passed", frames=["a frame"], time_s=0.5)
FAILED = Result(CASE, "failed", "no \x1b[2Jend came", ["frame 1", "frame\x00 2"], ["a line"], 1.0)
SKIPPED = Result(CASE, "skipped", "the kernel has no action 'x'")


def test_a_case_that_passed_is_one_line():
    lines = compose_result(PASSED, is_verbose=False)
    assert [line.split() for line in lines] == [["ok", "echo", "answers", "(4.1)"]]


def test_a_failure_shows_reason_messages_and_output():
    lines = [line.strip() for line in compose_result(FAILED, is_verbose=False)]
    assert lines[0].startswith("FAIL")
    assert lines[2:4] == ["messages:", "frame 1"]
    assert lines[-2:] == ["output:", "a line"]
    assert "\x1b" not in "".join(lines)


def test_a_failure_shows_the_last_of_many_messages():
    frames = [f"frame {n}" for n in range(100)]
    lines = compose_result(Result(CASE, "failed", "x", frames), is_verbose=False)
    assert lines[-1].strip() == "frame 99"
    assert any("the last 30 of 100" in line for line in lines)


def test_verbose_shows_the_messages_of_each_case():
    assert "a frame" in "\n".join(compose_result(PASSED, is_verbose=True))


def test_the_summary_counts_and_names_what_to_mend_first():
    hello = m.Hello(language="Go 1.19", library="tiny 0.1", capabilities=("ping",))
    text = "\n".join(compose_summary([PASSED, FAILED, SKIPPED], hello))
    assert "Go 1.19, tiny 0.1; capabilities: ping" in text
    assert "1 passed, 1 failed, 1 skipped in 1.5 s" in text
    assert "mend echo first" in text


def test_the_summary_of_a_whole_kernel_names_nothing_to_mend():
    assert "mend" not in "\n".join(compose_summary([PASSED], None))


def test_the_list_has_topics_and_what_a_case_needs():
    assert [line.split() for line in compose_list([CASE, CASE])] == [
        ["start"],
        *[["echo", "answers", "(4.1)", "[ping]"]] * 2,
    ]


@pytest.mark.parametrize("name", ["tiny", "tiny\x00"])
def test_junit_is_xml_with_each_outcome(name):
    root = ElementTree.fromstring(compose_junit(name, [PASSED, FAILED, SKIPPED]))
    assert [root.get(word) for word in ("tests", "failures", "skipped")] == ["3", "1", "1"]
    passed, failed, skipped = root
    assert len(passed) == 0
    assert failed[0].tag == "failure"
    assert failed[0].text == "frame 1\nframe? 2\na line"
    assert skipped[0].get("message") == "the kernel has no action 'x'"
