"""The test case that runs an application, itself run as a person's tests are."""

import asyncio
import unittest

import pytest
import tornado.testing
import tornado.web

from databench.http import Application, StatusHandler, testing


def run(case):
    """Its result; the test is run in a runner of its own."""
    result = unittest.TestResult()
    case("test").run(result)
    return result


def make(order):
    application = Application([("/status", StatusHandler)])

    async def begin(app, io_loop):
        await asyncio.sleep(0.001)
        order.append("start")

    async def end(app):
        await asyncio.sleep(0.001)
        order.append("end")

    application.before_run_callbacks.append(lambda app, io_loop: order.append("before"))
    application.on_start_callbacks.append(begin)
    application.on_shutdown_callbacks.append(end)
    return application


def test_callbacks_are_called_around_a_test():
    order = []

    class Case(testing.ApplicationTestCase):
        def get_app(self):
            return make(order)

        def test(self):
            order.append(self.fetch("/status").code)

    result = run(Case)
    assert result.wasSuccessful(), result.errors
    assert order == ["before", "start", 200, "end"]


def test_case_is_written_as_for_sprockets():
    order = []

    class Case(testing.SprocketsHttpTestCase):
        shutdown_limit = 5
        wait_timeout = 0.01

        def get_app(self):
            self.app = make(order)
            return self.app

        @tornado.testing.gen_test
        async def test(self):
            answer = await self.http_client.fetch(self.get_url("/status"))
            order.append((answer.code, self.app.ready_to_serve.is_set()))

    result = run(Case)
    assert result.wasSuccessful(), result.errors
    assert order == ["before", "start", (200, True), "end"]


def test_application_of_tornado_is_run_too():
    class Case(testing.ApplicationTestCase):
        def get_app(self):
            return tornado.web.Application([("/status", StatusHandler)])

        def test(self):
            assert self.fetch("/status").code == 200

    result = run(Case)
    assert result.wasSuccessful(), result.errors


def test_callback_that_never_ends_holds_no_test_up():
    ended = []

    async def forever(app, io_loop):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    class Case(testing.ApplicationTestCase):
        start_limit_s = 0.01

        def get_app(self):
            application = make([])
            application.on_start_callbacks.append(forever)
            return application

        def test(self):
            assert self.fetch("/status").code == 503

    result = run(Case)
    assert result.wasSuccessful(), result.errors
    assert ended == [1]


@pytest.mark.expected_log("before_run callback .* failed")
def test_failed_before_run_fails_the_test():
    class Case(testing.ApplicationTestCase):
        def get_app(self):
            application = make([])
            application.before_run_callbacks.append(lambda app, io_loop: 1 / 0)
            return application

        def test(self):
            raise AssertionError("not reached")

    result = run(Case)
    assert "ZeroDivisionError" in result.errors[0][1]


def test_get_app_is_to_be_overridden():
    with pytest.raises(NotImplementedError):
        testing.ApplicationTestCase("get_app").get_app()
