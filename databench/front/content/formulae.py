r"""Which pages hold formulae, and the script that shows them.

A formula is `\( … \)`, `$$ … $$`, `\[ … \]` or `\begin{…} … \end{…}` in the text of a page. The
script, `databench/client/formulae.ts`, goes to the end of any page that holds one, however its
template is made, and to no other page.
"""

from __future__ import annotations

import re
from collections.abc import Callable

ADDRESS = "/_static/formulae.js"
_MARK = re.compile(rb"\$\$|\\[(\[]|\\begin\{")
# Not text of the page. One that is not closed extends to the page's end.
_SKIPPED = re.compile(
    rb"<(script|style|pre|code|textarea|title)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_PAIRS = ((b"$$", b"$$"), (b"\\(", b"\\)"), (b"\\[", b"\\]"))
_BEGIN = re.compile(rb"\\begin\{(\w+\*?)\}")
_ENVIRONMENT_END = re.compile(rb"\\end\{(\w+\*?)\}")
_END = re.compile(rb"</body\s*>", re.IGNORECASE)


def holds_formula(page: bytes) -> bool:
    """Whether a formula is in the text of a page (HTML)."""
    if _MARK.search(page) is None:  # most pages, and fast
        return False
    text = _SKIPPED.sub(b"", page)
    return any(_holds_pair(text, *pair) for pair in _PAIRS) or _holds_environment(text)


def _holds_pair(text: bytes, begin: bytes, end: bytes) -> bool:
    """Whether an end follows a begin, with something between: then one follows the first begin."""
    first = text.find(begin)
    return first >= 0 and text.find(end, first + len(begin) + 1) >= 0


def _holds_environment(text: bytes) -> bool:
    ends = {found[1]: found.start() for found in _ENVIRONMENT_END.finditer(text)}  # the last each
    return any(ends.get(found[1], 0) > found.end() for found in _BEGIN.finditer(text))


def with_script(page: bytes, find_address: Callable[[str], str]) -> bytes:
    """The page, with the script if it holds a formula.

    Args:
        page: HTML.
        find_address: Gives the address by which a browser may keep a file.
    """
    if not holds_formula(page):
        return page
    ends = list(_END.finditer(page))
    place = ends[-1].start() if ends else len(page)
    script = f'<script src="{find_address(ADDRESS)}"></script>\n'.encode()
    return page[:place] + script + page[place:]
