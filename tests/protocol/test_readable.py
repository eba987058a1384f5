"""Messages as lines: every kind, nothing secret, nothing long."""

import msgpack
import pytest

from databench.protocol import codec
from databench.protocol import messages as m
from databench.protocol.readable import SHOWN_CHARACTERS, describe, name_session


def from_kernel(*frames):
    return list(describe(frames, is_from_kernel=True))


def pack(*header):
    return msgpack.packb(list(header))


def test_a_message_is_its_kind_its_fields_by_name_and_its_payload():
    frames = codec.encode(m.Action(session="secret", request=7, name="run", payload=b'{"n": 1}'))
    (line,) = describe(frames, is_from_kernel=False)
    session = name_session("secret")
    assert line == f"action session={session} request=7 name='run' payload={{\"n\": 1}}"


def test_neither_the_token_nor_a_sessions_id_is_shown():
    lines = from_kernel(*codec.encode(m.Hello(token="a-token", language="x", library="y")))
    lines += from_kernel(pack("done", "an-id", 7), b"")
    assert lines[0] == "hello version=1 token=… language='x' library='y' capabilities=[]"
    assert "an-id" not in lines[1]
    assert name_session("an-id") == name_session("an-id") != name_session("another")


@pytest.mark.parametrize(
    ("frames", "line"),
    [
        ([], "unreadable: no frames"),
        ([b"\xc1", b"12"], "unreadable: 2 frames (1, 2 bytes)"),
        ([b"x"] * 9, "unreadable: 9 frames (1, 1, 1, 1, 1, 1, 1, 1, … bytes)"),
        ([pack()], "unreadable: 1 frames (1 bytes)"),
        ([pack("later", None, None, 1), b""], "later field 4=1"),
        ([pack("pong", None, None, 1, "more"), b""], "pong number=1 field 5='more'"),
        ([pack("emit"), b""], "emit"),
        ([pack(b"done", b"s", "7"), b""], "b'done' session=bin 043a71 request='7'"),
        (
            [pack("emit", None, 7, "x"), b"\xff"],
            "emit request=7 signal='x' payload=b'\\xff' (not UTF-8)",
        ),
        (
            [pack("emit", None, 7, "x"), b"1", b"23"],
            "emit request=7 signal='x' payload=1 and 1 frames (2 bytes)",
        ),
    ],
)
def test_what_is_not_as_specified_is_shown_as_far_as_it_goes(frames, line):
    assert from_kernel(*frames) == [line]


def test_what_is_long_is_shown_by_its_size():
    (line,) = from_kernel(pack("emit", None, 7, "x" * 1000), b"1" * 1000)
    assert "… (1002 characters)" in line
    assert line.endswith("payload=(1000 bytes)")
    (line,) = from_kernel(pack("emit", None, 7, "x"), b"1" * SHOWN_CHARACTERS)
    assert line.endswith("payload=" + "1" * SHOWN_CHARACTERS)


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (b'{\n  "n": 1\r\n}', '{   "n": 1 }'),
        (b'"\x1b[2J"', "b'\"\\x1b[2J\"' (not printable)"),
        ('"\u202e\u2028"'.encode(), "b'\"\\xe2\\x80\\xae\\xe2\\x80\\xa8\"' (not printable)"),
        ('"ä"'.encode(), '"ä"'),
    ],
)
def test_a_payload_is_shown_on_one_line_with_all_that_is_in_it(payload, shown):
    assert from_kernel(pack("emit", None, 7, "x"), payload) == [
        f"emit request=7 signal='x' payload={shown}"
    ]


def test_what_is_in_a_batch_has_lines_of_its_own():
    inner = [[pack("emit", None, 7, "x"), b"1"], [pack("done", None, 7), b""]]
    first, *lines = from_kernel(*codec.join_batch(inner))
    assert first.startswith("batch payload=(")
    assert lines == ["  in it: emit request=7 signal='x' payload=1", "  in it: done request=7"]
    (_, line) = from_kernel(pack("batch", None, None), b"\xc0")
    assert line.startswith("  in it: batch: ")


@pytest.mark.parametrize(
    "frames",
    [
        [pack("k" * 10**6, None, None), b""],
        [pack("later", None, None, *[0] * 10**6), b""],
        [b"\xdd\x00\x20\x00\x00" + bytes(2**21), b""],  # a header over the limit
        [pack("done\nforged", "x" * 10**6, "y" * 10**6), b""],
        [pack(["a"] * 10**5, None, None), b""],
    ],
    ids=["kind", "fields", "header", "names", "no kind"],
)
def test_a_line_is_short_whatever_the_kernel_sends(frames):
    (line,) = from_kernel(*frames)
    assert len(line) < 1000
    assert "\n" not in line


def test_a_batch_has_a_bounded_number_of_lines_and_none_within():
    inner = [[pack("done", None, 7), b""]] * 1000
    lines = from_kernel(*codec.join_batch(inner))
    assert len(lines) == 102
    assert lines[-1] == "  in it: 900 more messages"
    frames = codec.join_batch([[b"x"]])
    for _ in range(2000):
        frames = codec.join_batch([frames])
    assert len(from_kernel(*frames)) == 2
