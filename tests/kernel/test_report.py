"""Exceptions in words."""

import bdb
import builtins
import contextvars
import io
import logging
import sys

import pytest

import databench.kernel.workers as own
from databench.kernel.arguments import ActionError
from databench.kernel.report import (
    LineFormatter,
    describe,
    format_traceback,
    is_unanswered,
)


def test_a_line_is_one_line_and_bounded():
    assert describe(ValueError("a\n  b")) == "ValueError: a b"
    assert describe(ValueError()) == "ValueError"
    assert describe(KeyError("k")) == "KeyError: 'k'"
    assert describe(SystemExit(2)) == "the action called exit(2)"
    assert len(describe(ValueError("x" * 10_000))) == 4000


def test_notes_are_told_with_their_exception():
    error = ValueError("no")
    error.__notes__ = ["in row 3", "of table a\nb"]
    assert describe(error) == "ValueError: no; in row 3; of table a b"
    if sys.version_info >= (3, 11):
        assert format_traceback(error).endswith("ValueError: no\nin row 3\nof table a\nb")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no exception groups")
def test_groups_are_whole():
    inner = [ValueError(f"number {number}") for number in range(40)]
    group = builtins.ExceptionGroup("several", [*inner, KeyError("k")])
    assert describe(group) == (
        "ExceptionGroup: several (41 sub-exceptions): ValueError: number 0; ValueError: number 1; "
        "ValueError: number 2; ValueError: number 3; ValueError: number 4; and 36 more"
    )
    text = format_traceback(group)
    assert all(f"ValueError: number {number}\n" in text for number in range(40))


def test_what_needs_a_terminal_is_told_in_words(monkeypatch):
    assert "no terminal here; print or log" in describe(bdb.BdbQuit())
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(EOFError) as caught:
        input()
    assert describe(caught.value) == (
        "EOFError: input() has no terminal to read from; ask for the value on the page"
    )
    assert describe(EOFError("pickle ended")) == "EOFError: pickle ended"


def test_a_line_can_always_be_sent():
    class BadError(Exception):
        def __str__(self):
            raise ValueError

    class BadKey:
        def __repr__(self):
            raise ValueError

    assert describe(BadError()) == "BadError (its text cannot be read)"
    assert describe(KeyError(BadKey())) == "KeyError (its text cannot be read)"
    assert describe(SystemExit(BadKey())) == "SystemExit (its text cannot be read)"
    assert describe(ValueError("a\ud800")) == "ValueError: a?"


def test_a_sentence_of_ours_needs_no_type():
    assert describe(ActionError("no action 'x'")) == "no action 'x'"
    assert is_unanswered(EOFError("EOF when reading a line"))
    assert not is_unanswered(EOFError("pickle ended"))


def test_the_kernels_own_frames_are_left_out():
    def fail():
        raise ValueError("no")

    job = own.Job(None, fail, None)
    worker = own.MainWorker(None)
    job.request = type("Request", (), {"wanted": 0, "raised": 0})()
    try:
        contextvars.copy_context().run(worker._invoke, job)
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
