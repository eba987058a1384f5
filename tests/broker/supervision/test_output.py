"""Lines of a kernel's output, captured from a pipe."""

import asyncio
import contextlib
import logging
import os
import types

import pytest

from databench import settings
from databench.broker.supervision.lines import OutputBudget
from databench.broker.supervision.output import Capture, LineReader
from tests.broker.harness import wait_until

SHORT = settings.Settings(output_line_bytes=10, output_lines=3)


def reader_of(fd, lines, limits=SHORT, **more):
    return LineReader(fd, lines.append, settings.override(limits, more.pop("values", {})), **more)


@pytest.fixture
async def pipe():
    """A reader with short lines, the pipe's write end, and what was handed on."""
    read_fd, write_fd = os.pipe()
    lines = []
    reader = reader_of(read_fd, lines)
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


async def test_one_turn_hands_on_a_bounded_number_of_lines_and_loses_none(pipe):
    reader, fd, lines = pipe
    os.write(fd, b"\n" * 1050)
    for turn in range(1, 11):
        reader.turn()
        assert len(lines) == 100 * turn
    await wait_until(lambda: len(lines) == 1050)


async def test_one_turn_reads_a_bounded_piece(pipe):
    reader, fd, lines = pipe
    reader._settings = settings.override(SHORT, {"output_turn_bytes": 4096})
    os.write(fd, b"12345678\n" * 1000)
    reader.turn()
    assert len(lines) == 100
    reader.finish()
    assert len(lines) == 1000


async def test_beyond_the_lines_of_a_second_they_are_counted():
    read_fd, write_fd = os.pipe()
    lines = []
    reader = reader_of(read_fd, lines, budget=OutputBudget(5, 1000))
    os.write(write_fd, b"".join(b"%d\n" % number for number in range(1000)))
    os.close(write_fd)
    await wait_until(lambda: reader._fd is None)
    assert lines[:5] == ["0", "1", "2", "3", "4"]
    assert lines[5] == "… 995 more lines (3,880 bytes)"
    assert lines[6:] == list(reader.tail) == ["997", "998", "999"]


@pytest.mark.slow
async def test_what_is_left_out_is_said_once_a_second_while_it_goes_on():
    read_fd, write_fd = os.pipe()
    lines = []
    reader = reader_of(read_fd, lines, budget=OutputBudget(1, 1000))
    os.write(write_fd, b"x\n" * 500)
    await wait_until(lambda: len(lines) > 1)
    assert lines == ["x", "… 499 more lines (998 bytes)"]
    reader.finish()
    os.close(write_fd)


async def test_the_bytes_of_a_second_are_limited_too():
    read_fd, write_fd = os.pipe()
    lines = []
    reader = reader_of(read_fd, lines, budget=OutputBudget(1000, 25))
    os.write(write_fd, b"0123456789\n" * 10)
    reader.finish()
    os.close(write_fd)
    assert lines == ["0123456789"] * 3 + ["… 7 more lines (77 bytes)"] + ["0123456789"] * 3


@pytest.mark.slow
async def test_a_flood_pauses_the_reader_and_loses_nothing_without_a_budget():
    read_fd, write_fd = os.pipe()
    lines = []
    reader = reader_of(read_fd, lines, values={"output_pause_s": 0.001})
    writing = asyncio.to_thread(os.write, write_fd, b"abc\n" * 50_000)
    await writing
    os.close(write_fd)
    await wait_until(lambda: reader._fd is None)
    assert lines == ["abc"] * 50_000


async def test_an_unfinished_line_is_shown_after_a_while_once():
    read_fd, write_fd = os.pipe()
    lines, begun = [], []
    values = {"output_unfinished_s": 0.01}
    reader = reader_of(read_fd, lines, values=values, on_unfinished=begun.append)
    os.write(write_fd, b"name? ")
    await wait_until(lambda: begun)
    os.write(write_fd, b"\rfit 1/3\rfit 2/3")
    await wait_until(lambda: len(begun) == 2)
    assert begun == ["name? ", "fit 2/3"]
    reader._show_unfinished()
    assert len(begun) == 2 and lines == []
    os.write(write_fd, b"\rfit 3/3\n")
    await wait_until(lambda: lines)
    assert lines == ["fit 3/3"]
    reader.finish()
    os.close(write_fd)
    assert reader._timers == {}


async def test_both_outputs_of_a_kernel_share_their_second(caplog):
    caplog.set_level(logging.INFO)
    pipes = os.pipe(), os.pipe()
    process = types.SimpleNamespace(stdout_fd=pipes[0][0], stderr_fd=pipes[1][0])
    limits = settings.Settings(output_rate_lines=3, output_lines=1)
    capture = Capture(process, logging.getLogger("databench.kernel.x"), limits)
    for _, write_fd in pipes:
        os.write(write_fd, b"1\n2\n")
        os.close(write_fd)
    capture.finish()
    assert [page_record.getMessage() for page_record in caplog.records] == [
        *("1", "2", "1"),
        "… 1 more line (2 bytes)",
        "2",
    ]
    assert capture.last_lines == ["2"]


async def test_pages_get_the_last_lines_without_colours_which_the_log_has(caplog):
    caplog.set_level(logging.INFO)
    pipes = os.pipe(), os.pipe()
    process = types.SimpleNamespace(stdout_fd=pipes[0][0], stderr_fd=pipes[1][0])
    capture = Capture(process, logging.getLogger("databench.kernel.x"), settings.Settings())
    os.write(pipes[1][1], b"\x1b[31mred\x1b[0m\t1\x1b]0;title\x07\n")
    for _, write_fd in pipes:
        os.close(write_fd)
    capture.finish()
    assert capture.last_lines == ["red\t1"]
    assert "\x1b[31mred\x1b[0m" in caplog.records[0].getMessage()


async def test_the_end_of_file_closes_the_pipe():
    read_fd, write_fd = os.pipe()
    lines = []
    reader_of(read_fd, lines)
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
        with contextlib.suppress(BlockingIOError):
            os.write(fd, b"again\n")

    reader._on_line = refill
    os.write(fd, b"first\n")
    reader.finish()
    assert lines
    assert asyncio.get_running_loop().is_running()
