"""The slow writer: keys, places, circles and depth."""

import dataclasses
import enum
import sys

import pytest

from databench.payload.writer import write


@dataclasses.dataclass
class Node:
    x: object = None
    _parent: object = None


class Empty(enum.Enum):
    PAIR = (1, 2)


def _error(value) -> str:
    with pytest.raises(TypeError) as caught:
        write(value, "value")
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([], b"[]"),
        ({}, b"{}"),
        ((), b"[]"),
        ({1: [], 2: {}, None: [None]}, b'{"1":[],"2":{},"null":[null]}'),
        (2**64, b"18446744073709551616"),
        ("a\ud800", b'"a\\ud800"'),
        ({"\ud800": 1}, b'{"\\ud800":1}'),
        ([Node({1}, None)], b'[{"x":[1]}]'),
        ({1: Empty.PAIR}, b'{"1":[1,2]}'),
    ],
)
def test_text_of_plain_values(value, text):
    assert write(value, "value") == text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({1: "a", "1": "b"}, "value has the keys 1 and '1', and both are sent as '1'"),
        ([{True: 1, "true": 2}], "value[0] has the keys True and 'true'"),
        ({"a": {2.0: 1, "2.0": 2}}, "value['a'] has the keys 2.0 and '2.0'"),
        (
            {float("nan"): 1, None: 2},
            "value has the keys nan and None, and both are sent as 'null'",
        ),
        ({"x": {"y" * 100: 1, 1: {b"k": 1}}}, "value['x'][1] has the key b'k' of type bytes"),
        ({Node: 1}, "of type type, which can't be sent as JSON"),
        ({frozenset(): 1}, "value has the key frozenset() of type frozenset"),
        ({Empty.PAIR: 1}, "value has the key <Empty.PAIR: (1, 2)> of type Empty"),
        ({1: Node([Node(10**5000)])}, "value[1].x[0].x is an integer of more than 4,300 digits"),
    ],
)
def test_the_place_is_named(value, words):
    assert words in _error(value)


def test_a_circle_is_named_as_one_with_its_origin():
    value: dict = {"a": [1, Node()]}
    value["a"][1].x = value["a"]
    text = "value['a'][1].x is value['a'] itself, a circular reference that can't be sent as JSON."
    assert text in _error(value)
    value["a"][1].x = value
    assert "value['a'][1].x is value itself" in _error(value)
    endless: list = []
    endless.append(endless)
    assert "value[0] is value itself" in _error(endless)
    parent = Node()
    parent.x = [Node(_parent=parent)]
    assert write([parent], "value") == b'[{"x":[{"x":null}]}]'


def test_the_same_object_twice_is_no_circle():
    shared = [{1}]
    assert write({"a": shared, "b": [shared, shared]}, "v") == b'{"a":[[1]],"b":[[[1]],[[1]]]}'


def _nested(depth: int, value: object = 1) -> object:
    for _ in range(depth):
        value = [value]
    return value


def test_as_deep_as_the_fast_encoder_and_no_deeper():
    assert write(_nested(254), "value") == b"[" * 254 + b"1" + b"]" * 254
    text = _error(_nested(255))
    assert "… is nested too deep" not in text  # the path is shortened in its middle
    assert "is nested too deep to be sent as JSON; the limit is 254 levels" in text
    assert text.startswith("value[0][0]")
    assert len(text) < 400


def test_little_room_on_the_stack_is_the_same_error():
    def deeper(left: int) -> str:
        return deeper(left - 1) if left else _error(_nested(250))

    room = sys.getrecursionlimit() - len(_frames()) - 300
    assert "is nested too deep" in deeper(room)


def _frames() -> list:
    frame, found = sys._getframe(), []
    while frame is not None:
        found.append(frame)
        frame = frame.f_back
    return found
