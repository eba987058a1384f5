"""Each row of docs/reference/values.md is true, wherever the value stands."""

import contextlib
import importlib
import json
import subprocess
import sys

import pytest

from databench import payload
from databench.datastore import Datastore
from docs.values_table import REFUSED, SENT, Row, value_of

# What the fast encoder does not write, in a value and as a key.
_SLOW = [2**70, {1: 2}]


@pytest.fixture(scope="module", autouse=True)
def libraries():
    """Imported before the first test: polars leaves a variable in the environment."""
    for name in ("numpy", "pandas", "polars"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _load(row: Row):
    if row.needs:
        pytest.importorskip(row.needs)
    return value_of(row.source)


def _plain(row: Row):
    """What state gives back."""
    return json.loads(row.sent) if row.back is None else value_of(row.back)


def _text(text: str) -> bytes:
    """A row's JSON text as bytes, with lone surrogates escaped."""
    return text.encode("utf-8")


rows = pytest.mark.parametrize("row", SENT, ids=lambda row: f"{row.needs}{row.source}")
refused = pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.source)


@rows
def test_a_value_is_sent_alone_in_a_list_and_beside_what_is_slow(row):
    value, sent = _load(row), _text(row.sent)
    slow = payload.encode(_SLOW)[1:-1]
    assert payload.encode(value) == sent
    assert payload.encode([value, (value,)]) == b"[" + sent + b",[" + sent + b"]]"
    assert payload.encode({"a": value}) == b'{"a":' + sent + b"}"
    assert payload.encode([value, *_SLOW]) == b"[" + sent + b"," + slow + b"]"
    assert payload.encode({1: {"a": {2: value}}}) == b'{"1":{"a":{"2":' + sent + b"}}}"


def _sliced(row: Row, value):
    """The value, or several of it, as a slice with a step, and how many there are."""
    if row.needs == "numpy":
        numpy = sys.modules["numpy"]
        stack = numpy.ma.stack if isinstance(value, numpy.ma.MaskedArray) else numpy.stack
        return stack([value] * 4)[::2], 2
    if row.needs == "pandas" and not hasattr(value, "repeat"):
        return sys.modules["pandas"].Series([value] * 4)[::2], 2
    if row.needs == "pandas":
        return value.repeat(2)[::2], None
    if row.needs == "polars":
        return value.gather([i // 2 for i in range(2 * len(value))])[::2], None
    return ([value] * 4)[::2], 2


@rows
def test_a_slice_is_sent_as_its_items_are(row):
    value, count = _sliced(row, _load(row))
    sent = _text(row.sent)
    expected = sent if count is None else b"[" + b",".join([sent] * count) + b"]"
    assert payload.encode(value) == expected
    assert payload.encode([value, 2**70]) == b"[" + expected + b",1180591620717411303424]"


@rows
def test_state_gives_a_value_back_and_again_after_it_was_stored(row):
    value, plain = _load(row), _plain(row)
    store = Datastore(f"table {row.source}", release_storage=True)
    for kept in (value, [value], {"a": value}, [value, *_SLOW]):
        store["k"] = kept
        encoded = store.get_encoded("k")
        first = store["k"]
        store.restore("k", encoded)
        assert store["k"] == first
        assert payload.encode(store["k"]) == payload.encode(first)
    store["k"] = value
    assert store["k"] == plain
    assert type(store["k"]) is type(plain)
    store.close()


@rows
def test_a_key_is_the_text_of_its_value_or_refused(row):
    value = _load(row)
    try:
        hash(value)
    except TypeError:
        assert row.key is None
        return
    if row.key is None:
        with pytest.raises(TypeError, match=r"message\['a'\] has the key .* can't be sent as JSON"):
            payload.encode({"a": {value: 1}})
        return
    assert payload.decode(payload.encode({value: 1})) == {row.key: 1}
    assert payload.decode(payload.encode({"x": 0, value: [value]})) == {
        "x": 0,
        row.key: [json.loads(row.sent)],
    }


@rows
def test_a_key_that_falls_together_with_its_text_is_refused(row):
    value = _load(row)
    if row.key is None or value is row.key or (isinstance(value, str) and value == row.key):
        return
    with pytest.raises(TypeError) as caught:
        payload.encode([{value: 1, row.key: 2}])
    words = str(caught.value)
    assert words.startswith("message[0] has the keys ")
    assert repr(row.key)[:40] in words
    assert repr(value)[:40] in words
    assert "one value would be lost" in words


@refused
def test_what_is_refused_is_named_with_its_place_and_how_to_convert_it(row):
    value = _load(row)
    for kept, place in [
        (value, "value['k']"),
        ([1, value], "value['k'][1]"),
        ({"a": [0, {"b": (value,)}]}, "value['k']['a'][1]['b'][0]"),
        ({1: 2**70, "x": value}, "value['k']['x']"),
    ]:
        with pytest.raises(TypeError) as caught:
            payload.encode(kept, name="value", key="k")
        text = str(caught.value)
        assert text.startswith(f"{place} is "), text
        assert text.endswith(
            f"can't be sent as JSON. Convert it first, for example with `{row.hint}`."
        )


def test_no_library_is_imported_that_the_person_has_not():
    script = (
        "import sys, databench, datetime, decimal\n"
        "from databench import payload\n"
        "payload.clone([decimal.Decimal(1), datetime.timedelta(1), {1: {2}}])\n"
        "try: payload.encode(object())\n"
        "except TypeError: pass\n"
        "print(sorted({'numpy', 'pandas', 'polars'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
