"""What a page may ask for, as the front decides it."""

import pytest

from databench.analysis import Analysis
from databench.protocol.actions import STEPS, UNDECLARED, WRITERS, Declared, find_line, find_problem

CLOSED = Declared(frozenset({"run", "connected", "set_state"}), others=False)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("declared", [UNDECLARED, CLOSED])
def test_a_step_is_refused_whatever_the_kernel_says(name, declared):
    assert "is a step of the session's life" in find_problem(name, declared)


@pytest.mark.parametrize("name", WRITERS)
def test_a_writer_is_refused_until_it_is_declared(name):
    assert find_line(name) in find_problem(name, UNDECLARED)
    assert find_problem(name, Declared(frozenset({name}))) == ""


def test_other_names_are_the_kernels_to_judge():
    assert find_problem("run", UNDECLARED) == ""
    assert find_problem("run", CLOSED) == ""
    assert find_problem("rnu", CLOSED) == "no action 'rnu'; not run"


@pytest.mark.parametrize("name", [*STEPS, *WRITERS])
def test_the_names_are_those_of_the_class(name):
    assert callable(getattr(Analysis, name))
