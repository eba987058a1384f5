"""Whatever user code does to signals: a cancel ends one action, and nothing of it stays behind."""

import signal
import time

import pytest

from databench.protocol import messages as m
from tests.kernel.harness import Front, value

pytestmark = pytest.mark.process

SOURCE = """
    import _signal, asyncio, ctypes, faulthandler, os, signal, socket, threading, time
    import databench

    heard = []

    def note(number, frame):
        heard.append(int(number))

    def rude(number, frame):
        raise SystemExit(3)

    class Demo(databench.Analysis):
        @databench.on
        def ok(self):
            return 'ok'

        @databench.on
        def wait(self):
            self.emit('started')
            time.sleep(60)

        def leave(self, what):
            if what == 'SIG_DFL':
                for number in (signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, signal.SIG_DFL)
            elif what == 'SIG_IGN':
                for number in (signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, signal.SIG_IGN)
            elif what == 'swallowed':
                signal.signal(signal.SIGINT, note)
            elif what == 'exits':
                signal.signal(signal.SIGINT, rude)
            elif what == 'below signal':
                _signal.signal(2, _signal.SIG_DFL)
            elif what == 'in C':
                ctypes.CDLL(None).signal(2, None)
            elif what == 'in C, ignored':
                ctypes.CDLL(None).signal(2, ctypes.c_void_p(1))
            elif what == 'blocked':
                signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
            elif what == 'faulthandler':
                faulthandler.register(signal.SIGINT, chain=False)
                faulthandler.disable()
            elif what == 'interrupts itself':
                signal.signal(signal.SIGINT, note)
                signal.raise_signal(signal.SIGINT)

        @databench.on
        def leaves(self, what):
            self.leave(what)

        @databench.on
        def leaves_and_waits(self, what):
            self.leave(what)
            self.emit('started')
            time.sleep(60)

        @databench.on
        def runs_a_loop(self):
            async def wait():
                self.emit('started')
                await asyncio.sleep(60)
            asyncio.run(wait())

        @databench.on
        def heard(self):
            return heard

        @databench.on
        def seen(self):
            before = signal.signal(signal.SIGINT, note)
            return [
                before is signal.default_int_handler,
                signal.getsignal(signal.SIGINT) is note,
                signal.signal(signal.SIGINT, signal.SIG_IGN) is note,
                signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
                signal.getsignal(signal.SIGTERM) is signal.SIG_DFL,
            ]

        @databench.on
        def refused(self):
            problems = []
            def try_(number, handler):
                try:
                    signal.signal(number, handler)
                except Exception as error:
                    problems.append(type(error).__name__)
            try_(signal.SIGINT, 'no handler')
            try_(signal.SIGKILL, note)
            try_(1000, note)
            thread = threading.Thread(target=try_, args=(signal.SIGINT, note))
            thread.start()
            thread.join()
            return problems

        @databench.on
        def leaves_more(self):
            def fail(number, frame):
                raise TimeoutError('too long')
            signal.signal(signal.SIGALRM, fail)
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            read, write = socket.socketpair()
            write.setblocking(False)
            signal.set_wakeup_fd(write.fileno())
            faulthandler.disable()

        @databench.on
        def alarmed(self):
            def fail(number, frame):
                raise TimeoutError('too long')
            signal.signal(signal.SIGALRM, fail)
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            time.sleep(60)

        @databench.on
        def found(self):
            fd = signal.set_wakeup_fd(-1)
            return [
                signal.getitimer(signal.ITIMER_REAL)[0],
                int(signal.getsignal(signal.SIGCHLD)),
                int(signal.getsignal(signal.SIGPIPE)),
                fd,
                faulthandler.is_enabled(),
                len(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
            ]

        @databench.on
        async def alarm_later(self):
            signal.setitimer(signal.ITIMER_REAL, 0.01)

        @databench.on
        def handle_usr1(self):
            signal.signal(signal.SIGUSR1, rude)
"""

AT_IMPORT = (
    SOURCE
    + """
    signal.signal(signal.SIGINT, note)

    def on_term(number, frame):
        print('the end is heard', flush=True)
        raise SystemExit(3)

    signal.signal(signal.SIGTERM, on_term)
"""
)

LEFT = [
    "SIG_DFL",
    "SIG_IGN",
    "swallowed",
    "exits",
    "below signal",
    "in C",
    "in C, ignored",
    "blocked",
    "faulthandler",
    "interrupts itself",
]


@pytest.fixture(scope="module")
def front():
    with Front(SOURCE) as front:
        yield front


def cancelled(front, session, action, *args, pipe=True):
    number = front.action(session, action, *args)
    front.expect(m.Emit, signal="started", request=number)
    front.cancel(session, number, pipe=pipe)
    return type(front.end(number)[0]) is m.Cancelled


@pytest.mark.parametrize("left", LEFT)
def test_what_an_action_leaves_behind_holds_for_no_other(front, left):
    session = front.open()
    front.run(session, "leaves", left)
    assert cancelled(front, session, "wait")
    assert value(front.run(session, "ok")[0]) == "ok"


@pytest.mark.parametrize("left", ["SIG_DFL", "SIG_IGN", "swallowed", "exits"])
def test_the_action_itself_is_cancelled_all_the_same(front, left):
    session = front.open()
    assert cancelled(front, session, "leaves_and_waits", left)
    assert value(front.run(session, "ok")[0]) == "ok"


@pytest.mark.parametrize("left", ["in C", "in C, ignored", "faulthandler"])
def test_a_library_in_c_is_put_right_before_the_interrupt(front, left):
    session = front.open()
    assert cancelled(front, session, "leaves_and_waits", left, pipe=False)
    assert value(front.run(session, "ok")[0]) == "ok"


def test_an_action_with_a_loop_of_its_own_is_cancelled(front):
    session = front.open()
    for _ in range(3):
        assert cancelled(front, session, "runs_a_loop")
    assert value(front.run(session, "ok")[0]) == "ok"


def test_user_code_sees_the_handlers_that_it_has_set(front):
    assert value(front.run(front.open(), "seen")[0]) == [True] * 5


def test_what_python_refuses_is_refused(front):
    found = value(front.run(front.open(), "refused")[0])
    assert found == ["TypeError", "OSError", "ValueError", "ValueError"]


def test_alarms_ignored_children_and_descriptors_do_not_outlive_their_action(front):
    session = front.open()
    for _ in range(2):
        front.run(session, "leaves_more")
        assert value(front.run(session, "found")[0]) == [0.0, 0, 1, -1, True, 0]


def test_an_alarm_within_its_own_action_is_met_there(front):
    end, _ = front.run(front.open(), "alarmed")
    assert (type(end), end.type) == (m.Error, "TimeoutError")


def test_a_handler_that_raises_while_nothing_runs_ends_nothing():
    with Front(SOURCE) as front:
        session = front.open()
        front.run(session, "handle_usr1")
        front.process.send_signal(signal.SIGUSR1)
        front.wait_printed("the handler of SIGUSR1 failed")
        assert value(front.run(session, "ok")[0]) == "ok"


def test_handlers_of_the_module_hear_of_a_cancel_and_of_the_end():
    with Front(AT_IMPORT) as front:
        session = front.open()
        assert cancelled(front, session, "wait")
        assert int(signal.SIGINT) in value(front.run(session, "heard")[0])
        front.run(session, "leaves", "swallowed")
        front.process.send_signal(signal.SIGTERM)
        front.wait_printed("the end is heard", front.stdout_lines)
        front.expect(m.Bye)
        assert front.process.wait(20) == 0


def test_a_sigint_from_outside_goes_to_the_handler_of_the_module():
    with Front(AT_IMPORT) as front:
        session = front.open()
        front.process.send_signal(signal.SIGINT)
        until_s = time.monotonic() + 20
        while not value(front.run(session, "heard")[0]):
            assert time.monotonic() < until_s
