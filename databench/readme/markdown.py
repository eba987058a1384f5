r"""Markdown as HTML. Harmless HTML in the text is kept; formulae pass through unchanged.

A formula is `\( … \)`, `\[ … \]`, `$$ … $$` or `\begin{…} … \end{…}`; `\\( … \\)`, which other
Markdown renderers need, means the same. It becomes plain text with its delimiters;
`databench/client/formulae.ts` shows it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .html import sanitise, show_known

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

# An empty line ends a formula, as it ends a paragraph. There is no backtick in one: it would be a
# dollar between two pieces of code.
_INSIDE = r"((?:(?!\n[ \t]*\n)[^`])+?)"
_FORMULA = re.compile(
    rf"\$\${_INSIDE}\$\$|\\\\?\({_INSIDE}\\\\?\)|\\\\?\[{_INSIDE}\\\\?\]"
    rf"|(?P<bare>\\begin{{(?P<name>\w+\*?)}}{_INSIDE}\\end{{(?P=name)}})"
)
_OPENINGS = ("$$", "\\[", "\\begin{")


def render_markdown(text: str) -> str:
    """Markdown (CommonMark, and tables) as HTML."""
    found: dict[str, bool] = {}
    html: str = _renderer().render(text, found)
    return sanitise(html) if found else html


@functools.cache
def _renderer() -> MarkdownIt:
    from markdown_it import MarkdownIt

    renderer = MarkdownIt("commonmark", {"html": True}).enable("table")
    renderer.inline.ruler.before("escape", "formula", _take_inline)
    ends = ["paragraph", "reference", "blockquote", "list"]
    renderer.block.ruler.before("fence", "formula_block", _take_block, {"alt": ends})
    renderer.add_render_rule("formula", _show)
    renderer.add_render_rule("html_inline", _show_html)
    renderer.add_render_rule("html_block", _show_html)
    return renderer


def find_formula(text: str, start: int = 0) -> tuple[str, int] | None:
    """The formula that begins at a place of a text.

    Returns:
        It with its delimiters, and where it ends; `None`: there is none.
    """
    found = _FORMULA.match(text, start)
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


def _take_inline(state: StateInline, silent: bool) -> bool:
    found = find_formula(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("formula", "", 0).content = found[0]
    state.pos = found[1]
    return True


def _take_block(state: StateBlock, start_line: int, _end_line: int, silent: bool) -> bool:
    r"""A `$$`, `\[` or `\begin` that begins a line: what is in it is no list and no heading."""
    start = state.bMarks[start_line] + state.tShift[start_line]
    if state.is_code_block(start_line) or not state.src.startswith(_OPENINGS, start):
        return False
    found = find_formula(state.src, start)
    if found is None:
        return False
    last = start_line
    while state.eMarks[last] < found[1]:
        last += 1
    if state.src[found[1] : state.eMarks[last]].strip():
        return False  # words follow: it stands in a paragraph
    if not silent:
        state.line = last + 1
        state.push("paragraph_open", "p", 1)
        token = state.push("inline", "", 0)
        token.content, token.children = found[0], []
        state.push("paragraph_close", "p", -1)
    return True


def _show(_self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    from markdown_it.common.utils import escapeHtml

    escaped: str = escapeHtml(tokens[index].content)
    return escaped


def _show_html(
    _self: Any, tokens: Sequence[Token], index: int, _options: Any, env: dict[str, bool]
) -> str:
    env["html"] = True
    return show_known(tokens[index].content)
