"""Callbacks around an application's life."""

import asyncio

import pytest
import tornado.ioloop
import tornado.locks
import tornado.web

from databench.http import Application, CallbackManager, app, wrap_application


def start(application):
    return application.start(tornado.ioloop.IOLoop.current())


def test_application_is_tornados_with_callbacks():
    application = Application([], debug=False, own=3)
    assert application.settings["own"] == 3
    assert isinstance(application, CallbackManager)
    assert application.tornado_application is application
    assert application.on_start_callbacks == []


async def test_manager_is_a_base_for_other_applications():
    class Other(CallbackManager, tornado.web.Application):
        def __init__(self):
            super().__init__(None, [("/", tornado.web.RequestHandler)], own=3)

    application = Other()
    got = []
    application.before_run_callbacks.append(lambda own, io_loop: got.append(own))
    assert await start(application)
    assert got == [application]
    assert application.settings["own"] == 3


async def test_application_of_tornado_is_wrapped_and_its_callbacks_get_it():
    got = []
    plain = tornado.web.Application()
    plain.runner_callbacks = {"before_run": [lambda own, io_loop: got.append(("before", own))]}
    wrapped = wrap_application(
        plain,
        on_start=[lambda own, io_loop: got.append(("start", own))],
        shutdown=[lambda own: got.append(("end", own))],
    )
    assert wrapped.tornado_application is plain
    assert await start(wrapped)
    assert plain.ready_to_serve.is_set()
    await wrapped.shut_down(5)
    assert got == [("before", plain), ("start", plain), ("end", plain)]


def test_application_with_callbacks_is_not_wrapped_again():
    application = Application()
    more = [lambda own, io_loop: None]
    assert wrap_application(application, more, more, more) is application
    assert application.before_run_callbacks == application.on_start_callbacks == more
    assert application.on_shutdown_callbacks == more


async def test_before_run_is_called_at_once_and_on_start_on_the_running_loop():
    done = []

    async def slow(own, io_loop):
        await asyncio.sleep(0)
        done.append("slow")

    application = Application()
    application.on_start_callbacks += [
        slow,
        lambda own, io_loop: done.append((own, io_loop)),
    ]
    application.before_run_callbacks.append(lambda own, io_loop: done.append("before"))
    task = start(application)
    assert done == ["before"]
    assert await task
    # Side by side: a callback that never ends holds none of the others back.
    io_loop = tornado.ioloop.IOLoop.current()
    assert done == ["before", (application, io_loop), "slow"]


async def test_application_is_ready_once_every_on_start_callback_has_ended():
    gate = asyncio.Event()

    async def slow(own, io_loop):
        await gate.wait()

    application = Application()
    application.on_start_callbacks.append(slow)
    task = start(application)
    await asyncio.sleep(0)
    assert not application.ready_to_serve.is_set()
    gate.set()
    await task
    assert application.ready_to_serve.is_set()


async def test_application_may_decide_itself_when_it_is_ready():
    class Later(Application):
        def on_started(self):
            self.told = True

    application = Later()
    assert await start(application)
    assert application.told
    assert not application.ready_to_serve.is_set()


@pytest.mark.expected_log("before_run callback .* failed")
def test_failed_before_run_cancels_the_start():
    done = []

    def fail(own, io_loop):
        raise RuntimeError("no")

    application = Application()
    application.before_run_callbacks += [fail, lambda own, io_loop: done.append(1)]
    with pytest.raises(RuntimeError):
        application.start(None)
    assert done == []


@pytest.mark.expected_log("on_start callback .* failed")
async def test_failed_on_start_is_logged_and_the_application_is_not_ready():
    done = []

    async def fail(own, io_loop):
        raise RuntimeError("no")

    application = Application()
    application.on_start_callbacks += [fail, lambda own, io_loop: done.append(1)]
    assert not await start(application)
    assert done == [1]
    assert not application.ready_to_serve.is_set()


@pytest.mark.expected_log("shutdown callback .* failed")
async def test_failure_at_shutdown_is_logged_and_the_others_run():
    done = []

    async def fail(own):
        raise RuntimeError("no")

    def fail_at_once(own):
        raise RuntimeError("no")

    async def late(own):
        await asyncio.sleep(0)
        done.append("late")

    application = CallbackManager()
    application.on_shutdown_callbacks += [
        fail,
        fail_at_once,
        late,
        lambda own: done.append("plain"),
    ]
    assert await application.shut_down(5)
    assert sorted(done) == ["late", "plain"]


@pytest.mark.expected_log("1 callbacks at shutdown took more than 0.01 s")
async def test_shutdown_has_a_limit():
    ended = asyncio.Event()

    async def never(own):
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    application = CallbackManager()
    application.on_shutdown_callbacks.append(never)
    assert not await application.shut_down(0.01)
    await asyncio.wait_for(ended.wait(), 5)


async def test_shutdown_that_is_cut_short_cancels_its_callbacks():
    begun, ended = asyncio.Event(), asyncio.Event()

    async def never(own):
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    application = CallbackManager()
    application.on_shutdown_callbacks.append(never)
    task = asyncio.ensure_future(application.shut_down(60))
    await begun.wait()
    task.cancel()
    await asyncio.wait_for(ended.wait(), 5)


async def test_shutdown_without_callbacks_is_done():
    assert await CallbackManager().shut_down(0)
    await CallbackManager().drain(0)


@pytest.mark.parametrize(
    ("settings", "header"),
    [
        ({"server": "mine"}, "mine"),
        ({"service": "a", "version": "2"}, "a/2"),
        ({"service": "a"}, "a"),
        ({"version": "2"}, None),
        ({}, None),
    ],
)
async def test_server_header_is_the_settings(settings, header):
    application = Application(**settings)
    await start(application)
    headers: dict = {}
    for transform in application.transforms:
        transform(None).transform_first_chunk(200, headers, b"", True)
    assert headers.get("Server") == header


def test_what_is_no_application_is_refused():
    with pytest.raises(TypeError, match="None is not an application, expected a tornado"):
        wrap_application(None)


def test_manager_without_an_application_serves_nothing():
    with pytest.raises(AssertionError, match="no application"):
        _ = CallbackManager().tornado_application
    assert app.Application is Application


@pytest.mark.parametrize("when", ["after", "before", "class"])
async def test_an_event_of_the_applications_own_is_set_by_it_alone(when):
    class Database(Application):
        if when == "class":
            ready_to_serve = tornado.locks.Event()

        def __init__(self):
            if when == "before":
                self.ready_to_serve = tornado.locks.Event()
            super().__init__([])
            if when == "after":
                self.ready_to_serve = tornado.locks.Event()

    application = Database()
    assert await start(application)
    assert not application.ready_to_serve.is_set()
    application.ready_to_serve.set()
    application.on_stopping()
    assert not application.ready_to_serve.is_set()


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_event_of_a_wrapped_applications_own_is_set_by_it_alone(when):
    plain = tornado.web.Application()
    event = tornado.locks.Event()
    if when == "before":
        plain.ready_to_serve = event
    wrapped = wrap_application(plain)
    plain.ready_to_serve = event
    assert await start(wrapped)
    assert plain.ready_to_serve is wrapped.ready_to_serve is event
    assert not event.is_set()
    event.set()
    wrapped.on_stopping()
    assert not event.is_set()


def test_callbacks_are_lists_of_a_dict_too():
    application = Application([])
    assert application.runner_callbacks == {"before_run": [], "on_start": [], "shutdown": []}
    application.runner_callbacks["on_start"].append(print)
    application.runner_callbacks["shutdown"] = [repr]
    assert application.on_start_callbacks == [print]
    assert application.on_shutdown_callbacks == [repr]
    application.before_run_callbacks = [str]
    assert application.runner_callbacks["before_run"] == [str]
    plain = tornado.web.Application()
    wrap_application(plain, before_run=[str])
    assert plain.runner_callbacks["before_run"] == [str]


def test_stop_calls_the_shutdown_callbacks_and_stops_the_loop():
    done = []
    loop = asyncio.new_event_loop()

    async def main():
        application = Application([])
        application.on_shutdown_callbacks.append(lambda own: done.append(own))
        assert await start(application)
        application.stop(tornado.ioloop.IOLoop.current(), 5.0, 1.0)
        return application

    task = loop.create_task(main())
    loop.run_forever()
    assert done == [task.result()]
    assert not task.result().ready_to_serve.is_set()
    loop.close()


async def test_stop_of_one_that_a_runner_serves_is_the_runners():
    application = Application([])
    stopped = []
    application.stop_run = lambda: stopped.append(1)
    application.stop(None)
    assert stopped == [1]
