"""What is printed and logged, when its reader is slow, gone or was never there."""

import io
import logging
import os
import subprocess
import sys
import threading

import pytest

from databench.http import queued
from databench.http.queued import LineWriter, QueuedStream, queued_streams

_LIMIT_S = 30


class Slow:
    """A destination that takes nothing until it may."""

    def __init__(self):
        self.may = threading.Event()
        self.is_asked = threading.Event()
        self.got = b""

    def write(self, piece):
        self.is_asked.set()
        assert self.may.wait(_LIMIT_S)
        self.got += piece


@pytest.fixture
def slow():
    destination = Slow()
    yield destination
    destination.may.set()


@pytest.fixture
def writer(slow):
    made = LineWriter(slow.write)
    made.add(b"first\n")
    assert slow.is_asked.wait(_LIMIT_S)  # its thread waits in `write` now
    return made


def test_lines_come_out_in_their_order(slow, writer):
    for number in range(1000):
        writer.add(b"%d\n" % number)
    slow.may.set()
    assert writer.flush(_LIMIT_S)
    assert slow.got.split() == [b"first", *(b"%d" % number for number in range(1000))]


@pytest.mark.parametrize("limit", ["queue_lines", "queue_bytes"])
def test_lines_that_do_not_fit_are_counted_in_the_log(slow, writer, limit):
    setattr(writer, limit, 3 if limit == "queue_lines" else 24)
    for _ in range(1503):
        writer.add(b"6 byte\n"[1:])
    slow.may.set()
    assert writer.flush(_LIMIT_S)
    lines = slow.got.decode().splitlines()
    assert lines[:4] == ["first", *["byte"] * 0, " byte", " byte", " byte"]
    assert len(lines) == 5
    assert " warning: 1,500 lines of the log were dropped: the log is written faster" in lines[4]


def test_the_note_stands_where_the_lines_would_have_stood(slow, writer):
    writer.queue_lines = 1
    writer.add(b"second\n")
    writer.add(b"third\n")
    writer.queue_lines = 10
    writer.add(b"fourth\n")
    slow.may.set()
    writer.flush(_LIMIT_S)
    lines = slow.got.decode().splitlines()
    assert [line[9:60] if "dropped" in line else line for line in lines] == [
        "first",
        "second",
        "warning: 1 line of the log was dropped: the log is written faster"[:51],
        "fourth",
    ]


def test_the_end_waits_no_longer_than_its_limit(slow, writer):
    assert not writer.flush(0.01)
    slow.may.set()
    assert writer.flush(_LIMIT_S)
    assert slow.got == b"first\n"


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(28, "full"), ValueError("closed")])
def test_what_cannot_be_written_ends_nothing_and_is_counted(error):
    got, fails = [], [error]

    def write(piece):
        if fails:
            raise fails.pop()
        got.append(piece)

    writer = LineWriter(write)
    writer.add(b"lost\n")
    assert writer.flush(_LIMIT_S)
    writer.add(b"back\n")
    assert writer.flush(_LIMIT_S)
    text = b"".join(got).decode()
    assert "1 line of the log was dropped" in text and text.endswith("\nback\n")


def test_only_the_newest_status_is_written_and_lines_take_its_place(slow, writer):
    for number in range(100):
        writer.show(b"%d %%" % number)
    slow.may.set()
    assert writer.flush(_LIMIT_S)
    assert slow.got == b"first\n99 %"
    writer.add(b"line\n")
    assert writer.flush(_LIMIT_S)
    assert slow.got == b"first\n99 %\r\x1b[Kline\n99 %"
    writer.show(b"")
    assert writer.flush(_LIMIT_S)
    assert slow.got.endswith(b"99 %\r\x1b[K")


def test_a_stream_hands_on_whole_lines(slow, writer):
    slow.may.set()
    stream = QueuedStream(io.StringIO(), writer)
    print("one", 2, file=stream, end="")
    assert writer.flush(_LIMIT_S) and slow.got == b"first\n"
    print("", file=stream)
    print("prompt: ", file=stream, end="", flush=True)
    assert writer.flush(_LIMIT_S)
    assert slow.got == b"first\none 2\nprompt: "


def test_a_line_without_an_end_is_not_kept_for_ever(writer):
    stream = QueuedStream(None, writer)
    for _ in range(100):
        stream.write("x" * 10_000)
    assert len(stream._part) < 100_000


def test_letters_that_the_stream_has_not_are_escaped(slow, writer):
    slow.may.set()
    ascii_file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    QueuedStream(ascii_file, writer).write("≈ \ud800\n")
    assert writer.flush(_LIMIT_S)
    assert slow.got == b"first\n\\u2248 \\ud800\n"


def test_closing_the_stream_does_not_end_the_log(slow, writer):
    slow.may.set()
    stream = QueuedStream(io.StringIO(), writer)
    handler = logging.StreamHandler(stream)
    stream.close()
    handler.handle(logging.LogRecord("x", 40, "", 0, "still here", (), None))
    assert writer.flush(_LIMIT_S)
    assert slow.got == b"first\nstill here\n"


def test_streams_and_handlers_are_swapped_for_the_time(monkeypatch):
    before = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", before[0])
    monkeypatch.setattr(sys, "stderr", before[1])
    handler = logging.StreamHandler()
    logger = logging.getLogger("tests.queued")
    logger.addHandler(handler)
    try:
        with queued_streams():
            inside = sys.stdout, sys.stderr
            with queued_streams():
                assert (sys.stdout, sys.stderr) == inside
            assert handler.stream is sys.stderr
            print("out")
            logger.warning("err")
        assert (sys.stdout, sys.stderr) == before
        assert handler.stream is before[1]
    finally:
        logger.removeHandler(handler)
    assert before[0].getvalue() == "out\n"
    assert before[1].getvalue() == "err\n"


def test_a_process_without_streams_runs(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with queued_streams():
        print("nobody")
        print("hears", file=sys.stderr)
        assert not sys.stderr.isatty()
        with pytest.raises(OSError, match="without this stream"):
            sys.stderr.fileno()


def run_python(source, **kwargs):
    return subprocess.run(
        [sys.executable, "-c", source], timeout=_LIMIT_S, capture_output=True, text=True, **kwargs
    )


@pytest.mark.slow
def test_a_forked_child_writes_its_own_lines_and_no_other():
    done = run_python(
        "import os, sys\n"
        "from databench.http.queued import queued_streams\n"
        "with queued_streams():\n"
        "    print('before')\n"
        "    if os.fork() == 0:\n"
        "        print('child')\n"
        "    else:\n"
        "        os.wait()\n"
        "        print('parent')\n"
    )
    assert done.stderr == ""
    assert done.stdout == "before\nchild\nparent\n"


@pytest.mark.slow
def test_a_reader_that_reads_nothing_holds_up_neither_the_program_nor_its_end():
    read_end, write_end = os.pipe()
    program = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys\n"
            "from databench.http.queued import queued_streams\n"
            "with queued_streams():\n"
            "    sys.stderr.writer.flush_s = 0.1\n"
            "    for number in range(100_000):\n"
            "        print('a line of the log', number, file=sys.stderr)\n"
            "    print('ready')\n",
        ],
        stderr=write_end,
        stdout=subprocess.PIPE,
        text=True,
    )
    os.close(write_end)
    try:
        assert program.communicate(timeout=_LIMIT_S)[0] == "ready\n"
        assert program.returncode == 0
    finally:
        program.kill()
        program.wait()
        os.close(read_end)


@pytest.mark.slow
def test_a_closed_descriptor_is_not_given_to_a_file_of_ours():
    done = run_python(
        "import os\n"
        "for number in (1, 2): os.close(number)\n"
        "from databench.http.queued import open_standard_files\n"
        "open_standard_files()\n"
        "os._exit(os.open('/', os.O_RDONLY))\n"
    )
    assert done.returncode > 2


def test_a_full_descriptor_that_does_not_block_is_waited_for():
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    with os.fdopen(write_end, "w") as stream, os.fdopen(read_end, "rb") as reader:
        writer = LineWriter(queued._make_write(stream))
        writer.add(b"x" * 200_000 + b"\n")
        assert reader.readline() == b"x" * 200_000 + b"\n"
        assert writer.flush(_LIMIT_S)


def test_without_a_thread_lines_wait_for_one_and_are_written_at_the_end(few_threads):
    got = []
    writer = LineWriter(got.append)
    with few_threads(0):
        writer.add(b"one\n")
        writer.add(b"two\n")
        assert got == []
        assert writer.flush()
        assert b"".join(got) == b"one\ntwo\n"
        writer.add(b"three\n")
    writer.add(b"four\n")
    assert writer.flush(_LIMIT_S)
    assert b"".join(got) == b"one\ntwo\nthree\nfour\n"
