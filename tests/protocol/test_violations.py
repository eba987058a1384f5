"""What a message names whose author made a mistake."""

import msgpack
import pytest

from databench.protocol.violations import Names, describe_unknown, read_names


def pack(*header):
    return msgpack.packb(list(header))


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (["done", "s", 7], Names("done", "s", 7, True)),
        ([b"done", b"s", 7], Names("done", "s", 7, True)),
        (["done", "s", "7"], Names("done", "s", 7, True)),
        (["done", "s", b"7"], Names("done", "s", 7, True)),
        (["done", "s", 7.0], Names("done", "s", 7, True)),
        (["done", "s", 7.5], Names("done", "s", None, True)),
        (["done", "s", -1], Names("done", "s", None, True)),
        (["done", "s", 2**60], Names("done", "s", None, True)),
        (["done", "s", True], Names("done", "s", None, True)),
        (["done", "s", "seven"], Names("done", "s", None, True)),
        (["done", "s", [7]], Names("done", "s", None, True)),
        (["done", 5, None], Names("done", None, None, False)),
        (["done", "x" * 65, 7], Names("done", None, 7, True)),
        (["done"], Names("done", None, None, False)),
        (["x" * 1000, None, None], Names("x" * 64, None, None, False)),
        ([None, "s", 7], Names("", "s", 7, True)),
        ([], Names()),
        ({"kind": "done"}, Names()),
        ("done", Names()),
    ],
)
def test_names_are_read_leniently(header, names):
    assert read_names(msgpack.packb(header)) == names


@pytest.mark.parametrize(
    "frame", [b"", b"\xc1", b"\x93" * 500, pack("done", "s", 7)[:-1], pack("done") + b"\xc0"]
)
def test_what_is_no_header_names_nothing(frame):
    assert read_names(frame) == Names()


def test_an_extension_type_names_nothing():
    assert read_names(msgpack.packb([msgpack.ExtType(5, b"done"), "s", 7])) == Names()


@pytest.mark.parametrize(
    ("header", "is_end"),
    [
        (["done", "s", None], True),
        (["cancelled", "s", 7], True),
        (["error", "s", 7], True),
        (["error", "s", "?"], True),
        (["error", "s", None], False),  # of the session's own code
        (["emit", "s", 7], False),
        ([], False),
    ],
)
def test_what_was_to_end_a_request_is_known(header, is_end):
    assert read_names(msgpack.packb(header)).is_end is is_end


@pytest.mark.parametrize(
    ("kind", "hint"),
    [("Done", "; did you mean 'done'?"), ("helo", "; did you mean 'hello'?"), ("x" * 64, "")],
)
def test_a_kind_that_nobody_knows_may_be_a_misspelt_one(kind, hint):
    assert describe_unknown(kind) == f"this server knows no kind {kind!r}; ignored{hint}"


def test_each_problem_has_its_section():
    assert Names().section == "3"
    assert Names("emit").section == "4.2"
    assert Names("hello").section == "2.1 and 4.2"
