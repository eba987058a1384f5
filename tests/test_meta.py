"""Actions run in this process: what `Meta.run_process` calls, says and returns."""

import asyncio

import pytest

import databench
from databench.kernel.arguments import ActionError
from databench.meta import Meta, begin


class Example(databench.Analysis):
    @databench.on
    def connected(self):
        self.data.init(declared=1)

    @databench.on
    def plain(self, *args, **kwargs):
        self.emit("plain", [list(args), kwargs])
        return self.emit("emitted")

    @databench.on
    def generator(self):
        before = yield [asyncio.sleep(0, "a"), asyncio.sleep(0, "b")]
        yield None
        yield self.emit("generator", before)
        return 7

    @databench.on
    async def slow(self):
        self.emit("begun")
        async with asyncio.timeout(5) if hasattr(asyncio, "timeout") else Nothing():
            await asyncio.sleep(0.001)
        self.emit("ended", asyncio.current_task() is not None)
        return "result"

    @databench.on
    async def several(self):
        yield self.emit("one")
        yield None
        self.emit("two")

    @databench.on
    def failing(self):
        raise ValueError("no")

    @databench.on
    def leaving(self):
        self.left = asyncio.get_running_loop().create_task(asyncio.sleep(60))

    @databench.on_action("*")
    def any(self, *args):
        if args:
            self.emit("any", list(args))


class Nothing:
    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None


class Bare(databench.Analysis):
    @databench.on
    def run(self, n):
        return n + 1


def close(analysis):
    analysis.data.close()
    analysis.class_data.release_storage = True
    analysis.class_data.close()


@pytest.fixture
def said():
    return []


@pytest.fixture
def analysis(said):
    instance = Example().init_databench()
    instance.set_emit_fn(lambda *words: said.append(words))
    yield instance
    close(instance)


@pytest.fixture
def bare():
    instance = Bare().init_databench()
    instance.data.init(level=0)
    yield instance
    close(instance)


@pytest.mark.parametrize(
    ("message", "got"),
    [
        ([], [[], {}]),
        ([1, "b"], [[1, "b"], {}]),
        ((1, 2), [[1, 2], {}]),
        ({"a": 1}, [[], {"a": 1}]),
        ("", [[""], {}]),
        (0, [[0], {}]),
        (None, [[None], {}]),
    ],
)
def test_a_message_becomes_arguments_as_in_a_kernel(analysis, said, message, got):
    class Plain(Example):
        any = None

    instance = Plain().init_databench().set_emit_fn(lambda *words: said.append(words))
    Meta.run_process(instance, "plain", message)
    assert said[0] == ("plain", got)
    close(instance)


def test_no_message_is_no_argument(analysis, said):
    Meta.run_process(analysis, "plain")
    assert said[0] == ("plain", [[], {}])


def test_a_process_id_is_answered_by_exactly_id_and_status(analysis, said):
    message = {"a": 1, "__process_id": 0}
    Meta.run_process(analysis, "plain", {"__process_id": 0})
    assert said[0] == ("__process", {"id": 0, "status": "start"})
    assert said[-1] == ("__process", {"id": 0, "status": "end"})
    assert [words[0] for words in said].count("__process") == 2
    assert message == {"a": 1, "__process_id": 0}


def test_an_action_that_fails_ends_too(analysis, said):
    with pytest.raises(ValueError, match="no"):
        Meta.run_process(analysis, "failing", {"__process_id": 4})
    assert said[-1] == ("__process", {"id": 4, "status": "end"})


def test_the_message_of_the_caller_is_left_as_it_was(bare):
    message = {"n": 1, "__process_id": 3}
    bare.set_emit_fn(lambda *_words: None)
    assert Meta.run_process(bare, "run", message).result() == 2
    assert message == {"n": 1, "__process_id": 3}


def test_a_catch_all_runs_as_well(analysis, said):
    Meta.run_process(analysis, "plain", [1])
    assert ("any", [1]) in said
    Meta.run_process(analysis, "unheard_of", [2])
    assert said[-1] == ("any", [2])


def test_without_a_loop_every_kind_of_handler_runs_to_its_end(analysis, said):
    assert Meta.run_process(analysis, "generator").result() is None  # `*` had the last word
    assert ("generator", ["a", "b"]) in said
    Meta.run_process(analysis, "slow")
    assert ("ended", True) in said
    Meta.run_process(analysis, "several")
    assert said[-2:] == [("one", databench.testing.MISSING), ("two", databench.testing.MISSING)]


def test_without_a_loopNothing_is_left_running(analysis):
    Meta.run_process(analysis, "leaving")
    assert analysis.left.cancelled()


def test_without_a_loop_a_callback_has_been_called_with_the_result(bare):
    results = []
    Meta.run_process(bare, "run", [1], callback=results.append)
    assert results == [2]


def test_an_unknown_action_names_the_nearest(bare):
    with pytest.raises(ActionError, match="no action 'rum'; did you mean 'run'"):
        Meta.run_process(bare, "rum")


def test_wrong_arguments_are_told(bare):
    with pytest.raises(ActionError, match="action 'run': the arguments do not fit"):
        Meta.run_process(bare, "run", [1, 2])


def test_an_input_without_a_handler_writes_its_declared_value(bare):
    Meta.run_process(bare, "level", 5)
    assert bare.data["level"] == 5
    Meta.run_process(bare, "level", [1, 2])
    assert bare.data["level"] == [1, 2]


def test_a_message_without_a_json_form_is_refused(bare):
    with pytest.raises(TypeError, match=r"message\[0\] is of type object"):
        Meta.run_process(bare, "run", [object()])


async def test_a_plain_action_has_run_when_it_returns(bare, analysis, said):
    future = Meta.run_process(bare, "run", [1])
    assert future.done()
    assert await future == 2
    Meta.run_process(analysis, "slow")
    assert said == [("begun", databench.testing.MISSING)]


async def test_actions_that_wait_go_on_in_the_running_loop(analysis, said):
    first, second = Meta.run_process(analysis, "slow"), Meta.run_process(analysis, "slow")
    assert [words[0] for words in said] == ["begun", "begun"]
    await asyncio.gather(first, second)
    assert said[2:] == [("ended", True)] * 2


async def test_what_an_action_raises_is_in_its_future(analysis):
    future = Meta.run_process(analysis, "failing")
    with pytest.raises(ValueError, match="no"):
        await future


async def test_an_awaitable_emit_is_waited_for_around_a_process(bare):
    said = []

    async def emit(signal, message):
        await asyncio.sleep(0)
        said.append(message["status"])

    bare.set_emit_fn(emit)
    await Meta.run_process(bare, "run", {"n": 1, "__process_id": 1})
    assert said == ["start", "end"]


async def test_a_task_that_begins_inside_another_has_its_own_name():
    tasks = []

    async def look():
        tasks.append(asyncio.current_task())
        await asyncio.sleep(0)
        tasks.append(asyncio.current_task())

    task = begin(look(), asyncio.get_running_loop())
    assert tasks == [task]
    assert asyncio.current_task() is not task
    await task
    assert tasks == [task, task]


def test_a_meta_knows_its_analysis():
    route = ("post", object, {"a": 1})
    meta = databench.Meta("bare", Bare, "analyses/bare", [route], ["--x"])
    assert (meta.name, meta.analysis_class, meta.analysis_path) == ("bare", Bare, "analyses/bare")
    assert meta.routes == [("/bare/post", object, {"a": 1})]
    assert (meta.cli_args, meta.info) == (["--x"], {})
    assert databench.Meta("bare", Bare, "", []).cli_args == []
