"""Messages to ZeroMQ frames and back (docs/protocol.md, 3 and 4).

Owns the layout of headers and the checks on what a peer sent; refuses everything that does not
fit with `RemoteProtocolError`. It never looks into a payload.

Theory of operation: a message is `[header][payload][further…]`; the header is a msgpack array of
kind, session, request and the kind's own fields. `decode` returns `None` for a kind it does not
know and ignores header fields behind those it knows: that is how version 1 grows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from reprlib import repr as shorten  # a peer's value may be nested deeper than `repr` can go
from typing import Any

import msgpack

from ..errors import LocalProtocolError, RemoteProtocolError
from . import messages as m
from .layouts import (
    COUNT,
    FROM_KERNEL_LAYOUTS,
    SESSION_CHARACTERS,
    TO_KERNEL_LAYOUTS,
    Layout,
    is_count,
    is_name,
    name_expected,
)

HEADER_BYTES = 2 * 2**20

_BY_MESSAGE = {layout.message: layout for layout in TO_KERNEL_LAYOUTS + FROM_KERNEL_LAYOUTS}


def encode(message: m.Message) -> list[bytes]:
    """The frames of a message.

    Returns:
        `[header, payload, further…]`; the payload's frame is there even when it is empty.

    Raises:
        LocalProtocolError: A field is outside of what the protocol allows.
    """
    layout = _BY_MESSAGE[type(message)]
    header: list[Any] = [message.KIND, message.session, message.request]
    for name, check in layout.tail:
        value = _plain(getattr(message, name))
        if not check(value):
            raise LocalProtocolError(f"{message.KIND}: {name} is {shorten(value)}; not sent")
        header.append(value)
    problem = _find_problem(layout, header) or _find_count_problem(layout, message)
    if problem:
        raise LocalProtocolError(f"{message.KIND}: {problem}; not sent")
    payload = message.payload if layout.payload else b""  # type: ignore[attr-defined]
    further = message.further if layout.further else ()  # type: ignore[attr-defined]
    return [_pack(message.KIND, header), payload, *further]


def encode_emit_header(session: str, request: int | None, signal: str) -> bytes:
    """The header of an `emit`: `encode` takes longer than all else that a small emit costs.

    Raises:
        LocalProtocolError: The signal is not a name.
    """
    if not is_name(signal):
        raise LocalProtocolError(f"emit: signal is {shorten(signal)}; not sent")
    return _pack(m.Emit.KIND, [m.Emit.KIND, session, request, signal])


def encode_done_header(session: str, request: int) -> bytes:
    """The header of a `done`, which nearly every action ends with: as above."""
    return _pack(m.Done.KIND, [m.Done.KIND, session, request])


def decode_from_kernel(frames: Sequence[bytes]) -> m.Message | None:
    """The message of a kernel, or `None` for an unknown kind.

    Args:
        frames: As received, without the routing id.

    Raises:
        RemoteProtocolError: The frames are not as docs/protocol.md specifies.
    """
    return _decode(frames, _FROM_KERNEL)


def decode_to_kernel(frames: Sequence[bytes]) -> m.Message | None:
    """The message of the front; the kernel's side of `decode_from_kernel`.

    Raises:
        RemoteProtocolError: As there.
    """
    return _decode(frames, _TO_KERNEL)


def split_batch(payload: bytes) -> Iterator[list[bytes]]:
    """The frames of each message in a `batch`.

    Raises:
        RemoteProtocolError: It is not a msgpack array of arrays of byte strings.
    """
    # Frame by frame: unpacked at once, a payload of empty arrays takes 64 times its size.
    unpacker = msgpack.Unpacker(
        max_buffer_size=len(payload), max_array_len=0, max_map_len=0, max_ext_len=0
    )
    unpacker.feed(payload)
    try:
        for _ in range(unpacker.read_array_header()):
            frames = [unpacker.unpack() for _ in range(unpacker.read_array_header())]
            if not frames:
                raise ValueError("an item is empty")
            for frame in frames:
                if type(frame) is not bytes:
                    raise ValueError("an item holds something other than byte strings")
            yield frames
    except (ValueError, msgpack.UnpackException) as error:
        text = str(error) or type(error).__name__
        raise RemoteProtocolError(f"batch: {text:.80}; rest dropped") from None
    if unpacker.tell() != len(payload):
        raise RemoteProtocolError("batch: bytes after its array; dropped")


def join_batch(items: Sequence[Sequence[bytes]]) -> list[bytes]:
    """The frames of one `batch` of these messages."""
    return [_BATCH_HEADER, msgpack.packb([list(frames) for frames in items])]


def _plain(value: Any) -> Any:
    if type(value) is tuple:
        return [_plain(item) for item in value]
    return value


def _frozen(value: Any) -> Any:
    if type(value) is list:
        return tuple(_frozen(item) for item in value)
    return value


def _pack(kind: str, header: list[Any]) -> bytes:
    try:
        frame: bytes = msgpack.packb(header)
    except UnicodeEncodeError as error:
        raise LocalProtocolError(f"{kind}: a name is not Unicode: {error}; not sent") from None
    if len(frame) > HEADER_BYTES:
        raise LocalProtocolError(
            f"{kind}: header of {len(frame)} bytes, limit {HEADER_BYTES}; not sent"
        )
    return frame


def _unpack(frame: bytes) -> Any:
    if len(frame) > HEADER_BYTES:
        raise RemoteProtocolError(f"header of {len(frame)} bytes, limit {HEADER_BYTES}; dropped")
    try:
        return msgpack.unpackb(
            frame,
            raw=False,
            use_list=True,
            strict_map_key=True,
            ext_hook=_refuse_extension,
            max_ext_len=0,  # msgpack makes timestamps without asking the hook
        )
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        # msgpack's own exceptions are ValueErrors; a too deep nesting is one too.
        text = _guess_format(frame) or (str(error) or type(error).__name__).rstrip(".")
        raise RemoteProtocolError(f"not valid msgpack: {text:.80}; dropped") from None


def _guess_format(frame: bytes) -> str:
    """What its author seems to have sent in place of a header; empty: no idea."""
    if not frame:
        return "the first frame is empty; a DEALER sends no empty frame before the header"
    if frame[:1] in b"[{" and frame[-1:] in b"]}":
        return "it looks like JSON; only payloads are"
    return ""


def _refuse_extension(code: int, _content: bytes) -> Any:
    raise RemoteProtocolError(f"msgpack extension type {code}: not allowed; dropped")


def _decode(frames: Sequence[bytes], layouts: dict[str, Layout]) -> m.Message | None:
    if not frames:
        raise RemoteProtocolError("no frames; dropped")
    header = _unpack(frames[0])
    if type(header) is not list or len(header) < 3 or type(header[0]) is not str:
        raise RemoteProtocolError(f"{_find_header_problem(header)}; dropped")
    layout = layouts.get(header[0])
    if layout is None:
        return None
    problem = _find_problem(layout, header)
    if problem:
        raise RemoteProtocolError(f"{header[0]}: {problem}; dropped")
    tail = _read_tail(layout, header)
    if layout.payload:
        tail.append(frames[1] if len(frames) > 1 else b"")
    if layout.further:
        further = tuple(frames[2:])
        if 0 < layout.further < len(further):
            raise RemoteProtocolError(
                f"{header[0]}: {len(further)} further frames, limit {layout.further}; dropped"
            )
        tail.append(further)
    message = layout.message(header[1], header[2], *tail)
    if layout.keys is not None or layout.is_value:
        problem = _find_count_problem(layout, message) or _find_empty_value(layout, message)
        if problem:
            raise RemoteProtocolError(f"{header[0]}: {problem}; dropped")
    return message


def _find_header_problem(header: Any) -> str:
    if type(header) is not list:
        return f"header is {_name_type(header)}, not an array of kind, session, request"
    if len(header) < 3:
        return f"header has {len(header)} fields; kind, session, request come first (or nil)"
    return f"kind is {_name_type(header[0])}, expected str"


def _find_session_problem(session: Any) -> str:
    """Without the id: it gives the right to join the session, and this text is logged."""
    if type(session) is not str:
        return f"session is {_name_type(session)}, expected str or nil"
    return f"session has {len(session)} characters, expected 1 to {SESSION_CHARACTERS}"


def _name_type(value: Any) -> str:
    """As msgpack calls the type of a value."""
    return _TYPES.get(type(value), type(value).__name__)


def _read_tail(layout: Layout, header: list[Any]) -> list[Any]:
    tail = header[3 : 3 + len(layout.tail)]
    if len(tail) < len(layout.tail):
        missing = layout.tail[len(tail)][0]
        raise RemoteProtocolError(f"{header[0]}: header without {missing}; dropped")
    for position, (name, check) in enumerate(layout.tail):
        value = tail[position]
        if not check(value):
            shown = "bin" if type(value) is bytes else shorten(value)
            raise RemoteProtocolError(
                f"{header[0]}: {name} is {shown}, expected {name_expected(check)}; dropped"
            )
        if type(value) is list:
            tail[position] = _frozen(value)
    return tail


def _find_problem(layout: Layout, header: Sequence[Any]) -> str | None:
    session, request = header[1], header[2]
    if session is None:
        if layout.session:
            return "no session"
    elif layout.session is False:
        return "names a session"
    elif type(session) is not str or not 0 < len(session) <= SESSION_CHARACTERS:
        return _find_session_problem(session)
    if request is None:
        if layout.request:
            return "no request"
    elif layout.request is False:
        return "names a request"
    elif not is_count(request):
        return f"request is {shorten(request)}, expected {COUNT}"
    return None


def _find_count_problem(layout: Layout, message: Any) -> str | None:
    if layout.keys is None:
        return None
    keys, further = len(getattr(message, layout.keys)), len(message.further)
    return None if keys == further else f"{further} further frames for {keys} {layout.keys}"


def _find_empty_value(layout: Layout, message: Any) -> str | None:
    values = [message.payload] if layout.is_value else []
    if layout.keys is not None:
        values += message.further
    return None if all(values) else "an empty value, which is not JSON"


_FROM_KERNEL = {layout.message.KIND: layout for layout in FROM_KERNEL_LAYOUTS}
_TO_KERNEL = {layout.message.KIND: layout for layout in TO_KERNEL_LAYOUTS}
_TYPES = {bytes: "bin", dict: "a map", list: "an array", bool: "a bool", type(None): "nil"}
_BATCH_HEADER = msgpack.packb([m.Batch.KIND, None, None])
