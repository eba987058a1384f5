"""Which bytes are one JSON value: no more than the standard's reader takes, and no less."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from databench.protocol import jsontext

GOOD = [
    *["1", "-0", "-0.0", "1e5", "1E+5", "1.5e-10", "1e999", "-1e999", "1e-999999", "0.1e1"],
    *[str(10**400), f"{10**400}.5", "1.0000000000000000000000000000000000000000000001"],
    *["true", "false", "null", "[]", "{}", "[1, 2]", '{"a":1,"a":2}', " 1 ", "\t[1]\r\n"],
    *['""', '"a"', r'"\/"', r'"é"', '"é"', '"\x7f"', '"\u2028"', '"😀"', r'"\ud83d\ude00"'],
    *[r'"\ud800"', r'"\uDC00"', r'{"\udfff":[1]}', r'"\ud800\ud800x"', r'"\\ud800"'],
    "[" * 200 + "]" * 200,
]
BAD = [
    *["", " ", '0},{"a":1', '0},"x":{"a":1', "1 2", "1,2", "NaN", "Infinity", "-Infinity", "-"],
    *["01", "-01", "00", "-00", "1.", ".5", "-.5", "+1", "1e", "1e+", "0e", "--1", "1.e5", "1..2"],
    *["1e5.5", "1e5e", "12a", "0x10", "1_000", "[01]", "[-]", "[1.]", "[.1]", "[1e]", "[NaN]"],
    *["[+1]", "[1ee5]", "[12a]", '{"a":01}', "tru", "truee", "[tru]", "[nulll]", "nul", "null,"],
    *['"', '"a', r'"\x"', r'"\u12"', r'"\u12g4"', r'"\ud8zz"', '"\n"', '"\t"', '"\0"', '"\x1f"'],
    *["'a'", "[1,]", '{"a":1,}', "{,}", "[,1]", "{a:1}", '{"a" 1}', '{"a":}', "{1:2}", "[1 2]"],
    *["[1", '{"a":1', "[1}", '{"a":1]', '{"a":1 "b":2}', '"a"b', "[]]", "{}}", "1\0", "\0"],
    *["\ufeff1", "/*c*/1", "1//c", "\x0b1", "\xa01", "[\xa01]"],
    *[r'"\ud800', r'"\ud800"},"x":"\ud800"'],
]
NO_UTF8 = [  # and the place of the first byte that is none
    *[(b"\xff", 0), (b'"\xff"', 1), (b'"\xed\xa0\x80"', 1), (b'"\xc0\x80"', 1)],
    *[(b'{"\xff":1}', 2), (b'"\xe2\x82"', 1), (b'"\xf4\x90\x80\x80"', 1), (b'"\x80"', 1)],
    (b'["a","\xfe"]', 6),
]


def read(text):
    """What RFC 8259 says, by another reader."""

    def refuse(word):
        raise ValueError(word)

    return json.loads(text.decode(), parse_constant=refuse, parse_int=str, parse_float=str)


@pytest.mark.parametrize("text", GOOD)
def test_one_value_is_taken(text):
    read(text.encode())
    assert jsontext.find_problem(text.encode()) == ""


@pytest.mark.parametrize("text", BAD)
def test_what_is_not_one_value_is_refused(text):
    with pytest.raises((ValueError, RecursionError)):
        read(text.encode())
    assert "not one JSON value" in jsontext.find_problem(text.encode())


@pytest.mark.parametrize(("payload", "place"), NO_UTF8)
def test_what_is_no_utf8_is_refused_as_that(payload, place):
    assert jsontext.find_problem(payload) == f"not valid UTF-8 (byte {place})"


def test_what_is_nested_deeper_than_the_scan_goes_is_refused():
    assert jsontext.find_problem(b"[" * 10**6 + b"]" * 10**6) == "nested too deeply"
    assert jsontext.find_problem(b'{"a":' * 10**6) == "nested too deeply"


def test_a_traceback_is_a_string():
    assert jsontext.find_string_problem(b' "trace"') == ""
    assert jsontext.find_string_problem(b'{"a":1}') == "not a JSON string"
    assert "not one JSON value" in jsontext.find_string_problem(b'"a","x":1')
    assert jsontext.find_string_problem(b'"\xff"') == "not valid UTF-8 (byte 1)"


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)  # fmt: skip
_PIECES = st.lists(
    st.sampled_from(
        ["{", "}", "[", "]", ",", ":", '"', '"a"', "0", "1", "-", "+", ".", "e", "E", "true", "nul"]
        + ["null", " ", "\n", "\\", "\\u", "d8", "00", "\\ud800", "\\\\", "/", "N", "é", "\x1f"]
    ),
    max_size=12,
).map("".join)


@pytest.mark.slow
@given(_VALUES, st.booleans())
def test_whatever_the_standard_writer_writes_is_taken(value, is_ascii):
    text = json.dumps(value, ensure_ascii=is_ascii)
    try:
        payload = text.encode()
    except UnicodeEncodeError:
        return  # half of a pair, which has no bytes
    assert jsontext.find_problem(payload) == ""


@given(_PIECES)
@example('"\\ud800\\ud8"')
def test_the_scan_takes_what_the_standard_reader_takes(text):
    payload = text.encode()
    try:
        read(payload)
        is_json = True
    except ValueError:
        is_json = False
    assert (jsontext.find_problem(payload) == "") is is_json


@given(st.binary(max_size=40))
def test_the_scan_takes_no_bytes_that_the_standard_reader_refuses(payload):
    if jsontext.find_problem(payload) == "":
        read(payload)


@pytest.mark.parametrize(
    ("payload", "hint"),
    [
        (b"NaN", "JSON has no NaN (byte 0); send null"),
        (b'{"NaN": [1, Infinity]}', "JSON has no Infinity (byte 12); send null"),
        (b"[undefined]", "JSON has no undefined (byte 1); send null"),
        (b"\xef\xbb\xbf1", "it begins with a byte order mark; leave that out"),
        (b'"NaN" x', ""),
    ],
)
def test_the_mistakes_of_many_languages_are_named(payload, hint):
    problem = jsontext.find_problem(payload)
    assert problem.startswith(f"not one JSON value: {hint}")
    assert ("send null" in problem) == ("send null" in hint)
