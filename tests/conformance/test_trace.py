import msgpack

from databench.conformance.trace import describe


def test_a_message_is_one_line_with_its_header_and_its_payload():
    frames = [msgpack.packb(["done", "s", 7]), b"3.14"]
    assert describe("kernel → front", frames) == "kernel → front  ['done', 's', 7] | 3.14"


def test_a_long_payload_is_cut_and_its_size_said():
    line = describe(">", [msgpack.packb(["done", "s", 7]), b"x" * 1000, b"", b""])
    assert line.endswith("x… (1000 bytes), and 2 more")
    assert len(line) < 150


def test_the_token_is_left_out():
    frames = [msgpack.packb(["hello", None, None, 1, "secret"]), b""]
    assert "secret" not in describe(">", frames, "secret")


def test_a_header_that_is_not_msgpack_is_shown_in_hex():
    assert describe(">", [b"\xc1junk"]) == ">  not msgpack: c16a756e6b | no payload frame"


def test_bin_is_told_from_text():
    assert "b'done'" in describe(">", [msgpack.packb([b"done", "s", 7]), b""])


def test_no_line_can_move_the_terminal():
    line = describe(">", [msgpack.packb(["emit", "s", None, "x"]), b'"\x1b[2J\n\xff"'])
    assert "\x1b" not in line
    assert "\n" not in line
