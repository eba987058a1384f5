import re
from pathlib import Path

from databench.conformance.case import Topic
from databench.conformance.cases import CASES, TOPICS
from tests.conformance.harness import FLAWED, REPOSITORY


def test_a_topic_collects_its_cases_in_their_order():
    topic = Topic("t")

    @topic.case("a", "does a", "1")
    def first(_bench):
        """One."""

    @topic.case("b", "does b", "2", capability="ping", optional=("x",))
    def second(_bench):
        """Two."""

    assert [(case.name, case.topic, case.run) for case in topic.cases] == [
        ("a", "t", first),
        ("b", "t", second),
    ]
    assert (topic.cases[1].capability, topic.cases[1].optional) == ("ping", ("x",))


def test_each_name_selects_one_case_or_one_topic():
    names = [case.name for case in CASES] + [topic.name for topic in TOPICS]
    assert [name for name in names if names.count(name) > 1] == []


def _read_tests():
    folder = Path(__file__).parent
    return {path.name: path.read_text() for path in folder.rglob("test_*.py")}


def test_each_flaw_of_the_flawed_kernel_is_tried():
    source = (REPOSITORY / FLAWED / "kernel.py").read_text()
    flaws = set(re.findall(r'FLAW (?:==|!=) "([^"]+)"', source))
    text = "".join(_read_tests().values())
    assert {flaw for flaw in flaws if f'"{flaw}"' not in text} == set()


def test_each_case_fails_with_some_flaw():
    tables = "".join(text for text in _read_tests().values() if "\nFLAWS = {" in text)
    # A kernel need not send a batch; one that cannot be read is tried in test_ledger.py.
    names = {case.name for case in CASES} - {"batch"}
    assert {name for name in names if f'"{name}"' not in tables} == set()
