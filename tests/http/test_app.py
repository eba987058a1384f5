"""Callbacks around an application's life."""

import asyncio

import pytest

from databench.http import Application, CallbackManager
from databench.http import app as life


def test_application_is_tornados_with_callbacks():
    application = Application([], debug=False, own=3)
    assert application.settings["own"] == 3
    assert isinstance(application, CallbackManager)
    assert application.on_start_callbacks == []


async def test_start_callbacks_run_in_order_and_are_awaited():
    done = []

    async def slow(application, io_loop):
        await asyncio.sleep(0)
        done.append("slow")

    application = CallbackManager()
    application.on_start_callbacks += [slow, lambda application, io_loop: done.append(io_loop)]
    await life.start(application, "loop")
    assert done == ["slow", "loop"]


async def test_failure_at_the_start_ends_it():
    done = []

    def fail(application, io_loop):
        raise RuntimeError("no")

    application = CallbackManager()
    application.on_start_callbacks += [fail, lambda application, io_loop: done.append(1)]
    with pytest.raises(RuntimeError):
        await life.start(application, None)
    assert done == []


@pytest.mark.expected_log("at shutdown failed")
async def test_failure_at_shutdown_is_logged_and_the_others_run():
    done = []

    async def fail(application):
        raise RuntimeError("no")

    async def late(application):
        await asyncio.sleep(0)
        done.append("late")

    application = CallbackManager()
    application.on_shutdown_callbacks += [fail, late, lambda application: done.append("plain")]
    assert await life.shut_down(application, 5)
    assert sorted(done) == ["late", "plain"]


@pytest.mark.expected_log("1 callbacks at shutdown took more than 0.01 s")
async def test_shutdown_has_a_limit():
    ended = asyncio.Event()

    async def never(application):
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    application = CallbackManager()
    application.on_shutdown_callbacks.append(never)
    assert not await life.shut_down(application, 0.01)
    await asyncio.wait_for(ended.wait(), 5)


async def test_shutdown_without_callbacks_is_done():
    assert await life.shut_down(CallbackManager(), 0)
