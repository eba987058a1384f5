"""The names in a message that breaks docs/protocol.md, read as leniently as possible. Pure.

Its author made one mistake, not many: text sent as msgpack's bin, or a number as text, still says
which request was to end. Nothing that is read here is carried out.
"""

from __future__ import annotations

import difflib
import functools
import re
from dataclasses import dataclass
from typing import Any

import msgpack

from .layouts import FROM_KERNEL_LAYOUTS, REQUEST_MAX, SESSION_CHARACTERS

_NAME_CHARACTERS = 64  # of a kind, which is shown
_KINDS = tuple(layout.message.KIND for layout in FROM_KERNEL_LAYOUTS)
_ENDS = ("done", "error", "cancelled")
_DIGITS = re.compile(r"[0-9]{1,16}")
# Sections of docs/protocol.md, by the kind that a problem is about.
_OF_FRAMES, _OF_KINDS = "3", "4.2"
_SECTIONS = {"hello": "2.1 and 4.2", "batch": "4.2"}


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a message seems to have.

    Attributes:
        kind: Its kind; empty if it cannot be read.
        session: The session's id, or `None`.
        request: The request's number, or `None`.
    """

    kind: str = ""
    session: str | None = None
    request: int | None = None
    has_request: bool = False  # whether anything stands in the request's place

    @property
    def is_end(self) -> bool:
        """Whether it was to end a request: an `error` without one is the session's own."""
        return self.kind in _ENDS and (self.kind != "error" or self.has_request)

    @property
    def section(self) -> str:
        """The section of docs/protocol.md for such a message."""
        return _SECTIONS.get(self.kind, _OF_KINDS) if self.kind else _OF_FRAMES


def read_names(frame: bytes) -> Names:
    """The names in the first frame of a message.

    Args:
        frame: The header, which could not be read as specified; at most as large as one may be.
    """
    try:
        header: Any = msgpack.unpackb(
            frame, raw=True, strict_map_key=False, max_ext_len=0, max_map_len=0
        )
    except (ValueError, TypeError, RecursionError, OverflowError):
        return Names()
    if type(header) is not list or not header:
        return Names()
    kind, session, request = [*header[:3], None, None][:3]
    name = _read_text(session)
    return Names(
        _read_text(kind)[:_NAME_CHARACTERS],
        name if 0 < len(name) <= SESSION_CHARACTERS else None,
        _read_number(request),
        request is not None,
    )


@functools.lru_cache(maxsize=64)
def describe_unknown(kind: str) -> str:
    """What is said of a kind that this front does not know.

    Args:
        kind: As the kernel wrote it.
    """
    near = difflib.get_close_matches(kind.lower(), _KINDS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"this server knows no kind {kind!r}; ignored{hint}"


def _read_text(value: Any) -> str:
    return value.decode("utf-8", "replace") if type(value) is bytes else ""


def _read_number(value: Any) -> int | None:
    if type(value) is bytes and _DIGITS.fullmatch(value.decode("latin-1")):
        value = int(value)
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= REQUEST_MAX else None
