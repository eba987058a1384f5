"""What comes from a channel of Redis, by a thread in the place of a greenlet."""

import contextvars
import os
from threading import Thread

from redis import StrictRedis

import databench

redissub = databench.Analysis('redissub', __name__)
redissub.description = __doc__


@redissub.signals.on('connect')
def begin():
    redissub.signals.emit('log', {'action': 'backend started'})
    channel = StrictRedis.from_url(os.environ['REDIS_URL']).pubsub()
    channel.subscribe('stats')

    def listen():
        for message in channel.listen():
            if message['type'] == 'message':
                redissub.signals.emit('status', float(message['data']))

    Thread(target=contextvars.copy_context().run, args=(listen,), daemon=True).start()

    @redissub.signals.on('disconnect')
    def end():
        channel.unsubscribe()
        print('unsubscribed', flush=True)
