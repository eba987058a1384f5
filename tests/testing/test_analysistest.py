"""`AnalysisTest` as people use it: in pytest, in tornado's test cases, with and without a loop."""

import asyncio
import unittest

import pytest
import tornado.gen
import tornado.ioloop
import tornado.testing

import databench
from databench.testing import MISSING, AnalysisTest
from databench.tests.analyses.parameters.analysis import Parameters


class Sample(databench.Analysis):
    def __init__(self):
        self.ticks = 0

    @databench.on
    def connect(self):
        self.emit("order", "connect")

    @databench.on
    def args(self, cli_args, request_args):
        self.emit("order", ["args", cli_args, request_args])

    @databench.on
    async def connected(self):
        self.emit("order", "connected")
        self.data.init(count=0)

    @databench.on
    def disconnected(self):
        self.emit("order", "disconnected")

    @databench.on
    async def wait(self, text="waited"):
        await asyncio.sleep(0.001)
        self.emit("waited", text)
        return text

    @tornado.gen.coroutine
    def on_wait_old(self):
        yield tornado.gen.sleep(0.001)
        self.emit("waited")

    @databench.on
    def mutate(self):
        message = {"items": [1]}
        self.emit("first", message)
        message["items"].append(2)

    @databench.on
    def both(self):
        yield self.wait()
        for _ in self.progress(range(2)):
            pass

    @databench.on
    def called(self):
        yield None
        yield self.emit("called")

    @databench.on
    def calling(self):
        self.called()
        self.emit("calling")

    @databench.on
    def tick(self):
        self.periodic = tornado.ioloop.PeriodicCallback(self.on_timer, 1)
        self.periodic.start()

    def on_timer(self):
        self.ticks += 1
        self.periodic.stop()
        self.emit("tick")

    @databench.on
    def failing(self):
        raise ValueError("no")

    @databench.on
    def unsendable(self):
        self.emit("x", {"a": object()})

    @databench.on
    def share(self, n):
        self.class_data["shared"] = n

    def data_count(self, value):
        return value + 1


@pytest.mark.parametrize("analysis", [Parameters, Parameters()], ids=["class", "instance"])
def test_a_class_or_an_instance_is_taken(analysis):
    test = AnalysisTest(analysis)
    test.trigger("test_data", ["light", "red"])
    assert test.emitted_messages == [("data", {"light": "red"})]


def test_a_session_begins_in_order_and_with_its_arguments():
    test = AnalysisTest(Sample, ["--fast"], {"a": ["1"]})
    order = [message for signal, message in test.emitted_messages if signal == "order"]
    assert order == ["connect", ["args", ["--fast"], {"a": ["1"]}], "connected"]


def test_arguments_are_empty_where_none_are_given():
    class Plain(databench.Analysis):
        pass

    test = AnalysisTest(Plain)
    assert (test.analysis.cli_args, test.analysis.request_args) == ([], {})
    assert AnalysisTest(Plain, request_args="?a=1&a=2&b=").analysis.request_args == {
        "a": ["1", "2"],  # as urllib.parse.parse_qs: without what is empty
    }


def test_state_goes_out_through_its_hook():
    test = AnalysisTest(Sample)
    assert test.emitted_messages[-1] == ("data", {"count": 1})
    assert test.analysis.data["count"] == 0


def test_a_message_is_kept_as_it_was_when_it_was_emitted():
    test = AnalysisTest(Sample)
    test.trigger("mutate")
    assert test.emitted_messages[-1] == ("first", {"items": [1]})


def test_no_message_is_not_none():
    test = AnalysisTest(Parameters)
    test.trigger("test_action")
    assert test.emitted_messages == [("test_action_ack", MISSING)]
    assert test.emitted_messages != [("test_action_ack", None)]


def test_what_a_page_could_not_get_is_refused():
    with pytest.raises(TypeError, match=r"message\['a'\] is of type object"):
        AnalysisTest(Sample).trigger("unsendable")


def test_class_data_is_shared_by_tests_that_are_there_together():
    first, second = AnalysisTest(Sample), AnalysisTest(Sample)
    first.trigger("share", [1])
    assert second.analysis.class_data["shared"] == 1
    assert ("class_data", {"shared": 1}) in second.emitted_messages


def test_class_data_goes_with_its_tests():
    class Forgotten(Sample):
        pass

    test = AnalysisTest(Forgotten)
    test.trigger("share", [1])
    del test
    assert "shared" not in AnalysisTest(Forgotten).analysis.class_data


def test_closing_ends_the_session_and_frees_its_values():
    class Closed(Sample):
        pass

    with AnalysisTest(Closed) as test:
        test.trigger("share", [1])
    assert test.emitted_messages[-1] == ("order", "disconnected")
    assert "shared" not in AnalysisTest(Closed).analysis.class_data


def test_another_runner_may_take_the_place_of_meta():
    calls = []

    class Runner:
        def run_process(self, analysis, action_name, message=MISSING):
            calls.append((action_name, message))

    test = AnalysisTest(Sample, meta=Runner())
    test.trigger("wait", [1])
    expected = [("connect", MISSING), ("args", [[], {}]), ("connected", MISSING), ("wait", [1])]
    assert calls == expected


def test_without_a_loop_an_action_runs_to_its_end():
    test = AnalysisTest(Sample)
    assert test.trigger("wait", ["x"]).result() == "x"
    assert test.emitted_messages[-1] == ("waited", "x")


def test_without_a_loop_a_handler_that_was_called_runs_to_its_end():
    test = AnalysisTest(Sample)
    test.trigger("calling")
    assert test.emitted_messages[-2:] == [("calling", MISSING), ("called", MISSING)]


@pytest.mark.slow
async def test_a_packaged_analysis_is_tested():
    from databench.analyses_packaged.dummypi.analysis import Dummypi

    test = AnalysisTest(Dummypi)
    test.trigger("samples", [10_000])
    await test.trigger("run")
    assert ("log", {"action": "done"}) in test.emitted_messages


async def test_in_an_async_test():
    test = AnalysisTest(Sample)
    running = test.trigger("wait", ["x"])
    assert ("waited", "x") not in test.emitted_messages
    assert await running == "x"
    assert test.emitted_messages[-1] == ("waited", "x")


async def test_actions_call_each_other_and_say_how_far_they_are():
    test = AnalysisTest(Sample)
    await test.trigger("both", {"__process_id": 1})
    ends = [("waited", "waited"), ("__process", {"id": 1, "status": "end"})]
    assert test.emitted_messages[-2:] == ends


async def test_a_beginning_that_fails_is_told_at_once():
    class Broken(Sample):
        @databench.on
        def connected(self):
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        AnalysisTest(Broken)


class WithGenTest(tornado.testing.AsyncTestCase):
    @tornado.testing.gen_test
    def test_data(self):
        test = databench.testing.AnalysisTest(Parameters)
        yield test.trigger("test_data", ["light", "red"])
        self.assertIn(("data", {"light": "red"}), test.emitted_messages)

    @tornado.testing.gen_test
    def test_process(self):
        test = AnalysisTest(Parameters)
        message = {"key": "light", "value": "red", "__process_id": 3}
        yield test.trigger("test_data", message)
        expected = [
            ("__process", {"id": 3, "status": "start"}),
            ("data", {"light": "red"}),
            ("__process", {"id": 3, "status": "end"}),
        ]
        self.assertEqual(expected, test.emitted_messages)

    @tornado.testing.gen_test
    def test_waiting_handlers(self):
        test = AnalysisTest(Sample)
        yield [test.trigger("wait"), test.trigger("wait_old")]
        self.assertEqual([s for s, _ in test.emitted_messages].count("waited"), 2)

    @tornado.testing.gen_test
    async def test_native_coroutine(self):
        test = AnalysisTest(Sample)
        await test.trigger("wait")
        self.assertIn(("waited", "waited"), test.emitted_messages)

    @tornado.testing.gen_test
    def test_failure(self):
        with pytest.raises(ValueError, match="no"):
            yield AnalysisTest(Sample).trigger("failing")

    @tornado.testing.gen_test
    def test_periodic_callback(self):
        test = AnalysisTest(Sample)
        test.trigger("tick")
        while not test.analysis.ticks:
            yield tornado.gen.sleep(0.001)
        self.assertEqual(test.emitted_messages[-1], ("tick", MISSING))


class WithStopAndWait(tornado.testing.AsyncTestCase):
    def test_plain(self):
        test = AnalysisTest(Parameters())
        test.trigger("test_data", ["light", "red"], callback=self.stop)
        self.assertIn(("data", {"light": "red"}), test.emitted_messages)
        self.wait()

    def test_waiting(self):
        test = AnalysisTest(Sample)
        test.trigger("wait", ["x"], callback=self.stop)
        self.assertNotIn(("waited", "x"), test.emitted_messages)
        self.assertEqual(self.wait(), "x")
        self.assertIn(("waited", "x"), test.emitted_messages)

    def test_two_at_once(self):
        test = AnalysisTest(Sample)
        test.trigger("wait", ["a"])
        test.trigger("wait", ["b"], callback=self.stop)
        self.wait()
        self.assertEqual(test.emitted_messages[-2:], [("waited", "a"), ("waited", "b")])

    def test_failure(self):
        with pytest.raises(ValueError, match="no"):
            AnalysisTest(Sample).trigger("failing", callback=self.stop)


class WithoutALoop(unittest.TestCase):
    def test_data(self):
        test = AnalysisTest(Parameters())
        test.trigger("test_data", ["light", "red"])
        self.assertIn(("data", {"light": "red"}), test.emitted_messages)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("--a 1", ["--a", "1"]),
        ("--name 'Ada L' --x=\\$1", ["--name", "Ada L", "--x=$1"]),
        ("", []),
        (["--a 1"], ["--a 1"]),
        (None, []),
    ],
)
def test_arguments_may_be_a_line_of_a_shell(given, expected):
    class Empty(databench.Analysis):
        pass

    with AnalysisTest(Empty, cli_args=given) as test:
        assert test.analysis.cli_args == expected
