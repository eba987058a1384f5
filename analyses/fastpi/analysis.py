"""π from random points on several processors: a pool of processes, and no server."""

import asyncio
import math
import random
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import databench

BATCHES, DRAWS = 100, 100_000
MOST = 4  # processes


def draw(seed):
    """The points of one batch that are inside the quarter circle."""
    rng = random.Random(seed)
    return sum(rng.random() ** 2 + rng.random() ** 2 < 1 for _ in range(DRAWS))


class Fastpi(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init(processes=2, pi={})

    @databench.on
    async def run(self):
        # A coroutine: while a plain method runs, the slider would wait for its end.
        # A kernel has threads, and a fork of it could hang: the processes start afresh.
        pool = ProcessPoolExecutor(MOST, mp_context=get_context('spawn'))
        inside = draws = 0
        try:
            async for count in self.progress(self.results(pool), total=BATCHES):
                inside, draws = inside + count, draws + DRAWS
                share = inside / draws
                uncertainty = 4 * math.sqrt(share * (1 - share) / draws)
                self.set_state(pi={'estimate': 4 * share, 'uncertainty': uncertainty})
                self.emit('log', {'draws': draws, 'inside': inside})
            self.emit('log', {'action': 'done'})
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    async def results(self, pool):
        """The counts as they come, with as many batches under way as the slider says."""
        loop = asyncio.get_running_loop()
        seeds = iter(random.sample(range(2 ** 32), BATCHES))
        running = set()
        while True:
            for _ in range(self.data['processes'] - len(running)):
                if (seed := next(seeds, None)) is not None:
                    running.add(loop.run_in_executor(pool, draw, seed))
            if not running:
                return
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for future in done:
                yield future.result()
