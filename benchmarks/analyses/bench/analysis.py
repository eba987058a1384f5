"""Echoes, streams, loops and one shared value."""

import time

import databench


def _work(seconds):
    """Compute in pure Python, about 0.1 ms for each value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield sum(i * i for i in range(2000))


class Bench(databench.Analysis):
    """The actions that ``benchmarks.bench`` asks for."""

    @databench.on
    async def echo(self, value):
        await self.emit("echo", value)

    @databench.on
    def echo_plain(self, value):
        self.emit("echo", value)

    @databench.on
    async def stream(self, count):
        for i in range(count):
            await self.emit("tick", i)

    @databench.on
    async def loop(self, seconds):
        for value in _work(seconds):
            await self.emit("tick", value)
        await self.emit("loop_end", seconds)

    @databench.on
    def loop_plain(self, seconds):
        for value in _work(seconds):
            self.emit("tick", value)
        self.emit("loop_end", seconds)

    @databench.on
    def hold(self, seconds):
        """Hold the interpreter lock in one C call, for several seconds."""
        quotient = 10**1_500_000 // 7**900_000
        self.emit("loop_end", quotient > seconds)

    @databench.on
    async def share(self, value):
        await self.set_class_state(shared=value)
