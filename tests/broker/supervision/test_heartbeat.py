"""Pings and the answers that do not come."""

from databench.broker.supervision.heartbeat import Heartbeat
from databench.settings import Settings

LIMITS = Settings(ping_interval_s=2.0, ping_missed=3)


def test_silence_is_counted_from_the_first_unanswered_ping():
    sent = []
    heartbeat = Heartbeat(LIMITS, sent.append)
    for expected_s in (0.0, 2.0, 4.0):
        heartbeat.beat(0.0)
        assert (heartbeat.silent_s, heartbeat.is_silent) == (expected_s, False)
    heartbeat.beat(0.0)
    assert (heartbeat.silent_s, heartbeat.is_silent) == (6.0, True)
    assert len(set(sent)) == 4


def test_only_the_number_of_the_last_ping_is_an_answer_and_nobody_can_guess_it():
    sent = []
    heartbeat = Heartbeat(LIMITS, sent.append)
    assert not heartbeat.is_answer(-1 % 2**53)
    heartbeat.beat(0.0)
    assert heartbeat.is_answer(sent[0])
    heartbeat.beat(0.0)
    assert not heartbeat.is_answer(sent[0])
    assert heartbeat.is_answer(sent[1])
    assert not heartbeat.is_answer(sent[1] + 1)
    assert max(sent) > 2**32  # of 2 ** 53, but for a chance of one in 4e12


def test_anything_that_is_heard_ends_the_silence():
    heartbeat = Heartbeat(LIMITS, lambda _number: None)
    for _ in range(5):
        heartbeat.beat(0.0)
    assert heartbeat.is_silent
    heartbeat.hear()
    heartbeat.beat(0.0)
    assert (heartbeat.silent_s, heartbeat.is_silent) == (0.0, False)


def test_time_that_the_machine_slept_is_no_silence():
    heartbeat = Heartbeat(LIMITS, lambda _number: None)
    for _ in range(4):
        heartbeat.beat(0.0)
    heartbeat.beat(2.1)
    assert heartbeat.silent_s == 0.0


def test_what_was_heard_is_said_once():
    heartbeat = Heartbeat(LIMITS, lambda _number: None)
    heartbeat.hear()
    assert heartbeat.take_heard()
    assert not heartbeat.take_heard()
    heartbeat.hear()
    assert heartbeat.take_heard()
