"""Lines of a kernel's output, captured from a pipe."""

import asyncio
import os

import pytest

from databench.broker.output import READ_BYTES, LineReader
from tests.broker.harness import wait_until


@pytest.fixture
async def pipe():
    """A reader with short lines, the pipe's write end, and what was handed on."""
    read_fd, write_fd = os.pipe()
    lines = []
    reader = LineReader(read_fd, lines.append, line_bytes=10, keep=3)
    yield reader, write_fd, lines
    reader.finish()
    os.close(write_fd)


async def test_whole_lines_are_handed_on_and_the_last_ones_kept(pipe):
    reader, fd, lines = pipe
    os.write(fd, b"one\ntwo\r\n\nth")
    await wait_until(lambda: len(lines) == 3)
    assert lines == ["one", "two", ""]
    os.write(fd, b"ree\nfour\n")
    await wait_until(lambda: len(lines) == 5)
    assert list(reader.tail) == ["", "three", "four"]


async def test_an_unfinished_line_is_handed_on_at_the_end(pipe):
    reader, fd, lines = pipe
    os.write(fd, b"no end")
    reader.finish()
    assert lines == ["no end"]
    reader.finish()
    assert lines == ["no end"]


@pytest.mark.parametrize("end", [b"\n", b""])
async def test_a_long_line_comes_in_pieces_and_loses_nothing(pipe, end):
    reader, fd, lines = pipe
    os.write(fd, b"0123456789" * 3 + b"rest" + end)
    reader.finish()
    assert lines == ["0123456789"] * 3 + ["rest"]


async def test_bytes_that_are_no_utf8_are_shown_as_such(pipe):
    reader, fd, lines = pipe
    os.write(fd, b"\xff\xfe\n")
    reader.finish()
    assert lines == ["\ufffd\ufffd"]


async def test_one_turn_takes_a_bounded_piece(pipe):
    reader, fd, lines = pipe
    os.write(fd, b"\n" * (3 * READ_BYTES))
    assert reader.read()
    assert len(lines) == READ_BYTES
    await wait_until(lambda: len(lines) == 3 * READ_BYTES)


async def test_the_end_of_file_closes_the_pipe():
    read_fd, write_fd = os.pipe()
    lines = []
    LineReader(read_fd, lines.append, line_bytes=80, keep=3)
    os.write(write_fd, b"bye")
    os.close(write_fd)
    await wait_until(lambda: lines == ["bye"])
    with pytest.raises(OSError):
        os.fstat(read_fd)


async def test_finish_ends_though_a_child_goes_on_writing(pipe):
    reader, fd, lines = pipe
    os.set_blocking(fd, False)

    def refill(line):
        lines.append(line)
        try:
            os.write(fd, b"again\n")
        except BlockingIOError:
            pass

    reader._on_line = refill
    os.write(fd, b"first\n")
    reader.finish()
    assert lines
    assert asyncio.get_running_loop().is_running()
