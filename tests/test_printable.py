"""Text that a terminal does not obey, and that is no other line of the log."""

import logging
import unicodedata

import pytest

from databench.printable import COLOURS, PrintableFormatter, clean, clean_line

ESC = "\x1b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("größe ≈ 3 €, 👩‍🔬 and नि", "größe ≈ 3 €, 👩‍🔬 and नि"),  # with a joiner: one letter
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb", "a\nb"),
        (f"{ESC}[31mred{ESC}[0m", "red"),
        (f"{ESC}[2J{ESC}[1;1Hhome", "home"),
        ("\x9b31mred", "red"),
        (f"{ESC}]0;title\x07text", "text"),
        (f"{ESC}]8;;http://x{ESC}\\link{ESC}]8;;{ESC}\\", "link"),
        (f"{ESC}]52;c;cm0gLXJm\x07clip", "clip"),
        (f"{ESC}Pq#0{ESC}\\sixel", "sixel"),
        (f"{ESC}(0line", "line"),
        (f"{ESC}cfull reset", "full reset"),
        (f"{ESC}]0;never ends\nnext", "�]0;never ends\nnext"),
        (f"end{ESC}", "end�"),
        ("bell\x07 back\x08 del\x7f nul\x00", "bell� back� del� nul�"),
        ("over\rwritten", "over written"),
        ("a\x0bb\x0cc\x85d\u2028e\u2029f", "a b c d e f"),
        ("user\u202egnp.exe\u202c \u2066x\u2069 \u200f\u061c", "user�gnp.exe� �x� ��"),
        ("half \ud800 of one", "half � of one"),
    ],
)
def test_nothing_steers_the_terminal(text, shown):
    assert clean(text) == shown


RED, RESET = f"{ESC}[31m", f"{ESC}[0m"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        (f"a {RED}red{RESET}", f"a {RED}red{RESET}{RESET}"),
        (f"{RED}one\ntwo", f"{RED}one{RESET}\ntwo"),  # a record below is not red
        (f"{RED}one\r\n{RED}two", f"{RED}one{RESET}\n{RED}two{RESET}"),
        (f"{ESC}[38;5;208mx", f"{ESC}[38;5;208mx{RESET}"),
        (f"{ESC}[38:2::1:2:3mx", f"{ESC}[38:2::1:2:3mx{RESET}"),
        (f"{ESC}[mx", f"{ESC}[mx{RESET}"),
        (f"{ESC}[{'1' * 33}mx", "x"),  # longer than any colour
        (f"{ESC}[>4;2mx", "x"),  # xterm: other keys of the keyboard
        (f"{ESC}[?1mx{ESC}[1 mx", "xx"),
        ("\x9b31mx", "x"),
        (f"{ESC}[2J{RED}x{ESC}[1A", f"{RED}x{RESET}"),
        (f"{ESC}]0;{RED}title\x07x", f"\ufffd]0;{RED}title\ufffdx{RESET}"),
        (f"{ESC}{RED}x", f"\ufffd{RED}x{RESET}"),
        (f"{ESC}{ESC}[2J[31mx", "\ufffd[31mx"),  # what is left makes no new sequence
        (f"{ESC}[3{RED}1mx", f"\ufffd[3{RED}1mx{RESET}"),
        (f"{RED}over\rwritten\x08\u2028", f"{RED}over written\ufffd {RESET}"),
        (f"{RED}" * (COLOURS + 5) + "x", f"{RED}" * COLOURS + f"x{RESET}"),
    ],
)
def test_colours_alone_are_kept_where_they_are_wanted_and_end_with_their_line(text, shown):
    assert clean(text, keeps_colours=True) == shown
    assert clean(shown) == clean(text)


@pytest.mark.slow
def test_of_all_characters_only_line_ends_and_tabs_do_something():
    every = "".join(map(chr, range(0x110000)))
    left = {c for c in clean(every) if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")}
    assert left == {"\n", "\t"}


def test_one_line_stays_one():
    assert clean_line("a\nb\tc\r\nd") == "a b c d"


@pytest.mark.parametrize(
    "unit",
    [
        ESC,
        f"{ESC}[",
        f"{ESC}]",
        f"{ESC}[0;",
        f"{ESC}]x ",
        "\x9b",
        "\x90",
        "\x98",
        "\x9d",
        "\x9f",
        "\x90x",
    ],
)
def test_sequences_that_never_end_take_linear_time(unit):
    assert not set(clean(unit * 100_000)) & set(f"{ESC}\x90\x98\x9b\x9d\x9f")


def record(text, *args, **kwargs):
    return logging.LogRecord("tornado.access", 30, "", 0, text, args, kwargs.get("exc_info"))


def test_arguments_of_a_record_forge_no_line():
    request = f"GET /{ESC}[2J\r\n12:00:00 warning: the disk is full"
    text = PrintableFormatter("%(message)s").format(record("404 %s (%s)", request, "::1"))
    assert text.splitlines() == ["404 GET /", "  12:00:00 warning: the disk is full (::1)"]


def test_formatter_keeps_colours_where_it_is_told_to():
    formatter = PrintableFormatter("%(message)s")
    text = f"{RED}one\ntwo{ESC}[2J"
    assert formatter.format(record(text)) == "one\n  two"
    formatter.keeps_colours = True
    assert formatter.format(record(text)) == f"{RED}one{RESET}\n  two"


def test_words_in_a_traceback_forge_no_line():
    try:
        raise ValueError(f"{ESC}]0;x\x07why\n12:00:00 all is well")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    lines = PrintableFormatter("%(message)s").format(record("failed", exc_info=info)).split("\n")
    assert lines[0] == "failed"
    assert lines[-2:] == ["  ValueError: why", "  12:00:00 all is well"]
    assert all(line.startswith("  ") for line in lines[1:])
