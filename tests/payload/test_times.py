"""Points and lengths of time as text."""

import datetime

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from databench.payload import times


@pytest.mark.parametrize(
    ("count", "unit", "text"),
    [
        (0, "s", "PT0S"),
        (1, "W", "P7D"),
        (90, "s", "PT1M30S"),
        (-90, "s", "-PT1M30S"),
        (25, "h", "P1DT1H"),
        (1500, "ms", "PT1.5S"),
        (1, "ns", "PT0.000000001S"),
        (1, "as", "PT0.000000000000000001S"),
        (86_400_000_001, "us", "P1DT0.000001S"),
    ],
)
def test_durations(count, unit, text):
    assert times.duration(count, unit) == text


@settings(deadline=None)
@given(st.timedeltas())
def test_durations_say_all_of_a_timedelta(value):
    text = times.duration_of(value)
    sign = -1 if text.startswith("-") else 1
    date, _, clock = text.lstrip("-P").partition("T")
    total, number = 0, ""
    for letter in date + clock:
        if letter in "DHMS":
            whole, _, digits = number.partition(".")
            micros = int(whole) * 10**6 + int(digits.ljust(6, "0") or 0)
            total += micros * {"D": 86_400, "H": 3_600, "M": 60, "S": 1}[letter]
            number = ""
        else:
            number += letter
    assert datetime.timedelta(microseconds=sign * total) == value


def test_nanoseconds_stand_behind_microseconds():
    assert times.with_nanoseconds("2026-01-02T03:04:05", 0) == "2026-01-02T03:04:05"
    assert times.with_nanoseconds("2026-01-02T03:04:05", 7) == "2026-01-02T03:04:05.000000007"
    text = "2026-01-02T03:04:05.000006+01:00"
    assert times.with_nanoseconds(text, 70) == "2026-01-02T03:04:05.000006070+01:00"


@pytest.mark.parametrize(
    ("count", "unit", "text"),
    [
        (56, "Y", "2026-01-01"),
        (1, "M", "1970-02-01"),
        (1, "W", "1970-01-08"),
        (-1, "D", "1969-12-31"),
        (1, "h", "1970-01-01T01:00:00"),
        (1, "s", "1970-01-01T00:00:01"),
        (1, "ms", "1970-01-01T00:00:00.001000"),
        (1000, "ms", "1970-01-01T00:00:01"),
        (1, "ns", "1970-01-01T00:00:00.000000001"),
        (1000, "ns", "1970-01-01T00:00:00.000001"),
        (1, "ps", "1970-01-01T00:00:00.000000000001"),
    ],
)
def test_points_of_each_unit(count, unit, text):
    array = numpy.array([[count, "NaT"]], dtype=f"M8[{unit}]")
    assert times.points(array, numpy) == [[text, None]]
    assert times.points(array[0, 0].reshape(()), numpy) == text


def test_points_and_lengths_without_a_unit_are_missing_or_refused():
    assert times.points(numpy.array(["NaT"], dtype="M8"), numpy) == [None]
    assert times.lengths(numpy.array(["NaT"], dtype="m8"), numpy) == [None]
    for unit in ("[Y]", "[M]", ""):
        with pytest.raises(ValueError, match="no fixed length"):
            times.lengths(numpy.array([1], dtype=f"m8{unit}"), numpy)


def test_lengths_of_steps_and_of_no_dimensions():
    assert times.lengths(numpy.array([[1], [-2]], dtype="m8[15m]"), numpy) == [
        ["PT15M"],
        ["-PT30M"],
    ]
    assert times.lengths(numpy.array(1, dtype="m8[s]"), numpy) == "PT1S"
    assert times.lengths(numpy.zeros((0, 2), dtype="m8[s]"), numpy) == []
