"""Coroutines and generators on the kernel's loop; tornado's things and asyncio's."""

import asyncio
import threading

import pytest

from databench.kernel.request import Cancelled, Request, current
from databench.kernel.steps import KernelLoop, LoopDesk
from databench.kernel.yields import drive_asyncgen, drive_generator
from databench.protocol import messages as m
from tests.kernel.harness import Front, emits, value


@pytest.fixture
def loop():
    loop = KernelLoop()
    yield loop
    loop.close()


def run(loop, *functions):
    """Start coroutines one after another inside one callback of the loop."""
    desk = LoopDesk(threading.RLock(), loop)
    log, left = [], len(functions)

    def ended(request, result, failure):
        nonlocal left
        log.append((request.number, result, type(failure).__name__ if failure else None))
        left -= 1
        if not left:
            loop.call_soon(loop.stop)

    def begin():
        for number, function in enumerate(functions):
            log.append(f"start {number}")
            desk.start(Request(None, number, "run", b""), function(log), ended)

    loop.call_soon(begin)
    loop.run_forever()
    return log


def test_a_coroutine_that_never_waits_ends_before_the_next_one_starts(loop):
    async def quick(log):
        await asyncio.sleep(-1) if False else None
        return 5

    assert run(loop, quick, quick) == ["start 0", (0, 5, None), "start 1", (1, 5, None)]


def test_a_coroutine_runs_to_its_first_wait_before_the_next_one_starts(loop):
    async def waiting(log):
        log.append(current.get().number)
        await asyncio.sleep(0)
        return current.get().number

    assert run(loop, waiting, waiting) == ["start 0", 0, "start 1", 1, (0, 0, None), (1, 1, None)]


def test_it_runs_in_a_real_task(loop):
    async def uses_tasks(log):
        task = asyncio.current_task()
        inner = await asyncio.gather(asyncio.sleep(0, 1), asyncio.sleep(0, 2))
        try:
            await asyncio.wait_for(asyncio.sleep(60), 0.001)
        except asyncio.TimeoutError:
            inner.append("timeout")
        return [task is asyncio.current_task(), *inner]

    assert run(loop, uses_tasks)[-1] == (0, [True, 1, 2, "timeout"], None)


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, Cancelled])
def test_no_exception_ends_the_loop(loop, error):
    async def fail(log):
        raise error

    async def good(log):
        return 1

    assert run(loop, fail, good)[-3:] == [(0, None, error.__name__), "start 1", (1, 1, None)]


def test_a_generator_gets_results_and_exceptions(loop):
    async def failing():
        raise ValueError

    def generator(log):
        log.append((yield asyncio.sleep(0, "slept")))
        try:
            yield failing()
        except ValueError:
            log.append("caught")
        yield
        return "end"

    log = run(loop, lambda log: drive_generator(generator(log)))
    assert log == ["start 0", "slept", "caught", (0, "end", None)]


def test_a_generator_does_not_wait_for_what_is_done(loop):
    def generator(log):
        done = loop.create_future()
        done.set_result(1)
        log.append((yield done))
        return "end"

    drive = lambda log: drive_generator(generator(log))  # noqa: E731
    assert run(loop, drive, drive) == [
        "start 0",
        1,
        (0, "end", None),
        "start 1",
        1,
        (1, "end", None),
    ]


def test_an_async_generators_awaitables_are_awaited(loop):
    async def generator(log):
        yield asyncio.sleep(0)
        log.append("slept")
        yield 5
        yield None

    assert run(loop, lambda log: drive_asyncgen(generator(log)))[1:] == ["slept", (0, None, None)]


def test_timers_may_be_made_and_cancelled_in_any_thread(loop):
    seen = []
    ready = threading.Event()

    def elsewhere():
        ready.wait(5)
        loop.call_later(60, seen.append, "too late").cancel()
        loop.call_later(0.001, seen.append, threading.get_ident()).when()
        loop.call_later(0.002, lambda: (seen.append(threading.get_ident()), loop.stop()))
        loop.call_soon(seen.append, "soon")

    thread = threading.Thread(target=elsewhere)
    thread.start()
    loop.call_soon(ready.set)
    loop.run_forever()
    thread.join()
    assert seen[0] == "soon"
    assert seen[-1] == threading.get_ident()


TORNADO = """
    import asyncio, threading
    import tornado.gen
    import tornado.ioloop
    import databench

    AT_IMPORT = tornado.ioloop.IOLoop.current()
    THREADS = []
    AT_IMPORT.call_later(0.001, lambda: THREADS.append(threading.current_thread().name))

    class Demo(databench.Analysis):
        def __init__(self):
            self.where = []
            self.timer = tornado.ioloop.PeriodicCallback(self.tick, 5)
            self.timer.start()

        def tick(self):
            self.where.append(threading.current_thread().name)
            self.emit('tick', self.where)
            if len(self.where) >= 3:
                self.timer.stop()

        @databench.on
        def take_the_loop_away(self):
            asyncio.run(asyncio.sleep(0))

        @databench.on
        def start_timer(self):
            timer = tornado.ioloop.PeriodicCallback(lambda: self.emit('second', timer.stop()), 5)
            timer.start()

        @databench.on
        @tornado.gen.coroutine
        def decorated(self, n):
            yield tornado.gen.sleep(0.001)
            self.emit('thread', threading.current_thread().name)
            raise tornado.gen.Return(n + 1)

        @databench.on
        def generator(self):
            a, b = yield [tornado.gen.sleep(0.001), self.later(3)]
            c = yield {'x': self.later(4)}
            yield tornado.gen.moment
            yield None
            self.emit('got', [a, b, c])

        @tornado.gen.coroutine
        def later(self, value):
            yield tornado.gen.sleep(0.001)
            return value

        @databench.on
        def at_import(self):
            return [AT_IMPORT is tornado.ioloop.IOLoop.current(), THREADS]

        @databench.on
        def io_loop(self):
            return tornado.ioloop.IOLoop.current().asyncio_loop is asyncio.get_event_loop()
"""


@pytest.mark.process
def test_tornado_finds_the_kernels_loop_in_every_thread():
    with Front(TORNADO) as front:
        session = front.open()
        for _ in range(3):
            last = front.expect(m.Emit, signal="tick")
        assert value(last) == ["databench-loop"] * 3
        assert value(front.run(session, "at_import")[0]) == [True, ["databench-loop"]]
        end, before = front.run(session, "decorated", 1)
        assert value(end) == 2
        assert emits(before) == [("thread", "databench-loop")]
        end, before = front.run(session, "generator")
        assert emits(before) == [("got", [None, 3, {"x": 4}])], end
        assert value(front.run(session, "io_loop")[0]) is True
        front.run(session, "take_the_loop_away")
        front.run(session, "start_timer")
        front.expect(m.Emit, signal="second")
        assert value(front.run(session, "io_loop")[0]) is True
