"""The front's side, against the flawed kernel without a flaw."""

import json

import pytest

from databench.conformance.case import ConformanceError, MissingPartError, StartError
from databench.conformance.front import PlayedFront, load
from databench.protocol import messages as m
from tests.conformance.harness import FLAWED, START_LIMIT_S, find_kernel

pytestmark = [pytest.mark.process, pytest.mark.slow]


@pytest.fixture
def start(monkeypatch):
    started = []

    def run(flaw="", *, limit_s=20.0, **options):
        monkeypatch.setenv("FLAW", flaw)
        limits = {"limit_s": limit_s, "start_limit_s": START_LIMIT_S, **options}
        started.append(PlayedFront(find_kernel(FLAWED), **limits))
        return started[-1]

    yield run
    for front in started:
        front.close()


def test_a_call_gives_the_end_and_what_came_before_it(start):
    front = start()
    front.greet()
    end, before = front.call(front.open(), "echo", ["ü"])
    assert json.loads(end.payload) == ["ü"]
    assert [message.signal for message in before] == ["echo"]
    assert front.ledger.mistakes == []


def test_the_trace_has_both_directions_without_the_token(start):
    front = start()
    front.greet()
    front.call(front.open(), "nothing")
    text = "\n".join(front.trace)
    assert "kernel → front  ['hello', None, None, 1, '<token>'" in text
    assert "front → kernel  ['action', 'session-1', 1, 'nothing'] | empty" in text


def test_an_end_of_another_kind_is_a_failure_in_words(start):
    front = start()
    front.greet()
    with pytest.raises(ConformanceError, match="ended with error ValueError: ValueError: no, not"):
        front.call(front.open(), "fail", ["no"])


def test_an_action_that_is_not_there_is_a_missing_part(start):
    front = start()
    front.greet()
    with pytest.raises(MissingPartError, match="the kernel has no action 'fly'"):
        front.call(front.open(), "fly")


def test_a_message_that_does_not_come_is_said_with_the_limit(start):
    front = start(limit_s=0.1)
    front.greet()
    with pytest.raises(ConformanceError, match=r"no bye came within 0\.1 s"):
        front.expect(m.Bye, "bye")


def test_messages_of_other_kinds_stay_in_their_order(start):
    front = start()
    front.greet()
    session = front.open()
    numbers = [front.ask(session, "echo", [value]) for value in range(3)]
    front.expect(m.Done, "done", lambda done: done.request == numbers[-1])
    kinds = [message.KIND for message in front.rest(0)]
    assert kinds[-6:] == ["opened", "emit", "done", "emit", "done", "emit"]


def test_a_process_that_ends_is_not_waited_for(start):
    front = start("dies at start")
    with pytest.raises(StartError, match="no hello came: the process exited with status 1"):
        front.wait_hello()
    assert "no such module" in front.process.lines


def test_a_kernel_under_another_routing_id_is_said(start):
    front = start("routing id", start_limit_s=2.0)
    with pytest.raises(StartError, match="no hello came within 2 s; the routing id is "):
        front.wait_hello()


def test_the_socket_of_a_command_that_cannot_be_started_is_closed(tmp_path):
    from databench.conformance.target import Target
    from databench.errors import KernelError

    with pytest.raises(KernelError, match="cannot be started"):
        PlayedFront(Target("x", ("/none",), tmp_path, tmp_path), limit_s=1, start_limit_s=1)


def test_load_says_what_is_not_json():
    assert load(b"", "x") is None
    assert load(b"[1]", "x") == [1]
    with pytest.raises(ConformanceError, match="the x is not JSON: b'"):
        load(b"{", "x")
