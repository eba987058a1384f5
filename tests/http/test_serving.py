"""A run: its start, its signals, its end."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
import tornado.web
from tornado.websocket import websocket_connect

from databench.errors import SettingError
from databench.http import EXIT_SOFTWARE, Application, Runner, bind
from tests.http.program import Program, fetch, free_port

PROGRAM = """
import asyncio, sys, tornado.web
from databench import http

class Hello(tornado.web.RequestHandler):
    def get(self):
        self.write("hello")

class App(http.Application):
    def __init__(self, **settings):
        super().__init__([("/", Hello)], **settings)
        self.on_start_callbacks.append(lambda app, loop: print("started", flush=True))
        self.on_shutdown_callbacks.append(self.end)

    async def end(self, app):
        print("ending", flush=True)
        await asyncio.sleep(float(sys.argv[1]))
        print("ended", flush=True)

http.run(App, {"port": 0, "shutdown_limit_s": float(sys.argv[2])})
"""


@pytest.fixture
def program():
    running = []

    def begin(delay_s=0.0, limit_s=5.0):
        running.append(Program(PROGRAM, delay_s, limit_s))
        assert running[-1].line() == "started"
        return running[-1].process

    yield begin
    for each in running:
        each.__exit__()


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_runs_the_callbacks_and_ends_with_0(program, number, hangup):
    hangup(signal.SIG_DFL)
    process = program()
    process.send_signal(number)
    assert process.wait(10) == 0
    assert process.stdout.read() == "ending\nended\n"


@pytest.fixture
def hangup():
    """Sets how a process that starts now meets SIGHUP; other tests' runners leave it ignored."""
    before = signal.getsignal(signal.SIGHUP)
    yield lambda handler: signal.signal(signal.SIGHUP, handler)
    signal.signal(signal.SIGHUP, before)


@pytest.mark.process
@pytest.mark.slow
def test_hangup_that_nohup_ignores_stays_ignored(program, hangup):
    hangup(signal.SIG_IGN)
    process = program()
    process.send_signal(signal.SIGHUP)
    ignored = int(
        re.search(r"SigIgn:\s*(\w+)", Path(f"/proc/{process.pid}/status").read_text())[1], 16
    )
    assert ignored >> (signal.SIGHUP - 1) & 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


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
    runner = Runner(application, sockets=sockets)
    status = 0
    try:
        runner.run()
    except SystemExit as end:
        status = end.code
    finally:
        left = {signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)}
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
    application.on_shutdown_callbacks.append(
        lambda app: order.append(("end", app.ready_to_serve.is_set()))
    )
    assert run_here(application) == 0
    assert order == ["before", "start", ("end", False)]


@pytest.mark.expected_log("before_run callback .* failed")
def test_failed_before_run_ends_with_70_and_cleans_up(caplog):
    cleaned = []
    application = Application([])

    def fail(app, io_loop):
        raise RuntimeError("no")

    async def clean(app):
        await asyncio.sleep(0)
        cleaned.append(1)

    application.before_run_callbacks.append(fail)
    application.on_start_callbacks.append(lambda app, io_loop: cleaned.append("started"))
    application.on_shutdown_callbacks.append(clean)
    assert run_here(application) == EXIT_SOFTWARE
    assert cleaned == [1]
    assert "RuntimeError: no" in caplog.text


async def fail_to_start(app, io_loop):
    raise RuntimeError("no")


@pytest.mark.expected_log("on_start callback .* failed")
def test_failed_on_start_of_an_application_that_must_start_ends_with_70():
    class Front(Application):
        must_start = True

    cleaned = []
    application = Front([])
    application.on_start_callbacks.append(fail_to_start)
    application.on_shutdown_callbacks.append(lambda app: cleaned.append(1))
    assert run_here(application) == EXIT_SOFTWARE
    assert cleaned == [1]


@pytest.mark.expected_log("on_start callback .* failed")
@pytest.mark.parametrize("is_first", [True, False])
def test_failed_on_start_ends_it_while_another_callback_still_waits(is_first):
    class Front(Application):
        must_start = True

    async def wait(app, io_loop):
        await asyncio.Event().wait()

    application = Front([], shutdown_limit_s=0.1)
    callbacks = [fail_to_start, wait] if is_first else [wait, fail_to_start]
    application.on_start_callbacks.extend(callbacks)
    assert run_here(application) == EXIT_SOFTWARE


@pytest.mark.expected_log("on_start callback .* failed")
def test_failed_on_start_of_another_application_leaves_it_serving():
    application = Application([])
    application.on_start_callbacks += [fail_to_start, stop_soon]
    assert run_here(application) == 0


def stop_soon(app, io_loop):
    asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_before_the_loop_runs_ends_with_0(number):
    cleaned = []
    application = Application([])

    def before(app, io_loop):
        os.kill(os.getpid(), number)
        time.sleep(60)

    application.before_run_callbacks.append(before)
    application.on_shutdown_callbacks.append(lambda app: cleaned.append(1))
    assert run_here(application) == 0
    assert cleaned == [1]


def test_any_application_of_tornado_is_run_with_callbacks():
    order = []
    runner = Runner(
        tornado.web.Application(),
        before_run=[lambda app, io_loop: order.append("before")],
        on_start=[stop_soon],
        shutdown=[lambda app: order.append("end")],
    )
    runner.sockets = bind("127.0.0.1", 0)
    try:
        runner.run()
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    assert order == ["before", "end"]


def test_settings_of_the_application_win():
    application = Application(shutdown_limit_s=3, xheaders=True)
    runner = Runner(application, settings={"shutdown_limit_s": 7, "host": "127.0.0.1"})
    assert runner.shutdown_limit_s == 3
    assert application.settings["host"] == "127.0.0.1"


def test_application_that_is_one_process_says_why():
    class Front(Application):
        one_process = "it holds every session"

    with pytest.raises(SettingError, match="is 4, limit 1: it holds every session"):
        Runner(Front()).run(0, 4)
    with pytest.raises(SettingError, match="is 0, limit 1"):
        Runner(Front()).run(0, 0)


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

    application.on_start_callbacks.append(stop_soon)
    application.on_shutdown_callbacks.append(end)
    assert run_here(application, sockets) == 0
    assert len(refused) == 1


DRAINING = """
import asyncio, sys, tornado.web, tornado.websocket
from databench import http

class Slow(tornado.web.RequestHandler):
    async def get(self):
        print("asked", flush=True)
        await asyncio.sleep(float(self.get_query_argument("s")))
        self.write("done")

    def on_finish(self):
        print("finished", flush=True)

class Socket(tornado.websocket.WebSocketHandler):
    def on_close(self):
        print("closed", self.close_code, flush=True)

class App(http.Application):
    async def drain(self, limit_s):
        await asyncio.sleep(0)
        print("drained", flush=True)

def make(**settings):
    application = App([("/slow", Slow), ("/ws", Socket)], **settings)
    application.on_shutdown_callbacks.append(lambda app: print("end", flush=True))
    application.on_start_callbacks.append(lambda app, loop: print("started", flush=True))
    return application

http.run(make, {"shutdown_limit_s": float(sys.argv[1])})
"""


@pytest.mark.process
@pytest.mark.slow
async def test_request_is_answered_then_websockets_closed_then_callbacks_called():
    port = free_port()
    with Program(DRAINING, 10, PORT=str(port)) as program:
        assert program.line() == "started"
        page = await websocket_connect(f"ws://127.0.0.1:{port}/ws")
        asked = asyncio.get_running_loop().run_in_executor(None, fetch, port, "/slow?s=0.3")
        assert program.line() == "asked"
        program.signal(signal.SIGTERM)
        assert await asked == "done"
        assert await page.read_message() is None
        assert (page.close_code, page.close_reason) == (1001, "the server stops")
        page.close()
        status, out, _ = program.end()
    assert status == 0
    assert out.split("\n")[:-1] == ["drained", "finished", "closed 1001", "end"]


@pytest.mark.process
@pytest.mark.slow
def test_request_that_takes_longer_than_the_limit_is_cut():
    port = free_port()
    with Program(DRAINING, 0.3, PORT=str(port)) as program, socket.socket() as client:
        assert program.line() == "started"
        client.connect(("127.0.0.1", port))
        client.sendall(b"GET /slow?s=60 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert program.line() == "asked"
        status, out, err = program.end(signal.SIGTERM)
        assert client.recv(100) == b""
    assert status == 0
    assert out.split()[:2] == ["drained", "end"]
    assert "1 request took more than 0.27 s, the limit" in err
    assert "1 open request: waiting up to 0.27 s" in err


async def test_a_loop_that_runs_here_is_refused_and_nothing_is_bound():
    runner = Runner(Application([]))
    with pytest.raises(SettingError, match=r"^a server starts an event loop"):
        runner.run(0)
    assert runner.sockets == []
