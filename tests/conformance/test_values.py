import pytest

from databench.conformance.values import find_difference, nest


@pytest.mark.parametrize(
    "value", [None, True, 0, 1.5, "π", [], {}, [1, {"a": [None]}], {"b": 1, "a": 2}]
)
def test_a_value_does_not_differ_from_itself(value):
    assert find_difference(value, value) == ""


def test_the_order_of_keys_is_no_difference():
    assert find_difference({"a": 1, "b": 2}, {"b": 2, "a": 1}) == ""


@pytest.mark.parametrize(
    ("found", "expected"),
    [(1, True), (1.0, 1), (None, 0), ("1", 1), ([], {}), ("é", "e\u0301"), (float("nan"), None)],
)
def test_values_that_are_not_the_same_differ(found, expected):
    assert find_difference(found, expected) == f"is {found!r}, expected {expected!r}"


def test_a_long_value_is_shortened():
    assert len(find_difference("x" * 10**6, "y")) < 100


def test_nest_is_as_deep_as_asked():
    value, depth = nest(6), 0
    while value != 1:
        value = value["in"] if isinstance(value, dict) else value[0]
        depth += 1
    assert depth == 6
