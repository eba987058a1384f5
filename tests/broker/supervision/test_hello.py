"""Which `hello` is taken for that of the process that was started."""

import pytest

from databench.broker.supervision.hello import find_problem
from databench.protocol import messages as m
from databench.protocol.lifecycle import State


def test_the_hello_of_the_process_that_was_started_is_welcome():
    assert find_problem(m.Hello(version=1, token="secret"), "secret", State.STARTING) == ""


@pytest.mark.parametrize(
    ("hello", "state", "problem"),
    [
        (m.Hello(version=1, token="other"), State.STARTING, "a token that is not this kernel's"),
        (m.Hello(version=1, token=""), State.STARTING, "a token that is not this kernel's"),
        (m.Hello(version=2, token="secret"), State.STARTING, "protocol 2, this front speaks 1"),
        (m.Hello(version=1, token="secret"), State.IDLE, "a second hello"),
    ],
)
def test_any_other_hello_is_rejected_with_the_reason(hello, state, problem):
    assert problem in find_problem(hello, "secret", state)
