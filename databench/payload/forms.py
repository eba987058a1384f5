"""Other forms for values that the fast encoder does not write itself.

Owns which types can be sent, in addition to those of JSON, and the form of each:
docs/reference/values.md has the table. It refuses values that have several meanings (tables), none
(functions), or no form in JSON yet (bytes).

It looks for NumPy, pandas and polars among the modules that user code has imported, and never
imports them itself.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import functools
import math
import sys
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import orjson

from .times import duration, duration_of, lengths, points, with_nanoseconds

Form = Callable[[Any], Any]
_NUMBERS = "biuf"  # kinds of numpy's numbers that orjson writes
_WIDEST_BYTES = 8
_SERIALIZE_NUMPY = orjson.OPT_SERIALIZE_NUMPY


class NoFormError(TypeError):
    """A value that can't be sent.

    Args:
        text: The problem; follows its place.
        hint: How to convert it, an expression with `…` for the value; without one, a sentence.
    """

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.text = text
        self.hint = f"Convert it first, for example with `{hint}`." if "…" in hint else hint
        # The steps from the value to its place, the last one first.
        self.steps: list[str] = []


def form_of(value: Any) -> Any:
    """A form of the value that the encoder writes, or that it asks for again.

    Raises:
        NoFormError: There is none.
    """
    kind: Any = type(value)
    return _form_for(kind)(value)


@functools.lru_cache(maxsize=1024)
def fields_of(kind: type) -> tuple[str, ...] | None:
    """The names of a dataclass' public fields; None for any other class."""
    if not dataclasses.is_dataclass(kind):
        return None
    names = (field.name for field in dataclasses.fields(kind))
    return tuple(name for name in names if not name.startswith("_"))


def fields_dict(value: Any) -> dict[str, Any]:
    """The public fields of a dataclass; those that were deleted are left out."""
    kind: Any = type(value)
    names = fields_of(kind) or ()
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


@functools.lru_cache(maxsize=1024)
def _form_for(kind: Any) -> Form:
    for find in (_own_form, _numpy_form, _pandas_form, _polars_form, _other_form):
        form = find(kind)
        if form is not None:
            return form
    return _refuse


# -- Python's own


def _own_form(kind: type) -> Form | None:
    for base, form in _OWN.items():
        if issubclass(kind, base):
            return form
    return fields_dict if fields_of(kind) is not None else None


def _refuse_bytes(value: Any) -> Any:
    raise NoFormError(_is_of_type(value), "base64.b64encode(…).decode()")


def _refuse_complex(value: Any) -> Any:
    raise NoFormError(_is_of_type(value), "[….real, ….imag]")


def _moment(value: Any) -> str | None:
    """A subclass of datetime, such as a Timestamp of pandas."""
    if value != value:  # NaT shows that it is a datetime
        return None
    plain = datetime.datetime.combine(value.date(), value.timetz())
    try:
        text = str(orjson.loads(orjson.dumps(plain)))
    except TypeError:  # a kind of time zone that orjson does not know
        text = plain.isoformat()
    return with_nanoseconds(text, int(getattr(value, "nanosecond", 0)))


def _timedelta(value: Any) -> str:
    exact = getattr(value, "to_timedelta64", None)  # pandas has nanoseconds
    return str(form_of(exact())) if exact is not None else duration_of(value)


def _decimal(value: Decimal) -> Any:
    return _number(Decimal.__str__(value)) if value.is_finite() else None


def _number(text: str) -> orjson.Fragment:
    """A number in exactly these digits."""
    return orjson.Fragment(text)


_OWN: dict[type, Form] = {
    bytes: _refuse_bytes,
    bytearray: _refuse_bytes,
    memoryview: _refuse_bytes,
    float: float.__float__,
    complex: _refuse_complex,
    Decimal: _decimal,
    datetime.datetime: _moment,
    datetime.date: lambda value: datetime.date(value.year, value.month, value.day),
    datetime.timedelta: _timedelta,
    uuid.UUID: lambda value: uuid.UUID(int=value.int),
    set: list,
    frozenset: list,
    tuple: list,
}


# -- NumPy


def _numpy_form(kind: type) -> Form | None:
    numpy: Any = sys.modules.get("numpy")
    if numpy is None or not hasattr(numpy, "ndarray"):
        return None
    if issubclass(kind, numpy.ma.MaskedArray):
        return functools.partial(_masked, numpy)
    if issubclass(kind, numpy.ndarray | numpy.generic):
        return functools.partial(_array, numpy)
    return None


def _array(numpy: Any, value: Any) -> Any:
    """An array, or a scalar as an array without dimensions."""
    kind = value.dtype.kind
    if kind in _NUMBERS and value.dtype.itemsize <= _WIDEST_BYTES:
        if isinstance(value, numpy.generic):
            return orjson.Fragment(orjson.dumps(value, None, _SERIALIZE_NUMPY))
        if value.ndim == 0:
            return value[()]
        plain = numpy.ascontiguousarray(value, dtype=value.dtype.newbyteorder("="))
        return orjson.Fragment(orjson.dumps(plain, None, _SERIALIZE_NUMPY))
    if kind == "V" and value.dtype.names:
        is_one = isinstance(value, numpy.generic)
        return [value[name] for name in value.dtype.names] if is_one else _rows(value)
    array = numpy.asarray(value)
    if kind == "M":
        return points(array, numpy)
    if kind == "m":
        return _lengths(array, numpy)
    if kind == "f":
        return _long_doubles(array)
    if kind == "c":
        _refuse_complex(value)
    if kind in "UTO":
        return array.tolist()
    return _refuse_bytes(value)


def _lengths(array: Any, numpy: Any) -> Any:
    try:
        return lengths(array, numpy)
    except ValueError:
        unit = {"Y": "years", "M": "months"}.get(numpy.datetime_data(array.dtype)[0], "no unit")
        text = f"is of type timedelta64 in {unit} and can't be sent as JSON"
        raise NoFormError(text, "….astype(int)") from None


def _long_doubles(array: Any) -> Any:
    if array.ndim:
        return _rows(array)
    number = array[()]
    return _number(str(number)) if math.isfinite(number) else None


def _rows(array: Any) -> Any:
    return list(array) if array.ndim else array[()]


def _masked(numpy: Any, value: Any) -> Any:
    if value.ndim == 0:
        return None if value is numpy.ma.masked or bool(value.mask) else value.data[()]
    return list(value)


# -- pandas and polars


def _pandas_form(kind: type) -> Form | None:
    pandas: Any = sys.modules.get("pandas")
    if pandas is None or not hasattr(pandas, "DataFrame"):
        return None
    if issubclass(kind, pandas.DataFrame):
        return _refuse_frame("….to_dict('list')")
    if kind is type(pandas.NA):
        return lambda value: None
    if issubclass(kind, pandas.Series | pandas.Index | pandas.api.extensions.ExtensionArray):
        return _pandas_values
    return None


def _pandas_values(values: Any) -> Any:
    """NumPy's array if it is one inside, which is quicker; else what an iteration gives."""
    kind = getattr(values.dtype, "kind", "O")
    is_plain = type(values.dtype).__module__.startswith("numpy")
    return values.to_numpy() if is_plain and kind in _NUMBERS + "Mm" else list(values)


def _polars_form(kind: type) -> Form | None:
    polars: Any = sys.modules.get("polars")
    if polars is None or not hasattr(polars, "Series"):
        return None
    if issubclass(kind, polars.DataFrame):
        return _refuse_frame("….to_dict(as_series=False)")
    if issubclass(kind, polars.LazyFrame):
        return _refuse_frame("….collect().to_dict(as_series=False)")
    if issubclass(kind, polars.Series):
        return functools.partial(_polars_series, polars)
    return None


def _refuse_frame(hint: str) -> Form:
    def refuse(value: Any) -> Any:
        raise NoFormError(_is_of_type(value), hint)

    return refuse


def _polars_series(polars: Any, series: Any) -> list[Any]:
    """Its values; those times whose nanoseconds Python's own types would lose, as text."""
    dtype, values = series.dtype, series.to_list()
    if getattr(dtype, "time_unit", None) == "ns":
        if isinstance(dtype, polars.Duration):
            counts = series.dt.total_nanoseconds().to_list()
            return [None if n is None else duration(n, "ns") for n in counts]
        counts = series.dt.nanosecond().to_list()
        pairs = zip(values, counts, strict=True)
        return [None if v is None else _with_rest(v, n % 1000) for v, n in pairs]
    return list(values)


def _with_rest(value: datetime.datetime, nanoseconds: int) -> Any:
    return with_nanoseconds(str(_moment(value)), nanoseconds)


# -- all others


def _other_form(kind: type) -> Form | None:
    if issubclass(kind, Mapping):
        return lambda value: dict(value.items())
    if callable(getattr(kind, "tolist", None)):
        return _tolist
    return None


def _tolist(value: Any) -> Any:
    """Arrays of other libraries, and Python's own `array.array`."""
    made = value.tolist()
    return _refuse(value) if type(made) is type(value) else made


def _refuse(value: Any) -> Any:
    raise NoFormError(_is_of_type(value), _hint(value))


def _is_of_type(value: Any) -> str:
    kind = type(value).__name__
    if kind == "ndarray":
        kind += f" of {value.dtype.name}"
    return f"is of type {kind} and can't be sent as JSON"


def _hint(value: Any) -> str:
    kind: Any = type(value)
    plain: Any = object.__str__
    if hasattr(kind, "__float__"):
        return "float(…)"
    if hasattr(kind, "__index__"):
        return "int(…)"
    if issubclass(kind, collections.abc.Iterable) and kind.__str__ is plain:
        return "list(…)"
    if hasattr(kind, "__fspath__") or kind.__str__ is not plain:
        return "str(…)"
    if getattr(value, "__dict__", None) and not callable(value):
        return "vars(…)"
    return "str(…)"
