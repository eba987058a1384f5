"""The application of the page on Tornado applications runs as a reader runs it."""

import json
import os
import signal
import subprocess
import sys
from http.client import HTTPConnection

import pytest

from tests.http.program import LIMIT_S, REPOSITORY, Program, free_port
from tests.test_docs import blocks

PAGE = REPOSITORY / "docs" / "howto" / "run-a-tornado-application.md"

pytestmark = [pytest.mark.slow, pytest.mark.process]


def python_block(word: str) -> str:
    (found,) = [b.text for b in blocks(PAGE) if b.language == "python" and word in b.text]
    return found


def ask(port: int, path: str):
    client = HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    client.request("GET", path)
    answer = client.getresponse()
    document = json.loads(answer.read())
    client.close()
    return answer.status, document


@pytest.mark.parametrize("how", ["class", "function"])
def test_documented_application_serves_and_drains(how, tmp_path):
    port = free_port()
    text = python_block("class HelloApplication")
    if how == "function":
        text = text.partition("if __name__")[0] + python_block("def make_application")
        text = text.replace("8080", str(port))
    environ = {"PYTHONPATH": str(REPOSITORY), "PORT": str(port)}
    with Program(f"import os; os.chdir({str(tmp_path)!r})\n" + text, **environ) as program:
        while True:
            try:
                assert ask(port, "/?name=Ada") == (200, {"hello": "Ada"})
                break
            except ConnectionRefusedError:
                assert program.process.poll() is None
        assert ask(port, "/?name=7")[1]["message"] == "HTTP 400: No Name"
        if how == "class":
            assert ask(port, "/status") == (200, {"status": "ok"})
            assert (tmp_path / "hello.log").exists()
        status, out, err = program.end(signal.SIGTERM)
    assert status == 0
    assert out == ("bye\n" if how == "function" else "")
    assert "WARNING" in err and "Hello: GET /?name=7 failed with 400: No Name" in err


def test_documented_application_runs_in_several_processes(tmp_path):
    port = free_port()
    text = python_block("class HelloApplication").partition("if __name__")[0]
    text = f"import os; os.chdir({str(tmp_path)!r})\n{text}\n" + python_block("number_of_procs")
    with Program(text, PYTHONPATH=str(REPOSITORY), PORT=str(port)) as program:
        while True:
            try:
                assert ask(port, "/?name=Ada") == (200, {"hello": "Ada"})
                break
            except ConnectionRefusedError:
                assert program.process.poll() is None
        assert program.end(signal.SIGTERM)[0] == 0


def test_documented_runner_serves_on_sockets_of_its_own():
    page = REPOSITORY / "docs" / "reference" / "http.md"
    (text,) = [b.text for b in blocks(page) if "http.Runner(http.Application" in b.text]
    with Program("from databench import http\n" + text, PYTHONPATH=str(REPOSITORY)) as program:
        name, port = program.line().split()
        assert (name, int(port) > 0) == ("port", True)
        client = HTTPConnection("127.0.0.1", int(port), timeout=LIMIT_S)
        client.request("GET", "/")
        assert client.getresponse().status == 404  # it runs, and has no page
        client.close()
        assert program.end(signal.SIGTERM)[0] == 0


def test_documented_tests_pass(tmp_path):
    (tmp_path / "hello.py").write_text(python_block("class HelloApplication"))
    text = "from hello import HelloApplication\n" + python_block("class HelloTests")
    (tmp_path / "test_hello.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "unittest", "test_hello"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Ran 3 tests" in done.stderr
