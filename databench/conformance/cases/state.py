"""State of a session: `data` (docs/protocol.md, 4.2 and 7.2)."""

from __future__ import annotations

from ...protocol import messages as m
from ..bench import Bench
from ..case import ConformanceError, Topic
from ..checks import check_value
from ..front import PlayedFront
from ..values import find_difference

TOPIC = Topic("state")
_VALUE = {"n": [1, 2.5, "ü"], "on": True}


@TOPIC.case("state-set", "sends a changed value of data", "4.2", optional=("set",))
def state_set(bench: Bench) -> None:
    """Before the end of the action that changed it."""
    front = bench.front
    session = front.open()
    change = _set(front, session, "x", _VALUE)
    if change.scope != "data" or change.key != "x":
        raise ConformanceError(f"state of {change.scope} {change.key!r}, expected data 'x'")
    check_value(change.payload, _VALUE, "state of 'x'")


def _set(front: PlayedFront, session: str, key: str, value: object) -> m.StateChange:
    _end, before = front.call(session, "set", [key, value])
    changes = [message for message in before if isinstance(message, m.StateChange)]
    if changes:
        return changes[-1]
    raise ConformanceError("the action 'set' ended, and no state came before its end")


@TOPIC.case("state-get", "keeps values of data", "4.2", optional=("set", "get"))
def state_get(bench: Bench) -> None:
    """The last one counts; others are as they were."""
    front = bench.front
    session = front.open()
    for key, value in (("x", 1), ("y", _VALUE), ("x", 2)):
        _set(front, session, key, value)
    _check_get(front, session, {"x": 2, "y": _VALUE, "z": None})


@TOPIC.case("state-apart", "keeps data of each session apart", "4.2", optional=("set", "get"))
def state_apart(bench: Bench) -> None:
    """Two at once."""
    front = bench.front
    first, second = front.open(), front.open()
    _set(front, first, "x", "first")
    _check_get(front, second, {"x": None})
    _check_get(front, first, {"x": "first"})


@TOPIC.case("state-restore", "gets data back with open", "4.1, 7.2", optional=("get",))
def state_restore(bench: Bench) -> None:
    """After a crash, for example."""
    front = bench.front
    data = {"x": b'{"n":[1,2.5,"\xc3\xbc"],"on":true}', "empty": b"null", "y": b"7"}
    session = front.open(restored="the suite says so", data=data)
    _check_get(front, session, {"x": _VALUE, "y": 7, "empty": None})


def _check_get(front: PlayedFront, session: str, expected: dict[str, object]) -> None:
    for key, value in expected.items():
        difference = find_difference(front.result(session, "get", [key]), [value])
        if difference:
            raise ConformanceError(f"data {key!r} {difference}")


@TOPIC.case(
    "open-fields", "gives its analysis what open and welcome bring", "4.1", optional=("describe",)
)
def open_fields(bench: Bench) -> None:
    """`cli_args`, `request_args` and `restored`."""
    front = bench.start(cli_args=["--size", "3", "ü"])
    session = front.open(request_args="?a=1&b=%C3%BC", restored="the suite says so")
    expected = {
        "cli_args": ["--size", "3", "ü"],
        "request_args": {"a": ["1"], "b": ["ü"]},
        "restored": "the suite says so",
    }
    difference = find_difference(front.result(session, "describe"), expected)
    if difference:
        raise ConformanceError(f"the result of 'describe' {difference}")
    found = front.result(front.open(), "describe")
    difference = find_difference(found, {**expected, "request_args": {}, "restored": None})
    if difference:
        raise ConformanceError(f"in a new session, the result of 'describe' {difference}")
