"""How each kind of message lies in its header (docs/protocol.md, 4).

Owns the checks on single fields and the table of kinds; `codec` reads and writes by it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from . import messages as m

SESSION_CHARACTERS = 64
NAME_BYTES = 1024
TEXT_BYTES = 65536
LIST_ITEMS = 10_000
REQUEST_MAX = 2**53

Check = Callable[[Any], bool]


def is_name(value: Any) -> bool:
    """A kind, a signal, an action, a key."""
    return type(value) is str and len(value) <= NAME_BYTES


def _is_text(value: Any) -> bool:
    return type(value) is str and len(value) <= TEXT_BYTES


def is_count(value: Any) -> bool:
    """A whole number that every language can hold."""
    return type(value) is int and 0 <= value <= REQUEST_MAX


def _is_bool(value: Any) -> bool:
    return type(value) is bool


def _is_number(value: Any) -> bool:
    return type(value) is float or (type(value) is int and abs(value) <= REQUEST_MAX)


def _or_none(check: Check) -> Check:
    def is_either(value: Any) -> bool:
        return value is None or check(value)

    _EXPECTED[is_either] = f"{_EXPECTED[check]}, or nil"
    return is_either


def _is_names(value: Any) -> bool:
    return type(value) is list and len(value) <= LIST_ITEMS and all(map(_is_text, value))


def _is_versions(value: Any) -> bool:
    return (
        type(value) is list
        and len(value) <= LIST_ITEMS
        and all(type(v) is list and len(v) == 2 and is_name(v[0]) and is_count(v[1]) for v in value)
    )


def _is_scope(value: Any) -> bool:
    return value in ("data", "class_data")


def _is_level(value: Any) -> bool:
    return value in ("log", "warn", "error")


COUNT = "a whole number from 0 to 2^53"
_EXPECTED: dict[Check, str] = {
    is_name: f"text of at most {NAME_BYTES:,} characters",
    _is_text: f"text of at most {TEXT_BYTES:,} characters",
    is_count: COUNT,
    _is_bool: "true or false",
    _is_number: "a number",
    _is_names: f"an array of at most {LIST_ITEMS:,} texts",
    _is_versions: f"an array of at most {LIST_ITEMS:,} pairs of a text and a whole number",
    _is_scope: "'data' or 'class_data'",
    _is_level: "'log', 'warn' or 'error'",
}


def name_expected(check: Check) -> str:
    """What a field of this check holds, in words."""
    return _EXPECTED[check]


@dataclasses.dataclass(frozen=True)
class Layout:
    """How one kind lies in its header.

    Attributes:
        message: The dataclass.
        tail: The header's fields after kind, session and request, with the check of each.
        session: True: a session id must be there; False: none may; None: either.
        request: The same for the request number.
        payload: Whether the message has a payload (else its frame is empty).
        further: The most further frames; -1: only the frames' count itself limits them.
        keys: The field that names the further frames, one for each of its items.
        is_value: Whether payload and further frames are values: JSON, never empty.
    """

    message: type[m.Message]
    tail: tuple[tuple[str, Check], ...] = ()
    session: bool | None = True
    request: bool | None = False
    payload: bool = False
    further: int = 0
    keys: str | None = None
    is_value: bool = False


_VERSION = ("version", is_count)

TO_KERNEL_LAYOUTS = (
    Layout(
        m.Welcome,
        (
            _VERSION,
            ("window_bytes", is_count),
            ("debug", _is_bool),
            ("cli_args", _is_names),
            ("class_keys", _is_versions),
        ),
        session=False,
        payload=True,
        further=-1,
        keys="class_keys",
    ),
    Layout(m.Reject, (("reason", _is_text),), session=False),
    Layout(
        m.Open,
        (("request_args", _is_text), ("restored", _or_none(_is_text)), ("data_keys", _is_names)),
        payload=True,
        further=-1,
        keys="data_keys",
    ),
    Layout(m.Action, (("name", is_name),), request=True, payload=True),
    Layout(m.Cancel, (("attempt", is_count),), request=True),
    Layout(m.Close, (("reason", _is_text),)),
    Layout(
        m.SetState,
        (
            ("scope", _is_scope),
            ("key", is_name),
            _VERSION,
            ("own", _is_bool),
            ("accepted", _is_bool),
        ),
        session=False,
        payload=True,
        is_value=True,
    ),
    Layout(m.Credit, (("size_bytes", is_count),)),
    Layout(m.Ping, (("number", is_count),), session=False),
    Layout(m.Shutdown, (("reason", _is_text),), session=False),
)

FROM_KERNEL_LAYOUTS = (
    Layout(
        m.Hello,
        (
            _VERSION,
            ("token", is_name),
            ("language", is_name),
            ("library", is_name),
            ("capabilities", _is_names),
        ),
        session=False,
    ),
    Layout(m.Opened),
    Layout(m.Emit, (("signal", is_name),), request=None, payload=True, further=-1),
    Layout(
        m.StateChange,
        (("scope", _is_scope), ("key", is_name), ("base", _or_none(is_count))),
        session=None,
        request=None,
        payload=True,
        further=1,
        is_value=True,
    ),
    Layout(m.Log, (("level", _is_level),), request=None, payload=True),
    Layout(m.Done, request=True, payload=True),
    Layout(m.Error, (("type", is_name), ("text", _is_text)), request=None, payload=True),
    Layout(m.Cancelled, request=True),
    Layout(m.Progress, (("value", _is_number), ("total", _or_none(_is_number))), request=True),
    Layout(m.Pong, (("number", is_count),), session=False),
    Layout(m.Bye, (("reason", _is_text),), session=False),
    Layout(m.Sources, (("paths", _is_names), ("since_s", _or_none(_is_number))), session=False),
    Layout(m.Actions, (("names", _is_names), ("others", _is_bool)), session=False),
    Layout(m.Idempotent, (("names", _is_names),), session=False),
    Layout(m.Batch, session=False, payload=True),
)
