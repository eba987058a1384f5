"""Frames as lines for people: the header's fields, payloads shortened, tokens left out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from reprlib import Repr
from typing import Any

import msgpack

from ..printable import clean_line

_SHOWN_BYTES = 60
_HEX_BYTES = 48
_repr = Repr()
_repr.maxstring = _repr.maxother = 120
_repr.maxlist = _repr.maxtuple = 12


def describe(arrow: str, frames: Sequence[bytes], token: str = "") -> str:
    """One message as a line.

    Args:
        arrow: Who sent it to whom.
        frames: As they travel, without the routing id.
        token: Is not shown.
    """
    if not frames:
        return f"{arrow}  no frames"
    further = f", and {len(frames) - 2} more" if len(frames) > 2 else ""
    payload = f" | {_show_payload(frames[1])}" if len(frames) > 1 else " | no payload frame"
    line = f"{arrow}  {_show_header(frames[0])}{payload}{further}"
    return clean_line(line.replace(token, "<token>") if token else line)


def _show_header(frame: bytes) -> str:
    try:
        header: Any = msgpack.unpackb(frame, max_ext_len=0, strict_map_key=False)
    except (ValueError, TypeError, RecursionError, OverflowError):
        return f"not msgpack: {frame[:_HEX_BYTES].hex()}"
    return _repr.repr(header)


def _show_payload(frame: bytes) -> str:
    if not frame:
        return "empty"
    text = frame[:_SHOWN_BYTES].decode("utf-8", "backslashreplace")
    return text if len(frame) <= _SHOWN_BYTES else f"{text}… ({len(frame)} bytes)"
