"""From settings and the environment to a running application."""

import asyncio
import logging
import os
import signal
import subprocess
import sys

import pytest
import tornado.ioloop
import tornado.web

from databench import http
from databench.errors import SettingError
from databench.http import launch
from tests.http.program import Program, fetch, free_port


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    for name in ("PORT", "DEBUG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def ran(monkeypatch):
    """What runners were told, in place of a run."""
    told = []

    class Told(launch.Runner):
        def bind(self, port_number=None):
            pass

        def run(self, port_number=None, number_of_procs=1):
            told.append((port_number, number_of_procs, self))

    monkeypatch.setattr(launch, "Runner", Told)
    return told


def make(**settings):
    return http.Application([], **settings)


@pytest.mark.parametrize(
    ("settings", "environ", "port"),
    [
        (None, {}, 8000),
        (None, {"PORT": "8123"}, 8123),
        ({"port": 81}, {"PORT": "8123"}, 81),
        ({"port": "82"}, {}, 82),
        ({"port": None}, {"PORT": "8123"}, 8123),
        ({"port": 0}, {"PORT": "8123"}, 0),
    ],
)
def test_port_is_the_settings_then_the_environments(ran, monkeypatch, settings, environ, port):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    http.run(make, settings)
    assert ran[0][0] == port


@pytest.mark.parametrize(
    ("settings", "text", "debug"),
    [
        (None, None, False),
        (None, "1", True),
        (None, "true", True),
        (None, "0", False),
        (None, "2", True),
        (None, "no", False),
        (None, "", False),
        ({"debug": False}, "1", False),
        ({"debug": True}, "0", True),
    ],
)
def test_debug_is_the_settings_then_the_environments(ran, monkeypatch, settings, text, debug):
    if text is not None:
        monkeypatch.setenv("DEBUG", text)

    def make_it(**given):
        assert given["debug"] is debug
        return http.Application([])  # not passed on: Tornado would begin to watch its files

    http.run(make_it, settings)
    assert ran[0][2].application.settings["debug"] is debug


@pytest.mark.parametrize(
    ("settings", "environ", "problem"),
    [
        ({"port": "http"}, {}, r"port \(setting port\) is 'http', expected 0 to 65535"),
        ({"port": -1}, {}, r"port \(setting port\) is '-1'"),
        (None, {"PORT": "65536"}, r"port \(PORT\) is '65536'"),
        (None, {"DEBUG": "maybe"}, r"debug \(DEBUG\) is 'maybe', expected 0 or 1"),
        ({"number_of_procs": "many"}, {}, "number_of_procs is 'many', expected a whole number"),
    ],
)
def test_setting_that_is_none_is_refused(ran, monkeypatch, settings, environ, problem):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=problem):
        http.run(make, settings)
    assert ran == []


def test_number_of_processes_is_one_unless_said(ran):
    http.run(make)
    http.run(make, {"number_of_procs": 4})
    http.run(make, {"number_of_procs": 0})
    assert [told[1] for told in ran] == [1, 4, 0]


def test_application_gets_the_rest_of_the_settings(ran):
    given = {"port": 1, "number_of_procs": 1, "xheaders": True, "own": 3}
    http.run(make, given)
    settings = ran[0][2].application.settings
    assert (settings["xheaders"], settings["own"], settings["debug"]) == (True, 3, False)
    assert "port" not in settings
    assert "number_of_procs" not in settings
    assert given["port"] == 1  # the caller's own is left as it was


class Shop(http.Application):
    """A class as what creates the application, that passes no settings on."""

    def __init__(self, **settings):
        self.given = settings
        super().__init__([])


class Maker:
    def __call__(self, **settings):
        return Shop(**settings)


@pytest.mark.parametrize("create", [Shop, Maker(), Maker().__call__, lambda **s: Shop(**s)])
def test_any_callable_creates_it(ran, create):
    http.run(create, {"xheaders": True, "max_body_size": 5})
    application = ran[0][2].application
    assert isinstance(application, Shop)
    assert application.given["max_body_size"] == 5
    # Those of the run hold, whether the application keeps them or not.
    assert application.settings["max_body_size"] == 5


def test_application_is_made_on_the_loop_that_runs_it(ran):
    loops = []

    def create(**settings):
        loops.append(tornado.ioloop.IOLoop.current().asyncio_loop)
        return tornado.web.Application()

    http.run(create)
    assert loops[0] is ran[0][2]._loop
    assert loops[0].is_closed()


def test_failure_while_it_is_made_leaves_no_loop():
    loops = []

    def create(**settings):
        loops.append(asyncio.get_event_loop_policy().get_event_loop())
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        http.run(create)
    assert loops[0].is_closed()


def test_taken_port_is_told():
    sockets = http.bind("127.0.0.1", 0)
    port = sockets[0].getsockname()[1]
    with pytest.raises(SettingError, match=rf"cannot listen on port {port}: .*in use"):
        http.run(make, {"port": port, "host": "127.0.0.1"})
    sockets[0].close()


# -- logging ---------------------------------------------------------------------------------------


def test_log_config_is_taken_as_it_is(ran):
    name = "tests.http.launch"
    http.run(make, None, {"version": 1, "incremental": True, "loggers": {name: {"level": 17}}})
    assert logging.getLogger(name).level == 17


LOGGING = """
import logging, sys
from databench import http
from databench.http import launch
class Runner(launch.Runner):
    def bind(self, port): pass
    def run(self, *args): logging.getLogger("own").log(int(sys.argv[1]), "said")
launch.Runner = Runner
if "before" in sys.argv:
    logging.basicConfig(format="mine %(message)s", level=1)
http.run(lambda **settings: http.Application())
"""


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "environ", "line"),
    [
        (("20",), {}, r"INFO \d+ own: said"),
        (("10",), {}, None),
        (("10",), {"DEBUG": "1"}, r"DEBUG \d+ own: said"),
        (("10", "before"), {}, "mine said"),
    ],
)
def test_log_goes_to_stderr_where_nothing_else_was_set_up(words, environ, line):
    import re

    with Program(LOGGING, *words, **environ) as program:
        status, out, err = program.end()
    assert (status, out) == (0, "")
    assert bool(re.search(line or "said", err)) is (line is not None)


# -- a whole run -----------------------------------------------------------------------------------

SERVES = """
import tornado.web
from databench import http

class Upload(tornado.web.RequestHandler):
    def get(self):
        self.write(self.request.remote_ip)
    def put(self):
        self.write(str(len(self.request.body)))

def make(**settings):
    application = tornado.web.Application([("/", Upload)])
    application.runner_callbacks = {"on_start": [lambda app, loop: print("started", flush=True)]}
    return application

http.run(make, settings={"max_body_size": 10, "server": "mine", "xheaders": True})
"""


@pytest.mark.process
@pytest.mark.slow
def test_settings_of_the_server_hold():
    import http.client

    port = free_port()
    with Program(SERVES, PORT=str(port)) as program:
        assert program.line() == "started"
        client = http.client.HTTPConnection("127.0.0.1", port)
        client.request("GET", "/", headers={"X-Real-Ip": "203.0.113.9"})
        answer = client.getresponse()
        assert (answer.headers["Server"], answer.read()) == ("mine", b"203.0.113.9")
        for size, status in ((10, 200), (11, 400)):
            client.request("PUT", "/", body=b"x" * size)
            answer = client.getresponse()
            answer.read()
            assert answer.status == status
            client.close()
        assert program.end(signal.SIGTERM)[0] == 0


RELOADS = """
import sys, tornado.web
from databench import http

class Hello(tornado.web.RequestHandler):
    def get(self):
        self.write("one")

def make(**settings):
    application = http.Application([("/", Hello)], **settings)
    application.on_start_callbacks.append(lambda app, loop: print("started", flush=True))
    return application

http.run(make)
"""


@pytest.mark.process
@pytest.mark.slow
def test_debug_starts_again_when_a_file_was_saved(tmp_path, repository):
    port = free_port()
    file = tmp_path / "program.py"
    file.write_text(RELOADS)
    os.utime(file, (1, 1))
    environ = {**os.environ, "PORT": str(port), "DEBUG": "1", "PYTHONPATH": str(repository)}
    process = subprocess.Popen(
        [sys.executable, str(file)], env=environ, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "started\n"
        assert fetch(port) == "one"
        file.write_text(RELOADS.replace("one", "two"))
        while fetch_or_none(port) != "two":
            os.utime(file)  # saved again, should it not have been looked at before
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()


def fetch_or_none(port):
    try:
        return fetch(port)
    except OSError:  # between the two
        return None
