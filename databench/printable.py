"""Text for a terminal and a log that cannot control the terminal or look like another line.

Owns which characters never reach an operator. Text of pages, kernels and requests ends up in
records of the log, in their arguments, in exceptions; so the formatter cleans all of it, once,
after everything else was put together.
"""

from __future__ import annotations

import logging
import re

# A terminal's control sequences (ECMA-48, 5.4 and 5.6): colours, movements, titles, clipboards.
# Each part has a largest length: one that does not end is not a sequence, and its ESC is replaced.
# None holds what begins another, so each character is read a bounded number of times.
_SEQUENCE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]"
    "|(?:\x1b[P\\]X^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f\n]{0,4096}(?:\x07|\x1b\\\\|\x9c)"
    "|\x1b[ -/]{0,8}[0-Z\\\\^-~]"
)
# What a terminal obeys (C0, C1, DEL), what ends a line somewhere (U+2028, U+2029), what turns the
# direction of writing (bidi controls), and halves of characters, which no stream can encode.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
INDENT = "  "
# Of the sequences, a colour or a style (SGR; ECMA-48, 8.3.117) moves nothing and asks for nothing.
# With other signs before the `m`, one does: `ESC [ > 4 m` changes what the keyboard sends.
COLOUR = re.compile("\x1b\\[[0-9;:]{0,32}m")
COLOURS = 64  # in one line
RESET = "\x1b[0m"


def clean(text: str, *, keeps_colours: bool = False) -> str:
    """Text of several lines, of which a terminal obeys nothing but the line ends and tabs.

    Args:
        text: From any source.
        keeps_colours: Whether colours stay, the first `COLOURS` of each line; they end with it.

    Returns:
        It without control sequences; other control characters are blanks if they are white
        space, else U+FFFD.
    """
    if text.isprintable():
        return text  # nearly always, and fast
    text = text.replace("\r\n", "\n")
    if keeps_colours:
        return "\n".join(map(_clean_coloured, text.split("\n")))
    return _CONTROL.sub(_replace, _SEQUENCE.sub("", text))


def clean_line(text: str) -> str:
    """The same as one line."""
    return clean(text).replace("\n", " ").replace("\t", " ")


def _clean_coloured(line: str) -> str:
    parts: list[str] = []
    begin = count = 0
    for found in _SEQUENCE.finditer(line):
        # Each part by itself: the ends of two parts must not make a sequence together.
        parts.append(_CONTROL.sub(_replace, line[begin : found.start()]))
        begin = found.end()
        if count < COLOURS and COLOUR.fullmatch(found[0]):
            parts.append(found[0])
            count += 1
    parts.append(_CONTROL.sub(_replace, line[begin:]))
    return "".join(parts) + (RESET if count else "")


def _replace(found: re.Match[str]) -> str:
    return " " if found[0].isspace() else "\N{REPLACEMENT CHARACTER}"


class PrintableFormatter(logging.Formatter):
    """A formatter whose records are clean: further lines of a record are indented.

    So a line that begins at the left margin is a record of Databench, whatever words are in it.

    Attributes:
        keeps_colours: Whether colours stay; for a terminal only.
    """

    keeps_colours = False

    def format(self, record: logging.LogRecord) -> str:
        """One record, its traceback below."""
        text = clean(self.compose(record), keeps_colours=self.keeps_colours)
        return text.replace("\n", "\n" + INDENT)

    def compose(self, record: logging.LogRecord) -> str:
        """The record's text before it is cleaned."""
        return super().format(record)
