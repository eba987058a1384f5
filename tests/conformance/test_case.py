from databench.conformance.case import Topic
from databench.conformance.cases import CASES, TOPICS


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
