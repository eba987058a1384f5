"""What a person subclasses."""

import asyncio
import functools

import pytest
import tornado.gen

import databench
from databench.analysis import MISSING, bare, find_handlers, find_idempotent, kind_of


class Sink:
    """An outlet that remembers."""

    def __init__(self):
        self.said = []

    def emit(self, signal, message=MISSING):
        self.said.append((signal, message))
        return asyncio.sleep(0)

    def progress(self, value, total):
        self.said.append((value, total))


def names(cls):
    default = find_handlers(databench.Analysis)
    return {k: v for k, v in find_handlers(cls).items() if default.get(k) != v}


def test_handlers_are_found_by_mark_by_name_and_by_prefix():
    class Demo(databench.Analysis):
        @databench.on
        def run(self):
            """Run it."""

        @databench.on_action("with space")
        @databench.on_action("twice")
        def marked(self):
            pass

        @databench.on(idempotent=True)
        def again(self):
            pass

        @databench.on_action("*")
        def every(self):
            pass

        def on_click(self):
            pass

        def helper(self):
            pass

        on_number = 5

    assert names(Demo) == {
        "run": ("run",),
        "with space": ("marked",),
        "twice": ("marked",),
        "again": ("again",),
        "*": ("every",),
        "click": ("on_click",),
    }
    assert Demo.run.__doc__ == "Run it."


class Fits(databench.Analysis):
    @databench.on(idempotent=True)
    def fit(self):
        pass

    @databench.on(idempotent=True)
    async def refit(self):
        pass

    @databench.on(idempotent=True)
    def steps(self):
        yield

    @databench.on_action("b")
    @databench.on_action("a", idempotent=True)
    def two_names(self):
        pass

    @databench.on
    def save(self):
        pass

    @databench.on_action("load", idempotent=True)
    def on_load(self):
        pass

    def on_send(self):
        pass


def idempotent(cls):
    return set(find_idempotent(cls, find_handlers(cls)))


def test_the_actions_that_may_run_twice_are_those_that_say_so():
    assert idempotent(Fits) == {"fit", "refit", "steps", "a", "load"}
    assert idempotent(databench.Analysis) == set()


def test_a_mark_over_a_method_named_for_its_action_is_meant_for_both_names():
    class Named(databench.Analysis):
        @databench.on(idempotent=True)
        def on_fit(self):
            pass

    assert idempotent(Named) == {"fit", "on_fit"}


def test_a_method_that_overrides_one_that_may_run_twice_has_to_say_so_itself():
    class Heir(Fits):
        def fit(self):
            pass

        @databench.on(idempotent=True)
        async def refit(self):
            pass

        @databench.on
        def steps(self):
            pass

    assert find_handlers(Heir)["fit"] == ("fit",)
    assert idempotent(Heir) == {"refit", "a", "load"}


def test_an_action_with_two_handlers_may_run_twice_if_both_may():
    class Beside(Fits):
        @databench.on_action("fit")
        def more(self):
            pass

        @databench.on_action("refit", idempotent=True)
        def too(self):
            pass

    assert idempotent(Beside) == {"refit", "steps", "a", "load"}


def test_a_catch_all_runs_with_every_action_and_has_to_say_so_too():
    class Noting(Fits):
        @databench.on_action("*")
        def note(self, *args, **kwargs):
            pass

    class Watching(Fits):
        @databench.on_action("*", idempotent=True)
        def watch(self, *args, **kwargs):
            pass

    assert idempotent(Noting) == set()
    assert idempotent(Watching) == idempotent(Fits)  # others have no name that could be listed


def test_the_mark_is_found_below_and_above_another_decorator():
    class Decorated(databench.Analysis):
        @databench.on(idempotent=True)
        @tornado.gen.coroutine
        def above(self):
            yield

        @tornado.gen.coroutine
        @databench.on(idempotent=True)
        def below(self):
            yield

    assert idempotent(Decorated) == {"above", "below"}


def test_an_override_keeps_the_mark_and_replaces_the_default():
    class Base(databench.Analysis):
        @databench.on_action("go")
        def run(self):
            pass

    class Demo(Base):
        def run(self):
            pass

        def connected(self):
            pass

        def on_disconnected(self):
            pass

        log = None

    found = find_handlers(Demo)
    assert found["go"] == ("run",)
    assert found["connected"] == ("connected",)
    assert found["disconnected"] == ("on_disconnected",)
    assert "log" not in found


def test_the_mark_belongs_on_a_method():
    with pytest.raises(TypeError, match="is not a method"):
        databench.on_action("x")(5)
    with pytest.raises(TypeError, match=r"did you mean on_action\('run'\)\?"):
        databench.on("run")


def test_before_the_session_begins_there_are_no_stores_and_no_arguments():
    class Demo(databench.Analysis):
        def __init__(self):
            self.seen = (self.data, self.class_data, self.cli_args, self.request_args)

    demo = Demo()
    assert demo.seen == (None, None, [], {})
    assert Demo().cli_args is not demo.cli_args
    with pytest.raises(RuntimeError, match=r"emit\('x'\) before the session has begun"):
        demo.emit("x")


def test_the_stores_have_the_session_and_the_class_as_domains():
    class Demo(databench.Analysis):
        pass

    demo = Demo().init_databench("abc")
    assert (demo.id_, demo.data.domain, demo.class_data.domain) == ("abc", "abc", "Demo")
    assert len(Demo().init_databench().id_) == 16
    demo.set_state({"a": 1}, b=2)
    demo.set_state(lambda state: {"a": state["a"] + 1})
    demo.set_class_state(c=3)
    assert dict(demo.data.items()) == {"a": 2, "b": 2}
    assert dict(demo.class_data.items()) == {"c": 3}


def test_emit_goes_to_the_outlet_or_to_the_function_that_was_set():
    demo = databench.Analysis()
    demo._outlet = sink = Sink()
    demo.emit("a").close()
    demo.emit("b", None).close()
    demo.toast("hello").close()
    assert sink.said == [("a", MISSING), ("b", None), ("toast", "hello")]
    said = []
    assert demo.set_emit_fn(lambda *args: said.append(args)) is demo
    demo.emit("c", 1)
    demo.emit("d")
    assert said == [("c", 1), ("d", MISSING)]


def test_kinds_of_handlers():
    async def coroutine():
        pass

    async def asyncgen():
        yield

    def generator():
        yield

    def plain():
        pass

    @functools.wraps(coroutine)
    def wrapped(*args):
        return 5

    assert kind_of(coroutine) == "coroutine"
    assert kind_of(asyncgen) == "asyncgen"
    assert kind_of(generator) == "generator"
    assert kind_of(plain) == "plain"
    assert kind_of(wrapped) == "plain"
    assert kind_of(tornado.gen.coroutine(generator)) == "generator"
    assert kind_of(tornado.gen.coroutine(plain)) == "coroutine"
    assert kind_of(databench.on(generator)) == "generator"


def test_what_is_run_is_the_generator_behind_the_marks_and_nothing_is_left_out():
    def generator(self):
        yield

    def noisy(function):
        @functools.wraps(function)
        def call(*args):
            return function(*args)

        return call

    class Demo(databench.Analysis):
        marked = databench.on(generator)
        twice = databench.on(databench.on_action("other")(generator))
        decorated = databench.on(tornado.gen.coroutine(generator))
        inside = tornado.gen.coroutine(databench.on(generator))
        seen = noisy(databench.on(generator))
        seen_inside = noisy(tornado.gen.coroutine(generator))

        @databench.on
        def plain(self):
            pass

    demo = Demo()
    for name in ("marked", "twice", "decorated", "inside"):
        method = bare(getattr(demo, name))
        assert (method.__func__, method.__self__) == (generator, demo)
    for name in ("seen", "seen_inside", "plain"):
        assert bare(getattr(demo, name)) == getattr(demo, name)
    assert bare(Demo.marked) is generator
    assert find_handlers(Demo)["other"] == ("twice",)


async def test_without_a_kernel_a_generator_handler_that_is_called_begins_too():
    seen = []

    class Demo(databench.Analysis):
        @databench.on
        def count(self, n):
            """Counts."""
            seen.append(n)
            yield asyncio.sleep(0)
            seen.append(n + 1)
            return n + 2

        @databench.on
        async def connected(self):
            await super().connected()
            seen.append("connected")

    counting = Demo().count(5)
    assert seen == [5]
    assert await counting == 7
    assert seen == [5, 6]
    assert Demo.count.__doc__ == "Counts."
    await Demo().connected()
    assert seen == [5, 6, "connected"]


@pytest.mark.expected_log
def test_what_a_page_logs_is_logged(caplog):
    demo = databench.Analysis()
    with caplog.at_level("INFO", "databench"):
        demo.log("a", 1)
        demo.warn(x=2)
        demo.error()
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        ("INFO", "a 1"),
        ("WARNING", "x=2"),
        ("ERROR", ""),
    ]


@pytest.mark.expected_log("careful")
def test_where_an_emit_function_is_set_it_gets_changes_of_state_and_words_are_logged(caplog):
    class Demo(databench.Analysis):
        def data_hooked(self, value):
            return value + 1

    said = []
    demo = Demo().init_databench()
    demo.data.on_change(lambda key, value: "seen")
    assert demo.set_emit_fn(lambda *args: said.append(args)) is demo
    demo.set_emit_fn(lambda *args: said.append(args))
    demo.data["a"] = [1]
    demo.data["a"] = [1]
    demo.set_state(hooked=1)
    demo.set_class_state(hooked=1)
    with caplog.at_level("INFO", "databench"):
        demo.emit("warn", "careful")
        demo.emit("log", {"n": 1})
    assert said == [
        ("data", {"a": [1]}),
        ("data", {"hooked": 2}),
        ("class_data", {"hooked": 1}),
        ("warn", "careful"),
        ("log", {"n": 1}),
    ]
    assert [record.getMessage() for record in caplog.records] == ["careful", "{'n': 1}"]
    assert demo.data["hooked"] == 1
    demo.class_data.close()


def test_stores_that_were_subscribed_to_are_told_once():
    class Demo(databench.Analysis):
        def init_datastores(self):
            self.data = databench.Datastore(self.id_, release_storage=True)
            self.data.subscribe(lambda change: self.emit("data", change))

    said = []
    demo = Demo().set_emit_fn(lambda *args: said.append(args)).init_databench("subscribed")
    demo.data["a"] = 1
    assert said == [("data", {"a": 1})]
    assert demo.class_data is None
    demo.data.close()
