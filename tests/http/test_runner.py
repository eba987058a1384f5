"""A run: its start, its signals, its end."""

import asyncio
import errno
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time

import pytest

from databench.http import EXIT_SOFTWARE, Application, Runner, bind

PROGRAM = """
import asyncio, sys, tornado.web
from databench import http

class Hello(tornado.web.RequestHandler):
    def get(self):
        self.write("hello")

class App(http.Application):
    def __init__(self, settings):
        super().__init__([("/", Hello)])
        self.on_start_callbacks.append(lambda app, loop: print("started", flush=True))
        self.on_shutdown_callbacks.append(self.end)

    async def end(self, app):
        print("ending", flush=True)
        await asyncio.sleep(float(sys.argv[1]))
        print("ended", flush=True)

sys.exit(http.run(App, {"port": 0, "shutdown_limit_s": float(sys.argv[2])}))
"""


def start(repository, delay_s, limit_s):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(delay_s), str(limit_s)],
        cwd=repository,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@pytest.fixture
def program(repository):
    running = []

    def begin(delay_s=0.0, limit_s=5.0):
        process = start(repository, delay_s, limit_s)
        running.append(process)
        assert process.stdout.readline() == "started\n"
        return process

    yield begin
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


def test_bound_port_is_taken_and_nothing_else_is():
    sockets = bind("127.0.0.1", 0)
    port = sockets[0].getsockname()[1]
    assert port > 0
    with pytest.raises(OSError) as caught:
        bind("127.0.0.1", port)
    assert caught.value.errno == errno.EADDRINUSE
    for bound in sockets:
        bound.close()


def test_all_addresses_of_a_name_get_one_port():
    sockets = bind("localhost", 0)
    assert len({bound.getsockname()[1] for bound in sockets}) == 1
    assert all(not bound.getblocking() for bound in sockets)
    for bound in sockets:
        bound.close()


@pytest.mark.parametrize(("host", "error"), [("203.0.113.1", OSError), ("no such host", OSError)])
def test_host_that_is_not_ours_leaves_nothing_open(host, error):
    with pytest.raises(error):
        bind(host, 0)


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_runs_the_callbacks_and_ends_with_0(program, number):
    process = program()
    process.send_signal(number)
    assert process.wait(10) == 0
    assert process.stdout.read() == "ending\nended\n"


@pytest.mark.process
@pytest.mark.slow
def test_end_has_a_limit(program):
    process = program(delay_s=60, limit_s=0.2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert process.stdout.read() == "ending\n"


@pytest.mark.process
@pytest.mark.slow
def test_second_signal_cuts_the_end_short(program):
    process = program(delay_s=60, limit_s=60)
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "ending\n"
    for _ in range(50):
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(0.2) == 0
            return
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("it went on for 10 s")


@pytest.mark.process
@pytest.mark.slow
def test_echo_of_the_first_signal_cuts_nothing_short(program):
    process = program(delay_s=0.3, limit_s=60)
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "ending\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert process.stdout.read() == "ended\n"


def run_here(application, sockets=None):
    """Run it in this thread, with this process' own signals put back."""
    sockets = bind("127.0.0.1", 0) if sockets is None else sockets
    runner = Runner(application, sockets, shutdown_limit_s=5)
    try:
        status = runner.run()
        left = {signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)}
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ignored = {signal.SIG_IGN}
    assert left == (ignored if status == 0 else {signal.default_int_handler, signal.SIG_DFL})
    assert all(bound.fileno() == -1 for bound in sockets)
    return status


def test_order_of_a_run():
    order = []
    application = Application([])

    def started(app, io_loop):
        order.append("start")
        os.kill(os.getpid(), signal.SIGTERM)

    def before(app, io_loop):
        order.append("before")

    application.before_run_callbacks.append(before)
    application.on_start_callbacks.append(started)
    application.on_shutdown_callbacks.append(lambda app: order.append("end"))
    assert run_here(application) == 0
    assert order == ["before", "start", "end"]


@pytest.mark.expected_log("the start failed")
@pytest.mark.parametrize("when", ["before_run_callbacks", "on_start_callbacks"])
def test_failure_at_the_start_ends_with_70_and_cleans_up(when):
    cleaned = []
    application = Application([])

    def fail(app, io_loop):
        raise RuntimeError("no")

    getattr(application, when).append(fail)
    application.on_shutdown_callbacks.append(lambda app: cleaned.append(1))
    assert run_here(application) == EXIT_SOFTWARE
    assert cleaned == [1]


def test_tasks_that_are_left_are_cancelled():
    ended = []
    application = Application([])

    async def forever():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            for _ in range(10):  # an end takes its time
                await asyncio.sleep(0)
            ended.append(1)
            raise

    kept = []

    async def begin(app, io_loop):
        kept.append(asyncio.ensure_future(forever()))
        asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), signal.SIGTERM)

    application.on_start_callbacks.append(begin)
    assert run_here(application) == 0
    assert ended == [1]


def test_listening_stops_at_the_first_signal():
    refused = []
    application = Application([])
    sockets = bind("127.0.0.1", 0)
    address = sockets[0].getsockname()

    async def end(app):
        with socket.socket() as client:
            client.setblocking(False)
            try:
                await asyncio.get_running_loop().sock_connect(client, address)
            except ConnectionRefusedError:
                refused.append(time.monotonic())

    application.on_start_callbacks.append(
        lambda app, loop: (
            asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), signal.SIGTERM)
            and None
        )
    )
    application.on_shutdown_callbacks.append(end)
    assert run_here(application, sockets) == 0
    assert len(refused) == 1
