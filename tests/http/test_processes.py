"""Several processes of one application: real forks, real signals."""

import os
import signal
import socket

import psutil
import pytest

from tests.broker.harness import wait_until
from tests.http.program import Program, fetch, free_port

PROGRAM = """
import asyncio, os, sys, tornado.process, tornado.web
from databench import http

def say(text):
    os.write(1, f"{text}\\n".encode())  # one write: two processes speak at once

class Pid(tornado.web.RequestHandler):
    def get(self):
        self.write(str(os.getpid()))

class Task(tornado.web.RequestHandler):
    def get(self):
        self.write(str(tornado.process.task_id()))

class Slow(tornado.web.RequestHandler):
    async def get(self):
        say("asked")
        await asyncio.sleep(0.3)
        self.write("slow")

def make(**settings):
    assert "port" not in settings and "number_of_procs" not in settings
    application = http.Application([("/", Pid), ("/slow", Slow), ("/task", Task)], **settings)
    made = os.getpid()

    def before(app, io_loop):
        assert os.getpid() != made, "called before the fork"
        assert "fail" not in sys.argv

    async def end(app):
        await asyncio.sleep(60 if "stuck" in sys.argv else 0)
        say("ended")

    application.before_run_callbacks.append(before)
    application.on_start_callbacks.append(lambda app, io_loop: say(os.getpid()))
    application.on_shutdown_callbacks.append(end)
    return application

http.run(make, {"number_of_procs": 2, "shutdown_limit_s": float(sys.argv[1])})
say("parent is back")
"""

pytestmark = [pytest.mark.process, pytest.mark.slow]


@pytest.fixture
def program():
    """Starts it; gives it, its port and its two children."""
    running = []

    def start(*words, limit_s=5.0):
        port = free_port()
        running.append(Program(PROGRAM, limit_s, *words, PORT=str(port)))
        return running[-1], port, {int(running[-1].line()), int(running[-1].line())}

    yield start
    for each in running:
        each.__exit__()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_to_the_parent_drains_the_children_and_ends_with_0(program, number):
    parent, port, pids = program()
    assert int(fetch(port)) in pids
    assert fetch(port, "/task") in "01"
    assert {child.pid for child in psutil.Process(parent.process.pid).children()} == pids
    status, out, _ = parent.end(number)
    assert status == 0
    assert out.split("\n") == ["ended", "ended", "parent is back", ""]


async def test_request_under_way_in_a_child_is_answered(program):
    import asyncio

    parent, port, _ = program()
    asked = asyncio.get_running_loop().run_in_executor(None, fetch, port, "/slow")
    assert parent.line() == "asked"
    parent.signal(signal.SIGTERM)
    assert await asked == "slow"
    assert parent.end()[0] == 0


def test_nobody_can_connect_while_the_children_end(program):
    parent, port, pids = program("stuck", limit_s=3.0)
    parent.signal(signal.SIGTERM)
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except ConnectionResetError:
            continue  # it was about to be accepted when the listening ended
        except ConnectionRefusedError:
            break
    assert all(psutil.pid_exists(pid) for pid in pids)
    parent.signal(signal.SIGKILL)


RANDOM = """
import os, random
from databench import http

def make(**settings):
    application = http.Application([], **settings)
    text = lambda: f"{random.random()}\\n".encode()
    application.on_start_callbacks.append(lambda app, io_loop: os.write(1, text()) and None)
    return application

http.run(make, {"number_of_procs": 2})
"""


def test_children_have_random_numbers_of_their_own():
    with Program(RANDOM, PORT=str(free_port())) as parent:
        assert parent.line() != parent.line()
        assert parent.end(signal.SIGTERM)[0] == 0


def test_ctrl_c_in_a_terminal_reaches_all_and_is_heard_once(program):
    parent, _, _ = program()
    os.killpg(parent.process.pid, signal.SIGINT)
    status, out, err = parent.end()
    assert status == 0
    assert out.count("ended") == 2
    assert "Traceback" not in err
    assert "at once" not in err


def test_child_that_dies_is_started_again(program):
    parent, port, pids = program()
    killed = pids.pop()
    os.kill(killed, signal.SIGKILL)
    pids.add(int(parent.line()))
    assert killed not in pids
    assert int(fetch(port)) in pids
    status, out, err = parent.end(signal.SIGTERM)
    assert status == 0
    assert out.count("ended") == 2
    assert "was ended by signal 9; starting it again" in err


def test_child_that_ends_by_itself_is_not_started_again(program):
    parent, _, pids = program()
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    status, out, _ = parent.end()
    assert status == 0
    assert out.split("\n") == ["ended", "ended", "parent is back", ""]


def test_failed_start_of_the_children_ends_all_with_70():
    with Program(PROGRAM, 5, "fail", PORT=str(free_port())) as parent:
        status, out, err = parent.end()
    assert status == 70
    assert set(out.split()) <= {"ended"}  # what the shutdown callbacks clean up
    assert "it could not start; ending all" in err
    assert err.count("AssertionError") in (1, 2)  # the other one may have been stopped before


def test_children_that_do_not_end_are_ended(program):
    parent, _, pids = program("stuck", limit_s=0.2)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    status, out, err = parent.end(signal.SIGTERM)
    assert status == 0
    assert out == "parent is back\n"
    assert "2 processes did not end within the limit; killed" in err


async def test_children_end_with_a_parent_that_was_killed(program):
    parent, _, pids = program()
    parent.signal(signal.SIGKILL)
    assert parent.process.stdout.read().count("ended") == 2
    await wait_until(lambda: not any(psutil.pid_exists(pid) for pid in pids))
    assert "the parent process is gone; stopping" in parent.process.stderr.read()
