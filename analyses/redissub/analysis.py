"""Shows what is published to a Redis channel, live."""

import asyncio
import os

import databench
from databench.install import pip_install

try:
    import redis.asyncio as redis
except ImportError:
    redis = None

URL = os.environ.get('REDIS_URL', 'redis://localhost:6379')
CHANNEL = 'databench-words'
RETRY_S = 0.5


class Redissub(databench.Analysis):
    @databench.on
    async def connected(self):
        await self.data.init(note='', word='')
        if redis is None:
            self.set_state(note=f"redis is not installed: {pip_install('databench[redis]')}")
        else:
            self.task = asyncio.create_task(self.listen())

    @databench.on
    def disconnected(self):
        if redis is not None:
            self.task.cancel()

    async def listen(self):
        while True:
            try:
                await self.listen_once()
            except (redis.ConnectionError, redis.TimeoutError) as error:
                self.set_state(note=f'No Redis ({error}). Start one: redis-server. '
                                    'This page listens again when it is there.')
            await asyncio.sleep(RETRY_S)

    async def listen_once(self):
        client = redis.from_url(URL, socket_connect_timeout=2)
        async with client, client.pubsub() as channel:
            await channel.subscribe(CHANNEL)
            async for message in channel.listen():
                if message['type'] == 'subscribe':
                    self.set_state(note='Listening.')
                elif message['type'] == 'message':
                    word = message['data'].decode(errors='replace')
                    self.set_state(word=word)
                    self.emit('log', word)
