r"""Formulae in a text: `\( … \)`, `\[ … \]`, `$$ … $$`, `\begin{…} … \end{…}`, in linear time.

`\\( … \\)` and `\\[ … \\]`, which other Markdown renderers need, mean the same. An empty line ends
a formula, as it ends a paragraph. There is no backtick in one: it would be a dollar between two
pieces of code.

Theory of operation. A pattern such as `\\\(.+?\\\)` looks for the end of each begin, and where
there is none it reads the rest of the text every time. So the places of all ends are noted once;
the end of a begin is found by bisection, and what is between them is not read.
"""

from __future__ import annotations

import functools
import re
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

_BEGIN = re.compile(r"\$\$|\\\\?[(\[]|\\begin\{(\w+\*?)\}")
_ENVIRONMENT_END = re.compile(r"\\end\{(\w+\*?)\}")
# Of each kind, where an end may begin. Looked ahead: `$$$` has two places.
_ENDS = {
    "$$": re.compile(r"(?=\$\$)"),
    "(": re.compile(r"(?=\\\\?\))"),
    "[": re.compile(r"(?=\\\\?\])"),
}
_CLOSINGS = {"$$": "$$", "(": "\\)", "[": "\\]"}
_BARRIER = re.compile(r"`|(?=\n[ \t]*\n)")


class Formula(NamedTuple):
    r"""One formula of a text.

    Attributes:
        opening: `$$`, `\(` or `\[`; empty if it is an environment.
        begin: Where its words begin.
        stop: Where they end.
        closing: What stands behind them.
        end: Where the text continues.
    """

    opening: str
    begin: int
    stop: int
    closing: str
    end: int

    def cut(self, text: str) -> str:
        """It with its delimiters, as pages have them."""
        return f"{self.opening}{text[self.begin : self.stop]}{self.closing}"


class Formulae:
    """Where the formulae of one text are.

    Args:
        text: Of any length.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._barriers = _note(_BARRIER.finditer(text))
        self._ends: dict[str, Sequence[int]] = {}
        self._is_last: dict[int, bool] = {}

    @functools.cached_property
    def _environments(self) -> Mapping[str, Sequence[int]]:
        r"""The places of `\end{…}`, by name."""
        places: dict[str, array[int]] = defaultdict(lambda: array("L"))
        for found in _ENVIRONMENT_END.finditer(self._text):
            places[found[1]].append(found.start())
        return dict(places)

    def find(self, start: int) -> Formula | None:
        """The formula that begins at a place; `None`: there is none."""
        begin = _BEGIN.match(self._text, start)
        if begin is None:
            return None
        name, kind = begin[1], "$$" if begin[0] == "$$" else begin[0][-1]
        places = self._find_ends(kind) if name is None else self._environments.get(name, ())
        stop = _next(places, begin.end() + 1)
        if stop is None:
            return None
        barrier = _next(self._barriers, begin.end())
        if barrier is not None and barrier < stop:
            return None
        if name is not None:
            stop += len(f"\\end{{{name}}}")
            return Formula("", start, stop, "", stop)
        end = stop + 2 + self._text.startswith("\\\\", stop)
        opening = "$$" if kind == "$$" else f"\\{kind}"
        return Formula(opening, begin.end(), stop, _CLOSINGS[kind], end)

    def ends_its_line(self, formula: Formula) -> bool:
        """Whether nothing but blanks follows it in its last line."""
        known = self._is_last.get(formula.end)
        if known is None:  # many begins may have the same end
            line_end = self._text.find("\n", formula.end)
            rest = self._text[formula.end : line_end if line_end >= 0 else None]
            known = self._is_last[formula.end] = not rest.strip()
        return known

    def _find_ends(self, kind: str) -> Sequence[int]:
        if kind not in self._ends:
            self._ends[kind] = _note(_ENDS[kind].finditer(self._text))
        return self._ends[kind]


@functools.lru_cache(maxsize=4)  # a renderer asks again and again for the same text
def look_at(text: str) -> Formulae:
    """The formulae of a text."""
    return Formulae(text)


def _note(found: Iterable[re.Match[str]]) -> Sequence[int]:
    return array("L", (place.start() for place in found))


def _next(places: Sequence[int], start: int) -> int | None:
    """The first of these places that is not before another one."""
    index = bisect_left(places, start)
    return places[index] if index < len(places) else None
