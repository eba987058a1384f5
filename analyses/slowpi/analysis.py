"""π from random points, spread over workers of Redis Queue (RQ)."""

import asyncio
import math
import os
import subprocess
import sys

import databench
from databench.install import pip_install

from .draws import draw

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
    from rq import Queue
    from rq.job import Job
except ImportError as error:
    redis, MISSING = None, str(error)

URL = os.environ.get('REDIS_URL', 'redis://localhost:6379')
BATCHES, DRAWS = 100, 100_000
LOOK_S, RETRY_S = 0.05, 0.5


class Slowpi(databench.Analysis):
    @databench.on
    async def connected(self):
        self.workers, self.queue = [], None
        await self.data.init(workers=2, running=0, note='', pi={})
        if redis is None:
            self.say(f"{MISSING}. Install it: {pip_install('databench[redis]')}")
            return
        self.redis = redis.Redis.from_url(
            URL, socket_timeout=5, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0))
        # A queue for each session: its workers do no other's work.
        self.queue = Queue(f'slowpi-{self.id_}', connection=self.redis)
        try:
            await asyncio.to_thread(self.redis.ping)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            self.say(f'No Redis at {place()} ({error}). Start one: redis-server')

    @databench.on
    async def run(self):
        # A coroutine: while a plain method runs, the slider would wait for its end.
        if self.queue is None:
            raise RuntimeError(f"{MISSING}. Install it: {pip_install('databench[redis]')}")
        inside = draws = 0
        async for count in self.progress(self.results(), total=BATCHES):
            inside, draws = inside + count, draws + DRAWS
            share = inside / draws
            uncertainty = 4 * math.sqrt(share * (1 - share) / draws)
            self.set_state(pi={'estimate': 4 * share, 'uncertainty': uncertainty})
            self.emit('log', {'draws': draws, 'inside': inside})
        self.emit('log', {'action': 'done'})

    @databench.on
    def disconnected(self):
        self.keep_workers(0)
        if self.queue is not None:
            try:
                self.queue.delete(delete_jobs=True)
            except redis.RedisError:
                pass  # gone, and the queue with it
            self.redis.close()

    async def results(self):
        """The counts of all batches as they come; a batch that got lost is drawn again."""
        jobs, missing = set(), BATCHES
        while missing:
            counts = []
            try:
                # In a thread: a server that does not answer holds up no other session.
                counts = await asyncio.to_thread(self.look, jobs, missing)
                self.say('')
            except (redis.ConnectionError, redis.TimeoutError) as error:
                self.say(f'No Redis at {place()} ({error}). Start it: redis-server. '
                         f'The run waits for it; {BATCHES - missing} of {BATCHES} are counted.')
                self.keep_workers(0)
                jobs.clear()
                await asyncio.sleep(RETRY_S)
            if self.data['running'] != len(self.workers):
                self.set_state(running=len(self.workers))
            missing -= len(counts)
            for count in counts:
                yield count
            await asyncio.sleep(LOOK_S)

    def look(self, jobs, missing):
        """Counts what is done, and tops up the queue."""
        if self.keep_workers(self.data['workers']):
            jobs.clear()  # a worker died, and nobody knows with which batch
        if not jobs:
            self.queue.empty()  # of what an earlier run has left
        counts = self.collect(jobs)
        while len(jobs) < min(missing - len(counts), 2 * len(self.workers)):
            jobs.add(self.queue.enqueue(draw, DRAWS).id)
        return counts

    def collect(self, jobs):
        """Takes what is done out of `jobs`, and what Redis has forgotten."""
        counts = []
        ids = list(jobs)
        for id_, job in zip(ids, Job.fetch_many(ids, connection=self.redis)):
            if job is not None and job.is_failed:
                raise RuntimeError(f'a worker failed: {job.latest_result().exc_string}')
            if job is None or job.is_finished:
                jobs.discard(id_)
            if job is not None and job.is_finished:
                counts.append(job.return_value())
        return counts

    def keep_workers(self, number):
        """Starts or stops workers until there are so many; true where one had died."""
        alive = [worker for worker in self.workers if worker.poll() is None]
        has_died = len(alive) < len(self.workers)
        # Told to stop, a worker ends what it is at. No time for that where none is to stay.
        for worker in alive[number:]:
            worker.kill() if number == 0 else worker.terminate()
        self.workers = alive[:number]
        while len(self.workers) < number:
            self.workers.append(start_worker(self.queue.name))
        return has_died

    def say(self, note):
        if self.data['note'] != note:
            self.set_state(note=note)


def start_worker(queue):
    """A process that draws; it ends with the kernel, whatever becomes of that."""
    command = [sys.executable, '-m', 'rq.cli', 'worker', queue, '--quiet',
               '--worker-class', 'rq.SimpleWorker']
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return subprocess.Popen(
        command, env={**os.environ, 'RQ_REDIS_URL': URL, 'PYTHONPATH': path})


def place():
    """The server's address, without a password."""
    return URL.rpartition('@')[2]
