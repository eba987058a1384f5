"""Where the formulae of a text are, in linear time."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databench.readme.formulae import Formulae, look_at

# The same as a pattern: quadratic, but plain to see.
_INSIDE = r"((?:(?!\n[ \t]*\n)[^`])+?)"
_PATTERN = re.compile(
    rf"\$\${_INSIDE}\$\$|\\\\?\({_INSIDE}\\\\?\)|\\\\?\[{_INSIDE}\\\\?\]"
    rf"|(?P<bare>\\begin{{(?P<name>\w+\*?)}}{_INSIDE}\\end{{(?P=name)}})"
)
_PARTS = [
    *("$", "$$", "\\", "\\\\", "(", ")", "[", "]", "\\(", "\\)", "\\[", "\\]", "a", " ", "`"),
    *("\n", "\n\n", "\n \t\n", "\\begin{a}", "\\end{a}", "\\begin{b*}", "\\end{b*}", "{", "}"),
]


def expected(text, start):
    """What the pattern finds: the formula as pages have it, and its end."""
    found = _PATTERN.match(text, start)
    if found is None:
        return None
    display, inline, bracket = found.group(1, 2, 3)
    if found["bare"] is not None:
        return found["bare"], found.end()
    if display is not None:
        return f"$${display}$$", found.end()
    if inline is not None:
        return f"\\({inline}\\)", found.end()
    return f"\\[{bracket}\\]", found.end()


def find(text, start=0):
    found = Formulae(text).find(start)
    return found and (found.cut(text), found.end)


def test_a_formula_is_found_where_it_begins():
    assert find(r"x \\(a\\) y", 2) == (r"\(a\)", 9)
    assert find(r"x \(a\)") is None
    assert find("$$$$") is None
    assert find(r"\begin{a*} x \end{a*} y") == (r"\begin{a*} x \end{a*}", 21)


@given(st.lists(st.sampled_from(_PARTS), max_size=30).map("".join))
def test_all_formulae_are_those_of_the_pattern(text):
    formulae = Formulae(text)
    for start in range(len(text) + 1):
        found = formulae.find(start)
        assert (found and (found.cut(text), found.end)) == expected(text, start)


@pytest.mark.parametrize(
    ("text", "is_last"),
    [("$$a$$", True), ("$$a$$ \t\nb", True), ("$$a$$ b", False), ("$$a$$b\n", False)],
)
def test_words_behind_a_formula_are_seen(text, is_last):
    formulae = look_at(text)
    found = formulae.find(0)
    assert formulae.ends_its_line(found) is is_last
    assert formulae.ends_its_line(found) is is_last


class Counted(str):
    """A text that counts how much of it is cut out."""

    cut = 0

    def __getitem__(self, place):
        piece = super().__getitem__(place)
        Counted.cut += len(piece)
        return piece


def test_no_begin_reads_the_rest_of_the_text():
    Counted.cut = 0
    text = Counted("\\[\n" * 20_000 + "\\]" + " " * 50_000 + "x")
    formulae = Formulae(text)
    for start in range(0, 60_000, 3):
        found = formulae.find(start)
        assert not formulae.ends_its_line(found)
    assert Counted.cut < 2 * len(text)
