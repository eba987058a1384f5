"""The start: `hello`, `welcome`, `reject`, and what a kernel ignores so that the protocol grows."""

from __future__ import annotations

import os
import time

import msgpack

from ...protocol import messages as m
from ..bench import Bench
from ..case import ConformanceError, MissingPartError, Topic
from ..checks import GONE_S, check_echo
from ..front import REQUIRED

TOPIC = Topic("start")
_MANY = 2**53
_JUNK = (
    [b"\xc1junk", b""],
    [b"", b""],
    [msgpack.packb(7), b""],
    [msgpack.packb([]), b""],
    [msgpack.packb(["action"]), b""],
    [msgpack.packb(["action", 7, "x", None]), b"{"],
    [msgpack.packb(["open", None, None]), b""],
)


@TOPIC.case("hello", "connects under its routing id and sends hello with its token", "2.1, 4.2")
def hello(bench: Bench) -> None:
    """The first message."""
    found = bench.start().ledger.hello
    assert found is not None
    if not found.language or not found.library:
        raise ConformanceError("hello: language and library are for people; name both")


@TOPIC.case("reject", "exits when the front rejects it", "4.1")
def reject(bench: Bench) -> None:
    """No work for this kernel."""
    front = bench.start(greets=False)
    front.wait_hello()
    front.send(m.Reject(reason="the suite tries it"))
    limit_s = min(GONE_S, bench.limit_s)
    if not front.process.wait_exit(limit_s):
        raise ConformanceError(f"the process still runs {limit_s:g} s after reject")


@TOPIC.case("opened", "answers open with opened", "4.2")
def opened(bench: Bench) -> None:
    """The first session."""
    front = bench.front
    session = front.open()
    front.expect(m.Opened, "opened", lambda message: message.session == session)


@TOPIC.case("echo", "runs an action: its emit, then its end with the result", "4.1, 4.4")
def echo(bench: Bench) -> None:
    """The first action."""
    front = bench.front
    check_echo(front, front.open(), "hello")


@TOPIC.case("unknown-action", "ends an action that it does not have with error", "4.5")
def unknown_action(bench: Bench) -> None:
    """A name that no analysis has."""
    front = bench.front
    session = front.open()
    end, _before = front.end(front.ask(session, "no_such_action", ["x"]))
    if not isinstance(end, m.Error):
        raise ConformanceError(f"the action 'no_such_action' ended with {end.KIND}, not error")
    check_echo(front, session, "still there")


@TOPIC.case("unknown-kinds", "ignores kinds of a later version", "3, Growing")
def unknown_kinds(bench: Bench) -> None:
    """Words of tomorrow."""
    front = bench.front
    session = front.open()
    front.send_frames([msgpack.packb(["tomorrow", None, None, 1]), b""])
    front.send_frames([msgpack.packb(["later", session, 7, "x", [1]]), b"{}", b"more"])
    check_echo(front, session, "still there")


@TOPIC.case("further-fields", "ignores header fields of a later version", "3, Growing")
def further_fields(bench: Bench) -> None:
    """Longer headers, from `welcome` on."""
    front = bench.start(is_grown=True)
    session = front.open()
    front.call(session, "echo", ["x"])


@TOPIC.case("junk", "survives messages that it cannot read", "3, Growing")
def junk(bench: Bench) -> None:
    """Frames that no front sends."""
    front = bench.front
    session = front.open()
    for frames in _JUNK:
        front.send_frames(frames)
    check_echo(front, session, "still there")


@TOPIC.case("ping", "answers ping with its number", "4.2", capability="ping")
def ping(bench: Bench) -> None:
    """Also the largest number."""
    front = bench.front
    for number in (0, 12345, _MANY):
        front.send(m.Ping(number=number))
        pong = front.expect(m.Pong, f"pong to the ping {number}")
        if pong.number != number:
            raise ConformanceError(f"pong names {pong.number}, the ping was {number}")


@TOPIC.case("actions-listed", "names its actions before hello", "4.2")
def actions_listed(bench: Bench) -> None:
    """Optional; those of the analysis are among them."""
    declared = bench.front.ledger.actions
    if declared is None:
        raise MissingPartError("the kernel sends no actions, so pages may ask for any")
    missing = sorted({*REQUIRED} - {*declared.names})
    if missing:
        raise ConformanceError(f"actions does not name {', '.join(missing)}")


@TOPIC.case("idempotent", "names only actions that it has as idempotent", "4.2")
def idempotent(bench: Bench) -> None:
    """Optional."""
    ledger = bench.front.ledger
    if ledger.idempotent is None:
        raise MissingPartError("the kernel sends no idempotent")
    if ledger.actions is not None:
        unknown = sorted({*ledger.idempotent.names} - {*ledger.actions.names})
        if unknown:
            raise ConformanceError(f"idempotent names {unknown[0]!r}, which actions does not")


@TOPIC.case("sources", "names its source files with absolute paths", "4.2, 7.4")
def sources(bench: Bench) -> None:
    """Optional."""
    found = bench.front.ledger.sources
    if not found:
        raise MissingPartError("the kernel sends no sources: any file of its folder counts")
    for message in found:
        for path in message.paths:
            if not os.path.isabs(path):
                raise ConformanceError(f"sources: {path!r} is not an absolute path")
        if message.since_s is not None and message.since_s > time.time() + 1:
            raise ConformanceError(f"sources: since_s is {message.since_s}, in the future")
