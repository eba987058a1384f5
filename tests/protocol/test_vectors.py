"""The golden frames: what the code makes, what it reads, and what msgpack's specification says.

`tests/vectors/` is read by kernels in other languages and by the page's tests: a change of these
files is a change of the protocol. The bytes below are written by hand, from
https://github.com/msgpack/msgpack/blob/master/spec.md.
"""

import importlib.util
import json
from pathlib import Path

import pytest

from databench.errors import RemoteProtocolError
from databench.protocol import codec, text
from databench.protocol import messages as m

FOLDER = Path(__file__).resolve().parent.parent / "vectors"


def _load_generator():
    spec = importlib.util.spec_from_file_location("vectors_generate", FOLDER / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = _load_generator()
FILES = generate.make_files()


def read(name):
    return json.loads((FOLDER / name).read_text())


def entries(name):
    return [pytest.param(entry, id=entry["name"]) for entry in read(name)]


def _read(frames):
    message = codec.decode_from_kernel(frames)
    return list(codec.split_batch(message.payload))


def frames_of(entry):
    return [bytes.fromhex(frame) for frame in entry["frames"]]


@pytest.mark.parametrize("name", FILES)
def test_file_is_what_the_code_makes(name):
    made = generate.write(FILES[name])
    assert (FOLDER / name).read_text() == made, "run python -m tests.vectors.generate"


def test_every_file_is_made_and_every_name_is_there_once():
    assert {path.name for path in FOLDER.glob("*.json")} == set(FILES)
    for content in FILES.values():
        names = [entry["name"] for entry in content]
        assert len(names) == len(set(names))


def test_every_kind_has_its_golden_frames():
    for name, kinds in (("to_kernel.json", m.TO_KERNEL), ("from_kernel.json", m.FROM_KERNEL)):
        assert {entry["kind"] for entry in read(name)} - {None} == {kind.KIND for kind in kinds}


@pytest.mark.parametrize("entry", entries("to_kernel.json"))
def test_frames_of_the_front_decode_to_their_message(entry):
    message = codec.decode_to_kernel(frames_of(entry))
    assert generate.describe(message) == {"kind": entry["kind"], "fields": entry["fields"]}
    assert [frame.hex() for frame in codec.encode(message)] == entry["frames"]


@pytest.mark.parametrize("entry", entries("from_kernel.json"))
def test_frames_of_a_kernel_decode_to_their_message(entry):
    message = codec.decode_from_kernel(frames_of(entry))
    if entry["kind"] is None:
        assert message is None
        return
    assert generate.describe(message) == {"kind": entry["kind"], "fields": entry["fields"]}
    if not entry.get("read_only"):
        assert [frame.hex() for frame in codec.encode(message)] == entry["frames"]
    for inner, said in zip(
        codec.split_batch(message.payload) if "messages" in entry else [],
        entry.get("messages", []),
        strict=True,
    ):
        assert generate.describe(codec.decode_from_kernel(inner)) == said


@pytest.mark.parametrize("entry", entries("refused.json"))
def test_refused_frames_are_refused_for_their_reason(entry):
    with pytest.raises(RemoteProtocolError) as caught:
        _read(frames_of(entry))
    assert str(caught.value).startswith(entry["reason_begins"])


@pytest.mark.parametrize("entry", entries("from_page.json"))
def test_words_of_a_page_are_read_as_their_message(entry):
    message = generate.describe(text.parse_page(entry["text"]))
    assert message == {"kind": entry["kind"], "fields": entry["fields"]}


@pytest.mark.parametrize("entry", entries("from_page_refused.json"))
def test_refused_words_of_a_page_are_refused_for_their_reason(entry):
    with pytest.raises(RemoteProtocolError) as caught:
        text.parse_page(entry["text"])
    assert str(caught.value).startswith(entry["reason_begins"])


@pytest.mark.parametrize("entry", entries("to_page.json"))
def test_words_for_a_page_are_json_that_says_its_load(entry):
    said = json.loads(entry["text"])
    assert isinstance(said["signal"], str)
    assert said.get("load") == entry["load"]


# ---------------------------------------------------------------- by hand

# fixarray 1001nnnn, fixstr 101nnnnn, nil c0, false c2, true c3, positive fixint 0nnnnnnn,
# uint 16 cd, uint 64 cf, float 64 cb, str 8 d9, bin 8 c4.
BY_HAND = [
    (m.Opened(session="s"), [b"\x93\xa6opened\xa1s\xc0", b""]),
    (m.Done(session="s", request=7, payload=b"[1]"), [b"\x93\xa4done\xa1s\x07", b"[1]"]),
    (m.Done(session="s", request=256), [b"\x93\xa4done\xa1s\xcd\x01\x00", b""]),
    (
        m.Done(session="s", request=2**53),
        [b"\x93\xa4done\xa1s\xcf\x00\x20\x00\x00\x00\x00\x00\x00", b""],
    ),
    (m.Emit(session="s", signal="pi", payload=b"3.14"), [b"\x94\xa4emit\xa1s\xc0\xa2pi", b"3.14"]),
    (
        m.Emit(session="s", request=7, signal="é" * 16, payload=b"", further=(b"\x00",)),
        [b"\x94\xa4emit\xa1s\x07\xd9\x20" + b"\xc3\xa9" * 16, b"", b"\x00"],
    ),
    (
        m.StateChange(scope="class_data", key="n", base=0, payload=b"1", further=(b"2",)),
        [b"\x96\xa5state\xc0\xc0\xaaclass_data\xa1n\x00", b"1", b"2"],
    ),
    (
        m.Progress(session="s", request=7, value=0.5, total=None),
        [b"\x95\xa8progress\xa1s\x07\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00\xc0", b""],
    ),
    (
        m.Hello(version=1, token="t", language="R", library="0.1", capabilities=("ping",)),
        [b"\x98\xa5hello\xc0\xc0\x01\xa1t\xa1R\xa30.1\x91\xa4ping", b""],
    ),
    (
        m.Batch(payload=b"\x91\x92\xc4\x02ab\xc4\x00"),
        [b"\x93\xa5batch\xc0\xc0", b"\x91\x92\xc4\x02ab\xc4\x00"],
    ),
    (
        m.SetState(scope="class_data", key="n", version=3, own=True, accepted=False, payload=b"1"),
        [b"\x98\xa5state\xc0\xc0\xaaclass_data\xa1n\x03\xc3\xc2", b"1"],
    ),
    (
        m.Welcome(
            version=1,
            window_bytes=5,
            debug=False,
            cli_args=("a",),
            class_keys=(("n", 2),),
            payload=b"",
            further=(b"1",),
        ),
        [b"\x98\xa7welcome\xc0\xc0\x01\x05\xc2\x91\xa1a\x91\x92\xa1n\x02", b"", b"1"],
    ),
    (
        m.Open(
            session="s",
            request_args="?a",
            restored=None,
            data_keys=("k",),
            payload=b"",
            further=(b"1",),
        ),
        [b"\x96\xa4open\xa1s\xc0\xa2?a\xc0\x91\xa1k", b"", b"1"],
    ),
    (
        m.Action(session="s", request=7, name="run", payload=b"{}"),
        [b"\x94\xa6action\xa1s\x07\xa3run", b"{}"],
    ),
    (m.Cancel(session="s", request=7, attempt=2), [b"\x94\xa6cancel\xa1s\x07\x02", b""]),
]


@pytest.mark.parametrize(("message", "frames"), BY_HAND, ids=lambda value: type(value).__name__)
def test_frames_are_what_the_specification_of_msgpack_says(message, frames):
    assert codec.encode(message) == frames
    is_ours = type(message) in m.TO_KERNEL
    decode = codec.decode_to_kernel if is_ours else codec.decode_from_kernel
    assert decode(frames) == message


def test_frames_of_a_batch_are_what_the_specification_of_msgpack_says():
    frames = [b"\x93\xa5batch\xc0\xc0", b"\x92\x92\xc4\x02ab\xc4\x00\x91\xc4\x01c"]
    assert codec.join_batch([[b"ab", b""], [b"c"]]) == frames
    assert list(codec.split_batch(frames[1])) == [[b"ab", b""], [b"c"]]


def test_frames_that_the_protocol_page_prints_are_ours():
    page = (FOLDER.parent.parent / "docs" / "protocol.md").read_text()
    printed = {
        m.Hello(token="t", language="R", library="0.1", capabilities=("ping",)),
        m.Action(session="s", request=7, name="run", payload=b'{"n": 10}'),
        m.Emit(session="s", request=7, signal="pi", payload=b"3.14"),
        m.Done(session="s", request=7),
    }
    for message in printed:
        for frame in codec.encode(message):
            assert not frame or f"`{frame.hex()}`" in page
