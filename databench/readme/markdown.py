r"""Markdown as HTML. Harmless HTML in the text is kept; formulae pass through unchanged.

A formula is `\( … \)`, `\[ … \]`, `$$ … $$` or `\begin{…} … \end{…}`; `\\( … \\)`, which other
Markdown renderers need, means the same. It becomes plain text with its delimiters;
`databench/client/formulae.ts` shows it.
"""

from __future__ import annotations

import functools
from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .formulae import look_at
from .html import sanitise, show_known

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

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


def _take_inline(state: StateInline, silent: bool) -> bool:
    found = look_at(state.src).find(state.pos)
    if found is None:
        return False
    if not silent:
        state.push("formula", "", 0).content = found.cut(state.src)
    state.pos = found.end
    return True


def _take_block(state: StateBlock, start_line: int, _end_line: int, silent: bool) -> bool:
    r"""A `$$`, `\[` or `\begin` that begins a line: its content is not a list or a heading."""
    start = state.bMarks[start_line] + state.tShift[start_line]
    if state.is_code_block(start_line) or not state.src.startswith(_OPENINGS, start):
        return False
    formulae = look_at(state.src)
    found = formulae.find(start)
    if found is None or not formulae.ends_its_line(found):
        return False  # words follow: it stands in a paragraph
    if not silent:
        state.line = bisect_left(state.eMarks, found.end, start_line) + 1
        state.push("paragraph_open", "p", 1)
        token = state.push("inline", "", 0)
        token.content, token.children = found.cut(state.src), []
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
