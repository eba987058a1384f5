"""Lines out of pieces of bytes, and how many may be shown."""

import random

import pytest

from databench.broker.supervision.lines import LineSplitter, OutputBudget, find_cut


def split(*pieces, line_bytes=10):
    """All lines, and what is unfinished."""
    splitter = LineSplitter(line_bytes)
    lines = []
    for piece in pieces:
        splitter.feed(piece)
        while (line := splitter.take()) is not None:
            lines.append(line)
    assert not splitter.holds_line
    return lines, splitter.unfinished


@pytest.mark.parametrize(
    ("pieces", "lines", "unfinished"),
    [
        ([b"one\ntwo\r\n\nth"], ["one", "two", ""], "th"),
        ([b"o", b"n", b"e\n", b"t"], ["one"], "t"),
        ([b"\xff\xfe\n"], ["\ufffd\ufffd"], ""),
        ([b"0123456789" * 2 + b"rest\n"], ["0123456789", "0123456789", "rest"], ""),
        ([b"0123456789\n"], ["0123456789"], ""),
        ([b"\r 10 %", b"\r 20 %"], [], " 20 %"),
        ([b"\r 10 %", b"\r 20 %\n"], [" 20 %"], ""),
        ([b"10 %\r", b"20 %\r"], [], "20 %"),
        ([b"over\rwritten\r\nx"], ["written"], "x"),
        ([b"\r 1 of 3"] * 50 + [b"\r 3 of 3\n"], [" 3 of 3"], ""),
        ([b"", b"\n"], [""], ""),
    ],
)
def test_lines_are_what_a_terminal_shows_in_the_end(pieces, lines, unfinished):
    assert split(*pieces) == (lines, unfinished)


@pytest.mark.parametrize(
    "letter",
    [
        "a",
        "é",
        "≈",
        "👩",
        "e\u0301",
        "न\u093f",
        "👍🏽",
        "👩\u200d🔬",
        "☀\ufe0f",
        "a\u0300\u0301\u0302",
    ],
)
@pytest.mark.parametrize("shift", range(5))
def test_long_line_is_never_cut_inside_a_letter(letter, shift):
    text = "x" * shift + letter * 60
    lines, unfinished = split(text.encode() + b"\n", line_bytes=40)
    assert "".join(lines) == text and not unfinished
    assert all(len(line.encode()) <= 40 for line in lines)
    assert all(line.endswith(letter) for line in lines)


@pytest.mark.parametrize("data", [b"\x80" * 30, b"\xf0" * 30, "\u0301".encode() * 15])
def test_what_is_no_letter_is_cut_all_the_same(data):
    assert 8 <= find_cut(data, 0, 10) <= 10


def test_any_pieces_give_the_same_lines():
    chance = random.Random(7)
    text = "".join(chance.choice("ab≈é\n\n👩") for _ in range(400)).encode()
    whole = split(text, line_bytes=12)
    for _ in range(50):
        cuts = sorted(chance.sample(range(len(text)), 9))
        pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
        assert split(*pieces, line_bytes=12) == whole


def test_all_lines_at_once_are_counted_and_the_last_ones_kept():
    splitter = LineSplitter(10)
    splitter.feed(b"1\n2\n3\n4\n5\n6")
    assert splitter.take() == "1"
    assert splitter.take_all(2) == (4, 8, ["4", "5"])
    assert splitter.take_all(2) == (0, 0, [])
    splitter.feed(b"\n7\n" + b"8" * 50 + b"\n")
    assert splitter.take_all(9) == (3, 55, ["6", "7", "8" * 10])
    splitter.feed(b"9" * 25)
    assert splitter.take_all(9) == (1, 10, ["9" * 10])
    assert list(splitter.finish()) == ["9" * 10, "99999"]
    assert list(splitter.finish()) == []


def test_a_second_has_so_many_lines_and_bytes():
    budget = OutputBudget(3, 100)
    for _ in range(3):
        assert budget.allows(10.0)
        budget.spend(1)
    assert not budget.allows(10.9)
    assert budget.allows(11.0)
    budget.spend(100)
    assert not budget.allows(11.5)
    assert budget.allows(12.0)


def test_what_is_left_out_is_said_once():
    budget = OutputBudget(1, 1)
    budget.omit(12_000, 50_000)
    budget.omit(345, 1)
    assert budget.take_note() == "… 12,345 more lines (50,001 bytes)"
    assert budget.take_note() == ""
    budget.omit(1, 7)
    assert budget.take_note() == "… 1 more line (7 bytes)"


RED = b"\x1b[31m"


@pytest.mark.parametrize("shift", range(12))
def test_long_line_is_never_cut_inside_a_colour(shift):
    lines, unfinished = split(b"x" * shift + (RED + b"ab") * 9 + b"\n", line_bytes=12)
    assert "".join(lines) == "x" * shift + f"{RED.decode()}ab" * 9
    assert not unfinished
    assert all(line.count("\x1b") == line.count("\x1b[31m") for line in lines)


@pytest.mark.parametrize("most", range(6, 14))
def test_the_end_of_a_long_line_never_begins_inside_a_colour(most):
    splitter = LineSplitter(most)
    splitter.feed(b"a" * 40 + (RED + b"bc") * 4 + b"\n")
    _, _, (line,) = splitter.take_all(1)
    assert line.replace(RED.decode(), "").strip("bc") == ""


@pytest.mark.parametrize("begun", [b"\x1b", b"\x1b[", b"\x1b[3", b"\x1b[38;5", b"\x1b[1 "])
def test_a_colour_that_is_not_whole_yet_is_not_shown(begun):
    assert split(b"10 %" + begun, line_bytes=99) == ([], "10 %")
    assert split(b"10 %" + RED + begun, line_bytes=99) == ([], f"10 %{RED.decode()}")


def test_what_begins_like_a_colour_and_never_ends_is_cut_all_the_same():
    lines, _ = split(b"\x1b[" + b"1" * 200 + b"\n", line_bytes=10)
    assert "".join(lines) == "\x1b[" + "1" * 200
