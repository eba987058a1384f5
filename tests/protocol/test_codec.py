"""Messages to frames and back: what both ends say arrives, and nothing else does."""

import dataclasses
import re
from contextlib import suppress

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from databench.errors import LocalProtocolError, RemoteProtocolError
from databench.protocol import codec, layouts
from databench.protocol import messages as m

DECODERS = {"to_kernel": codec.decode_to_kernel, "from_kernel": codec.decode_from_kernel}
both_directions = pytest.mark.parametrize("decode", DECODERS.values(), ids=DECODERS)


def header(*fields):
    return msgpack.packb(list(fields))


# ---------------------------------------------------------------- every message, both ways

UNICODE = st.characters(exclude_categories=["Cs"])
COUNT = st.integers(0, 2**53)
NUMBER = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False))
NAME = st.text(UNICODE, max_size=40) | st.just("x" * 1024)
TEXT = st.text(UNICODE, max_size=40) | st.just("é" * 65536)
VALUE = st.binary(min_size=1, max_size=30)
BY_FIELD = {
    "session": st.text(UNICODE, min_size=1, max_size=64),
    "request": COUNT,
    "payload": st.binary(max_size=30),
    "further": st.lists(st.binary(max_size=20), max_size=4).map(tuple),
    "cli_args": st.lists(TEXT, max_size=4).map(tuple),
    "class_keys": st.lists(st.tuples(NAME, COUNT), max_size=4).map(tuple),
    "data_keys": st.lists(TEXT, max_size=4).map(tuple),
    "capabilities": st.lists(TEXT, max_size=4).map(tuple),
    "names": st.lists(TEXT, max_size=4).map(tuple),
    "others": st.booleans(),
    "paths": st.lists(TEXT, max_size=4).map(tuple),
    "since_s": st.none() | NUMBER,
    "debug": st.booleans(),
    "own": st.booleans(),
    "accepted": st.booleans(),
    "scope": st.sampled_from(["data", "class_data"]),
    "level": st.sampled_from(["log", "warn", "error"]),
    "restored": st.none() | TEXT,
    "base": st.none() | COUNT,
    "total": st.none() | NUMBER,
    "value": NUMBER,
    **dict.fromkeys(["version", "window_bytes", "attempt", "size_bytes", "number"], COUNT),
    **dict.fromkeys(["name", "key", "signal", "token", "language", "library", "type"], NAME),
    **dict.fromkeys(["reason", "request_args", "text"], TEXT),
}


def _presence(strategy, is_there):
    if is_there is None:
        return st.none() | strategy
    return strategy if is_there else st.none()


def messages_of(layout):
    """Any message of one kind."""
    fields = {field.name: BY_FIELD[field.name] for field in dataclasses.fields(layout.message)}
    fields["session"] = _presence(BY_FIELD["session"], layout.session)
    fields["request"] = _presence(BY_FIELD["request"], layout.request)
    if layout.is_value:
        fields["payload"] = VALUE
        if layout.further:
            fields["further"] = st.lists(VALUE, max_size=layout.further).map(tuple)
    if layout.keys is None:
        return st.builds(layout.message, **fields)
    values = st.lists(VALUE, min_size=4, max_size=4)
    return st.builds(_name_values, st.builds(layout.message, **fields), values)


def _name_values(message, values):
    keys = message.data_keys if isinstance(message, m.Open) else message.class_keys
    return dataclasses.replace(message, further=tuple(values[: len(keys)]))


ANY_TO_KERNEL = st.one_of([messages_of(layout) for layout in layouts.TO_KERNEL_LAYOUTS])
ANY_FROM_KERNEL = st.one_of([messages_of(layout) for layout in layouts.FROM_KERNEL_LAYOUTS])


@pytest.mark.slow
@given(ANY_TO_KERNEL)
def test_what_the_front_says_arrives(message):
    assert codec.decode_to_kernel(codec.encode(message)) == message


@given(ANY_FROM_KERNEL)
def test_what_a_kernel_says_arrives(message):
    assert codec.decode_from_kernel(codec.encode(message)) == message


@given(ANY_TO_KERNEL | ANY_FROM_KERNEL)
def test_payload_is_always_a_frame_and_the_frames_are_bytes(message):
    frames = codec.encode(message)
    assert len(frames) >= 2
    assert all(type(frame) is bytes for frame in frames)


def test_messages_are_frozen_and_hold_nothing_beside_their_fields():
    message = m.Emit(session="s", request=7, signal="status", payload=b"1")
    with pytest.raises(dataclasses.FrozenInstanceError):
        message.signal = "other"  # type: ignore[misc]
    with pytest.raises((AttributeError, TypeError)):
        message.note = 1  # type: ignore[attr-defined]


# ---------------------------------------------------------------- growing


@both_directions
def test_unknown_kind_is_nothing_and_no_error(decode):
    assert decode([header("later", "s", 7, 1, [2]), b"", b"x"]) is None
    assert decode([header("later", 7, "s"), b""]) is None


def test_kind_of_the_other_direction_is_unknown():
    assert codec.decode_from_kernel(codec.encode(m.Ping(number=1))) is None
    assert codec.decode_to_kernel(codec.encode(m.Pong(number=1))) is None


@given(ANY_FROM_KERNEL, st.lists(st.none() | st.integers(0, 9) | st.text(UNICODE), max_size=3))
def test_unknown_fields_behind_the_known_ones_are_ignored(message, tail):
    frames = codec.encode(message)
    longer = msgpack.packb(msgpack.unpackb(frames[0]) + tail)
    assert codec.decode_from_kernel([longer, *frames[1:]]) == message


def test_payload_frame_may_be_missing():
    assert codec.decode_from_kernel([header("done", "s", 7)]) == m.Done(
        session="s", request=7, payload=b""
    )


def test_frames_of_a_kind_that_has_none_are_ignored():
    assert codec.decode_from_kernel([header("opened", "s", None), b"x", b"y"]) == m.Opened(
        session="s"
    )


# ---------------------------------------------------------------- what a peer may not say

REFUSED = {
    "no frames": [],
    "empty header": [b""],
    "no msgpack": [b"\xc1"],
    "bytes behind the header": [header("opened", "s", None) + b"\x00"],
    "cut header": [header("opened", "s", None)[:-1]],
    "map": [b"\x80"],
    "map with a number as key": [b"\x81\x01\x02"],
    "no array": [b"\xa6opened"],
    "empty array": [b"\x90"],
    "two fields": [header("opened", "s")],
    "kind is a number": [header(7, "s", None)],
    "kind is binary": [header(b"opened", "s", None)],
    "kind is an array": [header(["opened"], "s", None)],
    "kind is no UTF-8": [b"\x93\xa2\xff\xfe\xa1s\xc0"],
    "no session": [header("opened", None, None)],
    "session is empty": [header("opened", "", None)],
    "session is a number": [header("opened", 7, None)],
    "session is binary": [header("opened", b"s", None)],
    "session is too long": [header("opened", "x" * 65, None)],
    "session is a surrogate": [b"\x93\xa6opened\xa3\xed\xa0\x80\xc0"],
    "names a session": [header("pong", "s", None, 1)],
    "no request": [header("done", "s", None)],
    "request is false": [header("done", "s", False)],
    "request is negative": [header("done", "s", -1)],
    "request is too large": [header("done", "s", 2**53 + 1)],
    "request is a float": [header("done", "s", 7.0)],
    "request is text": [header("done", "s", "7")],
    "names a request": [header("opened", "s", 7)],
    "missing field": [header("emit", "s", 7)],
    "missing second field": [header("error", "s", 7, "ValueError")],
    "name is a number": [header("emit", "s", 7, 1)],
    "name is too long": [header("emit", "s", 7, "x" * 1025)],
    "text is too long": [header("error", "s", 7, "E", "x" * 65537)],
    "count is a bool": [header("pong", None, None, True)],
    "count is a float": [header("pong", None, None, 1.0)],
    "number is text": [header("progress", "s", 7, "1", None)],
    "number is a bool": [header("progress", "s", 7, True, None)],
    "number is too large": [header("progress", "s", 7, 2**53 + 1, None)],
    "level is unknown": [header("log", "s", 7, "debug")],
    "scope is unknown": [header("state", "s", 7, "other", "k", None), b"1"],
    "scope is an array": [header("state", "s", 7, ["data"], "k", None), b"1"],
    "names are text": [header("hello", None, None, 1, "t", "l", "l", "ping")],
    "a name is a number": [header("hello", None, None, 1, "t", "l", "l", ["ping", 1])],
    "too many names": [header("hello", None, None, 1, "t", "l", "l", [""] * 10_001)],
    "state without payload": [header("state", "s", 7, "data", "k", None)],
    "state with an empty payload": [header("state", "s", 7, "data", "k", None), b""],
    "state with two stored values": [
        header("state", "s", 7, "data", "k", None),
        *(b"1", b"2", b"3"),
    ],
    "extension": [b"\x94\xa6opened\xa1s\xc0\xd4\x05\x00"],
    "empty extension": [b"\x94\xa6opened\xa1s\xc0\xc7\x00\x05"],
    "timestamp": [b"\x94\xa6opened\xa1s\xc0\xd6\xff\x00\x00\x00\x01"],
    "empty timestamp": [b"\x94\xa6opened\xa1s\xc0\xc7\x00\xff"],
    "extension as kind": [b"\x93\xd6\xff\x00\x00\x00\x01\xa1s\xc0"],
    "header too large": [header("opened", "s", None, "x" * codec.HEADER_BYTES)],
    "array that promises too much": [b"\xdd\xff\xff\xff\xff"],
    "text that promises too much": [b"\x93\xdb\xff\xff\xff\xff"],
}


@pytest.mark.parametrize("frames", REFUSED.values(), ids=REFUSED)
def test_frames_that_do_not_fit_are_refused(frames):
    with pytest.raises(RemoteProtocolError, match=r"dropped$") as caught:
        codec.decode_from_kernel(frames)
    assert len(str(caught.value)) < 250


REFUSED_BY_KERNELS = {
    "value without its key": [header("open", "s", None, "", None, []), b"", b"1"],
    "key without its value": [header("open", "s", None, "", None, ["k"]), b""],
    "empty value": [header("open", "s", None, "", None, ["k"]), b"", b""],
    "class key without version": [header("welcome", None, None, 1, 1, True, [], [["k"]]), b""],
    "class value without its key": [header("welcome", None, None, 1, 1, True, [], []), b"", b"1"],
    "class value that is empty": [header("state", None, None, "class_data", "k", 1, True, True)],
    "flag that is a number": [header("state", None, None, "class_data", "k", 1, 1, True), b"1"],
    "cancel of no request": [header("cancel", "s", None, 1)],
}


@pytest.mark.parametrize("frames", REFUSED_BY_KERNELS.values(), ids=REFUSED_BY_KERNELS)
def test_frames_that_do_not_fit_are_refused_by_a_kernel_too(frames):
    with pytest.raises(RemoteProtocolError, match=r"dropped$"):
        codec.decode_to_kernel(frames)


@pytest.mark.parametrize("depth", [10, 400, 900, 1000, 5000, 100_000])
@pytest.mark.parametrize("place", ["kind", "session", "request", "field", "tail"])
def test_deep_nesting_is_refused_or_ignored(depth, place):
    deep = b"\x91" * depth + b"\xc0"
    fields = [b"\xa4emit", b"\xa1s", b"\x07", b"\xa1x", b"\xc0"]
    fields[["kind", "session", "request", "field", "tail"].index(place)] = deep
    frames = [b"\x95" + b"".join(fields), b""]
    if place == "tail" and depth <= 1000:
        assert codec.decode_from_kernel(frames) == m.Emit(session="s", request=7, signal="x")
        return
    with pytest.raises(RemoteProtocolError):
        codec.decode_from_kernel(frames)


def test_huge_value_makes_a_short_error():
    with pytest.raises(RemoteProtocolError) as caught:
        codec.decode_from_kernel([header("emit", "s", 7, list(range(500_000)))])
    assert len(str(caught.value)) < 200


@both_directions
@given(frames=st.lists(st.binary(max_size=40), max_size=4))
@example(frames=[b"\x93\xd6\xff\x00\x00\x00\x01\xa1s\xc0"])
def test_any_frames_raise_only_the_protocol_error(decode, frames):
    with suppress(RemoteProtocolError):
        decode(frames)


MSGPACK = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats()),
        *(st.text(UNICODE), st.binary(), st.just(msgpack.ExtType(1, b"x"))),
        *(st.just(msgpack.Timestamp(1)), st.sampled_from(["data", "log", "s", "k"])),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(UNICODE), inner),
    max_leaves=6,
)
KINDS = st.sampled_from([kind.KIND for kind in m.TO_KERNEL + m.FROM_KERNEL] + ["later"])


@pytest.mark.slow
@both_directions
@given(kind=KINDS, fields=st.lists(MSGPACK, max_size=8), further=st.lists(st.binary(), max_size=3))
def test_any_header_of_a_known_kind_is_a_message_or_the_protocol_error(
    decode, kind, fields, further
):
    with suppress(RemoteProtocolError):
        message = decode([header(kind, *fields), *further])
        # Nothing gets in that could not be said again: so it keeps to every limit.
        assert message is None or decode(codec.encode(message)) == message


@both_directions
@given(message=ANY_TO_KERNEL | ANY_FROM_KERNEL, data=st.data())
def test_mutated_frames_are_a_message_or_the_protocol_error(decode, message, data):
    first, *rest = codec.encode(message)
    first = bytearray(first)
    for _ in range(data.draw(st.integers(1, 3))):
        first[data.draw(st.integers(0, len(first) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.none() | st.integers(0, len(first)))
    frames = [bytes(first[:cut]), *rest[: data.draw(st.integers(0, len(rest)))]]
    with suppress(RemoteProtocolError):
        decode(frames)


# ---------------------------------------------------------------- what we may not say

NOT_SENT = {
    "name is a number": m.Action(session="s", request=7, name=1),  # type: ignore[arg-type]
    "name is too long": m.Action(session="s", request=7, name="x" * 1025),
    "name is not Unicode": m.Emit(session="s", signal="\ud800", payload=b"1"),
    "session is not Unicode": m.Opened(session="\ud800"),
    "no session": m.Opened(),
    "session is too long": m.Opened(session="x" * 65),
    "session where none may be": m.Ping(session="s", number=1),
    "no request": m.Done(
        session="s",
    ),
    "request where none may be": m.Opened(session="s", request=7),
    "count is negative": m.Credit(session="s", size_bytes=-1),
    "count is too large": m.Pong(number=2**53 + 1),
    "count is a bool": m.Ping(number=True),
    "names are a list in a list": m.Hello(capabilities=(("x",),)),  # type: ignore[arg-type]
    "too many names": m.Open(session="s", data_keys=("k",) * 10_001, further=(b"1",) * 10_001),
    "key without a value": m.Open(session="s", data_keys=("k",)),
    "class value without a key": m.Welcome(further=(b"1",)),
    "unknown scope": m.StateChange(
        session="s", request=7, scope="other", key="k", base=None, payload=b"1"
    ),
    "unknown level": m.Log(session="s", request=7, level="debug"),
    "header too large": m.Open(session="s", data_keys=("k" * 1024,) * 3000, further=(b"1",) * 3000),
}


@pytest.mark.parametrize("message", NOT_SENT.values(), ids=NOT_SENT)
def test_own_message_that_does_not_fit_is_our_error(message):
    with pytest.raises(LocalProtocolError, match=r"not sent$"):
        codec.encode(message)


@pytest.mark.slow
@given(ANY_TO_KERNEL | ANY_FROM_KERNEL, st.data())
def test_any_own_field_is_sent_or_our_error(message, data):
    field = data.draw(st.sampled_from(dataclasses.fields(type(message)))).name
    if field in ("payload", "further"):
        return
    value = data.draw(st.none() | st.integers() | st.floats() | st.text() | st.binary())
    with suppress(LocalProtocolError):
        codec.encode(dataclasses.replace(message, **{field: value}))


# ---------------------------------------------------------------- batch


@pytest.mark.slow
@given(st.lists(ANY_FROM_KERNEL, max_size=5))
def test_batch_holds_its_messages_in_order(messages):
    frames = codec.join_batch([codec.encode(message) for message in messages])
    batch = codec.decode_from_kernel(frames)
    assert isinstance(batch, m.Batch)
    inner = [codec.decode_from_kernel(item) for item in codec.split_batch(batch.payload)]
    assert inner == messages


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xc0",
        b"\xc1",
        b"\x80",
        b"\x91",
        b"\x91\xc0",
        b"\x91\x90",
        b"\x91\x91\xa1x",
        b"\x91\x91\x91\xc4\x01x",
        b"\x91\x91\xd4\x05\x00",
        b"\x91\x91\xd6\xff\x00\x00\x00\x01",
        b"\x91\x91\x80",
        b"\x91\x92\xc4\x01x",
        b"\x91\x91\xc4\x02x",
        b"\x91\x91\xc6\xff\xff\xff\xff",
        b"\x90\x90",
        b"\xdd\xff\xff\xff\xff" + b"\x90" * 100,
    ],
)
def test_batch_that_does_not_fit_is_refused(payload):
    with pytest.raises(RemoteProtocolError, match=r"^batch: .*dropped$"):
        list(codec.split_batch(payload))


def test_messages_before_a_broken_one_in_a_batch_are_still_given():
    good = codec.encode(m.Opened(session="s"))
    payload = b"\x92" + msgpack.packb(good) + b"\xc0"
    items = codec.split_batch(payload)
    assert next(items) == good
    with pytest.raises(RemoteProtocolError):
        next(items)


@given(st.binary(max_size=60))
def test_any_batch_raises_only_the_protocol_error(payload):
    with suppress(RemoteProtocolError):
        for item in codec.split_batch(payload):
            assert all(type(frame) is bytes for frame in item)


def test_batch_of_empty_arrays_is_refused_at_the_first():
    # Unpacked as a whole, it would take 64 bytes for each of its own.
    payload = b"\xdd\x00\x0f\xff\xff" + b"\x90" * 0xFFFFF
    items = codec.split_batch(payload)
    with pytest.raises(RemoteProtocolError):
        next(items)


@pytest.mark.parametrize("request_", [None, 0, 7])
def test_header_of_an_emit_is_the_one_that_encode_makes(request_):
    whole = codec.encode(m.Emit(session="s", request=request_, signal="status", payload=b"1"))
    assert codec.encode_emit_header("s", request_, "status") == whole[0]


def test_header_of_a_done_is_the_one_that_encode_makes():
    whole = codec.encode(m.Done(session="s", request=7, payload=b"1"))
    assert codec.encode_done_header("s", 7) == whole[0]


@pytest.mark.parametrize("signal", ["x" * 1025, 3, None, "\ud800"])
def test_header_of_an_emit_refuses_what_is_no_name(signal):
    with pytest.raises(LocalProtocolError, match="not sent"):
        codec.encode_emit_header("s", 1, signal)


@pytest.mark.parametrize(
    ("frames", "hint"),
    [
        ([b"", header("done", "s", 7), b""], "a DEALER sends no empty frame before the header"),
        ([b'["done", "s", 7]', b""], "it looks like JSON; only payloads are"),
        ([header("done", "s", "7")], "request is '7', expected a whole number"),
        ([header("done", b"s", 7)], "session is bin, expected str or nil"),
        ([header("done", 5, 7)], "session is int, expected str or nil"),
        (
            [header("emit", "s", 7, b"x")],
            "signal is bin, expected text of at most 1,024",
        ),
        ([header("progress", "s", 7, 1, "9")], "total is '9', expected a number, or nil"),
        ([header("log", "s", 7, "info")], "level is 'info', expected 'log', 'warn' or 'error'"),
    ],
)
def test_a_refusal_says_what_was_expected(frames, hint):
    with pytest.raises(RemoteProtocolError, match=re.escape(hint)):
        codec.decode_from_kernel(frames)
