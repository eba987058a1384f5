"""Handlers of every kind, and what they yield, call and start."""

import asyncio
import concurrent.futures
import subprocess
import threading
from datetime import timedelta

import tornado.concurrent
import tornado.gen
import tornado.ioloop
import tornado.locks
import tornado.queues

import databench

EXECUTOR = concurrent.futures.ThreadPoolExecutor(1)


class Handlers(databench.Analysis):

    def __init__(self):
        self.ticks = []
        self.timer = tornado.ioloop.PeriodicCallback(self.tick, 5)
        self.timer.start()

    def tick(self):
        """Of a timer that was made before the session began."""
        self.ticks.append(threading.current_thread().name)
        if self.data is not None and len(self.ticks) >= 3:
            self.timer.stop()
            self.data['ticks'] = sorted(set(self.ticks))

    def on_plain(self, n):
        return n + 1

    @databench.on
    async def coroutine(self, n):
        await asyncio.sleep(0)
        return n + 1

    @databench.on
    def generator(self, n):
        yield tornado.gen.sleep(0)
        return n + 1

    @tornado.gen.coroutine
    def on_decorated(self, n):
        yield tornado.gen.moment
        raise tornado.gen.Return(n + 1)

    @databench.on_action('other name')
    def named_otherwise(self):
        """Its docstring."""
        return self.named_otherwise.__doc__

    @databench.on
    def yields(self):
        """Whatever tornado's coroutines yield."""
        yield None
        yield tornado.gen.moment
        yield tornado.gen.sleep(0.001)
        return [
            (yield self.on_decorated(0)),
            (yield [self.on_decorated(1), self.coroutine(2), None]),
            (yield {'a': self.generator(3), 'b': EXECUTOR.submit(self.on_plain, 4)}),
            (yield asyncio.sleep(0, 'slept')),
        ]

    executor = EXECUTOR

    @tornado.concurrent.run_on_executor
    def in_a_thread(self, n):
        return n * 2

    @databench.on
    def tools(self):
        """Tornado's own tools."""
        doubled = yield [self.in_a_thread(1), self.in_a_thread(2)]
        queue = tornado.queues.Queue()
        with (yield tornado.locks.Lock().acquire()):
            yield queue.put('item')
        item = yield queue.get()
        try:
            yield tornado.gen.with_timeout(timedelta(seconds=0.001), queue.get())
        except tornado.gen.TimeoutError:
            return [doubled, item, 'timeout']

    @databench.on
    def children(self, n):
        """Processes, as many as the page likes."""
        children = [subprocess.Popen(['sleep', '60']) for _ in range(n)]
        yield self.emit('children', len(children))
        for child in children:
            child.terminate()
        return [child.wait() for child in children]

    @databench.on
    def calls(self, n):
        """Actions call each other."""
        n = self.on_plain(n)
        n = yield self.generator(n)
        n = yield self.on_decorated(n)
        return (yield self.calls_too(n))

    @databench.on
    async def calls_too(self, n):
        n = await self.generator(n)
        return await self.coroutine(n)

    @databench.on
    def start_timer(self):
        """In a plain method; what it calls runs on the kernel's loop."""
        def tick():
            timer.stop()
            self.emit('second', threading.current_thread().name)
        timer = tornado.ioloop.PeriodicCallback(tick, 5)
        timer.start()

    @databench.on
    def where(self):
        return threading.current_thread().name

    @databench.on
    def redirect(self):
        """Words go where they are told to."""
        words = []
        self.set_emit_fn(lambda signal, message: words.append([signal, message]))
        self.emit('word', 1)
        self.emit('nothing', None)
        return words

    @databench.on_action('*')
    def every(self, *args, **kwargs):
        self.emit('every', {'args': args, 'kwargs': kwargs})
