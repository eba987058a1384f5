"""Which requests may have a body, and how large a one: decided at the headers.

A handler gets a body only when it is complete, so a body that no handler would read is refused
before it is read: at an unknown address, with a method that is not allowed, or if it is too large.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..protocol.budget import SHORT, Budget
from ..protocol.clients import make_client

# A program may send a few bytes with GET; no handler reads them.
_IDLE_BYTES = 2**16
# No body can be so long, and no program means it: as malformed as a length that is not a number.
_LENGTHS = 2**63
_FORM = "application/x-www-form-urlencoded"


class Body(NamedTuple):
    """The headers about the body.

    Attributes:
        size_bytes: Its size; `None` if that is not known before it has come.
        is_form: Whether it is fields of a form, which are read on the loop.
    """

    size_bytes: int | None
    is_form: bool


def find_body(headers: Mapping[str, str]) -> Body | None:
    """The body that these headers announce, or `None`."""
    if "Transfer-Encoding" in headers:
        return Body(None, _is_form(headers))
    text = headers.get("Content-Length")
    if text is None:
        return None
    # Two equal headers are joined, and Tornado takes them as one (RFC 9110, 8.6).
    text = text.partition(",")[0].strip()
    if not (text.isascii() and text.isdigit()):
        return None  # Tornado answers 400, before anything is read
    size_bytes = int(text.lstrip("0")[:20] or "0")
    return Body(size_bytes, _is_form(headers)) if size_bytes else None


def _is_form(headers: Mapping[str, str]) -> bool:
    return headers.get("Content-Type", "").lower().startswith(_FORM)


def find_refusal(
    body: Body,
    method: str,
    *,
    is_allowed: bool,
    is_read: bool,
    limit_bytes: int,
    form_bytes: int,
) -> tuple[int, str] | None:
    """The status and the reason with which a request is refused unread, or `None`.

    Args:
        body: Its body.
        method: Of HTTP.
        is_allowed: Whether its handler has that method.
        is_read: Whether a handler may look at bodies of that method.
        limit_bytes: Of any body.
        form_bytes: Of a form.
    """
    size_bytes = body.size_bytes
    if size_bytes is not None and size_bytes >= _LENGTHS:
        return 400, "the Content-Length is not a valid length"
    if not is_allowed:
        return 405, f"{method} is not allowed here"
    if not is_read and (size_bytes is None or size_bytes > _IDLE_BYTES):
        return 413, f"{method} takes no body at this address"
    if size_bytes is None:
        return None
    if body.is_form and size_bytes > form_bytes:
        return 413, (
            f"the form has {size_bytes} bytes, limit {form_bytes} (form_bytes); send large values "
            "as multipart/form-data or as JSON"
        )
    if size_bytes > limit_bytes:
        return 413, f"the body has {size_bytes} bytes, limit {limit_bytes} (page_message_bytes)"
    return None


def hold(budget: Budget, address: str, held_bytes: int, change_bytes: int) -> str:
    """Count the received part of a body, until it is complete.

    Args:
        budget: The server's.
        address: Of the visitor.
        held_bytes: The size of the part that is held.
        change_bytes: How much more that is than before.

    Returns:
        Why no more is taken of it; empty: reading continues.
    """
    budget.take(make_client(address, ""), change_bytes)
    return SHORT if budget.is_over and change_bytes > 0 and held_bytes > _IDLE_BYTES else ""
