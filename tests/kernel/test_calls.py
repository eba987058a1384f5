"""From an action to the methods that it calls."""

import pytest

import databench
from databench.analysis import find_handlers
from databench.kernel.arguments import ActionError
from databench.kernel.calls import find_calls, make_call


class Sample(databench.Analysis):
    @databench.on
    def plain(self, a, b=2):
        return a, b

    @databench.on
    def generator(self):
        yield None

    @databench.on
    async def slow(self):
        pass


class CatchAll(Sample):
    @databench.on_action("*")
    def any(self, *args):
        return "any"


@pytest.fixture
def analysis():
    instance = Sample().init_databench()
    instance.data.init(level=1)
    yield instance
    instance.data.close()


def calls(analysis, name, payload=b""):
    return find_calls(analysis, find_handlers(type(analysis)), name, payload)


@pytest.mark.parametrize(
    ("name", "kind"), [("generator", "generator"), ("slow", "coroutine"), ("connected", "plain")]
)
def test_a_handler_is_called_in_its_own_way(analysis, name, kind):
    assert [found for found, _function in calls(analysis, name)] == [kind]


@pytest.mark.parametrize(
    ("payload", "result"), [(b"[1]", (1, 2)), (b"[1, 3]", (1, 3)), (b'{"a": 0}', (0, 2))]
)
def test_arguments_go_to_the_handler(analysis, payload, result):
    ((kind, function),) = calls(analysis, "plain", payload)
    assert (kind, function()) == ("plain", result)


def test_a_catch_all_comes_after_the_handler_of_the_name():
    found = calls(CatchAll(), "plain", b"[1]")
    assert [function() for _kind, function in found] == [(1, 2), "any"]
    assert [function() for _kind, function in calls(CatchAll(), "other")] == ["any"]


@pytest.mark.parametrize(
    ("payload", "value"), [(b"5", 5), (b"[1]", [1]), (b'{"a": 1}', {"a": 1}), (b"", None)]
)
def test_a_declared_value_is_written(analysis, payload, value):
    ((kind, function),) = calls(analysis, "level", payload)
    function()
    assert (kind, analysis.data["level"]) == ("here", value)


def test_a_value_that_the_analysis_has_is_written(analysis):
    analysis.data["size"] = 1
    ((kind, function),) = calls(analysis, "size", b"2")
    function()
    assert (kind, analysis.data["size"]) == ("here", 2)


def test_an_action_that_is_not_there_is_told(analysis):
    with pytest.raises(ActionError, match="no action 'lvel'; did you mean 'level'"):
        calls(analysis, "lvel")


def test_arguments_that_do_not_fit_are_told(analysis):
    with pytest.raises(ActionError, match="do not fit"):
        make_call(analysis, "plain", "plain", [], {})
