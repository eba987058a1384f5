"""Exceptions in words."""

import logging

import databench.kernel.desks as own
from databench.kernel.report import LineFormatter, describe, format_traceback


def test_a_line_is_one_line_and_bounded():
    assert describe(ValueError("a\n  b")) == "a b"
    assert describe(ValueError()) == "ValueError"
    assert describe(KeyError("k")) == "KeyError: 'k'"
    assert describe(SystemExit(2)) == "the action called exit(2)"
    assert len(describe(ValueError("x" * 10_000))) == 4000


def test_a_line_can_always_be_sent():
    class BadError(Exception):
        def __str__(self):
            raise ValueError

    class BadKey:
        def __repr__(self):
            raise ValueError

    assert describe(BadError()) == "BadError (its text cannot be had)"
    assert describe(KeyError(BadKey())) == "KeyError (its text cannot be had)"
    assert describe(SystemExit(BadKey())) == "SystemExit (its text cannot be had)"
    assert describe(ValueError("a\ud800")) == "a?"


def test_the_kernels_own_frames_are_left_out():
    def fail():
        raise ValueError("no")

    job = own.Job(None, fail, None)
    desk = own.MainDesk(None, None)
    job.request = type("Request", (), {"wanted": 0, "raised": 0})()
    try:
        desk._invoke(job)
    except ValueError as error:
        error.__traceback__ = error.__traceback__.tb_next
        lines = format_traceback(error).splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert "test_report.py" in lines[1]
    assert lines[-1] == "ValueError: no"


def test_a_line_of_the_log_names_its_logger_unless_it_is_the_analysis_own():
    formatter = LineFormatter("databench.kernel.pi")
    record = logging.LogRecord("databench.kernel.pi", 30, "f", 1, "drawn %d", (3,), None)
    assert formatter.format(record) == "WARNING drawn 3"
    record.name = "urllib3"
    assert formatter.format(record) == "WARNING urllib3: drawn 3"
