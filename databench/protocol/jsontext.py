"""Whether bytes are exactly one JSON value in UTF-8, as each payload of a kernel has to be. Pure.

A page's frame contains a payload byte for byte. A payload that ends its envelope (`0},"signal":…`)
could forge the front's own messages, and one that is not JSON stops the page's reader. So the front
checks each with a scan that builds nothing of the value (docs/design/architecture.md has its cost).
"""

from __future__ import annotations

import re

import msgspec

NO_UTF8 = "not valid UTF-8"
TOO_DEEP = "nested too deeply"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PLACE = re.compile(r"\(byte ([0-9]+)\)")
_NO_NUMBER = re.compile(rb"(?:NaN|nan|Infinity|inf|Inf|undefined|None)\b")
_scan = msgspec.json.Decoder(msgspec.Raw).decode


def find_problem(payload: bytes) -> str:
    """Why these bytes are not one JSON value (RFC 8259) in UTF-8; empty: they are.

    Numbers of any size, and halves of surrogate pairs as escapes, are JSON.
    """
    try:
        if not payload.isascii():
            payload.decode()  # the scan looks at structure alone
        _scan(payload)
    except UnicodeDecodeError as error:
        return f"{NO_UTF8} (byte {error.start})"
    except RecursionError:
        return TOO_DEEP
    except msgspec.MsgspecError as error:
        return _look_again(payload, error)
    return ""


def find_string_problem(payload: bytes) -> str:
    """Why these bytes are not one JSON string; empty: they are."""
    return find_problem(payload) or ("" if payload.lstrip()[:1] == b'"' else "not a JSON string")


def find_state_problem(shown: bytes, stored: bytes) -> str:
    """The problem with a value of state; empty: nothing.

    Args:
        shown: As pages see it.
        stored: As kernels get it back; the same bytes are checked once, and no bytes are valid.
    """
    problem = find_problem(shown)
    if problem or not stored or stored is shown:
        return problem
    return find_problem(stored)


def _look_again(payload: bytes, error: msgspec.MsgspecError) -> str:
    """The scan refuses half of a surrogate pair: see whether that is all there is against it."""
    whole = payload.replace(b"\\ud", b"\\u0").replace(b"\\uD", b"\\u0")  # no halves, same length
    if whole != payload:
        try:
            _scan(whole)
            return ""
        except (msgspec.MsgspecError, RecursionError):
            pass
    reason = str(error).removeprefix("JSON is malformed: ")
    return f"not one JSON value: {_guess_cause(payload, reason) or reason}"


def _guess_cause(payload: bytes, reason: str) -> str:
    """What its author can do about the mistakes that many languages make; empty: no idea."""
    if payload.startswith(_BYTE_ORDER_MARK):
        return "it begins with a byte order mark; leave that out"
    place = _PLACE.search(reason)
    if place and (found := _NO_NUMBER.match(payload, int(place[1]))):
        return f"JSON has no {found[0].decode()} (byte {place[1]}); send null"
    return ""
