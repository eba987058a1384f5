"""Actions that would run for a minute; each emits `begun` when it is about to."""

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
        # Its input shows that the process has been started and is waited for.
        subprocess.run(['sh', '-c', 'read line; exec sleep 60'], input=b'go\n')

    @databench.on
    def slow_start(self):
        self.emit('begun')
        start = subprocess.Popen._execute_child

        def start_slowly(process, *args):
            start(process, *args)
            time.sleep(1)

        subprocess.Popen._execute_child = start_slowly
        try:
            subprocess.run(['sleep', '60'])
        finally:
            subprocess.Popen._execute_child = start

    @databench.on
    def division(self):
        dividend, divisor = 10 ** 2_000_000, 7 ** 1_200_000
        self.emit('begun')
        dividend // divisor

    @databench.on
    def echo(self, value):
        self.emit('echo', value)
