"""One session of a real kernel: its beginning, arguments, order, ends, state, end."""

import json

import pytest

from databench.protocol import messages as m
from tests.kernel.harness import Front, emits, value

pytestmark = pytest.mark.process

SOURCE = """
    import asyncio, os, threading, time
    import databench

    class Demo(databench.Analysis):
        def __init__(self):
            self.seen = ['init', self.data, self.class_data, self.cli_args, self.request_args]

        @databench.on
        def connect(self):
            self.seen.append('connect')

        @databench.on
        def args(self, cli_args, request_args):
            self.seen += [cli_args, request_args]

        @databench.on
        async def connected(self):
            await self.data.init(samples=10, text='')
            self.seen.append('connected')
            await asyncio.sleep(60)

        @databench.on
        def look(self):
            self.emit('seen', self.seen)
            self.emit('identity', [self.id_, self.restored, dict(self.data.items())])

        @databench.on
        def all(self):
            return [self.seen, dict(self.data), dict(self.class_data), self.cli_args]

        @databench.on
        def disconnected(self):
            print('disconnected', self.id_, self.data['samples'], flush=True)

        def on_given(self, *args, **kwargs):
            self.emit('given', [args, kwargs])

        @databench.on
        def pair(self, a, b=2):
            return [a, b]

        @databench.on_action('other name')
        def named_otherwise(self):
            return 'other'

        @databench.on
        def fail(self):
            {}['absent']

        @databench.on
        async def fail_async(self):
            self.emit('before', 1)
            await asyncio.sleep(0)
            raise ValueError('no\\nluck')

        @databench.on
        def fail_generator(self):
            yield self.emit('before', 1)
            raise ValueError('no luck')

        @databench.on
        def exit(self):
            raise SystemExit(3)

        @databench.on
        def bad_result(self):
            return {'a': [1, object()]}

        @databench.on
        def bad_emit(self):
            self.emit('x', {'a': [1, b'bytes']})

        @databench.on
        def odd_values(self):
            self.emit('odd', {'nan': float('nan'), 'set': {1}, 'big': 2**70, 3: '\\ud800'})

        @databench.on
        def slow(self, tag):
            time.sleep(0.05)
            self.emit('order', tag)

        @databench.on
        async def quick(self, tag):
            self.emit('order', tag)

        @databench.on
        async def waiting(self, tag):
            self.emit('order', tag + ' begins')
            await asyncio.sleep(0.1)
            self.emit('order', tag + ' ends')

        @databench.on
        def generator(self, tag):
            done = asyncio.get_event_loop().create_future()
            done.set_result(5)
            self.emit('order', [tag, (yield done), (yield self.emit('x')), (yield [done, done])])
            yield
            yield asyncio.sleep(0.1)
            self.emit('order', tag + ' ends')

        @databench.on
        async def streaming(self):
            yield self.emit('order', 1)
            self.emit('order', 2)

        @databench.on
        def setter(self, number):
            self.data['samples'] = number

        @databench.on
        def reader(self):
            yield self.emit('read', self.data['samples'])

        @databench.on
        def returns_awaitable(self):
            return asyncio.sleep(0, 'slept')

        @databench.on
        def thread_name(self):
            time.sleep(0.1)
            return threading.current_thread().name

        @databench.on
        def where(self):
            return threading.current_thread().name

        @databench.on
        def store(self):
            numbers = [1, 2]
            self.set_state(numbers=numbers)
            numbers.append(3)
            self.set_state(numbers=numbers)
            self.set_state(numbers=[1, 2, 3])
            self.set_state(lambda state: {'samples': state['samples'] + 1})

        def data_hooked(self, value):
            return value + 1

        @databench.on
        def store_hooked(self, number):
            self.set_state(hooked=number)
            return self.data['hooked']

        @databench.on
        def logs(self):
            self.emit('log', {'action': 'done'})
            self.emit('warn', 'careful')
            self.emit('error', 'bad')

        @databench.on
        def steps(self, n):
            for i in self.progress(range(n)):
                pass

        @databench.on
        def after_end(self):
            threading.Thread(target=self._later).start()

        def _later(self):
            time.sleep(0.1)
            self.emit('later', 1)
"""


@pytest.fixture(scope="module")
def front():
    with Front(SOURCE, cli_args=["--fast", "x"]) as front:
        yield front


@pytest.fixture
def session(front):
    session = front.open(request_args="?a=1&a=2&b=")
    front.expect(m.StateChange, session=session, key="text")
    yield session
    front.send(m.Close(session=session))


def test_a_session_begins_with_connect_args_connected(front, session):
    _, before = front.run(session, "look")
    seen = dict(emits(before))["seen"]
    request_args = {"a": ["1", "2"]}  # as urllib.parse.parse_qs
    assert seen == [
        'init', None, None, [], {}, 'connect', ['--fast', 'x'], request_args, 'connected',
    ]  # fmt: skip
    assert dict(emits(before))["identity"] == [session, None, {"samples": 10, "text": ""}]


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("args", [["--is-admin"], {}]),
        ("connect", []),
        ("connected", []),
        ("disconnected", []),
        ("set_state", {"is_admin": True}),
        ("set_class_state", {"is_admin": True}),
    ],
)
def test_a_page_takes_no_step_and_writes_no_name(front, session, name, given):
    before = value(front.run(session, "all")[0])
    end, _ = front.run(session, name, payload=json.dumps(given).encode())
    assert (type(end), end.type) == (m.Error, "ActionError")
    assert value(front.run(session, "all")[0]) == before


def test_a_session_that_is_restored_has_its_values_and_emits_none(front):
    session = front.open(data={"samples": 77}, restored="its kernel was lost")
    state = [x for x in front.drain() if isinstance(x, m.StateChange) and x.session == session]
    assert [(x.key, x.request) for x in state] == [("text", None)]
    _, before = front.run(session, "look")
    assert dict(emits(before))["identity"][1:] == [
        "its kernel was lost",
        {"samples": 77, "text": ""},
    ]


@pytest.mark.parametrize(
    ("payload", "given"),
    [
        (b"", [[], {}]),
        (b"[]", [[], {}]),
        (b'[1, "a"]', [[1, "a"], {}]),
        (b'{"n": 1}', [[], {"n": 1}]),
        (b'{"__process_id": 7}', [[], {}]),
        (b'{"n": {"__process_id": 1}, "__process_id": 7}', [[], {"n": {"__process_id": 1}}]),
        (b"0", [[0], {}]),
        (b'""', [[""], {}]),
        (b"null", [[None], {}]),
        ('"π"'.encode(), [["π"], {}]),
        (b'"\\ud800"', [["\ud800"], {}]),
    ],
)
def test_arguments_arrive_as_they_were_meant(front, session, payload, given):
    end, before = front.run(session, "given", payload=payload)
    assert (type(end), emits(before)) == (m.Done, [("given", given)])


def test_results_are_the_ends_payload(front, session):
    assert value(front.run(session, "pair", {"a": 1})[0]) == [1, 2]
    assert value(front.run(session, "other name")[0]) == "other"
    assert front.run(session, "given")[0].payload == b""


@pytest.mark.parametrize(
    ("name", "payload", "text"),
    [
        ("par", b"", "no action 'par'; did you mean 'pair'?"),
        ("\u2603", b"", "no action '\u2603'; known: "),
        ("pair", b"", "action 'pair': the arguments do not fit: missing a required argument: 'a'"),
        ("pair", b"[1, 2, 3]", "too many positional arguments; it takes (a, b=2)"),
        ("pair", b'{"a": 1, "c": 2}', "got an unexpected keyword argument 'c'"),
        ("pair", b'{"a": ', "not JSON"),
    ],
)
def test_what_does_not_fit_is_told(front, session, name, payload, text):
    end, _ = front.run(session, name, payload=payload)
    assert (type(end), end.type) == (m.Error, "ActionError")
    assert text in end.text


def test_an_input_without_a_handler_writes_its_declared_value(front, session):
    end, before = front.run(session, "samples", 12)
    assert type(end) is m.Done
    assert [(x.key, value(x)) for x in before] == [("samples", 12)]
    _, before = front.run(session, "text", payload=b'{"x": 1, "__process_id": 3}')
    assert [(x.key, value(x)) for x in before] == [("text", {"x": 1})]
    assert type(front.run(session, "undeclared", 1)[0]) is m.Error


@pytest.mark.parametrize(
    ("action", "kind", "text"),
    [
        ("fail", "KeyError", "KeyError: 'absent'"),
        ("fail_async", "ValueError", "no luck"),
        ("fail_generator", "ValueError", "no luck"),
        ("exit", "SystemExit", "exit(3)"),
        ("bad_result", "TypeError", "result['a'][1] is of type object"),
        ("bad_emit", "TypeError", "message['a'][1] is of type bytes"),
    ],
)
def test_an_exception_is_the_end_and_has_the_users_traceback(front, session, action, kind, text):
    end, _ = front.run(session, action)
    assert (type(end), end.type) == (m.Error, kind)
    assert text in end.text
    assert "\n" not in end.text
    if "bad" not in action:
        lines = value(end).splitlines()
        assert lines[0].startswith("Traceback")
        assert "analysis.py" in lines[1]
    front.wait_printed(kind)


def test_odd_values_have_their_json_form(front, session):
    _, before = front.run(session, "odd_values")
    assert emits(before) == [("odd", {"nan": None, "set": [1], "big": 2**70, "3": "\ud800"})]


def orders(front, session, numbers):
    for number in numbers:
        front.expect((m.Done, m.Error), request=number)
    messages = [x for x in front.drain() if x.session == session]
    return [v for signal, v in emits(messages) if signal == "order"]


def test_a_plain_action_holds_back_the_later_ones(front, session):
    numbers = [front.action(session, "slow", "a"), front.action(session, "quick", "b")]
    numbers += [front.action(session, "slow", "c"), front.action(session, "quick", "d")]
    assert orders(front, session, numbers) == ["a", "b", "c", "d"]


def test_a_coroutine_runs_to_its_first_wait_and_holds_back_nobody(front, session):
    numbers = [front.action(session, "waiting", "a"), front.action(session, "quick", "b")]
    assert orders(front, session, numbers) == ["a begins", "b", "a ends"]


def test_a_generator_goes_on_while_what_it_yields_is_done(front, session):
    numbers = [front.action(session, "generator", "a"), front.action(session, "quick", "b")]
    assert orders(front, session, numbers) == [["a", 5, None, [5, 5]], "b", "a ends"]


def test_an_async_generator_is_run_to_its_end(front, session):
    assert orders(front, session, [front.action(session, "streaming")]) == [1, 2]


def test_a_setter_followed_by_a_generator_is_seen_by_it(front, session):
    for number in range(300):
        front.action(session, "setter", number)
        _, before = front.run(session, "reader")
        assert emits(before) == [("read", number)]


def test_what_a_plain_method_returns_is_awaited(front, session):
    assert value(front.run(session, "returns_awaitable")[0]) == "slept"


def test_the_main_thread_takes_plain_actions_first_and_others_the_rest(front, session):
    other = front.open()
    numbers = [front.action(s, "thread_name") for s in (session, other)]
    names = [value(front.end(number)[0]) for number in numbers]
    assert names == ["MainThread", "databench-plain"]
    front.send(m.Close(session=other))


def test_plain_actions_of_one_session_all_run_in_the_main_thread(front, session):
    numbers = [front.action(session, "where") for _ in range(50)]
    assert {value(front.end(number)[0]) for number in numbers} == {"MainThread"}


def test_only_changes_of_state_are_sent_and_copies_are_stored(front, session):
    _, before = front.run(session, "store")
    states = [(x.key, value(x), x.further) for x in before]
    assert states == [("numbers", [1, 2], ()), ("numbers", [1, 2, 3], ()), ("samples", 11, ())]


def test_a_hook_changes_what_pages_see_and_not_what_is_stored(front, session):
    end, before = front.run(session, "store_hooked", 4)
    assert value(end) == 4
    assert [(x.key, x.payload, x.further) for x in before] == [("hooked", b"5", (b"4",))]


def test_log_signals_are_log_messages_and_logged(front, session):
    _, before = front.run(session, "logs")
    assert [(type(x), x.level, value(x)) for x in before] == [
        (m.Log, "log", {"action": "done"}),
        (m.Log, "warn", "careful"),
        (m.Log, "error", "bad"),
    ]
    front.wait_printed("WARNING careful")


def test_progress_is_thinned_out_and_says_the_end(front, session):
    _, before = front.run(session, "steps", 100_000)
    said = [(x.value, x.total) for x in before if isinstance(x, m.Progress)]
    assert said[0] == (0, 100_000)
    assert said[-1] == (100_000, 100_000)
    assert len(said) < 50


def test_an_emit_after_the_end_belongs_to_no_request(front, session):
    number = front.action(session, "after_end")
    assert type(front.end(number)[0]) is m.Done
    assert front.expect(m.Emit, signal="later").request is None


def test_closing_cancels_runs_disconnected_and_says_nothing_more(front):
    session = front.open()
    front.expect(m.StateChange, session=session, key="text")
    number = front.action(session, "slow", "x")
    front.action(session, "slow", "y")
    front.send(m.Close(session=session))
    front.wait_printed(f"disconnected {session} 10", front.stdout_lines)
    front.drain(0.05)
    front.action(session, "look")
    assert [x for x in front.drain() if x.session == session] == []
    assert number > 0


BROKEN = """
    import databench

    class Demo(databench.Analysis):
        def __init__(self):
            if not self.cli_args:
                raise RuntimeError('cannot begin')

        @databench.on
        def run(self):
            pass

    class Other(databench.Analysis):
        pass
"""


def test_a_session_that_cannot_begin_says_why_and_answers():
    with Front(BROKEN) as front:
        session = front.open()
        error = front.expect(m.Error, session=session)
        assert (error.request, error.type, error.text) == (
            None,
            "RuntimeError",
            "RuntimeError: cannot begin",
        )
        end, _ = front.run(session, "run")
        assert "cannot begin" in end.text


IN_SUCCESSION = """
    import asyncio
    import tornado.gen
    import databench

    class Demo(databench.Analysis):
        def __init__(self):
            self.seen = []

        @tornado.gen.coroutine
        def on_connect(self):
            yield tornado.gen.sleep(0.02)
            self.seen.append('connect')

        @databench.on_action('connect')
        async def then_connect(self):
            await asyncio.sleep(0.02)
            self.seen.append('connect too')

        @databench.on
        async def args(self, cli_args, request_args):
            await asyncio.sleep(0.02)
            self.seen.append('args')

        @databench.on
        def connected(self):
            self.seen.append('connected')
            yield asyncio.sleep(60)

        @databench.on
        def look(self):
            return self.seen

        @databench.on
        async def disconnected(self):
            print('disconnecting', flush=True)
            await asyncio.sleep(0.02)
            self.data['end'] = 1
            print('disconnected', dict(self.data.items()), flush=True)
            await asyncio.sleep(60 if self.request_args else 0)
            print('not reached', flush=True)
"""


def test_each_step_of_a_session_ends_before_the_next_one_begins():
    with Front(IN_SUCCESSION, settings={"shutdown_limit_s": 0.2}) as front:
        session = front.open(wait=False)
        end, _ = front.run(session, "look")
        assert value(end) == ["connect", "connect too", "args", "connected"]
        front.send(m.Close(session=session))
        front.wait_printed("disconnected {'end': 1}\nnot reached", front.stdout_lines)

        front.stdout_lines.clear()
        session = front.open(request_args="?a=1")
        front.send(m.Close(session=session))
        front.wait_printed("disconnected took longer than 0.2 s; cancelled")
        assert front.stdout_lines == ["disconnecting", "disconnected {'end': 1}"]


CATCH_ALL = """
    import databench

    class Demo(databench.Analysis):
        @databench.on
        def connected(self):
            raise ValueError('not that')

        @databench.on
        async def run(self, n):
            self.emit('run', n)

        @databench.on_action('*')
        def every(self, *args, **kwargs):
            self.emit('every', [args, kwargs])
"""


def test_a_catch_all_runs_after_the_named_handler_and_not_for_the_sessions_own_steps():
    with Front(CATCH_ALL, debug=False) as front:
        session = front.open()
        error = front.expect(m.Error, session=session)
        assert (error.request, error.text, error.payload) == (None, "ValueError: not that", b"")
        front.wait_printed("Traceback")
        _, before = front.run(session, "run", {"n": 1})
        assert emits(before) == [("run", 1), ("every", [[], {"n": 1}])]
        end, before = front.run(session, "anything", 5)
        assert (type(end), emits(before)) == (m.Done, [("every", [[5], {}])])


FORKS = """
    import multiprocessing, os

    import databench

    class Demo(databench.Analysis):
        @databench.on
        def emits(self):
            forks = multiprocessing.get_context("fork")
            queue = forks.SimpleQueue()
            child = forks.Process(target=self._child, args=(queue,))
            child.start()
            child.join()
            return queue.get()

        def _child(self, queue):
            problems = []
            calls = (
                lambda: self.emit("a", 1),
                lambda: self.data.set("a", 1),
                lambda: self.class_data.set("a", 1),
            )
            for call in calls:
                try:
                    call()
                except Exception as error:
                    problems.append(f"{type(error).__name__}: {error}")
            queue.put(problems)

        @databench.on
        def returns(self):
            child = os.fork()
            if child == 0:
                return "child"
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""


@pytest.mark.parametrize("window_bytes", [4 * 2**20, 1])
def test_a_forked_process_is_told_that_it_cannot_talk_to_pages(window_bytes):
    with Front(FORKS, window_bytes=window_bytes, auto_credit=False) as front:
        session = front.open()
        end, _ = front.run(session, "emits")
        problems = json.loads(end.payload)
        assert len(problems) == 3
        assert all("KernelError: this process is a fork" in problem for problem in problems)


def test_a_forked_process_that_returns_ends_and_the_kernel_goes_on():
    with Front(FORKS) as front:
        session = front.open()
        for _ in range(2):
            end, _ = front.run(session, "returns")
            assert end.payload == b"0"


SEVERAL = """
    import asyncio, threading
    import databench

    LATER, FREE = asyncio.Event(), threading.Event()

    class Demo(databench.Analysis):
        @databench.on_action('both')
        async def first(self):
            self.emit('first')
            await LATER.wait()

        @databench.on_action('both')
        def second(self):
            self.emit('second')

        @databench.on
        def plain(self):
            self.emit('plain')
            FREE.wait(20)

        @databench.on
        async def go_on(self):
            LATER.set()

        @databench.on
        async def free(self):
            FREE.set()
"""


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_a_second_handler_that_is_plain_waits_for_a_plain_action_that_began_before(is_cancelled):
    with Front(SEVERAL) as front:
        session, other = front.open(), front.open()
        both, plain = front.action(session, "both"), front.action(session, "plain")
        front.expect(m.Emit, signal="plain")
        front.run(other, "go_on")
        if is_cancelled:
            front.cancel(session, both)
            assert isinstance(front.end(both)[0], m.Cancelled)
        front.run(other, "free")
        assert isinstance(front.end(plain)[0], m.Done)
        if not is_cancelled:
            end, before = front.end(both)
            assert isinstance(end, m.Done)
            assert emits(before) == [("first", None), ("second", None)]
        assert isinstance(front.run(session, "go_on")[0], m.Done)


MAKING = """
    import threading, time
    import databench

    class Demo(databench.Analysis):
        %s

        @databench.on
        def compute(self):
            self.emit('begun')
            time.sleep(60)
"""
CONSTRUCTOR = "def __init__(self): print('made in', threading.current_thread().name, flush=True)"


def test_a_session_of_a_class_without_a_constructor_begins_while_others_compute():
    with Front(MAKING % "", settings={"plain_threads": 0}) as front:
        busy = front.open()
        front.expect(m.Emit, request=front.action(busy, "compute"))
        front.open()  # waits until it has begun


def test_a_constructor_runs_in_the_main_thread():
    with Front(MAKING % CONSTRUCTOR) as front:
        front.open()
        front.wait_printed("made in MainThread", front.stdout_lines)
