"""Payloads: every shape of a JSON value survives the way there and back."""

from __future__ import annotations

from ..bench import Bench
from ..case import Topic
from ..checks import check_echo, check_value
from ..values import nest

TOPIC = Topic("payloads")
_LARGE = 2**20
_DEEP = 100
_VALUES = (None, True, False, 0, -1, 7, 2**53, 1.5, -2.5e-7, 1e300, "", "text")
_TEXTS = (
    "größer · π ≈ 3",
    "日本語",
    "🙂👩‍🔬",
    "\x00\x1f\u2028\u2029",
    "</script>'\"\\/",
    "a\nb\tc",
)


@TOPIC.case("scalars", "keeps null, booleans, numbers and strings", "3")
def scalars(bench: Bench) -> None:
    """One after another."""
    front = bench.front
    session = front.open()
    for value in _VALUES:
        check_echo(front, session, value)


@TOPIC.case("containers", "keeps lists and objects, also empty ones", "3")
def containers(bench: Bench) -> None:
    """Nested, and with any key."""
    front = bench.front
    session = front.open()
    values: tuple[object, ...] = ([], {}, [[]], [1, [2, {"a": [None]}]], {"": 1, "ä b": {"1": {}}})
    for value in values:
        check_echo(front, session, value)


@TOPIC.case("unicode", "keeps any character", "3")
def unicode(bench: Bench) -> None:
    """UTF-8, not escapes."""
    front = bench.front
    session = front.open()
    for value in _TEXTS:
        check_echo(front, session, value)


@TOPIC.case("large", "keeps a value of 1 MiB", "3")
def large(bench: Bench) -> None:
    """One string."""
    check_echo(bench.front, bench.front.open(), "0123456789abcdef" * (_LARGE // 16))


@TOPIC.case("deep", f"keeps a value that is nested {_DEEP} levels deep", "3")
def deep(bench: Bench) -> None:
    """Lists and objects by turns."""
    check_echo(bench.front, bench.front.open(), nest(_DEEP - 1))


@TOPIC.case(
    "not-a-number",
    "sends null for NaN and infinities, which JSON does not have",
    "3",
    optional=("not_a_number",),
)
def not_a_number(bench: Bench) -> None:
    """As its language computes them."""
    front = bench.front
    end, _before = front.call(front.open(), "not_a_number")
    check_value(end.payload, [None, None, None], "result of 'not_a_number'")
