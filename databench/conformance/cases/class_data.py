"""Values that all sessions share: `class_data`, with versions (docs/protocol.md, 4.1 and 6)."""

from __future__ import annotations

import json
from typing import Any

from ...protocol import messages as m
from ..bench import Bench
from ..case import ConformanceError, Topic
from ..checks import check_value
from ..front import PlayedFront
from ..values import find_difference

_WRITES = 5
# The cases share a kernel, so each has a key of its own.
TOPIC = Topic("class-data")


@TOPIC.case(
    "class-welcome", "gets values of class_data with welcome", "4.1", optional=("get_class",)
)
def class_welcome(bench: Bench) -> None:
    """They are there before the first session."""
    front = bench.start(class_values={"x": b'{"n":1}', "y": b"[2]"})
    session = front.open()
    _check_get(front, session, "x", {"n": 1})
    _check_get(front, session, "y", [2])


@TOPIC.case("class-foreign", "takes values that others wrote", "4.1", optional=("get_class",))
def class_foreign(bench: Bench) -> None:
    """By another kernel of the same analysis."""
    front = bench.front
    session = front.open()
    for version, value in ((1, "old"), (5, "new")):
        _tell(front, "foreign", version, value, own=False)
    _check_get(front, session, "foreign", "new")


@TOPIC.case(
    "class-set",
    "writes a value of class_data without a session",
    "4.2",
    optional=("set_class", "get_class"),
)
def class_set(bench: Bench) -> None:
    """And reads it after the answer."""
    front = bench.front
    session = front.open()
    number = front.ask(session, "set_class", ["set", {"n": 1}])
    change = _expect_write(front, number, "set_class", "set")
    check_value(change.payload, {"n": 1}, "state of the key")
    if change.base is not None:
        raise ConformanceError(f"base is {change.base}; 'set_class' writes in any case: nil")
    _tell(front, "set", 1, {"n": 1})
    front.done(number, "set_class")
    _check_get(front, session, "set", {"n": 1})


@TOPIC.case(
    "class-many-writes",
    "ends with the latest of many writes, and keeps it meanwhile",
    "6",
    optional=("set_class", "get_class"),
)
def class_many_writes(bench: Bench) -> None:
    """All asked for before the first is answered; the kernel may leave out what is in between."""
    front = bench.front
    session = front.open()
    for value in range(_WRITES):
        number = front.ask(session, "set_class", ["many-writes", value])
    for version in range(1, _WRITES + 1):
        written = json.loads(_expect_write(front, number, "set_class", "many-writes").payload)
        _tell(front, "many-writes", version, written)
        # An answer to an older write says nothing of the latest one.
        _check_get(front, session, "many-writes", _WRITES - 1)
        if written == _WRITES - 1:
            return
    raise ConformanceError(f"{_WRITES} writes came, and none of them of the latest value")


@TOPIC.case(
    "class-own-wins",
    "ignores others' values of a key while its own write is under way",
    "6",
    optional=("set_class", "get_class"),
)
def class_own_wins(bench: Bench) -> None:
    """The answer to its own write is the newer one."""
    front = bench.front
    session = front.open()
    number = front.ask(session, "set_class", ["own-wins", "own"])
    _expect_write(front, number, "set_class", "own-wins")
    _tell(front, "own-wins", 1, "foreign", own=False)
    _tell(front, "own-wins", 2, "own")
    _check_get(front, session, "own-wins", "own")


@TOPIC.case(
    "class-compare",
    "names the version that a write replaces, and tries again if it is refused",
    "4.2",
    optional=("add_class", "get_class"),
)
def class_compare(bench: Bench) -> None:
    """Compare and set: no addition is lost."""
    front = bench.front
    session = front.open()
    _tell(front, "compare", 3, 10, own=False)
    number = front.ask(session, "add_class", ["compare", 5])
    _check_write(_expect_write(front, number, "add_class", "compare"), 3, 15)
    _tell(front, "compare", 4, 20, accepted=False)
    _check_write(_expect_write(front, number, "add_class", "compare"), 4, 25)
    _tell(front, "compare", 5, 25)
    front.done(number, "add_class")
    _check_get(front, session, "compare", 25)


@TOPIC.case(
    "class-new", "names the version 0 for a key that is new", "4.2", optional=("add_class",)
)
def class_new(bench: Bench) -> None:
    """Compare and set without a value."""
    front = bench.front
    number = front.ask(front.open(), "add_class", ["new", 5])
    _check_write(_expect_write(front, number, "add_class", "new"), 0, 5)
    _tell(front, "new", 1, 5)
    front.done(number, "add_class")


def _expect_write(front: PlayedFront, number: int, name: str, key: str) -> m.StateChange:
    return front.expect_of(
        number,
        name,
        m.StateChange,
        f"state of class_data {key!r}",
        lambda change: change.scope == "class_data" and change.key == key,
    )


def _check_write(change: m.StateChange, base: int, value: Any) -> None:
    check_value(change.payload, value, f"state of {change.key!r}")
    if change.base != base:
        raise ConformanceError(f"base is {change.base}, expected the current version {base}")


def _tell(
    front: PlayedFront,
    key: str,
    version: int,
    value: Any,
    *,
    own: bool = True,
    accepted: bool = True,
) -> None:
    front.send(
        m.SetState(
            key=key,
            version=version,
            own=own,
            accepted=accepted,
            payload=json.dumps(value).encode(),
        )
    )


def _check_get(front: PlayedFront, session: str, key: str, value: Any) -> None:
    difference = find_difference(front.result(session, "get_class", [key]), [value])
    if difference:
        raise ConformanceError(f"class_data {key!r} {difference}")
