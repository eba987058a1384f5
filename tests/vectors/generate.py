"""Write the golden frames: python -m tests.vectors.generate [--check], from the repository's root.

One file per direction between front and kernel, one of frames that must be refused, one of the
words of pages. `tests/protocol/test_vectors.py` fails when the files are not what this writes.
Values that JSON does not have are written as an object: `{"hex": "…"}` for bytes that are not
UTF-8.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgpack

from databench.errors import RemoteProtocolError
from databench.protocol import codec, text
from databench.protocol import messages as m

FOLDER = Path(__file__).parent

TO_KERNEL = {
    "welcome": m.Welcome(window_bytes=4194304),
    "welcome with class_data": m.Welcome(
        window_bytes=65536,
        debug=True,
        cli_args=("--fast", "π"),
        class_keys=(("count", 3), ("names", 1)),
        further=(b"42", b'["a", "b"]'),
    ),
    "reject": m.Reject(reason="hello with protocol 9, this front speaks 1"),
    "open": m.Open(session="s", request_args="?a=1"),
    "open after a crash": m.Open(
        session="s",
        request_args="",
        restored="kernel 'pi' was ended by SIGKILL",
        data_keys=("pi", "samples"),
        further=(b"3.14", b"1e400"),
    ),
    "action without argument": m.Action(session="s", request=7, name="run"),
    "action": m.Action(session="s", request=7, name="run", payload=b'{"n": 10}'),
    "action with an argument kept byte for byte": m.Action(
        session="s", request=8, name="run", payload=b'{"a": 1e400,\t"a":2 , "__process_id": 7}'
    ),
    "cancel": m.Cancel(session="s", request=7, attempt=1),
    "cancel again": m.Cancel(session="s", request=7, attempt=2),
    "close": m.Close(session="s", reason="no page came back in time"),
    "state": m.SetState(key="count", version=4, own=True, accepted=True, payload=b"43"),
    "state that was not written": m.SetState(
        key="count", version=5, own=True, accepted=False, payload=b"44"
    ),
    "state of another kernel": m.SetState(key="count", version=6, payload=b"45"),
    "credit": m.Credit(session="s", size_bytes=1048576),
    "ping": m.Ping(number=1),
    "shutdown": m.Shutdown(reason="the server stops"),
}

FROM_KERNEL = {
    "hello": m.Hello(token="t", language="R", library="0.1", capabilities=("ping",)),
    "hello with all capabilities": m.Hello(
        token="t0ken",
        language="python 3.11.7",
        library="databench 0.8",
        capabilities=("cancel", "interrupt", "credit", "ping", "buffers"),
    ),
    "hello of a later version": m.Hello(version=2, token="t"),
    "opened": m.Opened(session="s"),
    "emit": m.Emit(session="s", request=7, signal="pi", payload=b"3.14"),
    "emit without message": m.Emit(session="s", request=7, signal="tick"),
    "emit outside of an action": m.Emit(session="s", signal="tick", payload=b'"caf\xc3\xa9"'),
    "emit with buffers": m.Emit(
        session="s",
        request=7,
        signal="a",
        payload=b'{"shape": [2]}',
        further=(b"\x00\x00\x80?", b""),
    ),
    "state of data": m.StateChange(
        session="s", request=7, scope="data", key="pi", base=None, payload=b'{"estimate": 3.1}'
    ),
    "state whose stored value differs": m.StateChange(
        session="s", scope="data", key="x", base=None, payload=b"1", further=(b"2",)
    ),
    "state that was deleted": m.StateChange(
        session="s", scope="data", key="x", base=None, payload=b"null", further=(b"",)
    ),
    "state of class_data": m.StateChange(scope="class_data", key="count", base=None, payload=b"1"),
    "state of class_data by compare and set": m.StateChange(
        request=7, scope="class_data", key="count", base=4, payload=b"5"
    ),
    "log": m.Log(session="s", request=7, level="log", payload=b'{"action": "done"}'),
    "warn": m.Log(session="s", level="warn", payload=b'"careful"'),
    "done": m.Done(session="s", request=7),
    "done with a result": m.Done(session="s", request=7, payload=b"[1, 2]"),
    "error": m.Error(
        session="s",
        request=7,
        type="ValueError",
        text="n must be above 0",
        payload=b'"Traceback \\u2026"',
    ),
    "error of the session's own code": m.Error(session="s", type="KeyError", text="no 'a'"),
    "cancelled": m.Cancelled(session="s", request=7),
    "progress": m.Progress(session="s", request=7, value=3, total=40),
    "progress of unknown length": m.Progress(session="s", request=7, value=0.5, total=None),
    "pong": m.Pong(number=1),
    "bye": m.Bye(reason="asked to"),
    "sources": m.Sources(
        paths=("/home/u/analyses/pi/analysis.py", "/home/u/lib/π.py"), since_s=1763700000.5
    ),
    "sources, none": m.Sources(),
    "actions": m.Actions(names=("run", "größer"), others=False),
    "actions, and others": m.Actions(),
    "idempotent": m.Idempotent(names=("run", "größer")),
    "idempotent, none": m.Idempotent(),
    "batch": m.Batch(
        payload=codec.join_batch(
            [
                codec.encode(m.Emit(session="s", request=7, signal="pi", payload=b"3.14")),
                codec.encode(m.Done(session="s", request=7)),
            ]
        )[1]
    ),
    "empty batch": m.Batch(payload=codec.join_batch([])[1]),
    "largest numbers": m.Progress(session="s", request=2**53, value=2**53, total=-(2**53)),
    "longest names": m.Emit(session="s" * 64, request=7, signal="x" * 1024),
}


def _header(*fields: Any) -> bytes:
    packed: bytes = msgpack.packb(list(fields))
    return packed


# What decodes to a message, or to nothing, but is not how we write it.
READ_ONLY = {
    "unknown kind": [_header("later", "s", 7, [1]), b"", b"x"],
    "unknown fields behind the known ones": [_header("done", "s", 7, "later", [1], None), b"1"],
    "no payload frame": [_header("opened", "s", None)],
    "payload and frames where there are none": [_header("opened", "s", None), b"x", b"y"],
    "integers that are longer than they must be": [
        bytes.fromhex("95a870726f6772657373a173cf00000000000000070ac0")
    ],
}

REFUSED: dict[str, Sequence[bytes]] = {
    "no frames": [],
    "empty header": [b""],
    "no msgpack": [b"\xc1junk", b""],
    "header is a map": [b"\x80", b""],
    "header is too short": [_header("opened", "s"), b""],
    "kind is a number": [_header(7, "s", None), b""],
    "kind in bytes": [_header(b"done", "s", 7), b""],
    "session in bytes": [_header("done", b"s", 7), b""],
    "request as text": [_header("done", "s", "7"), b""],
    "signal in bytes": [_header("emit", "s", 7, b"pi"), b"3.14"],
    "bytes behind the header": [_header("opened", "s", None) + b"\xc0", b""],
    "no session": [_header("done", None, 7), b""],
    "session where none may be": [_header("pong", "s", None, 1), b""],
    "session is a number": [_header("opened", 7, None), b""],
    "session is too long": [_header("opened", "x" * 65, None), b""],
    "no request": [_header("done", "s", None), b""],
    "request where none may be": [_header("opened", "s", 7), b""],
    "request is text": [_header("done", "s", "7"), b""],
    "request is too large": [_header("done", "s", 2**53 + 1), b""],
    "field is missing": [_header("emit", "s", 7), b"1"],
    "signal is a number": [_header("emit", "s", 7, 1), b"1"],
    "signal is too long": [_header("emit", "s", 7, "x" * 1025), b"1"],
    "level is unknown": [_header("log", "s", 7, "debug"), b"1"],
    "scope is unknown": [_header("state", "s", 7, "session", "k", None), b"1"],
    "state without a value": [_header("state", "s", 7, "data", "k", None), b""],
    "state with two stored values": [
        _header("state", "s", 7, "data", "k", None),
        *(b"1", b"2", b"3"),
    ],
    "number is a bool": [_header("pong", None, None, True), b""],
    "name is no UTF-8": [bytes.fromhex("94a4656d6974a17307a2fffe"), b"1"],
    "extension type": [bytes.fromhex("94a66f70656e6564a173c0d40500"), b""],
    "timestamp": [bytes.fromhex("94a66f70656e6564a173c0d6ff00000001"), b""],
    "nested too deeply": [b"\x94\xa6opened\xa1s\xc0" + b"\x91" * 2000 + b"\xc0", b""],
    "capabilities are no array": [_header("hello", None, None, 1, "t", "l", "l", "ping"), b""],
}

REFUSED_BATCHES = {
    "no array": b"\xc0",
    "item is no array": b"\x91\xc0",
    "item is empty": b"\x91\x90",
    "frame is text": b"\x91\x91\xa1x",
    "cut off": b"\x92\x91\xc4\x01x",
    "bytes behind it": b"\x90\x90",
}

FROM_PAGE = {
    "first visit of a page of 0.7": '{"__connect": null, "__request_args": "?a=1"}',
    "first visit": '{"__connect":null,"__request_args":"","__received":0}',
    "saves": '{"__connect":null,"__saves":7}',
    "return": '{"__connect":"s","__request_args":"","__received":12,"__epoch":"e"}',
    "action": '{"signal":"run","load":{"n":10,"__process_id":7}}',
    "action without argument": '{"signal":"run"}',
    "half of a surrogate pair": '{"signal":"run","load":{"a":"\\ud800x","__process_id":7}}',
    "action without id": '{"signal":"run","load":[1,2]}',
    "load kept byte for byte": '{"signal":"run","load":{ "a":1e400,\t"a":2 , "__process_id":7 }}',
    "id is no whole number": '{"signal":"run","load":{"__process_id":0.5}}',
    "cancel": '{"__cancel":7}',
    "cancel by force": '{"__cancel":7,"force":true}',
    "restart": '{"__kernel":"restart"}',
    "interrupt": '{"__kernel":"interrupt"}',
    "word of a later protocol beside": '{"signal":"run","later":[1]}',
}

FROM_PAGE_REFUSED = {
    "empty": "",
    "no JSON": "run",
    "no object": "[1]",
    "none of the words": '{"load":1}',
    "signal is a number": '{"signal":7}',
    "load is no JSON": '{"signal":"run","load":NaN}',
    "id is text": '{"signal":"run","load":{"__process_id":"7"}}',
    "id is too large": '{"signal":"run","load":{"__process_id":9007199254740993}}',
    "cancel of nothing": '{"__cancel":null}',
    "unknown command": '{"__kernel":"stop"}',
}

TO_PAGE = {
    "connect": text.compose_connect(
        "s",
        backend_version="0.8",
        analyses_version=None,
        resumed=True,
        at=12,
        epoch="e",
        running=[{"id": 7, "action": "run", "elapsed_s": 1.5}],
    ),
    "connect while a second run is open": text.compose_connect(
        "s",
        backend_version="1.0",
        analyses_version=None,
        resumed=True,
        at=12,
        epoch="e",
        running=[{"id": 7, "action": "run", "elapsed_s": 1.5, "again": True}],
    ),
    "connect with further sessions": text.compose_connect(
        "s",
        backend_version="1.0",
        analyses_version=None,
        resumed=False,
        at=0,
        epoch="e",
        others=[
            {
                "id": "t",
                "running": [{"id": 7, "action": "run", "elapsed_s": 1.5}],
                "has_result": False,
            }
        ],
    ),
    "emit": text.compose("pi", b"3.14"),
    "emit without message": text.compose("tick", b""),
    "emit kept byte for byte": text.compose("x", b'{ "a":1e400,\t"a":2 }'),
    "quotes and others in names": text.compose('a"\\\né😀', b"1"),
    "state": text.compose_state("data", "pi", b'{"estimate": 3.1}'),
    "state in a snapshot": text.compose_state("class_data", "count", b"43", snapshot=True),
    "start": text.compose_start(7),
    "start of a second run": text.compose_second_start(7),
    "end": text.compose_end(7, "done"),
    "end with a result": text.compose_end(7, "done", b"[1, 2]"),
    "end by a cancel": text.compose_end(7, "cancelled"),
    "end by an error": text.compose_failure(7, "error", "ValueError", "n < 0", b'"Traceback"'),
    "end without a kernel": text.compose_failure(7, "lost", "KernelLost", "kernel 'pi' ended"),
    "progress": text.compose_progress(7, 3, 40),
    "progress that is no number": text.compose_progress(7, float("nan"), None),
    "gap": text.compose_gap(120, 4711),
    "kernel": text.compose_kernel(
        "idle", reason="", generation=1, retry_in_s=None, sessions=2, stderr=()
    ),
    "kernel whose code was changed": text.compose_kernel(
        "busy",
        reason="",
        generation=1,
        retry_in_s=None,
        sessions=1,
        code_change="analyses/pi/analysis.py",
    ),
    "kernel that is queued": text.compose_kernel(
        "queued",
        reason="",
        generation=0,
        retry_in_s=None,
        sessions=1,
        isolation="session",
        ahead=2,
    ),
    "reload": text.compose_reload(["/pi/", "/pi/static/é.css"], 7),
    "reload missed": text.compose_reload(["/pi/"], 9, missed=True),
    "kernel that waits": text.compose_kernel(
        "backoff",
        reason="kernel 'pi' exited with status 3",
        generation=4,
        retry_in_s=0.5,
        sessions=2,
        stderr=["ImportError: no module named 'x'"],
    ),
}


# ---------------------------------------------------------------- how they are written


def _value(value: Any) -> Any:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"hex": value.hex()}
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    return value


def describe(message: Any) -> dict[str, Any]:
    """A message's kind or a page message's name, and its fields."""
    fields = {
        field.name: _value(getattr(message, field.name)) for field in dataclasses.fields(message)
    }
    name = type(message).__name__.removeprefix("Page").lower()
    return {"kind": getattr(message, "KIND", name), "fields": fields}


def _hex(frames: Sequence[bytes]) -> list[str]:
    return [bytes(frame).hex() for frame in frames]


def _golden(messages: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, message in messages.items():
        entry = {"name": name, **describe(message), "frames": _hex(codec.encode(message))}
        if isinstance(message, m.Batch):
            entry["messages"] = [
                describe(codec.decode_from_kernel(frames))
                for frames in codec.split_batch(message.payload)
            ]
        yield entry


def _read_only() -> Iterator[dict[str, Any]]:
    for name, frames in READ_ONLY.items():
        message = codec.decode_from_kernel(frames)
        said = describe(message) if message else {"kind": None, "fields": None}
        yield {"name": name, **said, "frames": _hex(frames), "read_only": True}


def _reason(call: Any, *args: Any) -> str:
    try:
        call(*args)
    except RemoteProtocolError as error:
        return str(error)
    raise AssertionError(f"{args!r:.200} is not refused")


def _refused() -> Iterator[dict[str, Any]]:
    for name, frames in REFUSED.items():
        reason = _reason(codec.decode_from_kernel, frames)
        yield {"name": name, "frames": _hex(frames), "reason_begins": _begin(reason)}
    for name, payload in REFUSED_BATCHES.items():
        frames = [_header("batch", None, None), payload]
        reason = _reason(lambda payload: list(codec.split_batch(payload)), payload)
        yield {"name": f"batch: {name}", "frames": _hex(frames), "reason_begins": _begin(reason)}


def _begin(reason: str) -> str:
    """The part of a reason that is ours and not a library's word."""
    for ours in ("not valid msgpack", "frame is not understood", "load of 'run' is not understood"):
        if reason.startswith(ours):
            return ours
    return "batch" if reason.startswith("batch") else reason.split(";")[0]


def make_files() -> dict[str, Any]:
    """Each file's name and content."""
    return {
        "to_kernel.json": list(_golden(TO_KERNEL)),
        "from_kernel.json": [*_golden(FROM_KERNEL), *_read_only()],
        "refused.json": list(_refused()),
        "from_page.json": [
            {"name": name, "text": frame, **describe(text.parse_page(frame))}
            for name, frame in FROM_PAGE.items()
        ],
        "from_page_refused.json": [
            {"name": name, "text": frame, "reason_begins": _begin(_reason(text.parse_page, frame))}
            for name, frame in FROM_PAGE_REFUSED.items()
        ],
        "to_page.json": [
            {"name": name, "text": frame.decode(), "load": json.loads(frame).get("load")}
            for name, frame in TO_PAGE.items()
        ],
    }


def write(content: Any) -> str:
    """A file's text; ASCII, so that no tool changes it."""
    lines = [json.dumps(entry, allow_nan=False) for entry in content]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def main() -> int:
    """Write the files, or with `--check` list those that are not up to date."""
    old = 0
    for name, content in make_files().items():
        path, made = FOLDER / name, write(content)
        if "--check" in sys.argv:
            if not path.exists() or path.read_text() != made:
                print(f"{path}: not what the code makes; run python -m tests.vectors.generate")
                old = 1
        else:
            path.write_text(made)
    return old


if __name__ == "__main__":
    sys.exit(main())
