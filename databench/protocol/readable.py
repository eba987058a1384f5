"""Messages of the protocol as lines that a kernel's author can read. Pure.

No line holds a secret: the token of `hello` is left out, and a hash stands for a session's id,
since anyone who knows the id may join the session.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgpack

from ..errors import RemoteProtocolError
from .codec import HEADER_BYTES, split_batch
from .layouts import FROM_KERNEL_LAYOUTS, TO_KERNEL_LAYOUTS, Layout

# Of a payload or a field that is shown as it is; of a longer one its size is.
SHOWN_CHARACTERS = 200
_SESSION_DIGITS = 6
_FRAMES = 8  # further ones whose sizes are shown
_FIELDS = 16  # of a header
_MESSAGES = 100  # of a batch
_LINE_ENDS = re.compile("[\\r\\n\\t]+")
_BATCH = "batch"
_LAYOUTS: dict[bool, dict[str, Layout]] = {
    True: {layout.message.KIND: layout for layout in FROM_KERNEL_LAYOUTS},
    False: {layout.message.KIND: layout for layout in TO_KERNEL_LAYOUTS},
}


def describe(frames: Sequence[bytes], *, is_from_kernel: bool) -> Iterator[str]:
    """A message, and each one in it if it is a batch: one line each.

    Args:
        frames: All of it, without a routing id.
        is_from_kernel: Whether the kernel sent it.
    """
    yield _describe_one(frames, is_from_kernel)
    header = _read_header(frames) or [None]
    if header[0] == _BATCH and len(frames) > 1:
        for line in _describe_batch(frames[1], is_from_kernel):
            yield f"  in it: {line}"


def _describe_batch(payload: bytes, is_from_kernel: bool) -> Iterator[str]:
    try:
        messages = split_batch(payload)
        for frames in itertools.islice(messages, _MESSAGES):
            yield _describe_one(frames, is_from_kernel)
        if rest := sum(1 for _ in messages):
            yield f"{rest} more messages"
    except RemoteProtocolError as error:
        yield str(error)


def _describe_one(frames: Sequence[bytes], is_from_kernel: bool) -> str:
    header = _read_header(frames)
    if header is None:
        return f"unreadable: {_describe_sizes(frames)}"
    kind = header[0] if type(header[0]) is str else ""
    return _describe(header, frames, _LAYOUTS[is_from_kernel].get(kind))


def _read_header(frames: Sequence[bytes]) -> list[Any] | None:
    if not frames or len(frames[0]) > HEADER_BYTES:
        return None
    try:
        header = msgpack.unpackb(frames[0], strict_map_key=False)
    except (ValueError, TypeError, RecursionError, OverflowError):
        return None
    return header if type(header) is list and header else None


def _describe(header: Sequence[Any], frames: Sequence[bytes], layout: Layout | None) -> str:
    names = [name for name, _ in layout.tail] if layout else []
    words = [header[0] if layout else _show_kind(header[0])]
    words += [f"session={name_session(header[1])}"] if header[1:2] not in ([], [None]) else []
    words += [f"request={_show(header[2])}"] if header[2:3] not in ([], [None]) else []
    for position, value in enumerate(header[3 : 3 + _FIELDS]):
        name = names[position] if position < len(names) else f"field {position + 4}"
        words.append(f"{name}={'…' if name == 'token' else _show(value)}")
    if len(header) > 3 + _FIELDS:
        words.append(f"and {len(header) - 3 - _FIELDS} fields")
    payload = frames[1] if len(frames) > 1 else b""
    if payload:
        words.append(f"payload={_show_payload(payload, is_shown=header[0] != _BATCH)}")
    if len(frames) > 2:
        words.append(f"and {_describe_sizes(frames[2:])}")
    return " ".join(words)


def _show_kind(kind: Any) -> str:
    is_plain = type(kind) is str and kind.isidentifier() and len(kind) <= SHOWN_CHARACTERS
    return kind if is_plain else _show(kind)


def name_session(id_: Any) -> str:
    """A name for a session, the same in each of its messages, that does not tell its id."""
    if type(id_) is bytes:
        return f"bin {hashlib.sha256(id_).hexdigest()[:_SESSION_DIGITS]}"
    if type(id_) is not str:
        return _show(id_)
    return hashlib.sha256(id_.encode(errors="surrogatepass")).hexdigest()[:_SESSION_DIGITS]


def _show(value: Any) -> str:
    text = repr(value)
    if len(text) <= SHOWN_CHARACTERS:
        return text
    return f"{text[: SHOWN_CHARACTERS // 2]}… ({len(text)} characters)"


def _show_payload(payload: bytes, *, is_shown: bool) -> str:
    if is_shown and len(payload) <= SHOWN_CHARACTERS:
        try:
            shown = _LINE_ENDS.sub(" ", payload.decode())  # JSON has them between its words alone
            return shown if shown.isprintable() else f"{payload!r} (not printable)"
        except UnicodeDecodeError:
            return f"{payload!r} (not UTF-8)"
    return f"({len(payload)} bytes)"


def _describe_sizes(frames: Sequence[bytes]) -> str:
    sizes = ", ".join(str(len(frame)) for frame in frames[:_FRAMES])
    rest = ", …" if len(frames) > _FRAMES else ""
    return f"{len(frames)} frames ({sizes}{rest} bytes)" if frames else "no frames"
