"""Publishes what is typed to a Redis channel; `redissub` shows it."""

import os

import databench
from databench.install import pip_install

try:
    import redis.asyncio as redis
except ImportError:
    redis = None

URL = os.environ.get('REDIS_URL', 'redis://localhost:6379')
CHANNEL = 'databench-words'


class Redispub(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init(note='')

    @databench.on
    async def publish(self, text):
        if redis is None:
            raise RuntimeError(f"redis is not installed: {pip_install('databench[redis]')}")
        try:
            async with redis.from_url(URL, socket_connect_timeout=2) as client:
                heard = await client.publish(CHANNEL, str(text))
        except (redis.ConnectionError, redis.TimeoutError) as error:
            note = f"No Redis ({error}). '{text}' is not published. Start one: redis-server"
        else:
            note = f"'{text}' was heard by {heard}"
        self.set_state(note=note)
