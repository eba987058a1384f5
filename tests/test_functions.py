"""What a file of the first release calls."""

import pytest

import databench
from databench.functions import SESSION, FunctionAnalysis


def test_a_call_of_analysis_with_a_name_makes_one_of_functions():
    made = databench.Analysis("simplepi", __name__)
    assert isinstance(made, FunctionAnalysis)
    assert made.import_name == __name__
    assert isinstance(databench.Analysis(name="simplepi", import_name=__name__), FunctionAnalysis)
    assert isinstance(databench.Analysis(), databench.Analysis)

    class Own(databench.Analysis):
        def __init__(self, word):
            self.word = word

    assert Own("x").word == "x"


def test_a_thread_without_a_session_is_told_what_to_do():
    made = databench.Analysis("thread", __name__)
    with pytest.raises(RuntimeError, match=r"thread\.signals\.emit\('said'\).*copy_context"):
        made.signals.emit("said", 1)


def test_wrong_marks_are_told():
    made = databench.Analysis("wrong", __name__)
    with pytest.raises(TypeError, match=r"write @wrong\.signals\.on\('connect'\)"):
        made.signals.on(lambda: None)
    with pytest.raises(TypeError, match="is not a function"):
        made.signals.on("connect")(5)


def test_the_third_argument_may_be_the_description():
    made = databench.Analysis("slowpi", __name__, "Slowly.")
    assert made.description == "Slowly."
    signals = databench.Signals("slowpi")
    assert databench.Analysis("slowpi", __name__, signals, "d").signals is signals


class Session:
    """A session that remembers what was emitted in it."""

    def __init__(self):
        self.emitted = []

    def emit(self, signal, *message):
        self.emitted.append((signal, *message))


def test_signals_go_to_the_session_in_which_the_caller_runs():
    made, sessions = databench.Analysis("two", __name__), [Session(), Session()]
    for session in sessions:
        token = SESSION.set(session)
        made.signals.emit("said", 1)
        SESSION.reset(token)
    assert [session.emitted for session in sessions] == [[("said", 1)]] * 2


def test_what_is_marked_inside_a_function_belongs_to_its_session_and_goes_with_it():
    made, session = databench.Analysis("inner", __name__), Session()
    token = SESSION.set(session)
    inner = made.signals.on("say")(lambda: None)
    SESSION.reset(token)
    assert made.signals.functions == []
    assert made.signals.find_inner(session, "say") == [inner]
    assert made.signals.find_inner(Session(), "say") == []
    del session
    assert len(made.signals._inner) == 0
