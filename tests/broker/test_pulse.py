"""Pings and the answers that do not come."""

from databench.broker.pulse import Pulse
from databench.settings import Settings

LIMITS = Settings({"ping_interval_s": 2.0, "ping_missed": 3})


def test_silence_is_counted_from_the_first_unanswered_ping():
    sent = []
    pulse = Pulse(LIMITS, sent.append)
    for expected_s in (0.0, 2.0, 4.0):
        pulse.beat(0.0)
        assert (pulse.silent_s, pulse.is_silent) == (expected_s, False)
    pulse.beat(0.0)
    assert (pulse.silent_s, pulse.is_silent) == (6.0, True)
    assert len(set(sent)) == 4


def test_only_the_number_of_the_last_ping_is_an_answer_and_nobody_can_guess_it():
    sent = []
    pulse = Pulse(LIMITS, sent.append)
    assert not pulse.is_answer(-1 % 2**53)
    pulse.beat(0.0)
    assert pulse.is_answer(sent[0])
    pulse.beat(0.0)
    assert not pulse.is_answer(sent[0])
    assert pulse.is_answer(sent[1])
    assert not pulse.is_answer(sent[1] + 1)
    assert max(sent) > 2**32  # of 2 ** 53, but for a chance of one in 4e12


def test_anything_that_is_heard_ends_the_silence():
    pulse = Pulse(LIMITS, lambda _number: None)
    for _ in range(5):
        pulse.beat(0.0)
    assert pulse.is_silent
    pulse.hear()
    pulse.beat(0.0)
    assert (pulse.silent_s, pulse.is_silent) == (0.0, False)


def test_time_that_the_machine_slept_is_no_silence():
    pulse = Pulse(LIMITS, lambda _number: None)
    for _ in range(4):
        pulse.beat(0.0)
    pulse.beat(2.1)
    assert pulse.silent_s == 0.0


def test_what_was_heard_is_said_once():
    pulse = Pulse(LIMITS, lambda _number: None)
    pulse.hear()
    assert pulse.take_heard()
    assert not pulse.take_heard()
    pulse.hear()
    assert pulse.take_heard()
