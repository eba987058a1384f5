"""Lines in the terminal."""

import logging
import re
import sys

import pytest

from databench.front import logs


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
    assert text.splitlines()[1].startswith("Traceback")
    assert text.endswith("ValueError: why")


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
