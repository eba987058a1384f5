"""Actions: arguments, order, ends, errors, log lines and progress."""

from __future__ import annotations

import json

from ...protocol import messages as m
from ..bench import Bench
from ..case import ConformanceError, MissingPartError, Topic
from ..checks import check_echo, check_value
from ..front import PlayedFront, load

TOPIC = Topic("actions")
_ORDERED = 50


@TOPIC.case("no-argument", "runs an action without an argument, and ends it without a result", "4")
def no_argument(bench: Bench) -> None:
    """Empty payloads, both ways."""
    front = bench.front
    end, before = front.call(front.open(), "nothing")
    emits = [message for message in before if isinstance(message, m.Emit)]
    if [(emit.signal, emit.payload) for emit in emits] != [("nothing", b"")]:
        raise ConformanceError("the action 'nothing' emits 'nothing' once, without a message")
    if end.payload not in (b"", b"null"):
        raise ConformanceError(f"the result of 'nothing' is {end.payload[:80]!r}, not empty")


@TOPIC.case("list-argument", "takes a list as positional arguments", "4.1")
def list_argument(bench: Bench) -> None:
    """`add(a, b)`."""
    front = bench.front
    end, _before = front.call(front.open(), "add", [3, -10])
    check_value(end.payload, -7, "result of 'add' with [3, -10]")


@TOPIC.case("object-argument", "takes an object as named arguments", "4.1")
def object_argument(bench: Bench) -> None:
    """In any order."""
    front = bench.front
    end, _before = front.call(front.open(), "add", {"b": 4, "a": 3})
    check_value(end.payload, 7, 'result of \'add\' with {"b": 4, "a": 3}')


@TOPIC.case("process-id", "ignores the key __process_id of an object", "4.1")
def process_id(bench: Bench) -> None:
    """The page's number of the request."""
    front = bench.front
    end, _before = front.call(front.open(), "add", {"a": 3, "__process_id": 7, "b": 4})
    check_value(end.payload, 7, "result of 'add' beside __process_id")


@TOPIC.case("one-argument", "takes any other value as the only argument", "4.1")
def one_argument(bench: Bench) -> None:
    """A number, as it stands."""
    front = bench.front
    end, _before = front.call(front.open(), "echo", payload=b"3")
    check_value(end.payload, [3], "result of 'echo' with 3")


@TOPIC.case("wrong-argument", "ends an action whose arguments do not fit with error", "4.4")
def wrong_argument(bench: Bench) -> None:
    """And lives on."""
    front = bench.front
    session = front.open()
    for payload in (b'["x", [], {}, null]', b'{"c": 1}'):
        end, _before = front.end(front.ask(session, "add", payload=payload))
        if not isinstance(end, m.Error):
            raise ConformanceError(f"'add' with {payload.decode()} ended with {end.KIND}")
    check_echo(front, session, "still there")


@TOPIC.case("error", "ends an action that fails with error and its text", "4.2")
def error(bench: Bench) -> None:
    """And lives on."""
    front = bench.front
    session = front.open()
    found = _fail(front, session)
    if not found.type:
        raise ConformanceError("error: type is empty; send the exception's name")
    if "the pot is empty" not in found.text:
        raise ConformanceError(f"error: text is {found.text!r}, without the exception's own")
    check_echo(front, session, "still there")


@TOPIC.case("traceback", "sends the traceback as a JSON string", "3, 4.2")
def traceback(bench: Bench) -> None:
    """Optional; its form is seen to in every case."""
    front = bench.front
    found = _fail(front, front.open())
    if not found.payload:
        raise MissingPartError("the kernel sends no tracebacks")
    if not load(found.payload, "traceback"):
        raise ConformanceError("error: the traceback is an empty string; send no payload instead")


def _fail(front: PlayedFront, session: str) -> m.Error:
    end, _before = front.end(front.ask(session, "fail", ["the pot is empty"]))
    if not isinstance(end, m.Error):
        raise ConformanceError(f"the action 'fail' ended with {end.KIND}, not with error")
    return end


@TOPIC.case("order", "starts a session's actions in the order in which they come", "4.4")
def order(bench: Bench) -> None:
    """Many at once."""
    front = bench.front
    session = front.open()
    numbers = [front.ask(session, "echo", [n]) for n in range(_ORDERED)]
    found = []
    for _ in numbers:
        emit = front.expect(m.Emit, "signal 'echo'")
        found.append(json.loads(emit.payload))
    if found != list(range(_ORDERED)):
        raise ConformanceError(f"{_ORDERED} actions were asked for in order, and ran as {found}")
    for number in numbers:
        front.end(number)


@TOPIC.case("one-end", "ends each request exactly once", "4.4")
def one_end(bench: Bench) -> None:
    """Ends of every kind; the ledger sees a second one."""
    front = bench.front
    session = front.open()
    numbers = []
    for _ in range(5):
        numbers.append(front.ask(session, "nothing"))
        numbers.append(front.ask(session, "fail", ["no"]))
        numbers.append(front.ask(session, "echo", [1]))
        numbers.append(front.ask(session, "no_such_action"))
    for number in numbers:
        front.end(number)
    front.rest(0.1)


@TOPIC.case("log", "sends log lines of three levels", "4.2", optional=("log",))
def log(bench: Bench) -> None:
    """They name their request or none."""
    front = bench.front
    session = front.open()
    _end, before = front.call(session, "log", ["a line"])
    lines = []
    for line in (message for message in before if isinstance(message, m.Log)):
        check_value(line.payload, "a line", f"{line.level} line")
        lines.append(line.level)
    if lines != ["log", "warn", "error"]:
        raise ConformanceError(f"levels are {lines}, expected log, warn, error")


@TOPIC.case("progress", "reports the progress of a request", "4.2", optional=("progress",))
def progress(bench: Bench) -> None:
    """Never back, and never past the total."""
    front = bench.front
    _end, before = front.call(front.open(), "progress", [4])
    steps = [message for message in before if isinstance(message, m.Progress)]
    if not steps:
        raise ConformanceError("the action 'progress' sent no progress before its end")
    values = [step.value for step in steps]
    if values != sorted(values) or values[-1] > 4:
        raise ConformanceError(f"progress is {values}, expected to rise to 4 at most")
    if {step.total for step in steps} != {4}:
        raise ConformanceError(f"totals are {[step.total for step in steps]}, expected 4")
