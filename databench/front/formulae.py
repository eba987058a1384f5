r"""Which pages hold formulae, and the script that shows them.

A formula is `\( … \)`, `$$ … $$`, `\[ … \]` or `\begin{…} … \end{…}` in the text of a page. The
script, `databench/client/formulae.ts`, goes to the end of any page that holds one, however its
template is made, and to no other page.
"""

from __future__ import annotations

import re

from .._version import __version__

SCRIPT = f'<script src="/_static/formulae.js?v={__version__}"></script>\n'.encode()
_MARK = re.compile(rb"\$\$|\\[(\[]|\\begin\{")
# What is not text of the page. One that is not closed goes on to the page's end.
_SKIPPED = re.compile(
    rb"<(script|style|pre|code|textarea|title)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_FORMULA = re.compile(
    rb"\$\$.+?\$\$|\\\(.+?\\\)|\\\[.+?\\\]|\\begin\{(\w+\*?)\}.+?\\end\{\1\}", re.DOTALL
)
_END = re.compile(rb"</body\s*>", re.IGNORECASE)


def holds_formula(page: bytes) -> bool:
    """Whether a formula is in the text of a page (HTML)."""
    if _MARK.search(page) is None:  # most pages, and fast
        return False
    return _FORMULA.search(_SKIPPED.sub(b"", page)) is not None


def with_script(page: bytes) -> bytes:
    """The page, with the script where it holds a formula."""
    if not holds_formula(page):
        return page
    ends = list(_END.finditer(page))
    place = ends[-1].start() if ends else len(page)
    return page[:place] + SCRIPT + page[place:]
