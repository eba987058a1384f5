"""What the server and its kernels print, where nobody reads it and where somebody does."""

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from tests.http.program import free_port
from tests.processes.server import REPOSITORY, Server
from tests.processes.visitor import visit

_LIMIT_S = 30

pytestmark = [pytest.mark.slow, pytest.mark.process]


CODE = """
import sys
import time

import databench


class A(databench.Analysis):
    @databench.on
    def flood(self):
        for number in range(30_000):
            print('line', number)

    @databench.on
    async def begin_bar(self):
        sys.stderr.write('\\r 10 %')
        sys.stderr.write('\\r 20 %')
        sys.stderr.flush()

    @databench.on
    async def finish_bar(self):
        sys.stderr.write('\\r100 %\\n')

    @databench.on
    def long_line(self):
        print('a' + '\u2248' * 20_000)
        print('end')

    @databench.on
    def colours(self):
        print('\\x1b[31mred\\x1b[2J\\x1b[0m \\x1b]0;title\\x07\\x1b[32mgreen')
"""


@pytest.fixture
def folder(tmp_path):
    """An analysis to serve."""
    made = tmp_path / "analyses" / "a"
    made.mkdir(parents=True)
    (made / "analysis.py").write_text(CODE)
    return tmp_path


def ask(address):
    """The status of an address that is not there."""
    try:
        with urllib.request.urlopen(address, timeout=_LIMIT_S) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_log_that_nobody_reads_stops_neither_the_server_nor_its_end(folder):
    read_end, write_end = os.pipe()
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    words = ["-m", "databench", "--port", "0", "--log", "DEBUG", "--log-flush-s", "0.2"]
    command = [sys.executable, *words]
    server = subprocess.Popen(
        command,
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=write_end,
    )
    os.close(write_end)
    try:
        server.stdout.readline()
        url = re.search(r"http://127.0.0.1:\d+", server.stdout.readline().decode())[0]
        # Each is a line of the log: together several times what a pipe holds.
        answers = [ask(f"{url}/missing/{'x' * 2000}") for _ in range(200)]
        assert set(answers) == {404}
        server.send_signal(signal.SIGTERM)
        assert server.wait(_LIMIT_S) == 0
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
        os.close(read_end)


def test_a_server_without_standard_streams_serves(folder):
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    code = (
        "import os, socket, sys\n"
        "for number in (0, 1, 2): os.close(number)\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'databench', '--port', sys.argv[1]])\n"
    )
    port = free_port()
    server = subprocess.Popen([sys.executable, "-c", code, str(port)], cwd=folder, env=environ)
    try:
        wait_served(server, port)
        assert ask(f"http://127.0.0.1:{port}/missing") == 404
        server.send_signal(signal.SIGTERM)
        assert server.wait(_LIMIT_S) == 0
    finally:
        server.kill()
        server.wait()


def wait_served(server, port):
    """Until somebody listens there."""
    end_s = time.monotonic() + _LIMIT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            assert server.poll() is None and time.monotonic() < end_s
            time.sleep(0.05)


async def test_lines_beyond_those_of_a_second_are_counted_and_the_action_ends(folder):
    with Server(folder / "analyses", "--output-rate-lines", "100", "--no-watch") as server:
        async with visit(server.address, "a") as visitor:
            await visitor.call("flood")
        server.wait_printed(r"a \| … [\d,]+ more lines \([\d,]+ bytes\)")
        shown = re.findall(r"a \| line (\d+)", server.printed)
        assert shown[:100] == [str(number) for number in range(100)]
        assert len(shown) < 15_000


async def test_a_progress_bar_is_shown_while_it_runs_and_once_at_its_end(folder):
    limits = ["--output-unfinished-s", "0.05", "--output-progress-s", "0"]
    with Server(folder / "analyses", "--no-watch", *limits) as server:
        async with visit(server.address, "a") as visitor:
            await visitor.call("begin_bar")
            server.wait_printed(r"a \|  20 %\n")
            await visitor.call("finish_bar")
            server.wait_printed(r"a \| 100 %\n")
        assert "\r" not in server.printed


@pytest.mark.parametrize("is_terminal", [True, False])
async def test_colours_of_a_kernel_reach_a_terminal_and_nothing_else_of_its_sequences(
    folder, is_terminal
):
    ours, theirs = pty.openpty() if is_terminal else os.pipe()
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY), "TERM": "xterm", "NO_COLOR": ""}
    port = free_port()
    command = [sys.executable, "-m", "databench", "--port", str(port), "--no-watch"]
    server = subprocess.Popen(command, cwd=folder, env=environ, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        wait_served(server, port)
        async with visit(f"127.0.0.1:{port}", "a") as visitor:
            await visitor.call("colours")
        printed = read_until(ours, b"green")
    finally:
        server.terminate()
        server.wait(_LIMIT_S)
        os.close(ours)
    (line,) = re.findall(rb"a \| (.*green[^\r\n]*)", printed)
    red, green, reset = b"\x1b[31m", b"\x1b[32m", b"\x1b[0m"
    coloured = red + b"red" + reset + b" " + green + b"green" + reset
    assert line == (coloured if is_terminal else b"red green")


def read_until(descriptor, word):
    """What is written there, up to the end of the line with a word."""
    printed = b""
    while b"\n" not in printed.partition(word)[2]:
        assert select.select([descriptor], [], [], _LIMIT_S)[0], printed
        printed += os.read(descriptor, 65536)
    return printed


async def test_no_letter_of_a_long_line_is_lost(folder):
    with Server(folder / "analyses", "--no-watch") as server:
        async with visit(server.address, "a") as visitor:
            await visitor.call("long_line")
            server.wait_printed(r"a \| end\n")
        assert server.printed.count("≈") == 20_000
        assert "\ufffd" not in server.printed


async def test_no_word_of_a_page_steers_the_terminal_or_forges_a_line(folder):
    words = "hello\x1b[2J\x1b]0;owned\x07\x9b31m\r12:00:00 error: on fire\n12:00:00 error: forged"
    with Server(folder / "analyses", "--no-watch") as server:
        async with visit(server.address, "a") as visitor:
            await visitor.send(signal="log", load=words)
            await visitor.send(signal=f"no{words}", load={"__process_id": 1})
            server.wait_printed(r"(?s)hello 12:00:00 error: on fire.*forged")
            server.wait_printed(r"no action .*hello")
        assert not set(server.printed) & set("\x1b\x07\x9b\r")
        assert not re.search(r"(?m)^12:00:00", server.printed)
        assert not re.search(r"(?m)^\S+ a \| 12:00:00", server.printed)


USER_CODE = """
import asyncio
import contextlib
import io
import logging
import os
import sys

import databench


class Away(logging.Handler):
    def emit(self, record):
        raise ConnectionError('the log server is away')


class Broken(io.StringIO):
    def write(self, text):
        raise OSError('broken')


class A(databench.Analysis):
    @databench.on
    def prepare(self, deed):
        if deed == 'handler':
            logging.getLogger().addHandler(Away())
        elif deed == 'close':
            sys.stderr.close()
        elif deed == 'nothing':
            sys.stdout = sys.stderr = None
        else:
            os.close(1)
            os.close(2)

    @databench.on
    def fail(self):
        raise ValueError('the data are wrong')

    @databench.on
    async def lose_a_task(self):
        asyncio.get_running_loop().call_soon(self.fail)

    @databench.on
    def print_to_a_closed_stream(self):
        with contextlib.redirect_stdout(Broken()):
            print('x')

    @databench.on
    def encoding(self):
        with open(__file__) as file:
            return [os.getpid(), file.encoding.lower(), sys.getfilesystemencoding()]
"""


async def end_of(visitor, action, **load):
    """How an action ends."""
    visitor._number += 1
    await visitor.send(signal=action, load={**load, "__process_id": visitor._number})
    while True:
        frame = await visitor.read(strict=False)
        if frame["signal"] == "__process" and frame["load"]["status"] == "end":
            if frame["load"]["id"] == visitor._number:
                return frame["load"]


@pytest.mark.parametrize("deed", ["handler", "close", "nothing", "descriptors"])
async def test_what_is_done_to_streams_and_logging_ends_no_action_otherwise(folder, deed):
    (folder / "analyses" / "a" / "analysis.py").write_text(USER_CODE)
    with Server(folder / "analyses", "--no-watch") as server:
        async with visit(server.address, "a") as visitor:
            pid, encoding, filesystem = (await end_of(visitor, "encoding"))["result"]
            assert (encoding, filesystem) == ("utf-8", "utf-8")
            await end_of(visitor, "prepare", deed=deed)
            for _ in range(2):
                end = await end_of(visitor, "fail")
                assert end["error"]["type"] == "ValueError"
                assert "the data are wrong" in end["error"]["message"]
            server.wait_printed(r"a \| .*fail: .*the data are wrong")
            end = await end_of(visitor, "print_to_a_closed_stream")
            assert (end["error"]["type"], end["error"]["message"]) == ("OSError", "OSError: broken")
            assert (await end_of(visitor, "lose_a_task"))["outcome"] == "done"
            assert (await end_of(visitor, "encoding"))["result"][0] == pid


ASKING = """
import databench


class A(databench.Analysis):
    @databench.on
    def ask(self):
        return input('Name? ')

    @databench.on
    def speak(self):
        print('spoken')
"""


async def test_a_prompt_ends_with_its_action_and_a_traceback_without_an_empty_line(folder):
    (folder / "analyses" / "a" / "analysis.py").write_text(ASKING)
    with Server(folder / "analyses", "--no-watch") as server:
        async with visit(server.address, "a") as visitor:
            end = await end_of(visitor, "ask")
            assert end["error"]["message"].startswith("EOFError: input() has no terminal")
            await end_of(visitor, "speak")
            server.wait_printed(r"a \| spoken\n")
        lines = [line.partition(" a | ")[2] for line in server.printed.splitlines()]
        assert "Name? " in lines
        last = lines.index("  EOFError: EOF when reading a line")
        assert lines[last + 1].strip() != ""
