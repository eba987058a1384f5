"""Exceptions in words."""

import databench.kernel.desks as own
from databench.kernel.report import describe, format_traceback


def test_a_line_is_one_line_and_bounded():
    assert describe(ValueError("a\n  b")) == "a b"
    assert describe(ValueError()) == "ValueError"
    assert describe(KeyError("k")) == "key 'k' is missing"
    assert describe(SystemExit(2)) == "the action called exit(2)"
    assert len(describe(ValueError("x" * 10_000))) == 4000


def test_a_line_can_always_be_sent():
    class BadError(Exception):
        def __str__(self):
            raise ValueError

    assert describe(BadError()) == "BadError (its text cannot be had)"
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
