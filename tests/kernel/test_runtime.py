"""A kernel process: its start, the words outside of sessions, its end."""

import json
import os
import signal
import time

import pytest

from databench.protocol import messages as m
from tests.kernel.harness import Front, emits, value

pytestmark = pytest.mark.process

SOURCE = """
    import logging, os, sys, threading, time
    import databench

    class Demo(databench.Analysis):
        @databench.on
        def look(self):
            return {
                'cwd': os.getcwd(), 'path': sys.path[0], 'token': os.environ.get('DATABENCH_TOKEN'),
                'tornado': 'tornado' in sys.modules, 'interval': sys.getswitchinterval(),
                'stdin': sys.stdin.read(), 'main': threading.current_thread().name,
            }

        @databench.on
        def speak(self):
            print('to stdout')
            logging.getLogger('mine').info('to the log')
            logging.getLogger('mine').debug('not to the log')

        @databench.on
        def sleep(self):
            time.sleep(60)

        @databench.on
        def disconnected(self):
            print('disconnected', flush=True)

        @databench.on
        async def share(self, n):
            self.set_class_state(n=n)

        @databench.on
        def shared(self):
            return dict(self.class_data.items())

        @databench.on
        def listen(self):
            self.class_data.on_change(lambda key, value: self.emit('changed', [key, value]))
"""

NO_THREADS = """
import threading

import databench

class Demo(databench.Analysis):
    pass

def refuse(*_):
    raise RuntimeError("can't start new thread")

threading._start_new_thread = refuse
"""


@pytest.fixture
def front():
    with Front(SOURCE) as front:
        yield front


def test_hello_says_who_it_is(front):
    hello = front.hello
    assert (hello.version, hello.token) == (1, "secret-token")
    assert hello.language.startswith("python 3.")
    assert hello.library.startswith("databench ")
    assert set(hello.capabilities) == {"cancel", "interrupt", "credit", "ping"}


def test_it_says_which_actions_pages_may_ask_for_before_hello():
    with Front(SOURCE, welcome=False) as front:
        actions = front.expect(m.Actions)
        front.expect(m.Hello)
    assert {"look", "log", "share"} <= set(actions.names)
    assert not {"connected", "args", "set_state"} & set(actions.names)
    assert actions.others


def test_it_names_the_actions_that_may_run_twice_before_hello_if_there_are_any():
    source = SOURCE + (
        "        @databench.on(idempotent=True)\n        def fit(self):\n            pass\n"
    )
    with Front(source, welcome=False) as front:
        front.expect(m.Hello)
        assert [said.names for said in front.received if type(said) is m.Idempotent] == [("fit",)]
    with Front(SOURCE, welcome=False) as front:
        front.expect(m.Hello)  # what came before it is left there
        assert not [said for said in front.received if type(said) is m.Idempotent]


def test_class_inputs_that_are_one_text_end_the_start():
    source = SOURCE + "        class_inputs = 'price'\n"
    with Front(source, welcome=False) as front:
        assert front.wait_exit() == 1
        assert "class_inputs = ['price']" in front.stderr


def test_the_process_is_as_the_analysis_expects_it(front):
    seen = value(front.run(front.open(), "look")[0])
    root = os.path.realpath(front.folder.name)
    assert seen == {
        "cwd": root,
        "path": root,
        "token": None,
        "tornado": False,
        "interval": 0.001,
        "stdin": "",
        "main": "MainThread",
    }


def test_output_comes_line_by_line_and_logging_follows_the_level(front):
    front.run(front.open(), "speak")
    front.wait_printed("to stdout", front.stdout_lines)
    front.wait_printed("INFO mine: to the log")
    assert "not to the log" not in front.stderr


def test_ping_is_answered_while_a_plain_action_runs(front):
    front.action(front.open(), "sleep")
    front.send(m.Ping(number=5))
    assert front.expect(m.Pong).number == 5


def test_junk_and_unknown_kinds_do_no_harm(front):
    for frames in ([b""], [b"\xc1"], [b"\x93\xa4what\xc0\xc0"], [b"\x91\xa4ping", b"x", b"y"]):
        front.send_frames(frames)
    front.send(m.Action(session="nobody", request=3, name="look"))
    front.send(m.Credit(session="nobody", size_bytes=3))
    front.send(m.Close(session="nobody"))
    assert value(front.run(front.open(), "look")[0])["token"] is None


def test_shutdown_runs_disconnected_says_bye_and_exits_with_0(front):
    session = front.open()
    front.action(session, "sleep")
    time.sleep(0.05)
    front.send(m.Shutdown(reason="the server stops"))
    assert front.expect(m.Bye).reason == "the server stops"
    assert front.wait_exit() == 0
    assert front.stdout_lines == ["disconnected"]


def test_shutdown_with_sessions_that_have_nothing_to_do_ends_well():
    source = "import databench\n\nclass Demo(databench.Analysis):\n    pass\n"
    with Front(source) as front:
        for _ in range(3):
            front.open()
        front.send(m.Shutdown(reason="the server stops"))
        assert front.expect(m.Bye).reason == "the server stops"
        assert front.wait_exit() == 0


def test_sigterm_ends_it_likewise(front):
    front.open()
    front.process.send_signal(signal.SIGTERM)
    assert front.expect(m.Bye).reason == "SIGTERM"
    assert front.wait_exit() == 0
    assert front.stdout_lines == ["disconnected"]


GOODBYES = """
    import asyncio, os
    import databench

    class Demo(databench.Analysis):
        @databench.on
        async def disconnected(self):
            await asyncio.sleep(0)
            os.write(1, b'coroutine\\n')

        @databench.on_action('disconnected')
        def other(self):
            yield asyncio.sleep(0)
            os.write(1, b'generator\\n')

        @databench.on_action('disconnected')
        def third(self):
            os.write(1, b'plain\\n')  # whole, from any thread
"""


@pytest.mark.parametrize("how", ["message", "SIGTERM", "close"])
def test_disconnected_runs_to_its_end_however_it_is_written(how):
    # With a limit of ten minutes: what does not end by itself would not end here.
    with Front(GOODBYES, settings={"shutdown_limit_s": 600.0}) as front:
        sessions = [front.open() for _ in range(2)]
        if how == "SIGTERM":
            front.process.send_signal(signal.SIGTERM)
        else:
            if how == "close":
                front.send(m.Close(session=sessions[0]))
            front.send(m.Shutdown(reason="the server stops"))
        front.expect(m.Bye)
        assert front.wait_exit() == 0
        assert sorted(front.stdout_lines) == sorted(["coroutine", "generator", "plain"] * 2)
        assert front.stderr_lines == []


STUBBORN = """
    import time
    import databench

    class Demo(databench.Analysis):
        @databench.on
        def run(self):
            self.emit('started')
            while True:
                try:
                    time.sleep(60)
                except BaseException:
                    pass
"""


def test_shutdown_is_bounded_though_an_action_does_not_end():
    with Front(STUBBORN, settings={"shutdown_limit_s": 0.4}) as front:
        front.action(front.open(), "run")
        front.expect(m.Emit)
        front.send(m.Shutdown())
        front.expect(m.Bye)
        assert front.wait_exit(5) == 0


def test_it_ends_with_the_front_even_while_it_computes(front):
    front.action(front.open(), "sleep")
    front.process.stdin.close()
    assert front.wait_exit(5) == 1


def test_a_reject_ends_it_with_the_reason():
    with Front(SOURCE, welcome=False) as front:
        front.expect(m.Hello)
        front.send(m.Reject(reason="protocol 1 is not spoken here"))
        assert front.wait_exit() == 1
        assert "protocol 1 is not spoken here" in front.stderr


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import nonsense_module", ["No module named 'nonsense_module'", 'analysis.py", line 1']),
        ("x = (", ["SyntaxError", 'analysis.py", line 1']),
        ("1/0", ["ZeroDivisionError", 'analysis.py", line 1']),
        ("raise SystemExit(0)", ["SystemExit"]),
        ("x = 1", ["analysis.py defines no analysis", "class Demo(databench.Analysis)"]),
        (NO_THREADS, ["the system allows no further thread", "a kernel needs 4 for its start"]),
    ],
)
def test_a_module_that_cannot_be_imported_ends_it_with_the_users_traceback(source, words):
    with Front(source, welcome=False) as front:
        assert front.wait_exit() == 1
        for word in words:
            assert word in front.stderr
        assert "databench/kernel" not in front.stderr
        assert "importlib" not in front.stderr


def test_without_an_interrupt_pipe_a_cancel_still_comes_through():
    with Front(SOURCE, interrupt=False) as front:
        session = front.open()
        number = front.action(session, "sleep")
        time.sleep(0.05)
        front.cancel(session, number)
        assert type(front.end(number)[0]) is m.Cancelled


# -- class_data


def test_class_data_of_the_start_is_there_and_a_write_is_one_message():
    with Front(SOURCE, class_values={"n": 4}) as front:
        first, second = front.open(), front.open()
        assert value(front.run(first, "shared")[0]) == {"n": 4}
        number = front.action(first, "share", 5)
        state = front.expect(m.StateChange)
        assert (state.session, state.request, state.base, value(state)) == (None, None, None, 5)
        front.end(number)
        assert [x for x in front.drain() if isinstance(x, m.StateChange)] == []
        assert value(front.run(second, "shared")[0]) == {"n": 5}


def set_state(front, n, version, *, own=False):
    payload = json.dumps(n).encode()
    front.send(m.SetState(scope="class_data", key="n", version=version, own=own, payload=payload))


def test_values_of_others_are_ignored_while_own_writes_are_on_their_way(front):
    session = front.open()
    front.run(session, "listen")
    set_state(front, 10, 1)
    assert emits([front.expect(m.Emit)]) == [("changed", ["n", 10])]
    front.run(session, "share", 11)
    front.run(session, "share", 12)
    set_state(front, 20, 2)
    set_state(front, 11, 3, own=True)
    assert value(front.run(session, "shared")[0]) == {"n": 12}
    set_state(front, 21, 4)
    assert value(front.run(session, "shared")[0]) == {"n": 12}
    set_state(front, 12, 5, own=True)
    assert value(front.run(session, "shared")[0]) == {"n": 12}
    set_state(front, 22, 6)
    assert value(front.run(session, "shared")[0]) == {"n": 22}
