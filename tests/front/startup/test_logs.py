"""Lines in the terminal."""

import io
import logging
import re
import sys

import pytest

from databench import settings
from databench.front.startup import logs
from databench.http.queued import LineWriter, QueuedStream


@pytest.fixture
def _kept():
    """The root logger as it was."""
    root, ours = logging.getLogger(), logging.getLogger("databench")
    before = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:], level, own = before
    root.setLevel(level)
    ours.setLevel(own)


def record(level, text, name="databench.front", **kwargs):
    return logging.LogRecord(name, level, "", 0, text, (), kwargs.get("exc_info"))


@pytest.mark.parametrize(
    ("level", "line"),
    [
        (logging.INFO, r"\d\d:\d\d:\d\d hello"),
        (logging.WARNING, r"\d\d:\d\d:\d\d warning: hello"),
        (logging.ERROR, r"\d\d:\d\d:\d\d error: hello"),
        (logging.DEBUG, r"\d\d:\d\d:\d\d databench.front: hello"),
    ],
)
def test_line_is_short(level, line):
    assert re.fullmatch(line, logs.Formatter().format(record(level, "hello")))


def test_line_of_a_kernel_has_its_name_in_front():
    line = logs.Formatter().format(record(logging.INFO, "3 of 7", "databench.kernel.pi"))
    assert re.fullmatch(r"\d\d:\d\d:\d\d pi \| 3 of 7", line)


def test_traceback_follows_its_line():
    try:
        raise ValueError("why")
    except ValueError:
        text = logs.Formatter().format(record(logging.ERROR, "failed", exc_info=sys.exc_info()))
    assert text.splitlines()[1].startswith("  Traceback")
    assert text.endswith("ValueError: why")


@pytest.mark.parametrize("name", ["databench.front", "databench.kernel.pi", "tornado.access"])
def test_no_word_of_others_steers_the_terminal_or_forges_a_line(name):
    text = "\x1b]0;owned\x07\x9b2J hello\r\n12:00:00 warning: the disk is full"
    first, *others = logs.Formatter().format(record(logging.INFO, text, name)).split("\n")
    assert first.endswith(" hello") and "\x1b" not in first
    assert others == ["  12:00:00 warning: the disk is full"]


RED, RESET = "\x1b[31m", "\x1b[0m"


@pytest.mark.parametrize(
    ("term", "no_color", "name", "shown"),
    [
        ("xterm", "", "databench.kernel.pi", f"pi | {RED}red{RESET} x{RESET}"),
        ("xterm", "", "databench.front", "red x"),
        ("xterm", "1", "databench.kernel.pi", "pi | red x"),
        ("dumb", "", "databench.kernel.pi", "pi | red x"),
    ],
)
def test_colours_of_a_kernel_are_kept_on_a_terminal(
    screen, monkeypatch, term, no_color, name, shown
):
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("NO_COLOR", no_color)
    stream, writer, handler = screen
    handler.handle(record(logging.INFO, f"{RED}red{RESET} \x1b[2Jx", name))
    writer.flush(30)
    assert stream.getvalue()[9:] == f"{shown}\n"


def test_colours_of_a_kernel_are_no_part_of_a_file(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    logs.LogHandler().handle(record(logging.INFO, f"{RED}red{RESET}", "databench.kernel.pi"))
    assert stream.getvalue()[9:] == "pi | red\n"


def test_a_coloured_bar_is_as_long_as_what_is_seen_of_it_and_leaves_no_colour(screen):
    stream, writer, handler = screen
    handler.handle(unfinished(f"{RED}10 %{RESET}"))
    writer.flush(30)
    assert stream.getvalue()[9:] == f"pi | {RED}10 %{RESET}{RESET}"


def unfinished(text, name="databench.kernel.pi"):
    made = record(logging.INFO, text, name)
    made.is_unfinished = True
    return made


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def screen(monkeypatch):
    """A terminal, and the handler that writes to it."""
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    writer = LineWriter(lambda piece: stream.write(piece.decode()))
    monkeypatch.setattr(sys, "stderr", QueuedStream(stream, writer))
    return stream, writer, logs.LogHandler()


def test_a_progress_bar_is_one_line_of_a_terminal_that_moves(screen):
    stream, writer, handler = screen
    for number in range(3):
        handler.handle(unfinished(f"{number} of 3"))
        writer.flush(30)
    handler.handle(record(logging.INFO, "another", "databench.front"))
    writer.flush(30)
    handler.handle(record(logging.INFO, "3 of 3", "databench.kernel.pi"))
    writer.flush(30)
    text = re.sub(r"\d\d:\d\d:\d\d ", "", stream.getvalue())
    again = "\r\x1b[K"
    assert text == (
        f"pi | 0 of 3{again}pi | 1 of 3{again}pi | 2 of 3"
        f"{again}another\npi | 2 of 3{again}pi | 3 of 3\n"
    )


def test_a_progress_bar_is_a_line_now_and_then_of_a_file(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    handler = logs.LogHandler()
    handler.progress_s = 3600
    for number in range(3):
        handler.handle(unfinished(f"{number} of 3"))
        handler.handle(unfinished(f"{number} of 3", "databench.kernel.other"))
    handler.handle(record(logging.INFO, "3 of 3", "databench.kernel.pi"))
    assert [line[9:] for line in stream.getvalue().splitlines()] == [
        "pi | 0 of 3",
        "other | 0 of 3",
        "pi | 3 of 3",
    ]
    handler.progress_s = 0
    handler.handle(unfinished("more"))
    assert stream.getvalue().endswith("pi | more\n")


@pytest.mark.parametrize(
    ("line", "columns", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "abc"),
        ("進捗", 3, "進"),
        ("", 3, ""),
        ("abc", 0, ""),
        (f"{RED}abc{RESET}", 3, f"{RED}abc{RESET}"),
        (f"{RED}abcd{RESET}", 3, f"{RED}abc{RESET}"),
    ],
)
def test_a_moving_line_is_no_longer_than_the_terminal_is_wide(line, columns, shown):
    assert logs.fit(line, columns) == shown


@pytest.mark.usefixtures("_kept")
def test_limits_of_the_log_are_taken(monkeypatch, screen):
    stream, writer, _ = screen
    monkeypatch.setattr(sys, "stderr", QueuedStream(stream, writer))
    logs.configure("INFO")
    named = {"log_queue_lines": 123, "log_queue_bytes": 70_000, "log_flush_s": 0.5}
    logs.adopt(settings.Settings(**{**named, "output_progress_s": 7.0}))
    assert (writer.queue_lines, writer.queue_bytes, writer.flush_s) == (123, 70_000, 0.5)
    assert logging.getLogger().handlers[0].progress_s == 7.0


@pytest.mark.usefixtures("_kept")
@pytest.mark.parametrize(
    ("level", "ours", "others"),
    [("DEBUG", 10, 10), ("INFO", 20, 30), ("WARNING", 30, 30), ("ERROR", 40, 40)],
)
def test_level_is_ours_and_other_libraries_are_quiet(level, ours, others):
    logs.configure(level)
    assert logging.getLogger("databench.front").getEffectiveLevel() == ours
    assert logging.getLogger("somebody").getEffectiveLevel() == others
    assert logging.getLogger("asyncio").level == logging.WARNING


@pytest.mark.parametrize("name", ["databench.front", "tornado.general", "databench.kernel.pi"])
def test_a_session_in_an_address_is_not_logged(name):
    text = logs.Formatter().format(record(logging.INFO, "GET /pi/?a=1&session=Zk3_x&b=2 200", name))
    assert text.endswith("GET /pi/?a=1&session=…&b=2 200")


@pytest.fixture
def traced():
    """The logger of traces, which is as it was after the test."""
    logger = logging.getLogger("databench.trace")
    before = logger.level, logger.handlers[:], logger.propagate
    yield logger
    for handler in logger.handlers:
        handler.close()
    logger.setLevel(before[0])
    logger.handlers[:], logger.propagate = before[1:]


def test_a_trace_goes_to_its_file_alone_and_is_appended(traced, tmp_path, caplog):
    path = tmp_path / "trace.log"
    path.write_text("before\n")
    logs.trace(str(path))
    traced.info("to pi k1.1: ping number=1\x1b[31m")
    first, second = path.read_text().splitlines()
    assert first == "before"
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d\d\d to pi k1\.1: ping number=1(\[31m)?", second)
    assert caplog.records == []


@pytest.mark.usefixtures("_kept")
def test_a_trace_is_in_the_log_whatever_its_level(traced):
    logs.configure("ERROR")
    logs.trace(None)
    assert traced.isEnabledFor(logging.INFO)
    assert traced.propagate
