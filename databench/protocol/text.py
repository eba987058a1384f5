"""Messages to a page's text frames and back (docs/protocol.md, 8).

Owns the words of the websocket. Payloads go in and out as bytes: an envelope is read once, without
its `load`, of which only `__process_id` is read.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from ..errors import RemoteProtocolError
from .guarded import guard

NAME_CHARACTERS = 1024
ARGS_CHARACTERS = 65536
ID_MAX = 2**53
# A frame with half of a surrogate pair is mended up to this size: of a larger one the work would be
# noticed by others.
MENDED_BYTES = 2**16
ABOUT_REQUESTS = (b'{"signal":"__process","load":{"id":', b'{"signal":"__progress","load":{"id":')


@dataclass(frozen=True, slots=True)
class Connect:
    """Joins a session, or begins one.

    Attributes:
        session: The id of a session to join, or `None`.
        request_args: The page's query string.
        received: The offset up to which the page has the stream; `None` for a page that never
            sends it (the client of 0.7).
        epoch: The epoch in which it counted, or `None`.
        saves: The count of saves that the page was made with; `None` if it sends none.
    """

    session: str | None = None
    request_args: str = ""
    received: int | None = None
    epoch: str | None = None
    saves: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """Runs an action; an empty payload means no argument."""

    action: str
    payload: bytes = b""
    process_id: int | float | None = None


@dataclass(frozen=True, slots=True)
class PageCancel:
    """Cancels the action of that process id; with `force`, its kernel ends."""

    process_id: int | float
    force: bool = False


@dataclass(frozen=True, slots=True)
class Control:
    """Speaks to the kernel's supervisor: `restart` or `interrupt`."""

    command: str


PageMessage = Connect | Request | PageCancel | Control


class _Envelope(msgspec.Struct):
    signal: str | msgspec.UnsetType = msgspec.UNSET
    load: msgspec.Raw = msgspec.Raw()
    connect: str | msgspec.UnsetType | None = msgspec.field(name="__connect", default=msgspec.UNSET)
    request_args: str | None = msgspec.field(name="__request_args", default=None)
    received: int | None = msgspec.field(name="__received", default=None)
    epoch: str | None = msgspec.field(name="__epoch", default=None)
    saves: int | None = msgspec.field(name="__saves", default=None)
    cancel: int | float | msgspec.UnsetType = msgspec.field(name="__cancel", default=msgspec.UNSET)
    kernel: str | msgspec.UnsetType = msgspec.field(name="__kernel", default=msgspec.UNSET)
    force: bool = False


class _Load(msgspec.Struct):
    process_id: int | float | None = msgspec.field(name="__process_id", default=None)


# Half of a surrogate pair as an escape, as JavaScript cuts strings: "?" stands for it, as it has no
# bytes in UTF-8. An even number of backslashes before it is text, and not part of it.
_HIGH, _LOW = rb"\\u[dD][89abAB][0-9a-fA-F]{2}", rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_HALF = re.compile(rb"(?<!\\)((?:\\\\)*)(?:%b(?!%b)|(?<!%b)%b)" % (_HIGH, _LOW, _HIGH, _LOW))

_envelopes = msgspec.json.Decoder(_Envelope)
_loads = msgspec.json.Decoder(_Load)


def parse_page(frame: str | bytes) -> PageMessage:
    """A frame of a page.

    Args:
        frame: One text frame.

    Raises:
        RemoteProtocolError: It is none of the protocol's words; the text is for the page's author.
    """
    try:
        envelope = _decode_envelope(frame)
    except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError) as error:
        raise RemoteProtocolError(f"frame is not understood: {error}; ignored") from None
    if isinstance(envelope.signal, str):
        return _read_request(envelope.signal, envelope.load)
    if not isinstance(envelope.connect, msgspec.UnsetType):
        return _read_connect(envelope, envelope.connect)
    if not isinstance(envelope.cancel, msgspec.UnsetType):
        return PageCancel(envelope.cancel, envelope.force)
    if isinstance(envelope.kernel, str):
        if envelope.kernel not in ("restart", "interrupt"):
            raise RemoteProtocolError(
                f"__kernel is {envelope.kernel!r:.40}, expected 'restart' or 'interrupt'; ignored"
            )
        return Control(envelope.kernel)
    raise RemoteProtocolError("frame has none of signal, __connect, __cancel, __kernel; ignored")


def _decode_envelope(frame: str | bytes) -> _Envelope:
    try:
        return _envelopes.decode(frame)
    except msgspec.DecodeError as error:
        words = frame.encode() if isinstance(frame, str) else frame
        if b"\\ud" not in words and b"\\uD" not in words:
            raise
        if len(words) > MENDED_BYTES:
            raise RemoteProtocolError(
                f"frame of {len(words)} bytes is not understood: {error}; half of a character "
                f"(such as \\ud83d) is replaced in up to {MENDED_BYTES} bytes; ignored"
            ) from None
    return _envelopes.decode(_HALF.sub(rb"\1?", words))


def _read_request(action: str, load: msgspec.Raw) -> Request:
    if len(action) > NAME_CHARACTERS:
        raise RemoteProtocolError(
            f"signal of {len(action)} characters, limit {NAME_CHARACTERS}; ignored"
        )
    payload = bytes(load)
    process_id = None
    if payload.lstrip()[:1] == b"{":
        try:
            process_id = _loads.decode(payload).process_id
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
            raise RemoteProtocolError(f"load of {action!r} is not understood: {error}") from None
    if process_id is not None and abs(process_id) > ID_MAX:
        raise RemoteProtocolError(f"__process_id is {process_id!r:.40}, limit {ID_MAX}; ignored")
    return Request(action, payload, process_id)


def _read_connect(envelope: _Envelope, session: str | None) -> Connect:
    args = envelope.request_args or ""
    if len(args) > ARGS_CHARACTERS:
        raise RemoteProtocolError(
            f"__request_args of {len(args)} characters, limit {ARGS_CHARACTERS}; ignored"
        )
    return Connect(session or None, args, envelope.received, envelope.epoch, envelope.saves)


# ---------------------------------------------------------------- front to page


def compose(signal: str, payload: bytes) -> bytes:
    """A signal's frame: the payload stands in it byte for byte; empty means no `load`."""
    head = _open_signal(signal)
    return b'%b,"load":%b}' % (head, payload) if payload else head + b"}"


def compose_state(scope: str, key: str, payload: bytes, *, snapshot: bool = False) -> bytes:
    """A value of `data` or `class_data` as the signal `{key: value}`."""
    mark = b',"snapshot":true' if snapshot else b""
    value = payload or b"null"
    return b'%b%b,"load":{%b:%b}}' % (_open_signal(scope), mark, _quote(key), value)


def cut_state(frame: bytes, size_bytes: int) -> bytes:
    """The value that `compose_state` got, which has that many bytes."""
    return frame[len(frame) - size_bytes - 2 : -2] if size_bytes else b""


def compose_value(signal: str, load: Any) -> bytes:
    """A signal whose load is our own value, not a kernel's payload."""
    return compose(signal, dump(load))


def compose_connect(
    analysis_id: str,
    *,
    backend_version: str,
    analyses_version: str | None,
    resumed: bool,
    at: int,
    epoch: str,
    running: Sequence[dict[str, Any]] = (),
    others: Sequence[dict[str, Any]] = (),
    is_linked: bool = False,
    may_administer: bool = False,
    how_to_administer: str = "",
) -> bytes:
    """The answer to `__connect`.

    Args:
        analysis_id: The session's id.
        backend_version: Databench's.
        analyses_version: As in `index.yaml`.
        resumed: Whether the session was there before.
        at: The offset from which the page counts.
        epoch: The ring's.
        running: The requests that are open.
        others: Further sessions of the same visitor that wait for a page.
        is_linked: Whether a link led the page there; not resumed, what it named has ended.
        may_administer: Whether the page may end what other sessions use.
        how_to_administer: How it would get that right, in sentences.
    """
    return b"".join(
        (
            b'{"signal":"__connect","load":{"analysis_id":',
            dump(analysis_id),
            _versions(backend_version, analyses_version),
            b',"resumed":true' if resumed else b',"resumed":false',
            b',"at":%d,"epoch":%b' % (at, dump(epoch)),
            b',"running":%b' % (dump(list(running)) if running else b"[]"),
            b',"others":%b' % dump(list(others)) if others else b"",
            b',"linked":true' if is_linked else b"",
            _rights(may_administer=may_administer, how_to_administer=how_to_administer),
            b"}}",
        )
    )


@functools.lru_cache(maxsize=16)
def _versions(backend: str, analyses: str | None) -> bytes:
    return b',"databench_backend_version":%b,"analyses_version":%b' % (
        dump(backend),
        dump(analyses),
    )


@functools.lru_cache(maxsize=16)
def _rights(*, may_administer: bool, how_to_administer: str) -> bytes:
    if may_administer:
        return b',"may_administer":true'
    return b',"how_to_administer":%b' % dump(how_to_administer) if how_to_administer else b""


# Written by hand: each action has two such frames, and each page that joins one. JSON from a dict
# takes five times as long.
_ABOUT_PROCESS = ABOUT_REQUESTS[0]


def _number(value: int | float) -> bytes:
    return b"%d" % value if type(value) is int else dump(value)


def _open_end(process_id: int | float, outcome: str) -> bytes:
    return _ABOUT_PROCESS + b'%b,"status":"end","outcome":%b' % (
        _number(process_id),
        _quote(outcome),
    )


def compose_start(process_id: int | float) -> bytes:
    """The start of a request that gave a process id."""
    return _ABOUT_PROCESS + b'%b,"status":"start"}}' % _number(process_id)


def compose_second_start(process_id: int | float) -> bytes:
    """The start of the second run of a request, whose first one was lost with its kernel."""
    return _ABOUT_PROCESS + b'%b,"status":"start","again":true}}' % _number(process_id)


def compose_end(process_id: int | float, outcome: str, result: bytes = b"") -> bytes:
    """The end of a request; `result` is the kernel's payload, or empty."""
    head = _open_end(process_id, outcome)
    return b'%b,"result":%b}}' % (head, result) if result else head + b"}}"


def compose_failure(
    process_id: int | float, outcome: str, type_: str, text: str, traceback: bytes = b""
) -> bytes:
    """The end of a request that failed or was lost; `traceback` is a JSON string or empty."""
    said = b'%b,"error":{"type":%b,"message":%b,"traceback":' % (
        _open_end(process_id, outcome),
        dump(type_),
        dump(text),
    )
    return guard(said, traceback, b"}}}", instead=b"null")


def compose_progress(process_id: int | float, value: float, total: float | None) -> bytes:
    """How far a request is."""
    return compose_value("__progress", {"id": process_id, "value": value, "total": total})


def read_process_id(frame: bytes) -> int | float | None:
    """The id in a frame about a request; `None` in any other."""
    for head in ABOUT_REQUESTS:
        if frame.startswith(head):
            process_id: int | float = json.loads(frame[len(head) :].partition(b",")[0])
            return process_id
    return None


# The reason of such a restart, before the file's name.
CODE_CHANGED = "code changed: "


def compose_gap(missed: int, at: int) -> bytes:
    """That many stream frames are gone for good; the page counts on from `at`."""
    return compose_value("__gap", {"missed": missed, "at": at})


def compose_kernel(
    state: str,
    *,
    reason: str,
    generation: int,
    retry_in_s: float | None,
    sessions: int,
    is_shared: bool = False,
    isolation: str = "analysis",
    ahead: int | None = None,
    stderr: Sequence[str] = (),
    cancel_limit_s: float | None = None,
    code_change: str = "",
    analysis: str = "",
    mistake: str = "",
) -> bytes:
    """The kernel's state.

    Args:
        state: Its name.
        reason: Why it is in it, for people.
        generation: The number of its process.
        retry_in_s: When it starts again, if it waits for that.
        sessions: How many an end of it would touch.
        is_shared: Whether another session uses it now.
        isolation: Which sessions share it: `analysis`, `pool` or `session`.
        ahead: How many others begin before it, if it is queued.
        stderr: Its last lines, for administrators.
        cancel_limit_s: How long a cancel may take, if one is under way.
        code_change: The file that was saved, while a restart for it waits; for those who may
            administer the server.
        analysis: Its name, which the others get instead of the file.
        mistake: What it sent that is not as specified; for those who may administer the server.
    """
    load: dict[str, Any] = {
        "state": state,
        "reason": reason,
        "generation": generation,
        "retry_in_s": retry_in_s,
        "sessions": sessions,
        "isolation": isolation,
    }
    if is_shared:
        load["shared"] = True
    if ahead is not None:
        load["ahead"] = ahead
    if cancel_limit_s is not None:
        load["cancel_limit_s"] = cancel_limit_s
    frame = compose_value("__kernel", load)
    change = b',"code_change":'
    hidden = change + dump(code_change) if code_change else b""
    hidden += b',"stderr":' + dump(list(stderr)) if stderr else b""
    hidden += b',"mistake":' + dump(mistake) if mistake else b""
    instead = change + dump(analysis) if code_change else b""
    return guard(frame[:-2], hidden, b"}}", instead=instead)


def without_file(reason: str) -> str:
    """Why a kernel ended, without the saved file: pages may not see paths."""
    before, mark, _ = reason.partition(CODE_CHANGED)
    return before + mark.rstrip(": ")


def compose_reload(paths: Sequence[str], saves: int, *, missed: bool = False) -> bytes:
    """Files at these addresses have changed: a page that shows them loads them again.

    Args:
        paths: The addresses.
        saves: The count of saves, this one included.
        missed: Whether it was between the page's making and its join.
    """
    mark = {"missed": True} if missed else {}
    return compose_value("__reload", {"paths": list(paths), "saves": saves, **mark})


@functools.lru_cache(maxsize=4096)
def _open_signal(signal: str) -> bytes:
    return b'{"signal":' + dump(signal)


@functools.lru_cache(maxsize=4096)
def _quote(key: str) -> bytes:
    return dump(key)


_to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def dump(value: Any) -> bytes:
    """JSON of one of our own values; numbers that JSON does not have become null."""
    try:
        return _to_json(value).encode()
    except ValueError:
        return _to_json(_finite(value)).encode()


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
