"""The kernel's loop: called from any thread, and found by tornado's things."""

import threading

import pytest

from databench.kernel.loop import KernelLoop
from databench.protocol import messages as m
from tests.kernel.harness import Front, emits, value


@pytest.fixture
def loop():
    loop = KernelLoop()
    yield loop
    loop.close()


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
