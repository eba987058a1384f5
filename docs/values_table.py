"""What becomes of each type of value: the one table that docs/reference/values.md shows.

`docs/make_values.py` writes the page from it, and tests/payload/test_table.py runs each row: alone,
in a list, in a slice, as a key, beside what the fast encoder refuses, and into state and back.
"""

# ruff: noqa: F401  # the expressions of the rows use these modules

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import uuid
from typing import Any
from zoneinfo import ZoneInfo


@dataclasses.dataclass(frozen=True)
class Row:
    """One type of value.

    Attributes:
        kind: What the page calls it.
        source: An expression of such a value.
        sent: The JSON text that it becomes; None: it is refused.
        key: The text that it becomes as a key; None: it is refused as one.
        back: An expression of what state gives back; None: what JSON says.
        hint: For what is refused: how the error says to convert it.
        needs: The library that it comes from.
    """

    kind: str
    source: str
    sent: str | None = None
    key: str | None = None
    back: str | None = None
    hint: str = ""
    needs: str = ""


class Level(enum.IntEnum):
    """An enum of numbers."""

    LOW = 1


class Kind(str, enum.Enum):  # as people write it for Python 3.10
    """An enum that is text too."""

    A = "kind-a"


class Shape(enum.Enum):
    """An enum of anything."""

    PAIR = (1, 2)


@dataclasses.dataclass
class Point:
    """A dataclass with a field of its own affairs."""

    x: float
    _unit: str = "m"


Pair = collections.namedtuple("Pair", "a b")

PYTHON = [
    Row("`None`", "None", "null", "null"),
    Row("`bool`", "True", "true", "true"),
    Row("`int`", "-7", "-7", "-7"),
    Row("`int` beyond 2^53", "2**53 + 1", "9007199254740993", "9007199254740993"),
    Row("`int` beyond 64 bits", "2**70", "1180591620717411303424", "1180591620717411303424"),
    Row("`float`", "2.5", "2.5", "2.5"),
    Row("`float`, not finite", "float('nan')", "null", "null"),
    Row("`str`", "'é'", '"é"', "é"),
    Row("`str` with half of a surrogate pair", r"'\ud800'", r'"\ud800"', "\ud800"),
    Row("`list`, `tuple`", "(1, [2])", "[1,[2]]"),
    Row("named tuple", "Pair(1, 2)", "[1,2]"),
    Row("`set`, `frozenset`", "{3}", "[3]"),
    Row("`dict` and other mappings", "collections.ChainMap({'a': 1})", '{"a":1}'),
    Row("`decimal.Decimal`", "decimal.Decimal('1.10')", "1.10", "1.10", "1.1"),
    Row(
        "`decimal.Decimal` with more digits than a float",
        "decimal.Decimal('0.12345678901234567890')",
        "0.12345678901234567890",
        "0.12345678901234567890",
        "decimal.Decimal('0.12345678901234567890')",
    ),
    Row(
        "`decimal.Decimal` beyond the floats",
        "decimal.Decimal('1E+400')",
        "1E+400",
        "1E+400",
        "decimal.Decimal('1E+400')",
    ),
    Row("`decimal.Decimal`, not finite", "decimal.Decimal('NaN')", "null", "null"),
    Row("`datetime.date`", "datetime.date(2026, 1, 2)", '"2026-01-02"', "2026-01-02"),
    Row(
        "`datetime.datetime`",
        "datetime.datetime(2026, 1, 2, 3, 4, 5)",
        '"2026-01-02T03:04:05"',
        "2026-01-02T03:04:05",
    ),
    Row(
        "… with microseconds and a zone",
        "datetime.datetime(2026, 1, 2, 3, 4, 5, 600, ZoneInfo('UTC'))",
        '"2026-01-02T03:04:05.000600+00:00"',
        "2026-01-02T03:04:05.000600+00:00",
    ),
    Row("`datetime.time`", "datetime.time(3, 4)", '"03:04:00"', "03:04:00"),
    Row(
        "… with an offset",
        "datetime.time(3, 4, tzinfo=datetime.timezone.utc)",
        '"03:04:00+00:00"',
        "03:04:00+00:00",
    ),
    Row(
        "`datetime.timedelta`",
        "datetime.timedelta(days=1, hours=2, seconds=4.5)",
        '"P1DT2H4.5S"',
        "P1DT2H4.5S",
    ),
    Row("… that is negative", "datetime.timedelta(seconds=-90)", '"-PT1M30S"', "-PT1M30S"),
    Row(
        "`uuid.UUID`",
        "uuid.UUID(int=1)",
        '"00000000-0000-0000-0000-000000000001"',
        "00000000-0000-0000-0000-000000000001",
    ),
    Row("`enum.IntEnum`", "Level.LOW", "1", "1"),
    Row("`enum.Enum` that is a `str`", "Kind.A", '"kind-a"', "kind-a"),
    Row("other `enum.Enum`", "Shape.PAIR", "[1,2]"),
    Row("dataclass: its public fields", "Point(0.5)", '{"x":0.5}'),
    Row("`array.array`", "array.array('d', [0.5])", "[0.5]"),
]

NUMPY = [
    Row("`numpy.bool_`", "numpy.bool_(True)", "true", "true"),
    Row("`numpy.int64` and other integers", "numpy.int64(3)", "3", "3"),
    Row(
        "`numpy.uint64`", "numpy.uint64(2**64 - 1)", "18446744073709551615", "18446744073709551615"
    ),
    Row("`numpy.float64`", "numpy.float64(0.5)", "0.5", "0.5"),
    Row("`numpy.float64`, not finite", "numpy.float64('inf')", "null", "null"),
    Row("`numpy.float32`: its own digits", "numpy.float32(0.1)", "0.1", "0.1"),
    Row("`numpy.float16`", "numpy.float16(0.5)", "0.5", "0.5"),
    Row("`numpy.longdouble`", "numpy.longdouble(1.5)", "1.5", "1.5"),
    Row("`numpy.longdouble`, not finite", "numpy.longdouble('nan')", "null", "null"),
    Row("`numpy.str_`", "numpy.str_('a')", '"a"', "a"),
    Row(
        "`numpy.datetime64` of days", "numpy.datetime64('2026-01-02')", '"2026-01-02"', "2026-01-02"
    ),
    Row(
        "`numpy.datetime64` of seconds or less",
        "numpy.datetime64('2026-01-02T03:04:05.5')",
        '"2026-01-02T03:04:05.500000"',
        "2026-01-02T03:04:05.500000",
    ),
    Row(
        "… with nanoseconds",
        "numpy.datetime64('2026-01-02T03:04:05.000006007')",
        '"2026-01-02T03:04:05.000006007"',
        "2026-01-02T03:04:05.000006007",
    ),
    Row("`NaT`", "numpy.datetime64('NaT', 'D')", "null", "null"),
    Row("`numpy.timedelta64`", "numpy.timedelta64(90, 's')", '"PT1M30S"', "PT1M30S"),
    Row("`NaT` of it", "numpy.timedelta64('NaT', 's')", "null", "null"),
    Row("array of numbers", "numpy.array([[1, 2], [3, 4]])", "[[1,2],[3,4]]"),
    Row("array in another order of bytes", "numpy.arange(3, dtype='>i4')", "[0,1,2]"),
    Row("array without dimensions", "numpy.array(1.5)", "1.5"),
    Row("array of `float`, not all finite", "numpy.array([0.5, numpy.nan])", "[0.5,null]"),
    Row("array of `longdouble`", "numpy.array([1.5], dtype='longdouble')", "[1.5]"),
    Row("array of text", "numpy.array(['a', 'b'])", '["a","b"]'),
    Row("array of objects", "numpy.array([1, 'a', None], dtype=object)", '[1,"a",null]'),
    Row(
        "array of `datetime64`",
        "numpy.array(['2026-01-02', 'NaT'], dtype='M8[D]')",
        '["2026-01-02",null]',
    ),
    Row("array of `timedelta64`", "numpy.array([1, 'NaT'], dtype='m8[s]')", '["PT1S",null]'),
    Row("array of records", "numpy.array([(1, 0.5)], dtype='i4,f8')", "[[1,0.5]]"),
    Row("masked array", "numpy.ma.masked_array([1, 2], [False, True])", "[1,null]"),
]

PANDAS = [
    Row(
        "`pandas.Timestamp`",
        "pandas.Timestamp('2026-01-02 03:04:05')",
        '"2026-01-02T03:04:05"',
        "2026-01-02T03:04:05",
    ),
    Row(
        "… with nanoseconds and a zone",
        "pandas.Timestamp('2026-01-02 03:04:05.000006007', tz='UTC')",
        '"2026-01-02T03:04:05.000006007+00:00"',
        "2026-01-02T03:04:05.000006007+00:00",
    ),
    Row("`pandas.Timedelta`", "pandas.Timedelta('1h 30s')", '"PT1H30S"', "PT1H30S"),
    Row("`pandas.NaT`", "pandas.NaT", "null", "null"),
    Row("`pandas.NA`", "pandas.NA", "null", "null"),
    Row("`pandas.Series` of numbers", "pandas.Series([1, None])", "[1.0,null]"),
    Row("… of `Int64`", "pandas.Series([1, None], dtype='Int64')", "[1,null]"),
    Row("… of text", "pandas.Series(['a', 'b'])", '["a","b"]'),
    Row(
        "… of times",
        "pandas.Series(pandas.to_datetime(['2026-01-02', None]))",
        '["2026-01-02T00:00:00",null]',
    ),
    Row(
        "… of times with a zone",
        "pandas.Series(pandas.to_datetime(['2026-01-02', None]).tz_localize('UTC'))",
        '["2026-01-02T00:00:00+00:00",null]',
    ),
    Row("… of `timedelta`", "pandas.Series(pandas.to_timedelta(['1h', None]))", '["PT1H",null]'),
    Row("`pandas.Categorical`", "pandas.Categorical(['a', 'b'])", '["a","b"]'),
    Row("`pandas.Index`", "pandas.Index([1, 2])", "[1,2]"),
    Row("`pandas.MultiIndex`", "pandas.MultiIndex.from_tuples([(1, 'a')])", '[[1,"a"]]'),
]

POLARS = [
    Row("`polars.Series` of numbers", "polars.Series([1, None])", "[1,null]"),
    Row("… of text", "polars.Series(['a', 'b'])", '["a","b"]'),
    Row("… of `Date`", "polars.Series([datetime.date(2026, 1, 2), None])", '["2026-01-02",null]'),
    Row(
        "… of `Datetime`",
        "polars.Series([datetime.datetime(2026, 1, 2, 3, 4, 5), None])",
        '["2026-01-02T03:04:05",null]',
    ),
    Row(
        "… of `Datetime` with nanoseconds",
        "polars.Series([1_007, None]).cast(polars.Datetime('ns'))",
        '["1970-01-01T00:00:00.000001007",null]',
    ),
    Row("… of `Duration`", "polars.Series([datetime.timedelta(1), None])", '["P1D",null]'),
    Row(
        "… of `Duration` with nanoseconds",
        "polars.Series([1_007, None]).cast(polars.Duration('ns'))",
        '["PT0.000001007S",null]',
    ),
    Row("… of `Decimal`", "polars.Series([decimal.Decimal('1.10')])", "[1.10]", None, "[1.1]"),
    Row("… of `Categorical`", "polars.Series(['a'], dtype=polars.Categorical)", '["a"]'),
    Row("… of `Struct`", "polars.Series([{'a': 1}])", '[{"a":1}]'),
    Row("… of `List`", "polars.Series([[1], None])", "[[1],null]"),
]

_BASE64 = "base64.b64encode(…).decode()"
REFUSED = [
    Row("`bytes`", "b'a'", hint=_BASE64),
    Row("`bytearray`", "bytearray(b'a')", hint=_BASE64),
    Row("`memoryview`", "memoryview(b'a')", hint=_BASE64),
    Row("`complex`", "1j", hint="[….real, ….imag]"),
    Row("`range`", "range(3)", hint="list(…)"),
    Row("generator, `map`, `zip`", "(i for i in [1])", hint="list(…)"),
    Row("views of a `dict`", "{1: 2}.keys()", hint="list(…)"),
    Row("`collections.deque`", "collections.deque([1])", hint="list(…)"),
    Row("`fractions.Fraction`", "fractions.Fraction(1, 3)", hint="float(…)"),
    Row("`pathlib.Path`", "pathlib.Path('a')", hint="str(…)"),
    Row("exception", "ValueError('a')", hint="str(…)"),
    Row("other object with attributes", "types.SimpleNamespace(a=1)", hint="vars(…)"),
    Row("other object, function, class", "object()", hint="str(…)"),
    Row("`int` of more than 4,300 digits", "10**5000", hint="hex(…)"),
    Row("`numpy.bytes_`", "numpy.bytes_(b'a')", hint=_BASE64, needs="numpy"),
    Row("`numpy.complex128`", "numpy.complex128(1)", hint="[….real, ….imag]", needs="numpy"),
    Row("array of `complex`", "numpy.array([1j])", hint="[….real, ….imag]", needs="numpy"),
    Row("array of `bytes`", "numpy.array([b'a'])", hint=_BASE64, needs="numpy"),
    Row(
        "`numpy.timedelta64` of months or years",
        "numpy.timedelta64(1, 'M')",
        hint="….astype(int)",
        needs="numpy",
    ),
    Row(
        "`pandas.DataFrame`",
        "pandas.DataFrame({'a': [1]})",
        hint="….to_dict('list')",
        needs="pandas",
    ),
    Row("`pandas.Period`", "pandas.Period('2026-01')", hint="str(…)", needs="pandas"),
    Row("`pandas.Interval`", "pandas.Interval(0, 1)", hint="str(…)", needs="pandas"),
    Row(
        "`polars.DataFrame`",
        "polars.DataFrame({'a': [1]})",
        hint="….to_dict(as_series=False)",
        needs="polars",
    ),
    Row(
        "`polars.LazyFrame`",
        "polars.LazyFrame({'a': [1]})",
        hint="….collect().to_dict(as_series=False)",
        needs="polars",
    ),
]

_LIBRARIES = {"": PYTHON, "numpy": NUMPY, "pandas": PANDAS, "polars": POLARS}
# Each row with the library that it needs.
SENT = [
    dataclasses.replace(row, needs=library) for library, rows in _LIBRARIES.items() for row in rows
]


def value_of(source: str) -> Any:
    """The value of a row's expression; the libraries that it names must be there."""
    import array
    import importlib
    import pathlib
    import types

    names: dict[str, Any] = {**globals(), "array": array, "pathlib": pathlib, "types": types}
    for library in ("numpy", "pandas", "polars"):
        if library in source:
            names[library] = importlib.import_module(library)
    return eval(source, names)
