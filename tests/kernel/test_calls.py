"""From an action to the methods that it calls."""

import pytest

import databench
from databench.analysis import find_handlers
from databench.kernel.arguments import ActionError
from databench.kernel.calls import (
    find_calls,
    find_declared,
    find_page_calls,
    has_own_making,
    make_call,
)
from databench.settings import Settings


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


# -- what a page may ask for


class Shared(Sample):
    class_inputs = ("price",)


class Open(Sample):
    on_set_state = databench.Analysis.set_state
    on_set_class_state = databench.Analysis.set_class_state


class Own(CatchAll):
    written = None

    @databench.on
    def set_state(self, *args):
        type(self).written = args


def page_calls(analysis, name, payload=b"", **limits):
    handlers = find_handlers(type(analysis))
    declared = find_declared(handlers)
    return find_page_calls(analysis, handlers, declared, name, payload, Settings(**limits))


def test_what_may_run_twice_is_among_what_pages_may_ask_for():
    handlers = {"fit": ("fit",), "connected": ("connected",), "save": ("save",)}
    declared = find_declared(handlers, ["fit", "connected"])
    assert declared.names == {"fit", "save"}
    assert declared.idempotent == {"fit"}
    assert not find_declared(handlers).idempotent


def begun(kind):
    instance = kind().init_databench()
    instance.data.init(level=1)
    return instance


@pytest.fixture
def open_():
    instance = begun(Open)
    yield instance
    instance.data.close()
    instance.class_data.release_storage = True
    instance.class_data.close()


@pytest.mark.parametrize("kind", [Sample, CatchAll, Open])
@pytest.mark.parametrize("name", ["connect", "args", "connected", "disconnected"])
def test_a_step_of_a_session_is_no_action(kind, name):
    with pytest.raises(ActionError, match=f"'{name}' is a step of the session's life"):
        page_calls(begun(kind), name, b"[[], {}]")


@pytest.mark.parametrize("kind", [Sample, CatchAll])
@pytest.mark.parametrize("name", ["set_state", "set_class_state"])
def test_state_of_any_name_is_written_only_where_the_class_says_so(kind, name):
    line = f"on_{name} = databench.Analysis.{name}"
    with pytest.raises(ActionError, match=line):
        page_calls(begun(kind), name, b'{"is_admin": true}')


def test_with_that_line_a_page_writes_state(open_):
    for name in ("set_state", "set_class_state"):
        ((_kind, function),) = page_calls(open_, name, b'{"n": 2}')
        function()
    assert (open_.data["n"], open_.class_data["n"]) == (2, 2)


@pytest.mark.parametrize("payload", [b'{"a": 1, "b": 2}', b'[{"a": 1, "b": 2}]'])
def test_a_page_makes_only_so_many_values(open_, payload):
    with pytest.raises(
        ActionError, match=r"3 values including those that it adds, limit 2 \(page_keys"
    ):
        page_calls(open_, "set_state", payload, page_keys=2)
    assert page_calls(open_, "set_state", payload, page_keys=3)
    assert page_calls(open_, "set_state", b'{"level": 2}', page_keys=0)  # it adds none


@pytest.mark.parametrize(
    ("kind", "name"), [(Sample, "level"), (Shared, "price"), (Open, "set_state")]
)
def test_a_page_writes_only_so_much_by_itself(kind, name):
    analysis = begun(kind)
    payload = b'{"a": "%b"}' % (b"x" * 2000)
    with pytest.raises(ActionError, match=r"2009 bytes, limit 2000 \(page_value_bytes\)"):
        page_calls(analysis, name, payload, page_value_bytes=2000)
    assert page_calls(analysis, name, payload, page_value_bytes=2009)


def test_actions_of_the_class_are_not_limited_so():
    assert page_calls(begun(Sample), "plain", b'["%b"]' % (b"x" * 2000), page_value_bytes=1)
    assert page_calls(begun(Own), "set_state", b'[{"a": 1, "b": 2}]', page_keys=1)


def test_an_action_of_its_own_that_is_called_set_state_is_one():
    page_calls(begun(Own), "set_state", b"[1]")[0][1]()
    assert Own.written == (1,)


def test_class_data_is_written_where_the_class_says_so():
    analysis = begun(Shared)
    ((_kind, function),) = page_calls(analysis, "price", b"5")
    function()
    assert dict(analysis.class_data) == {"price": 5}
    with pytest.raises(ActionError, match="no action 'prize'; did you mean 'price'"):
        page_calls(analysis, "prize", b"5")
    with pytest.raises(ActionError, match="no action 'price'"):
        page_calls(begun(Sample), "price", b"5")


def test_the_catch_all_is_called_once_for_a_page_that_says_its_name():
    assert [function() for _kind, function in page_calls(begun(CatchAll), "*")] == ["any"]


def test_actions_are_declared_without_steps():
    declared = find_declared(find_handlers(CatchAll))
    assert sorted(declared.names) == ["error", "generator", "log", "plain", "slow", "warn"]
    assert declared.others


@pytest.mark.parametrize("payload", [b"[]", b"[1, 2, 3]", b'{"b": 1}', b'{"a": 1, "c": 2}'])
def test_arguments_that_do_not_fit_are_refused_before_the_call(analysis, payload):
    with pytest.raises(ActionError, match=r"do not fit: .*; it takes \(a, b=2\)"):
        calls(analysis, "plain", payload)


def test_a_handler_of_one_instance_is_looked_at_by_itself(analysis):
    analysis.plain = lambda word: word * 2
    ((_kind, function),) = calls(analysis, "plain", b'["ab"]')
    assert function() == "abab"


class WithConstructor(Sample):
    def __init__(self):
        self.rows = []


class WithStores(Sample):
    def init_datastores(self):
        super().init_datastores()


class WithProperty(Sample):
    @property
    def request_args(self):
        return {}


class WithLookup(Sample):
    def __getattr__(self, name):
        raise AttributeError(name)


class WithMaker(Sample, metaclass=type("Maker", (type,), {})):
    pass


class Store(databench.Datastore):
    pass


class WithStore(Sample):
    datastore_class = Store


@pytest.mark.parametrize(
    ("cls", "is_own"),
    [
        (Sample, False),
        (CatchAll, False),
        *((cls, True) for cls in (WithConstructor, WithStores, WithProperty, WithLookup)),
        *((cls, True) for cls in (WithMaker, WithStore)),
    ],
)
def test_a_class_with_a_constructor_of_its_own_is_known(cls, is_own):
    assert has_own_making(cls) is is_own
