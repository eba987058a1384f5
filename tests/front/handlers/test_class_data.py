"""`class_data` for handlers: what is read, what is set, and what is refused."""

import pytest

from databench.broker.stores.class_data import ClassData as Store
from databench.errors import DatabenchError
from databench.front.handlers.class_data import HandlerClassData


class Values:
    """The broker's side, of one analysis; `faster` is what a kernel writes in between."""

    def __init__(self):
        self.stores = Store(2**20)
        self.faster = []

    def values(self, analysis):
        assert analysis == "x"
        return iter(self.stores)

    def get(self, analysis, key):
        assert analysis == "x"
        return self.stores.get(key)

    def write(self, analysis, key, encoded, *, base):
        assert analysis == "x"
        if self.faster:
            value = self.faster.pop()
            self.stores.write(key, value, value, base=None)
        return self.stores.write(key, encoded, encoded, base=base)


@pytest.fixture
def values():
    return Values()


@pytest.fixture
def class_data(values):
    return HandlerClassData(values, "x")


async def test_awaited_it_is_a_dict_of_all(class_data):
    assert await class_data == {}
    await class_data.set("k", [1, {"a": None}])
    assert (await class_data)["k"] == [1, {"a": None}]
    with pytest.raises(KeyError):
        (await class_data)["gone"]


async def test_what_is_read_is_a_copy(class_data):
    await class_data.set("k", [1])
    (await class_data)["k"].append(2)
    (await class_data.get("k")).append(3)
    assert await class_data.get("k") == [1]


async def test_get_has_a_default(class_data):
    assert await class_data.get("k") is None
    assert await class_data.get("k", 5) == 5
    await class_data.set("k", None)
    assert await class_data.get("k", 5) is None


async def test_several_are_set_also_by_a_function_of_all(class_data):
    await class_data.set_state({"a": 1}, b=2)
    await class_data.set_state(lambda state: {"a": state["a"] + state["b"]})
    assert await class_data == {"a": 3, "b": 2}


async def test_a_change_loses_no_other(class_data, values):
    values.faster = [b"10", b"5"]
    assert await class_data.change("k", lambda value: (value or 0) + 1) == 11
    assert await class_data.get("k") == 11


async def test_a_change_that_is_always_too_late_ends(class_data, values):
    values.faster = [b"%d" % number for number in range(2000)]
    with pytest.raises(DatabenchError, match="was changed by others 1000 times, limit 1000"):
        await class_data.change("k", lambda value: 1)


@pytest.mark.parametrize("key", [1, None, "\ud800"])
async def test_a_key_that_is_no_text_is_refused(class_data, key):
    with pytest.raises(TypeError, match="expected text; not stored"):
        await class_data.set(key, 1)
    assert await class_data == {}


async def test_a_value_without_a_json_form_is_refused(class_data):
    with pytest.raises(TypeError, match=r"value\['k'\] is of type object and can't"):
        await class_data.set("k", object())
    assert await class_data == {}
