"""Points and lengths of time as ISO 8601 text; pure.

A point in time reads as Python's own `datetime.isoformat()`, with more digits of a second only
where it has them. A length of time is a duration of days, hours, minutes and seconds, since those
are of fixed length: `P1DT2H3M4.5S`, and with a minus in front if it is negative.

NumPy's values are counts of a unit since 1970, or of a unit alone; they come here as arrays.
"""

from __future__ import annotations

import datetime
from typing import Any

_ATTO = 10**18
# The units of numpy's that have one length, in attoseconds.
_UNITS = {
    "W": 604_800 * _ATTO, "D": 86_400 * _ATTO, "h": 3_600 * _ATTO, "m": 60 * _ATTO, "s": _ATTO,
    "ms": 10**15, "us": 10**12, "ns": 10**9, "ps": 10**6, "fs": 10**3, "as": 1,
}  # fmt: skip
_DATES = {"Y", "M", "W", "D"}
_FULL_SECONDS = {"h", "m", "s"}


def duration(count: int, unit: str) -> str:
    """A length of time.

    Args:
        count: How many of the unit; any integer.
        unit: `W D h m s ms us ns ps fs as`, as numpy names them.
    """
    seconds, fraction = divmod(abs(count) * _UNITS[unit], _ATTO)
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3_600)
    minutes, seconds = divmod(seconds, 60)
    digits = f"{fraction:018}".rstrip("0")
    parts = [(f"{hours}H", hours), (f"{minutes}M", minutes)]
    text = "".join(part for part, number in parts if number)
    if seconds or digits:
        text += f"{seconds}.{digits}S" if digits else f"{seconds}S"
    if not text and not days:
        return "PT0S"
    sign = "-" if count < 0 else ""
    return f"{sign}P{f'{days}D' if days else ''}{f'T{text}' if text else ''}"


def duration_of(value: datetime.timedelta) -> str:
    """Python's own length of time."""
    return duration(value // datetime.timedelta(microseconds=1), "us")


def with_nanoseconds(text: str, count: int) -> str:
    """The text of a datetime with the digits behind its microseconds.

    Args:
        text: As `isoformat()` gives it, with or without microseconds and an offset.
        count: Nanoseconds, 0 to 999.
    """
    if not count:
        return text
    seconds, rest = text[:19], text[19:]
    micros, offset = (rest[:7], rest[7:]) if rest.startswith(".") else (".000000", rest)
    return f"{seconds}{micros}{count:03}{offset}"


def points(array: Any, numpy: Any) -> Any:
    """An array of numpy's `datetime64` as lists of text, with None for `NaT`."""
    unit = numpy.datetime_data(array.dtype)[0]
    if unit == "generic":
        return _nested([None] * array.size, array, numpy)
    if unit in _DATES:
        texts = numpy.datetime_as_string(array.ravel(), unit="D")
    elif unit in _FULL_SECONDS:
        texts = numpy.datetime_as_string(array.ravel(), unit="s")
    else:
        texts = numpy.datetime_as_string(array.ravel(), unit="us" if unit == "ms" else unit)
    return _nested([_trimmed(text) for text in texts.tolist()], array, numpy)


def lengths(array: Any, numpy: Any) -> Any:
    """An array of numpy's `timedelta64` as lists of text, with None for `NaT`.

    Raises:
        ValueError: Its unit has no fixed length: years, months, or none at all.
    """
    unit, step = numpy.datetime_data(array.dtype)
    flat = array.ravel()
    missing = numpy.isnat(flat)
    if unit not in _UNITS and not missing.all():
        raise ValueError(f"{unit} has no fixed length")
    pairs = zip(flat.astype("int64").tolist(), missing.tolist(), strict=True)
    return _nested([None if no else duration(n * step, unit) for n, no in pairs], array, numpy)


def _trimmed(text: str) -> str | None:
    """Six digits of a second or none, and three more at a time if it has them."""
    if text == "NaT":
        return None
    head, point, digits = text.partition(".")
    while len(digits) > 6 and digits.endswith("000"):
        digits = digits[:-3]
    return head if not digits.strip("0") else f"{head}{point}{digits}"


def _nested(items: list[Any], array: Any, numpy: Any) -> Any:
    """The items of an array in its shape."""
    if array.ndim == 0:
        return items[0]
    made = numpy.empty(len(items), dtype=object)
    made[:] = items
    return made.reshape(array.shape).tolist()
