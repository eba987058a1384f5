r"""reStructuredText as HTML, by docutils, which is an extra: `pip install 'databench[rst]'`.

No raw HTML, no file of the machine, no address that runs a script goes into the result. Formulae,
`\( … \)` and `$$ … $$`, pass through unchanged, though `\(` would else be a plain parenthesis;
docutils' own `math` becomes formulae of this kind.
"""

from __future__ import annotations

import html
import re
from typing import Any

from ..errors import DatabenchError
from .formulae import look_at

_SETTINGS = {
    "_disable_config": True,  # no docutils.conf of the machine
    "doctitle_xform": False,
    "file_insertion_enabled": False,
    "halt_level": 5,
    "initial_header_level": 1,
    "input_encoding": "unicode",
    "math_output": "MathJax none",  # the formulae as text; its script would be in the page's head
    "raw_enabled": False,
    "report_level": 5,
    "syntax_highlight": "none",
}
_SAFE_SCHEMES = {"http", "https", "mailto", "ftp", ""}
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x20]+")
# Literal text, whose backslashes and dollars mean nothing, or what may begin a formula.
_PLACES = re.compile(r"``.+?``|\$\$|\\\\?[(\[]", re.DOTALL)
# A formula's place while docutils reads: letters of private use, as long as the formula.
_BEGIN, _FILL = "\ue000", "\ue001"
_KEPT = re.compile(rf"{_BEGIN}(\d+){_FILL}*(?:\n[ \t]*{_FILL}+)*")


class MissingDocutilsError(DatabenchError):
    """docutils is not installed."""


def render_rst(text: str) -> str:
    """reStructuredText as HTML.

    Raises:
        MissingDocutilsError: docutils is not installed.
    """
    try:
        from docutils.core import publish_parts
    except ImportError:
        raise MissingDocutilsError(
            "docutils is not installed, so this is shown as it is written; "
            "pip install 'databench[rst]'"
        ) from None
    formulae: list[str] = []
    parts = publish_parts(
        _keep(text, formulae),
        parser=_make_parser(),
        writer="html5",
        settings_overrides=_SETTINGS,
    )
    return _KEPT.sub(lambda found: _restore(found[1], formulae), str(parts["fragment"]))


def _make_parser() -> Any:
    from docutils import nodes
    from docutils.parsers.rst import Parser

    class SafeParser(Parser):
        """Takes out what the settings do not: addresses that run scripts, embedded files."""

        def parse(self, inputstring: str, document: nodes.document) -> None:
            """Read the text."""
            super().parse(inputstring, document)
            for node in document.findall(nodes.Element):
                if "refuri" in node and not is_safe_address(node["refuri"]):
                    node["refuri"] = "#"
                if isinstance(node, nodes.image):
                    node.attributes.pop("loading", None)  # `embed` would read a file

    return SafeParser()


def is_safe_address(address: str) -> bool:
    """Whether following it runs nothing."""
    scheme = _SCHEME.match(_CONTROL.sub("", address))
    return scheme is None or scheme[1].lower() in _SAFE_SCHEMES


def _keep(text: str, formulae: list[str]) -> str:
    """Put a place holder for each formula; tables stay aligned."""
    text = text.replace(_BEGIN, "").replace(_FILL, "")
    places = look_at(text)
    parts: list[str] = []
    end = 0
    while (place := _PLACES.search(text, end)) is not None:
        found = places.find(place.start())
        stop = place.end() if found is None else found.end
        parts.append(text[end : place.start()])
        if found is None:
            parts.append(place[0])
        else:
            parts.append(_hold(text[place.start() : stop], len(formulae)))
            formulae.append(found.cut(text))
        end = stop
    return "".join(parts) + text[end:]


def _hold(formula: str, number: int) -> str:
    first, *others = formula.split("\n")
    lines = [f"{_BEGIN}{number}".ljust(len(first), _FILL)]
    for line in others:
        body = line.lstrip()
        lines.append(" " * (len(line) - len(body)) + _FILL * len(body))
    return "\n".join(lines)


def _restore(number: str, formulae: list[str]) -> str:
    return html.escape(formulae[int(number)])
