"""π from random points, as a coroutine: it can be cancelled wherever it awaits."""

import asyncio
import math
import random

import databench

BATCH = 5_000
# Without a pause the numbers would change faster than a person can read.
PAUSE_S = 0.02


class Dummypi(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init(samples=500_000, pi={'estimate': 0.0, 'uncertainty': 1.0})

    @databench.on
    def samples(self, value):
        """Take the slider's value.

        The same happens without this handler: an input writes the value of its name.
        """
        self.data['samples'] = value

    @databench.on
    async def run(self):
        """Throw points at a square, and count those inside the quarter circle."""
        inside = 0
        for draws in range(BATCH, self.data['samples'] + 1, BATCH):
            inside += sum(random.random() ** 2 + random.random() ** 2 < 1 for _ in range(BATCH))
            share = inside / draws
            uncertainty = 4 * math.sqrt(share * (1 - share) / draws)
            self.set_state(pi={'estimate': 4 * share, 'uncertainty': uncertainty})
            await self.emit('log', {'draws': draws, 'inside': inside})
            await asyncio.sleep(PAUSE_S)
        self.emit('log', {'action': 'done'})
