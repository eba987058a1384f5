"""Calculating \\(\\pi\\) over a queue in Redis."""

import math
import os
from random import random
from time import sleep

from redis import Redis
from rq import Queue

import databench

ANALYSIS = databench.Analysis('slowpi', __name__, __doc__)


def inside(job, draws=100):
    found = sum(random() ** 2 + random() ** 2 < 1.0 for _ in range(draws))
    return job, found, draws


@ANALYSIS.signals.on('connect')
def run():
    queue = Queue(connection=Redis.from_url(os.environ['REDIS_URL']))
    jobs = [queue.enqueue(inside, i) for i in range(3)]
    draws = found = 0
    while jobs:
        left = []
        for job in jobs:
            if job.return_value():
                found += job.return_value()[1]
                draws += job.return_value()[2]
                part = found / draws
                ANALYSIS.signals.emit('log', {'result': job.return_value(), 'draws': draws})
                ANALYSIS.signals.emit('status', {
                    'pi-estimate': 4.0 * part,
                    'pi-uncertainty': 4.0 * math.sqrt(part * (1.0 - part) / draws),
                })
            else:
                left.append(job)
        jobs = left
        sleep(0.1)
    ANALYSIS.signals.emit('log', {'action': 'done'})
