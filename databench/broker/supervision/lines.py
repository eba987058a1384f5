"""Lines out of a stream of bytes, and how many of them may be shown. Pure.

Owns where a line ends, where a long one is cut, and what is left of one that a carriage return
began again. Knows no pipe and no clock.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_LETTER_BYTES = 4  # of one character at most, in UTF-8
_SEQUENCE_BYTES = 64  # what is searched for the begin of a combined character
_JOINER = "\u200d"
_ESCAPE = b"\x1b"
# A terminal's control sequence, whole or as far as it has come; `printable` removes them.
_CONTROL = re.compile(rb"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]")
_BEGUN = re.compile(r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8})?\Z")
_SKIN_TONES = range(0x1F3FB, 0x1F400)


class LineSplitter:
    """Takes pieces, gives whole lines without their ends.

    Args:
        line_bytes: A longer line is given in pieces, each of whole letters.
    """

    def __init__(self, line_bytes: int) -> None:
        self._line_bytes = line_bytes
        self._rest = b""
        self._at = 0

    def feed(self, piece: bytes) -> None:
        """Take what was read."""
        self._rest = self._rest[self._at :] + piece
        self._at = 0

    @property
    def unfinished(self) -> str:
        """The text after the last line, as a terminal would show it."""
        return _BEGUN.sub("", _show(self._rest[self._at :]))

    @property
    def holds_line(self) -> bool:
        """Whether there is a whole line, or a piece of a long one."""
        left = len(self._rest) - self._at
        return left > self._line_bytes or self._rest.find(b"\n", self._at) >= 0

    def take(self) -> str | None:
        """The next line; `None`: none is whole."""
        while True:
            begin, most = self._at, self._at + self._line_bytes
            end = self._rest.find(b"\n", begin, most + 1)
            if end >= 0:
                self._at = end + 1
                return _show(self._rest[begin:end])
            if len(self._rest) <= most:
                return None
            again = self._rest.rfind(b"\r", begin, most)
            if again < 0:
                self._at = find_cut(self._rest, begin, most)
                return self._rest[begin : self._at].decode("utf-8", "replace")
            self._at = again + 1  # what stood before it was written over

    def take_all(self, keep: int) -> tuple[int, int, list[str]]:
        """All whole lines at once, of which only the last ones are checked.

        Args:
            keep: How many.

        Returns:
            How many lines there were, their bytes, and the last ones.
        """
        end = self._rest.rfind(b"\n", self._at) + 1
        if not end:
            line = self.take()
            return (0, 0, []) if line is None else (1, self._line_bytes, [line])
        begin = end - 1
        for _ in range(keep):
            begin = self._rest.rfind(b"\n", self._at, begin)
            if begin < 0:
                begin = self._at - 1
                break
        lines = self._rest[begin + 1 : end - 1].split(b"\n")
        count, size = self._rest.count(b"\n", self._at, end), end - self._at
        self._at = end
        return count, size, [_show(_cut_begin(line, self._line_bytes)) for line in lines[-keep:]]

    def finish(self) -> Iterator[str]:
        """Nothing follows: what is left, the unfinished line too."""
        while (line := self.take()) is not None:
            yield line
        if self._at < len(self._rest):
            yield self.unfinished
        self._rest, self._at = b"", 0


class OutputBudget:
    """How much of a kernel's output is handed on in a second; the rest is counted.

    Args:
        lines: At most, in a second.
        size_bytes: At most, in a second.
    """

    def __init__(self, lines: float, size_bytes: float) -> None:
        self._limits = lines, size_bytes
        self._left = lines, size_bytes
        self._until_s = 0.0
        self.omitted_lines = 0
        self.omitted_bytes = 0

    def allows(self, now_s: float) -> bool:
        """Whether another line may be handed on."""
        if now_s >= self._until_s:
            self._left, self._until_s = self._limits, now_s + 1
        return self._left[0] >= 1 and self._left[1] > 0

    def spend(self, size_bytes: int) -> None:
        """One was."""
        self._left = self._left[0] - 1, self._left[1] - size_bytes

    def omit(self, lines: int, size_bytes: int) -> None:
        """These were not."""
        self.omitted_lines += lines
        self.omitted_bytes += size_bytes

    def take_note(self) -> str:
        """A note of the lines left out since the last one; empty: none."""
        count, size = self.omitted_lines, self.omitted_bytes
        self.omitted_lines = self.omitted_bytes = 0
        if not count:
            return ""
        lines = "1 more line" if count == 1 else f"{count:,} more lines"
        return f"… {lines} ({size:,} bytes)"


def find_cut(data: bytes, begin: int, most: int) -> int:
    """Where to cut text in UTF-8: between two letters, not after `most`.

    Args:
        data: The text; it is longer than `most`.
        begin: Where the piece begins; the cut comes after it.
        most: The last place for the cut.

    Returns:
        The place; `most` itself if the bytes are not text. A control sequence stays whole too.
    """
    cut = _find_letter_cut(data, begin, most)
    escape = data.rfind(_ESCAPE, max(begin + 1, cut - _SEQUENCE_BYTES), cut)
    found = _CONTROL.match(data, escape) if escape >= 0 else None
    return escape if found and found.end() > cut else cut


def _find_letter_cut(data: bytes, begin: int, most: int) -> int:
    cut = most
    while cut > begin and most - cut < _LETTER_BYTES and data[cut] & 0xC0 == 0x80:
        cut -= 1
    if cut == begin or data[cut] & 0xC0 == 0x80:
        return most
    letters = data[max(begin, cut - _SEQUENCE_BYTES) : cut].decode("utf-8", "ignore")
    after = data[cut : cut + _LETTER_BYTES].decode("utf-8", "ignore")[:1]
    place = cut
    for before in reversed(letters):
        if not _is_joined(before, after):
            return place
        place -= len(before.encode())
        after = before
    return cut


def _cut_begin(line: bytes, most: int) -> bytes:
    """The end of a line, of at most that many bytes; it does not begin in a control sequence."""
    begin = max(len(line) - most, 0)
    escape = line.rfind(_ESCAPE, max(begin - _SEQUENCE_BYTES, 0), begin)
    found = _CONTROL.match(line, escape) if escape >= 0 else None
    return line[max(begin, found.end()) if found else begin :]


def _is_joined(before: str, after: str) -> bool:
    """Whether two characters are parts of one letter, as far as is seen without a table."""
    if not after or before == _JOINER or after == _JOINER:
        return bool(after)
    return unicodedata.category(after) in ("Mn", "Mc", "Me") or ord(after) in _SKIN_TONES


def _show(line: bytes) -> str:
    """A line as a terminal finally shows it: a carriage return begins it again."""
    return line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace")
