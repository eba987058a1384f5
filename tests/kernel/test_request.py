"""What one running action carries."""

import asyncio

from databench.kernel.request import Cancelled, Request, current


def test_a_cancel_is_no_exception_that_people_catch_by_accident():
    assert not issubclass(Cancelled, Exception)


def test_the_current_request_is_inherited_by_tasks():
    request = Request(None, 5, "run", b"")

    async def inner():
        return current.get()

    async def outer():
        token = current.set(request)
        task = asyncio.ensure_future(inner())
        current.reset(token)
        return await task

    assert asyncio.run(outer()) is request
    assert current.get() is None
