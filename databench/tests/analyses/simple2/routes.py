"""Handlers below `/simple2/`."""

from typing import Any

from tornado.web import RequestHandler


class Post(RequestHandler):
    """Takes a value for all sessions, and counts."""

    class_data: Any  # Databench gives it to each handler

    async def post(self):
        value = self.get_argument('data', 'no data')
        await self.class_data.set('posted', value)
        await self.class_data.change('count', lambda count: (count or 0) + 1)
        self.write('done')


class Get(RequestHandler):
    """Answers with what all sessions share."""

    class_data: Any

    async def get(self):
        self.write(await self.class_data)


ROUTES: list[Any] = [
    ('post', Post, {}),
    ('get', Get, {}),
]
