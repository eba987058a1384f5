"""Actions that would run for a minute; each says `begun` when it is about to."""

import asyncio
import subprocess
import time

import databench


class Stubborn(databench.Analysis):
    @databench.on
    async def coroutine(self):
        self.emit('begun')
        await asyncio.sleep(60)

    @databench.on
    def generator(self):
        yield self.emit('begun')
        for _ in range(6000):
            yield asyncio.sleep(0.01)

    @databench.on
    def loop(self):
        self.emit('begun')
        end_s = time.monotonic() + 60
        count = 0
        while time.monotonic() < end_s:
            count += 1

    @databench.on
    def nap(self):
        self.emit('begun')
        time.sleep(60)

    @databench.on
    def child(self):
        self.emit('begun')
        subprocess.run(['sleep', '60'])

    @databench.on
    def division(self):
        dividend, divisor = 10 ** 2_000_000, 7 ** 1_200_000
        self.emit('begun')
        dividend // divisor

    @databench.on
    def echo(self, value):
        self.emit('echo', value)
