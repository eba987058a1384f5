"""π from random points, as a generator: what it yields is waited for."""

import asyncio
import math
import random

import databench

BATCH = 5_000
# Without a pause the numbers would change faster than a person can read.
PAUSE_S = 0.02


class DummypiPy(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init(samples=500_000, pi={'estimate': 0.0, 'uncertainty': 1.0})

    @databench.on
    def samples(self, value):
        """Take the slider's value."""
        self.data['samples'] = value

    @databench.on
    def run(self):
        """Throw points at a square, and count those inside the quarter circle."""
        inside = 0
        for draws in range(BATCH, self.data['samples'] + 1, BATCH):
            inside += sum(random.random() ** 2 + random.random() ** 2 < 1 for _ in range(BATCH))
            share = inside / draws
            uncertainty = 4 * math.sqrt(share * (1 - share) / draws)
            self.set_state(pi={'estimate': 4 * share, 'uncertainty': uncertainty})
            yield self.emit('log', {'draws': draws, 'inside': inside})
            yield asyncio.sleep(PAUSE_S)
        yield self.emit('log', {'action': 'done'})
