"""Handlers of a real kernel that call each other."""

import pytest

from databench.protocol import messages as m
from tests.kernel.harness import Front, emits, value

pytestmark = pytest.mark.process

SOURCE = """
    import asyncio, functools, threading, time
    import tornado.gen
    import tornado.ioloop
    import databench

    RELEASED = asyncio.Event()

    class Demo(databench.Analysis):
        @databench.on
        def until_released(self, n):
            self.emit('begins', n)
            yield RELEASED.wait()
            self.emit('ends')

        @databench.on
        async def release(self):
            RELEASED.set()
            RELEASED.clear()

        @databench.on
        def generator(self, n):
            self.emit('begins', n)
            yield asyncio.sleep(0.01)
            self.emit('ends', threading.current_thread().name)
            return n + 1

        @databench.on
        def plain(self, n):
            self.emit('plain', n)
            return n + 1

        @databench.on
        def plain_nothing(self):
            pass

        @databench.on
        async def coroutine(self, n):
            await asyncio.sleep(0)
            return n + 1

        @databench.on
        @tornado.gen.coroutine
        def decorated(self, n):
            yield self.emit('decorated')
            yield [self.emit('decorated'), self.data.set('n', n)]
            yield self.data.init({'n': 0})
            yield self.plain_nothing()
            result = yield self.generator(n)
            raise tornado.gen.Return(result)

        @databench.on
        def from_generator(self):
            first = yield self.generator(1)
            second = yield self.decorated(first)
            third = yield self.plain(second)
            return (yield self.coroutine(third))

        @databench.on
        def many(self):
            return (yield [self.generator(1), self.plain(2), self.coroutine(3)])

        @databench.on
        async def from_coroutine(self):
            return [await self.generator(1), self.plain(2), await self.decorated(3)]

        @databench.on
        def from_plain(self):
            going_on = self.generator(1)
            self.emit('after', threading.current_thread().name)
            return going_on

        @databench.on
        def left_alone(self):
            self.until_released(1)
            self.emit('after')

        @databench.on
        def left_alone_in_plain(self):
            self.until_released(1)
            self.emit('after')

        @databench.on
        async def timeout(self):
            async def inner():
                try:
                    await asyncio.wait_for(self.slow(), 0.01)
                except asyncio.TimeoutError:
                    return 'timeout'
            task = asyncio.current_task()
            result = await self.waits_in_a_step()
            return [result, await inner(), task is asyncio.current_task()]

        @databench.on
        def waits_in_a_step(self):
            try:
                yield asyncio.wait_for(asyncio.sleep(60), 0.01)
            except asyncio.TimeoutError:
                return 'timeout'

        @databench.on
        def slow(self):
            try:
                yield asyncio.sleep(60)
            except asyncio.CancelledError:
                print('slow was cancelled', flush=True)
                raise

        @databench.on
        def waits_for_slow(self):
            self.emit('waits')
            yield self.slow()

        @tornado.gen.coroutine
        def on_decorated_slow(self):
            self.emit('waits')
            try:
                yield tornado.gen.sleep(60)
            finally:
                print('decorated ended', flush=True)

        @databench.on
        def begins_slow(self):
            self.slow()

        @databench.on
        def computes(self):
            yield asyncio.sleep(0)
            self.emit('waits')
            while True:
                time.sleep(0.001)

        @databench.on
        def waits_for_computes(self):
            yield self.computes()

        @databench.on
        async def leaves_computes_alone(self):
            self.computes()
            await asyncio.sleep(60)

        @databench.on
        def fails(self):
            yield asyncio.sleep(0)
            raise ValueError('inner')

        @databench.on
        async def catches(self):
            try:
                await self.fails()
            except ValueError as error:
                return str(error)

        @databench.on
        def exits(self):
            yield asyncio.sleep(0)
            raise SystemExit(3)

        @databench.on
        async def catches_exit(self):
            try:
                await self.exits()
            except RuntimeError as error:
                return str(error)

        def noisy(function):
            @functools.wraps(function)
            def call(self, *args):
                self.emit('noisy')
                return function(self, *args)
            return call

        @noisy
        @databench.on
        def outside(self):
            yield asyncio.sleep(0)
            return 'outside'

        @databench.on
        @noisy
        def inside(self):
            yield asyncio.sleep(0)
            return 'inside'

        @databench.on
        def start_timer(self):
            self.timer = tornado.ioloop.PeriodicCallback(self.tick, 5)
            self.timer.start()

        @databench.on
        def tick(self):
            self.timer.stop()
            yield tornado.gen.sleep(0.001)
            self.emit('tick', threading.current_thread().name)
"""


@pytest.fixture(scope="module")
def front():
    with Front(SOURCE) as front:
        yield front


@pytest.fixture
def session(front):
    session = front.open()
    yield session
    front.send(m.Close(session=session))
    front.drain(0.02)


def test_a_generator_calls_actions_of_every_kind(front, session):
    end, before = front.run(session, "from_generator")
    assert value(end) == 5, end
    assert emits(before) == [
        ("begins", 1),
        ("ends", "databench-loop"),
        ("decorated", None),
        ("decorated", None),
        ("begins", 2),
        ("ends", "databench-loop"),
        ("plain", 3),
    ]
    assert value(front.run(session, "many")[0]) == [2, 3, 4]


def test_a_coroutine_calls_actions_of_every_kind(front, session):
    assert value(front.run(session, "from_coroutine")[0]) == [2, 3, 4]


def test_what_a_plain_action_calls_has_begun_when_the_call_returns(front, session):
    end, before = front.run(session, "from_plain")
    assert value(end) == 2
    assert emits(before) == [("begins", 1), ("after", "MainThread"), ("ends", "databench-loop")]


@pytest.mark.parametrize("action", ["left_alone", "left_alone_in_plain"])
def test_what_nobody_waits_for_goes_on(front, session, action):
    _, before = front.run(session, action)
    assert emits(before) == [("begins", 1), ("after", None)]
    front.run(session, "release")
    assert front.expect(m.Emit, signal="ends").request is None


def test_each_has_a_task_of_its_own(front, session):
    assert value(front.run(session, "timeout")[0]) == ["timeout", "timeout", True]


@pytest.mark.parametrize(
    "action", ["waits_for_slow", "waits_for_computes", "leaves_computes_alone"]
)
def test_a_cancel_reaches_what_an_action_has_called(front, session, action):
    number = front.action(session, action)
    front.expect(m.Emit, signal="waits")
    front.cancel(session, number)
    assert type(front.end(number)[0]) is m.Cancelled


def test_a_cancel_reaches_what_tornados_coroutine_decorates(front, session):
    number = front.action(session, "decorated_slow")
    front.expect(m.Emit, signal="waits")
    front.cancel(session, number)
    assert type(front.end(number)[0]) is m.Cancelled
    front.wait_printed("decorated ended", front.stdout_lines)


def test_what_goes_on_ends_with_its_session(front):
    session = front.open()
    front.run(session, "begins_slow")
    front.send(m.Close(session=session))
    front.wait_printed("slow was cancelled", front.stdout_lines)


def test_failures_are_the_callers(front, session):
    assert value(front.run(session, "catches")[0]) == "inner"
    assert "SystemExit" in value(front.run(session, "catches_exit")[0])


def test_other_decorators_are_kept(front, session):
    for action in ("outside", "inside"):
        end, before = front.run(session, action)
        assert value(end) == action
        assert emits(before) == [("noisy", None)]


def test_a_timer_may_call_an_action(front, session):
    front.run(session, "start_timer")
    assert value(front.expect(m.Emit, signal="tick")) == "databench-loop"
