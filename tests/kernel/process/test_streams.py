"""The kernel's own words, when user code has done something to streams and logging."""

import logging
import os
import subprocess
import sys
import textwrap

import pytest

from databench.kernel.process import streams
from databench.kernel.process.streams import OwnLogger, settle, take_logger


class Away(logging.Handler):
    def emit(self, record):
        raise ConnectionError("the log server is away")


@pytest.fixture
def logger():
    """One of ours, with a handler that raises."""
    made = take_logger("databench.kernel.tests-streams")
    handler = Away()
    made.addHandler(handler)
    made.propagate = False
    yield made
    made.removeHandler(handler)


@pytest.fixture
def said(monkeypatch):
    read_end, write_end = os.pipe()
    monkeypatch.setattr(streams, "_descriptor", write_end)
    yield lambda: os.read(read_end, 65536).decode()
    os.close(read_end)
    os.close(write_end)


def test_a_handler_that_raises_ends_nothing_and_the_line_comes_out(logger, said):
    logger.error("the data are %s", "wrong")
    told = said()
    assert "the data are wrong" in told
    assert "a handler of logging failed: ConnectionError: the log server is away" in told


def test_ours_stay_on_when_the_others_are_turned_off(logger, said):
    logger.disabled = True
    logger.error("still here")
    assert "still here" in said()
    assert isinstance(take_logger(logger.name), OwnLogger)


def test_a_stream_that_cannot_be_flushed_is_let_go(monkeypatch):
    class Broken:
        def flush(self):
            raise OSError("gone")

    monkeypatch.setattr(sys, "stdout", Broken())
    monkeypatch.setattr(sys, "stderr", None)
    settle()
    assert sys.stdout is None


def run(code, **environ):
    program = f"from databench.kernel.process import streams\nstreams.begin('pi', 'INFO')\n{code}"
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, **environ},
        capture_output=True,
        timeout=60,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "deed",
    [
        "sys.stderr.close()",
        "sys.stderr = None",
        "sys.stderr = object()",
        "os.close(2)",
        "os.close(2); open('/dev/null', 'w')",
        "logging.config.dictConfig({'version': 1, 'root': {'handlers': []}})",
    ],
)
def test_words_of_ours_come_out_whatever_was_done(deed):
    done = run(
        "import logging.config, os, sys\n"
        f"{deed}\n"
        "streams.say('said ≈\\n')\n"
        "streams.take_logger('databench.kernel.pi').error('logged')\n"
        "streams.settle()\n"
    )
    told = done.stderr.decode()
    assert "said ≈\n" in told
    assert "logged" in told or "dictConfig" in deed
    assert done.returncode == 0


@pytest.mark.slow
def test_streams_are_utf_8_in_any_locale():
    done = run("print('\\u2248 \\ud800')", LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.stdout == b"\xe2\x89\x88 \\ud800\n"


def test_a_line_that_user_code_has_begun_ends(capsys, monkeypatch):
    streams.end_line()
    assert capsys.readouterr().out == "\n"
    monkeypatch.setattr(sys, "stdout", None)
    streams.end_line()
    monkeypatch.setattr(sys, "stdout", object())
    streams.end_line()  # whatever it is
