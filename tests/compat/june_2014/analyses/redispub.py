"""What the page makes up goes to a channel of Redis."""

import os

from redis import StrictRedis

import databench

redispub = databench.Analysis('redispub', __name__)
redispub.description = __doc__


@redispub.signals.on('connect')
def begin():
    redispub.signals.emit('log', {'action': 'backend started'})
    redis_client = StrictRedis.from_url(os.environ['REDIS_URL'])

    @redispub.signals.on('stats')
    def publish(message):
        redis_client.publish('stats', message['value'])
