"""Forms of single types, besides those of the table in docs/reference/values.md."""

import collections
import dataclasses
import datetime
import functools

import numpy
import pytest

from databench import payload
from databench.payload.forms import NoFormError, fields_dict, form_of


@dataclasses.dataclass
class Base:
    x: int
    default: int = dataclasses.field(default=2, init=False)
    _private: int = 3
    start: dataclasses.InitVar[int] = 4

    @functools.cached_property
    def doubled(self):
        return 2 * self.x


@dataclasses.dataclass
class Derived(Base):
    y: int = 5


class Plain(Derived):
    pass


@dataclasses.dataclass
class Slotted:
    __slots__ = ("_b", "a")
    a: int
    _b: int


class Moment(datetime.datetime):
    pass


class Odd(datetime.tzinfo):
    def utcoffset(self, moment):
        return datetime.timedelta(hours=1)

    def dst(self, moment):
        return datetime.timedelta(0)


def test_a_dataclass_is_its_public_fields_and_nothing_else():
    value = Derived(1)
    value.more = 7
    assert value.doubled == 2
    assert fields_dict(value) == {"x": 1, "default": 2, "y": 5}
    for one in (value, Plain(1)):
        assert payload.encode(one) == payload.encode([one, {1: {2}}])[1:].split(b",{")[0]
    assert payload.encode(Slotted(1, 2)) == b'{"a":1}'
    gone = Base(1)
    del gone.x
    assert payload.encode([gone]) == b'[{"default":2}]'


@pytest.mark.parametrize("value", [Moment(2026, 1, 2, 3, 4, 5, 6), datetime.datetime(2026, 1, 2)])
@pytest.mark.parametrize("zone", [None, datetime.timezone.utc, Odd()])
def test_a_datetime_reads_the_same_of_any_class_and_zone(value, zone):
    value = value.replace(tzinfo=zone)
    expected = datetime.datetime.combine(value.date(), value.timetz()).isoformat()
    assert payload.decode(payload.encode([value])) == [expected]
    assert payload.decode(payload.encode({1: {value: value}})) == {"1": {expected: expected}}


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (numpy.asfortranarray([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (numpy.arange(8).reshape(2, 2, 2)[:, ::-1, 1], [[3, 1], [7, 5]]),
        (numpy.arange(3).astype(">f8")[::-1], [2.0, 1.0, 0.0]),
        (numpy.zeros((2, 0)), [[], []]),
        (numpy.ma.masked_all((1, 2)), [[None, None]]),
        (numpy.ma.masked, None),
        (numpy.array([["2026-01-02", "NaT"]], dtype="M8[D]").T, [["2026-01-02"], [None]]),
        (numpy.array([[numpy.longdouble(1.5), numpy.longdouble("inf")]]), [[1.5, None]]),
        (numpy.array([numpy.datetime64("2026-01-02")], dtype=object), ["2026-01-02"]),
        (numpy.array([(1, "2026-01-02")], dtype="i4,M8[D]"), [[1, "2026-01-02"]]),
        (numpy.array((1, 2), dtype="i4,i4"), [1, 2]),
        (numpy.array(None, dtype=object), None),
    ],
)
def test_arrays_of_any_layout(value, plain):
    assert payload.decode(payload.encode(value)) == plain
    assert payload.decode(payload.encode([value, 2**70])) == [plain, 2**70]


def test_a_long_double_has_all_of_its_digits():
    number = numpy.longdouble("3.14159265358979323846")
    text = payload.encode({"a": number})
    assert numpy.longdouble(str(payload.decode(text, exact=True)["a"])) == number


def test_an_array_that_gives_itself_is_refused():
    class Endless:
        def tolist(self):
            return Endless()

    with pytest.raises(NoFormError, match="is of type Endless"):
        form_of(Endless())
    with pytest.raises(TypeError, match=r"message\[0\] is of type Endless"):
        payload.encode([Endless()])


def test_a_mapping_that_holds_itself_is_a_circle():
    value = collections.UserDict()
    value["a"] = [value]
    with pytest.raises(TypeError, match="message\\['a'\\]\\[0\\] is message itself"):
        payload.encode(value)
