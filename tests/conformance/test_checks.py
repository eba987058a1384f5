import pytest

from databench.conformance.case import ConformanceError
from databench.conformance.checks import check_echo, check_value
from databench.protocol import messages as m


def test_a_value_that_is_the_expected_one_passes():
    check_value(b'{"a":[1]}', {"a": [1]}, "result")


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (b"", "the result is missing: its payload is empty"),
        (b"{", "the result is not JSON"),
        (b"2", "the result is 2, expected 1"),
    ],
)
def test_any_other_value_is_said(payload, complaint):
    with pytest.raises(ConformanceError, match=complaint):
        check_value(payload, 1, "result")


class Answers:
    """In the place of a front: `echo` ends like this."""

    def __init__(self, payload, *emits):
        self.answer = m.Done(session="s", request=1, payload=payload), list(emits)

    def call(self, _session, _name, _argument):
        return self.answer


EMIT = m.Emit(session="s", request=1, signal="echo", payload=b"1")


def test_an_echo_comes_as_emit_and_as_result():
    check_echo(Answers(b"[1]", EMIT), "s", 1)


@pytest.mark.parametrize(
    ("front", "complaint"),
    [
        (Answers(b"[1]"), r"it emitted \[\]"),
        (Answers(b"[1]", EMIT, EMIT), r"it emitted \['echo', 'echo'\]"),
        (Answers(b"[2]", EMIT), "the result of 'echo' is"),
    ],
)
def test_another_echo_is_said(front, complaint):
    with pytest.raises(ConformanceError, match=complaint):
        check_echo(front, "s", 1)
