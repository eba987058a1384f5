"""The rules that hold at any time, one message at a time."""

import json

import msgpack
import pytest

from databench.conformance.ledger import Ledger
from databench.protocol import codec
from databench.protocol import messages as m

WINDOW = 200
HELLO = m.Hello(token="t", language="x", library="y", capabilities=("credit", "ping"))


@pytest.fixture
def ledger():
    """A kernel with the session `s`, and its requests 1 and 2."""
    ledger = Ledger("t")
    ledger.take(codec.encode(HELLO))
    ledger.note(m.Welcome(window_bytes=WINDOW))
    ledger.note(m.Open(session="s"))
    for number in (1, 2):
        ledger.note(m.Action(session="s", request=number, name="x"))
    return ledger


def take(ledger, *messages):
    for message in messages:
        ledger.take(codec.encode(message))
    return ledger.mistakes


EMIT = m.Emit(session="s", request=1, signal="x", payload=b"1")
DONE = m.Done(session="s", request=1)


def test_a_kernel_that_keeps_the_rules_makes_no_mistake(ledger):
    messages = (
        m.Opened(session="s"),
        EMIT,
        m.Progress(session="s", request=1, value=1, total=None),
        m.StateChange(session="s", request=1, scope="data", key="k", payload=b"1"),
        m.StateChange(scope="class_data", key="k", payload=b"1"),
        DONE,
        m.Error(session="s", request=2, type="E", text="x", payload=b'"trace"'),
        m.Pong(number=1),
        m.Sources(paths=("/a",)),
        m.Bye(),
    )
    assert take(ledger, *messages) == []
    assert ledger.requests == {}


WRONG = {
    "a second end of request 1": [DONE, DONE],
    "comes after the end of request 1": [DONE, EMIT],
    "request 7 is none of session 's'": [m.Done(session="s", request=7)],
    "which is not open": [m.Emit(session="other", signal="x")],
    "payload is not one JSON value": [m.Emit(session="s", signal="x", payload=b"NaN")],
    "payload is not valid UTF-8": [m.Done(session="s", request=1, payload=b'"\xff"')],
    "payload is not a JSON string": [
        m.Error(session="s", request=1, type="E", text="x", payload=b"{}")
    ],
    "a signal that is the front's": [m.Emit(session="s", signal="__gap")],
    "scope 'data' with session None": [m.StateChange(scope="data", key="k", payload=b"1")],
    "scope 'class_data' with session 's'": [
        m.StateChange(session="s", scope="class_data", key="k", payload=b"1")
    ],
    "hello: comes a second time": [HELLO],
    "actions: comes after hello": [m.Actions()],
    "comes after bye": [m.Bye(), DONE],
}


@pytest.mark.parametrize("words", WRONG)
def test_a_mistake_is_said_with_its_section(ledger, words):
    mistakes = take(ledger, *WRONG[words])
    assert len(mistakes) == 1
    assert words in mistakes[0]
    assert "docs/protocol.md" in mistakes[0]


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ([b"\xc1junk", b""], "not valid msgpack"),
        ([msgpack.packb([b"done", "s", 1]), b""], "kind is bin"),
        ([msgpack.packb(["done", "s", "1"]), b""], "request is '1'"),
        ([msgpack.packb(["done", "s"]), b""], "header has 2 fields"),
        ([msgpack.packb(["done", "s", 1])], "one frame"),
        ([msgpack.packb(["batch", None, None]), b"\x91\x90"], "an item is empty"),
        (codec.join_batch([codec.encode(m.Actions())]), "batch: holds a actions"),
    ],
)
def test_frames_of_a_wrong_form_are_a_mistake(ledger, frames, words):
    assert ledger.take(frames) == []
    assert words in ledger.mistakes[0]


def test_a_kind_of_a_later_version_is_ignored(ledger):
    assert ledger.take([msgpack.packb(["tomorrow", "s", 1]), b""]) == []
    assert ledger.mistakes == []


@pytest.mark.parametrize(
    ("hello", "words"),
    [
        (m.Hello(token="guessed"), "the token is not the one"),
        (m.Hello(token="t", version=2), "version 2, expected 1"),
    ],
)
def test_a_wrong_hello_is_a_mistake(hello, words):
    assert words in take(Ledger("t"), hello)[0]


def test_only_what_may_come_before_hello_does():
    ledger = Ledger("t")
    assert take(ledger, m.Sources(), m.Actions(), m.Idempotent()) == []
    assert "comes before hello" in take(ledger, m.Pong())[0]


def test_messages_in_a_batch_count_like_others(ledger):
    found = ledger.take(codec.join_batch([codec.encode(EMIT), codec.encode(DONE)]))
    assert [message for message, _size in found] == [EMIT, DONE]
    assert [size for _message, size in found] == [
        sum(map(len, codec.encode(message))) for message in (EMIT, DONE)
    ]
    assert (ledger.batches, ledger.mistakes) == (1, [])


def test_one_message_may_go_below_zero_and_no_other_without_credit(ledger):
    large = m.Emit(session="s", signal="x", payload=json.dumps("x" * WINDOW).encode())
    assert take(ledger, large) == []
    assert "credit of -" in take(ledger, EMIT)[0]


def test_an_end_needs_no_credit(ledger):
    large = m.Emit(session="s", signal="x", payload=json.dumps("x" * WINDOW).encode())
    assert take(ledger, large, DONE) == []


def test_credit_that_came_back_may_be_used(ledger):
    large = m.Emit(session="s", signal="x", payload=json.dumps("x" * WINDOW).encode())
    take(ledger, large)
    ledger.note(m.Credit(session="s", size_bytes=WINDOW))
    assert take(ledger, EMIT) == []


def test_a_kernel_that_does_not_count_may_overdraw_by_a_window():
    ledger = Ledger("t")
    ledger.take(codec.encode(m.Hello(token="t")))
    ledger.note(m.Welcome(window_bytes=WINDOW))
    ledger.note(m.Open(session="s"))
    large = m.Emit(session="s", signal="x", payload=json.dumps("x" * WINDOW).encode())
    assert take(ledger, large, m.Emit(session="s", signal="x")) == []
    assert "credit of -" in take(ledger, large, large)[0]


def test_what_was_sent_before_a_close_was_read_is_no_mistake(ledger):
    ledger.note(m.Close(session="s"))
    assert take(ledger, EMIT, DONE) == []
    ledger.forget("s")
    assert "which is not open" in take(ledger, EMIT)[0]
