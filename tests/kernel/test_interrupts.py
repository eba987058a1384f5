"""Cancel: every kind of code, at every moment, and never the neighbour."""

import random
import time

import pytest

from databench.protocol import messages as m
from tests.kernel.harness import Front, emits, value

pytestmark = pytest.mark.process

SOURCE = """
    import asyncio, subprocess, threading, time
    import databench

    def spin():
        n = 0
        while True:
            n += 1

    class Demo(databench.Analysis):
        @databench.on
        def loop(self):
            self.emit('started')
            spin()

        @databench.on
        def emitting_loop(self):
            while True:
                self.emit('tick', 1)

        @databench.on
        def progressing_loop(self):
            for _ in self.progress(iter(int, 1)):
                pass

        @databench.on
        def storing_loop(self):
            n = 0
            while True:
                n += 1
                self.set_state(n=n)

        @databench.on
        def sleep(self):
            self.emit('started')
            time.sleep(60)

        @databench.on
        def run_process(self):
            self.emit('started')
            subprocess.run(['sleep', '60'])

        @databench.on
        def divide(self):
            self.emit('started')
            return str((10 ** 1_500_000 // 7 ** 900_000) % 10)

        @databench.on
        async def coroutine(self):
            self.emit('started')
            await asyncio.sleep(60)

        @databench.on
        def generator(self):
            yield self.emit('started')
            yield asyncio.sleep(60)

        @databench.on
        async def computing(self):
            self.emit('started')
            spin()

        @databench.on
        def computing_generator(self):
            yield self.emit('started')
            spin()

        @databench.on
        async def emitting(self):
            while True:
                await self.emit('tick', 1)

        @databench.on
        async def never_waiting(self):
            while True:
                self.emit('tick', 1)

        @databench.on
        def dropping(self):
            class Bad:
                def __del__(self):
                    demo.emit('started')
                    while not done:
                        pass
            demo, done = self, []
            del_me = Bad()
            del del_me
            spin()

        @databench.on
        async def dropping_coroutine(self):
            self.dropping()

        @databench.on
        def cleanup(self):
            try:
                self.emit('started')
                time.sleep(60)
            finally:
                time.sleep(0.3)
                self.emit('cleaned')

        @databench.on
        def stubborn(self):
            # Says how far it is only when it is inside the try: a cancel may follow at once.
            swallowed = 0
            while swallowed < 2:
                try:
                    threading.Timer(0.2, self.emit, ['waiting', swallowed]).start()
                    time.sleep(60)
                except BaseException:
                    swallowed += 1
            return 'done all the same'

        @databench.on
        async def stubborn_coroutine(self):
            loop = asyncio.get_running_loop()
            for i in range(2):
                try:
                    loop.call_later(0.2, self.emit, 'waiting', i)
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    pass
            return 'done all the same'

        @databench.on
        async def own_cancel(self):
            raise asyncio.CancelledError

        @databench.on
        def next(self, token):
            for _ in range(200):
                pass
            return token

        @databench.on
        async def next_async(self, token):
            for _ in range(200):
                pass
            await asyncio.sleep(0)
            return token
"""

KINDS = [
    "loop",
    "sleep",
    "run_process",
    "divide",
    "coroutine",
    "generator",
    "computing",
    "computing_generator",
]


@pytest.fixture(scope="module")
def front():
    with Front(SOURCE) as front:
        yield front


@pytest.fixture
def session(front):
    session = front.open()
    yield session
    front.send(m.Close(session=session))


@pytest.mark.parametrize("action", KINDS)
def test_cancel_ends_what_runs(front, session, action):
    number = front.action(session, action)
    front.expect(m.Emit, request=number, signal="started")
    front.cancel(session, number)
    end, _ = front.end(number)
    assert type(end) is m.Cancelled
    end, _ = front.run(session, "next", "after")
    assert value(end) == "after"


@pytest.mark.parametrize("action", ["loop", "sleep", "run_process", "coroutine", "generator"])
@pytest.mark.parametrize("way", ["message", "pipe"])
def test_either_way_of_cancelling_is_enough(front, session, action, way):
    if way == "pipe" and action in ("coroutine", "generator"):
        way = "message"  # one that waits is cancelled by its task: the message does that
    number = front.action(session, action)
    front.expect(m.Emit, request=number, signal="started")
    front.cancel(session, number, message=way == "message", pipe=way == "pipe")
    if way == "pipe":
        # A signal right before a call that waits is noticed late; with the message the kernel
        # itself repeats it.
        time.sleep(0.1)
        front.cancel(session, number, message=False)
    assert type(front.end(number)[0]) is m.Cancelled


@pytest.mark.parametrize(
    "action", ["emitting_loop", "storing_loop", "emitting", "never_waiting", "loop"]
)
def test_a_loop_that_never_rests_is_cancelled_and_its_emits_come_first(front, session, action):
    number = front.action(session, action)
    front.expect((m.Emit, m.StateChange), request=number)
    front.cancel(session, number)
    assert type(front.end(number)[0]) is m.Cancelled
    assert [x for x in front.drain() if x.request == number] == []


TRACED = """
    import contextlib, cProfile, threading

    def begin(*_event):
        # From 3.12 on one thread can be profiled, and nothing is to be feared.
        with contextlib.suppress(ValueError):
            cProfile.Profile().enable()

    threading.setprofile(begin)
    begin()
"""


@pytest.mark.slow
def test_cancels_of_a_kernel_that_is_profiled_hold_nobody_up():
    # Before Python 3.12, an interruption of one thread can stop all others for ever there.
    with Front(TRACED + SOURCE) as front:
        for _round in range(5):
            sessions = [front.open(), front.open()]
            for action in ("emitting_loop", "storing_loop", "emitting", "never_waiting"):
                # The main thread, and either another one or the loop's.
                numbers = {front.action(s, action): s for s in sessions}
                for number, session in numbers.items():
                    front.expect((m.Emit, m.StateChange, m.Cancelled), session=session)
                    front.cancel(session, number)
                ends = front.ends(numbers).values()
                assert {type(end) for end in ends} == {m.Cancelled}
            for session in sessions:
                front.send(m.Close(session=session))
            front.received.clear()


@pytest.mark.parametrize("action", ["dropping", "dropping_coroutine"])
def test_a_cancel_that_python_drops_is_repeated(front, session, action):
    number = front.action(session, action)
    front.expect(m.Emit, request=number, signal="started")
    front.cancel(session, number)
    assert type(front.end(number)[0]) is m.Cancelled


# Where starting a thread takes longer than the time after which the cancel is repeated.
SLOW_THREADS = """
    import threading, time

    def start_slowly(timer, start=threading.Timer.start):
        start(timer)
        until_s = time.monotonic() + 0.2
        while time.monotonic() < until_s:
            pass

    threading.Timer.start = start_slowly
"""


@pytest.mark.parametrize("action", ["dropping", "dropping_coroutine"])
def test_a_cancel_that_python_drops_is_repeated_on_a_busy_machine(action):
    with Front(SLOW_THREADS + SOURCE) as front:
        session = front.open()
        number = front.action(session, action)
        front.expect(m.Emit, request=number, signal="started")
        front.cancel(session, number)
        assert type(front.end(number)[0]) is m.Cancelled


def test_a_worker_thread_is_cancelled(front):
    first, second = front.open(), front.open()
    blocker = front.action(first, "sleep")
    front.expect(m.Emit, request=blocker)
    victim = front.action(second, "loop")
    front.expect(m.Emit, request=victim)
    front.cancel(second, victim)
    assert type(front.end(victim)[0]) is m.Cancelled
    assert value(front.run(second, "next", 5)[0]) == 5
    assert front.process.poll() is None
    front.cancel(first, blocker)
    assert type(front.end(blocker)[0]) is m.Cancelled


def test_a_queued_action_is_cancelled_without_starting(front, session):
    blocker = front.action(session, "sleep")
    front.expect(m.Emit, request=blocker)
    queued = front.action(session, "loop")
    front.cancel(session, queued)
    end, before = front.end(queued)
    assert type(end) is m.Cancelled
    assert before == []
    front.cancel(session, blocker)
    assert type(front.end(blocker)[0]) is m.Cancelled


def test_a_record_that_comes_before_its_action_is_not_lost(front, session):
    front.cancel(session, front.number + 1, message=False)
    front.send(m.Ping(number=3))
    front.expect(m.Pong)
    assert type(front.end(front.action(session, "loop"))[0]) is m.Cancelled


def test_the_echo_of_a_cancel_does_not_break_the_cleanup(front, session):
    number = front.action(session, "cleanup")
    front.expect(m.Emit, request=number, signal="started")
    for _ in range(5):
        front.cancel(session, number, attempt=1)
    end, before = front.end(number)
    assert type(end) is m.Cancelled
    assert ("cleaned", None) in emits(before)


@pytest.mark.parametrize("action", ["stubborn", "stubborn_coroutine"])
def test_code_that_swallows_a_cancel_is_done_and_a_second_attempt_comes_through(
    front, session, action
):
    number = front.action(session, action)
    assert value(front.expect(m.Emit, session=session, signal="waiting")) == 0
    front.cancel(session, number, attempt=1)
    assert value(front.expect(m.Emit, session=session, signal="waiting")) == 1
    front.cancel(session, number, attempt=1)
    front.cancel(session, number, attempt=2)
    end, _ = front.end(number)
    assert (type(end), value(end)) == (m.Done, "done all the same")


def test_a_cancel_that_nobody_asked_for_is_an_error(front, session):
    end, _ = front.run(session, "own_cancel")
    assert (type(end), end.type) == (m.Error, "CancelledError")


def test_cancels_of_what_is_not_there_do_nothing(front, session):
    front.cancel(session, 10**9)
    front.cancel("nobody", 10**9 + 1)
    front.send_frames([b"junk", b""])
    assert value(front.run(session, "next", 1)[0]) == 1


def test_a_bare_interrupt_is_ignored(front, session):
    number = front.action(session, "sleep")
    front.expect(m.Emit, request=number)
    for _ in range(3):
        front.process.send_signal(2)
    front.send(m.Ping(number=1))
    front.expect(m.Pong)
    front.cancel(session, number)
    assert type(front.end(number)[0]) is m.Cancelled


# -- ten thousand at random moments ----------------------------------------------------------------

STORM = """
    import asyncio, time
    import databench

    def work(seconds):
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            sum(range(20))

    class Demo(databench.Analysis):
        @databench.on
        def plain(self, seconds):
            work(seconds)

        @databench.on
        def emitting(self, seconds):
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                self.emit('tick', 1)
                self.set_state(n=end)

        @databench.on
        def sleeping(self, seconds):
            time.sleep(seconds)

        @databench.on
        async def computing(self, seconds):
            work(seconds)

        @databench.on
        async def mixed(self, seconds):
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                await asyncio.sleep(0)
                await self.emit('tick', 1)
                self.set_state(n=end)

        @databench.on
        def generator(self, seconds):
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                yield self.emit('tick', 1)

        @databench.on
        def next_plain(self, token):
            self.emit('token', token)
            work(0.0003)
            return token

        @databench.on
        async def next_async(self, token):
            await self.emit('token', token)
            work(0.0003)
            await asyncio.sleep(0)
            return token
"""
VICTIMS = ["plain", "emitting", "sleeping", "computing", "mixed", "generator"]


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_ten_thousand_cancels_never_touch_the_following_request():
    chance = random.Random(20)
    cancelled = 0
    with Front(STORM) as front:
        sessions = [front.open() for _ in range(4)]
        for _round in range(2500):
            victims = []
            followers = {}
            for session in sessions:
                # Longer ones take the main thread, and send those of others to worker threads.
                length_s = chance.uniform(0, 0.002 if chance.random() < 0.8 else 0.008)
                victim = front.action(session, chance.choice(VICTIMS), length_s)
                victims.append((session, victim))
                follower = chance.choice(["next_plain", "next_async"])
                number = front.action(session, follower, f"token {front.number}")
                followers[number] = f"token {number - 1}"
            chance.shuffle(victims)
            for session, victim in victims:
                pause_s = chance.uniform(0, 0.001)
                time.sleep(pause_s if chance.random() < 0.7 else 0)
                way = chance.randrange(3)
                front.cancel(session, victim, message=way != 1, pipe=way != 2)
            for _session, victim in victims:
                end, _ = front.end(victim)
                assert type(end) in (m.Done, m.Cancelled), end
                cancelled += type(end) is m.Cancelled
            for number, token in followers.items():
                end, before = front.end(number)
                assert type(end) is m.Done, (end, front.stderr)
                assert value(end) == token
                assert emits(before) == [("token", token)]
            front.received.clear()
        for message in front.drain():
            assert type(message) not in (m.Done, m.Error, m.Cancelled), message
        assert front.process.poll() is None
        assert 2000 < cancelled < 9900
        assert "Traceback" not in front.stderr


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_no_cancel_of_an_endless_action_is_lost():
    chance = random.Random(7)
    plain = ["loop", "emitting_loop", "storing_loop", "progressing_loop"]
    actions = [*plain, "computing", "emitting", "never_waiting"]
    # A cancel may come late on a busy machine: `never_waiting` would end by that limit.
    with Front(SOURCE, settings={"unawaited_bytes": 2**30}) as front:
        sessions = [front.open() for _ in range(3)]
        for _round in range(600):
            numbers = {}
            endless = [chance.choice(plain) for _ in sessions[1:]] + [chance.choice(actions)]
            for session, action in zip(sessions, endless, strict=True):
                numbers[front.action(session, action)] = session
            time.sleep(chance.uniform(0, 0.004))
            # The one that may hold the loop comes last, and must go first.
            for number, session in reversed(numbers.items()):
                front.cancel(session, number)
            kinds = {type(end) for end in front.ends(numbers).values()}
            assert kinds == {m.Cancelled}
