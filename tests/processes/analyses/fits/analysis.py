"""Actions that may run twice, one of each kind, and one that may not."""

import asyncio
import os
import time

import databench

LONG_S = 60


class Fits(databench.Analysis):
    """Each action ends in the run of it that the page names; earlier runs last a minute."""

    @databench.on
    def connected(self):
        yield self.data.init(runs=0)

    def begin(self, word, until):
        """How long this run lasts."""
        self.data["runs"] += 1
        self.emit("begun", {"word": word, "pid": os.getpid(), "runs": self.data["runs"]})
        return 0 if self.data["runs"] >= until else LONG_S

    @databench.on(idempotent=True)
    async def coroutine(self, word, until):
        await asyncio.sleep(self.begin(word, until))
        return word

    @databench.on(idempotent=True)
    def plain(self, word, until):
        time.sleep(self.begin(word, until))
        return word

    @databench.on(idempotent=True)
    def generator(self, word, until):
        yield asyncio.sleep(self.begin(word, until))
        return word

    @databench.on(idempotent=True)
    async def stubborn(self, word, until):
        for _ in range(3):
            try:
                await asyncio.sleep(self.begin(word, until))
            except asyncio.CancelledError:
                self.emit("not yet")

    @databench.on
    def eat(self):
        held = []
        while True:
            held.append(bytearray(b"x") * (8 << 20))
            time.sleep(0.02)

    @databench.on
    async def once(self, word, until):
        await asyncio.sleep(self.begin(word, until))
