"""An application written for sprockets.http runs when its import is changed, and nothing else."""

import http.client
import json
import os
import signal
import subprocess
import sys

import pytest

from tests.http.program import LIMIT_S, REPOSITORY, Program, free_port

# As such an application is written; it knows nothing of Databench.
LIBRARY = """
import asyncio, os, sys

from tornado import web
from sprockets import http
from sprockets.http import app, mixins, runner


def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())


class Items(mixins.ErrorLogger, mixins.ErrorWriter, web.RequestHandler):
    def get(self, name):
        self.logger.info("asked for %s", name)
        if name not in self.application.items:
            raise web.HTTPError(404, reason="No Such Item")
        if name == "broken":
            raise RuntimeError("out of order")
        self.write({"name": name, "count": self.application.items[name]})


class Shop(app.Application):
    def __init__(self, **settings):
        super().__init__([web.url(r"/items/(?P<name>\\w+)", Items)], **settings)
        self.before_run_callbacks.append(self.open)
        self.on_start_callbacks.append(self.fill)
        self.on_shutdown_callbacks.append(self.close)

    def open(self, application, io_loop):
        assert application is self
        self.items = {}

    async def fill(self, application, io_loop):
        await asyncio.sleep(0)
        self.items.update(tea=3, broken=0)
        say("filled")

    async def close(self, application):
        await asyncio.sleep(0)
        say("closed")


def make_plain(**settings):
    application = web.Application([web.url(r"/items/(?P<name>\\w+)", Items)], **settings)
    application.items = {"tea": 4}
    application.runner_callbacks = {"shutdown": [lambda application: say("closed")]}
    return application
"""

LOGGING = """{
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"readable": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "readable"}},
    "root": {"level": "INFO", "handlers": ["console"]},
}"""

RUNS = {
    "class": f"http.run(Shop, log_config={LOGGING})",
    "function, settings": (
        "http.run(make_plain, settings={'port': os.environ.pop('PORT'), 'serve_traceback': True},"
        f" log_config={LOGGING})"
    ),
    "two processes": f"http.run(Shop, settings={{'number_of_procs': 2}}, log_config={LOGGING})",
    "runner": (
        f"import logging.config; logging.config.dictConfig({LOGGING})\n"
        "runner.Runner(Shop(debug=False)).run(int(os.environ['PORT']))"
    ),
    "runner, callbacks": (
        f"import logging.config; logging.config.dictConfig({LOGGING})\n"
        "runner.Runner(make_plain(), on_start=[lambda app, loop: say('filled')])"
        ".run(int(os.environ['PORT']), number_of_procs=1)"
    ),
}

pytestmark = [pytest.mark.slow, pytest.mark.process]


def changed(text: str) -> str:
    """The one change: `from sprockets` becomes `from databench`."""
    return text.replace("from sprockets", "from databench")


def ask(port: int, path: str) -> tuple[int, str, dict]:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    client.request("GET", path)
    answer = client.getresponse()
    document = json.loads(answer.read())
    client.close()
    return answer.status, answer.reason, document


@pytest.mark.parametrize("how", ["class", "two processes", "runner"])
def test_application_with_callbacks_serves_and_drains(how):
    port = free_port()
    with Program(changed(LIBRARY) + RUNS[how], PORT=str(port)) as program:
        count = 2 if how == "two processes" else 1
        assert [program.line() for _ in range(count)] == ["filled"] * count
        assert ask(port, "/items/tea") == (200, "OK", {"name": "tea", "count": 3})
        assert ask(port, "/items/broken") == (
            500,
            "Internal Server Error",
            {"type": "RuntimeError", "message": "out of order", "traceback": None},
        )
        status, reason, document = ask(port, "/items/milk")
        assert (status, reason) == (404, "No Such Item")
        assert document["message"] == "HTTP 404: No Such Item"
        status, out, err = program.end(signal.SIGTERM)
    assert status == 0
    assert out.split() == ["closed"] * count
    assert "INFO Items: asked for tea" in err
    assert "ERROR Items: GET /items/broken failed with 500: Internal Server Error" in err
    assert err.count("RuntimeError: out of order") == 1
    assert "WARNING Items: GET /items/milk failed with 404: No Such Item" in err


@pytest.mark.parametrize("how", ["function, settings", "runner, callbacks"])
def test_application_of_tornado_serves_and_drains(how):
    port = free_port()
    text = changed(LIBRARY) + RUNS[how]
    if how == "function, settings":
        text = text.replace("return application", "say('filled')\n    return application")
    with Program(text, PORT=str(port)) as program:
        assert program.line() == "filled"
        while True:
            try:
                assert ask(port, "/items/tea")[2]["count"] == 4
                break
            except ConnectionRefusedError:
                assert program.process.poll() is None
        traceback = ask(port, "/items/milk")[2]["traceback"]
        assert bool(traceback) is (how == "function, settings")
        status, out, _ = program.end(signal.SIGTERM)
    assert (status, out) == (0, "closed\n")


TESTS = """
import unittest

from sprockets.http import testing
from shop import Shop


class ShopTests(testing.SprocketsHttpTestCase):
    def get_app(self):
        self.app = Shop()
        return self.app

    def test_that_tea_is_sold(self):
        self.assertEqual(self.fetch("/items/tea").code, 200)

    def test_that_milk_is_not(self):
        self.assertEqual(self.fetch("/items/milk").reason, "No Such Item")


if __name__ == "__main__":
    unittest.main()
"""


def test_its_own_tests_pass(tmp_path):
    (tmp_path / "shop.py").write_text(changed(LIBRARY))
    (tmp_path / "test_shop.py").write_text(changed(TESTS))
    done = subprocess.run(
        [sys.executable, "-m", "unittest", "-v", "test_shop"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Ran 2 tests" in done.stderr
    assert done.stdout.split() == ["filled", "closed"] * 2


BY_HAND = """
from tornado import ioloop, locks

class Database(Shop):
    def __init__(self):
        super().__init__()
        self.ready_to_serve = locks.Event()
        self.add_handlers(".*", [("/status", http.StatusHandler)])

own = runner.Runner(Database(), shutdown=[lambda application: say("ended")])
own.start_server(int(os.environ["PORT"]))
own.application.start(ioloop.IOLoop.current())
ioloop.IOLoop.current().start()
say("stopped")
"""


def test_a_server_that_is_started_by_hand_serves_and_ends_at_a_signal():
    port = free_port()
    with Program(changed(LIBRARY) + BY_HAND, PORT=str(port)) as program:
        assert program.line() == "filled"
        assert ask(port, "/items/tea")[0] == 200
        assert ask(port, "/status")[0] == 503
        status, out, _ = program.end(signal.SIGTERM)
    assert status == 0
    assert sorted(out.split()[:2]) == ["closed", "ended"]
    assert out.split()[2:] == ["stopped"]


def test_an_application_that_stops_itself_is_drained_and_its_callbacks_called_once():
    port = free_port()
    text = changed(LIBRARY) + (
        "shop = Shop()\n"
        "shop.on_start_callbacks.append("
        "lambda own, loop: loop.add_callback(own.stop, loop))\n"
        "runner.Runner(shop).run(int(os.environ['PORT']))\nsay('over')\n"
    )
    with Program(text, PORT=str(port)) as program:
        status, out, _ = program.end()
    assert status == 0
    assert out.split() == ["filled", "closed", "over"]
