"""What the server and its kernels print, where nobody reads it and where somebody does."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from tests.http.program import free_port
from tests.processes.server import REPOSITORY

_LIMIT_S = 30

pytestmark = [pytest.mark.slow, pytest.mark.process]


@pytest.fixture
def folder(tmp_path):
    """An analysis to serve."""
    made = tmp_path / "analyses" / "a"
    made.mkdir(parents=True)
    (made / "analysis.py").write_text(
        "import databench\n\n\nclass A(databench.Analysis):\n    pass\n"
    )
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
