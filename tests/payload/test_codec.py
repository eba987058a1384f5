"""Values as JSON text and back."""

import dataclasses
import datetime
import decimal
import enum
import json
import math
import uuid

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from databench import payload

_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(deadline=None)
@given(_PLAIN)
def test_plain_values_survive(value):
    text, copy = payload.clone(value)
    assert json.loads(text) == value
    assert copy == value
    assert payload.encode(value) == text


@dataclasses.dataclass
class Point:
    x: float
    label: object


class Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (float("nan"), None),
        ([math.inf, -math.inf, 1.5], [None, None, 1.5]),
        ({"big": 2**70, "nan": math.nan}, {"big": 2**70, "nan": None}),
        (
            {2: "a", 2.5: "b", None: "c", True: "d"},
            {"2": "a", "2.5": "b", "null": "c", "true": "d"},
        ),
        ({1}, [1]),
        ([frozenset(["x"]), (1, 2)], [["x"], [1, 2]]),
        ("\ud800", "\ud800"),
        ("é\u2028\0", "é\u2028\0"),
        (numpy.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (numpy.array([[1, 2], [3, 4]]).T, [[1, 3], [2, 4]]),
        (numpy.float32(0.5), 0.5),
        (numpy.array([1.0, numpy.nan]), [1.0, None]),
        ({"a": {numpy.int64(3)}}, {"a": [3]}),
        ({numpy.int64(3): 1}, {"3": 1}),
        (numpy.array(["a", "b"]), ["a", "b"]),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        ({1: datetime.datetime(2026, 1, 2, 3, 4, 5)}, {"1": "2026-01-02T03:04:05"}),
        ([uuid.UUID(int=1), 2**70], ["00000000-0000-0000-0000-000000000001", 2**70]),
        (Point(1.0, {2}), {"x": 1.0, "label": [2]}),
        ([Colour.RED, {1}], ["red", [1]]),
    ],
)
def test_values_have_their_json_form(value, plain):
    text, copy = payload.clone(value)
    assert json.loads(text) == plain
    assert copy == plain
    text.decode("utf-8")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (object(), "message is of type object and can't be sent as JSON. Convert it first, for"),
        ({"a": [1, {"b": b"x"}]}, "message['a'][1]['b'] is of type bytes"),
        ({(1, 2): 3}, "message has the key (1, 2) of type tuple, which can't be sent as JSON"),
        ({"a": [Point(1, {1: {object()}})]}, "message['a'][0].label[1][0] is of type object"),
        ([Point(1, object())], "message[0].label is of type object"),
        ([lambda: 1], "message[0] is of type function"),
    ],
)
def test_what_has_no_json_form_is_named_with_its_place(value, words):
    with pytest.raises(TypeError) as caught:
        payload.encode(value)
    assert words in str(caught.value)


def test_a_cancel_that_comes_while_a_value_is_converted_ends_it():
    class Cancelled(BaseException):
        pass

    class Slow:
        def tolist(self):
            raise Cancelled

    for value in (Slow(), {1: Slow()}):
        with pytest.raises(Cancelled):
            payload.encode(value)


def test_an_error_of_a_values_own_code_is_raised_as_it_is():
    class Broken:
        def tolist(self):
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        payload.encode([Broken()])


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_are_exact_from_python_to_python(number):
    text, copy = payload.clone({"a": [number]})
    for read in (copy, payload.decode(text, exact=True)):
        (again,) = read["a"]
        exact = again if isinstance(again, decimal.Decimal | int) else decimal.Decimal(repr(again))
        assert exact == number


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_stay_floats(number):
    for text in (payload.encode(number), repr(number).encode(), json.dumps(number).encode()):
        again = payload.decode(b"[%s]" % text, exact=True)[0]
        assert again == number
        assert type(again) is float


def test_what_a_page_sends_is_a_float_however_many_digits_it_has():
    assert payload.decode(b"[0.12345678901234567890]") == [0.12345678901234567890]
    assert type(payload.decode(b"0.12345678901234567890")) is float


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"1e400", math.inf),
        (b'{"n": [1180591620717411303424, -9223372036854775809]}', {"n": [2**70, -(2**63) - 1]}),
        (b'"\\ud800"', "\ud800"),
        (b' {"a": 1, "a": 2} ', {"a": 2}),
    ],
)
def test_json_of_pages_is_read(text, value):
    assert payload.decode(text) == value


@pytest.mark.parametrize("text", [b"", b"{", b"NaN", b"[Infinity]", b"\xff", b'"\xff"', b"1 2"])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError):
        payload.decode(text)
