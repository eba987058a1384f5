"""HTML in a readme: harmless HTML is shown as HTML, and everything else as text.

Two steps. A tag that is not in the list becomes text at once, so that `List<int>` in a sentence is
not lost. The rest goes through nh3, which reads it as a browser does and writes it again with
the attributes that are listed: that step, and not the first, keeps scripts out. Nothing gets an
id, a name, a style or `data-…` by it, by which a page's script would find or wire it.
"""

from __future__ import annotations

import html
import re

_PLAIN = "b i em strong code kbd sub sup del ins s u mark small var samp q abbr span br hr wbr"
_BLOCKS = "p div center blockquote pre h1 h2 h3 h4 h5 h6 ul ol li dl dt dd figure figcaption"
_TABLES = "table caption thead tbody tfoot tr th td"
_TAGS = {*_PLAIN.split(), *_BLOCKS.split(), *_TABLES.split(), "a", "img", "details", "summary"}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "code": {"class"},
    "details": {"open"},
    "img": {"src", "alt", "title", "width", "height", "align"},
    "ol": {"start"},
    **{tag: {"align", "style", "colspan", "rowspan"} for tag in ("td", "th")},
    **{tag: {"align"} for tag in ("p", "div", "table", "h1", "h2", "h3", "h4", "h5", "h6")},
}
_SCHEMES = {"http", "https", "mailto", "ftp", "data"}
# Values that are allowed under a name whose other values are not: those that Markdown writes.
_VALUES = {
    "class": re.compile(r"language-[\w+#.-]+"),
    "style": re.compile(r"text-align:(left|right|center)"),
}
_DATA = re.compile(r"\s*data:", re.IGNORECASE)
_IMAGE = re.compile(r"data:image/(png|gif|jpeg|webp);base64,[\w+/=]+", re.IGNORECASE)
# A comment, open to its end as in a browser, or what may be a tag: only its name counts here.
_TAG = re.compile(r"<!--.*?(?:-->|\Z)|<(?:/?([A-Za-z][A-Za-z0-9-]*)(?=[\s/>]))?", re.DOTALL)


def show_known(text: str) -> str:
    """The text, in which only tags that may be shown are still tags."""
    return _TAG.sub(_known, text)


def _known(found: re.Match[str]) -> str:
    if found[0].startswith("<!--"):
        return ""
    name = found[1]
    return found[0] if name and name.lower() in _TAGS else html.escape(found[0])


def sanitise(text: str) -> str:
    """HTML without anything that could run, or reach beyond its place."""
    import nh3

    cleaned: str = nh3.clean(
        text,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_filter,
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    return cleaned


def _filter(tag: str, name: str, value: str) -> str | None:
    allowed = _VALUES.get(name)
    if allowed is not None and not allowed.fullmatch(value):
        return None
    if _DATA.match(value) and name in ("href", "src"):
        return value if tag == "img" and _IMAGE.fullmatch(value) else None
    return value
