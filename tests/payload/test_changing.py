"""Compare and set: computed again from the value of that moment, a bounded number of times."""

import asyncio
import json

import pytest

from databench.errors import DatabenchError
from databench.payload import changing


class Value:
    """A value with its version; `others` write to it before each of our first writes."""

    def __init__(self, value, others=()):
        self.version, self.value, self.others = 0 if value is None else 1, value, list(others)

    def read(self):
        return self.version, self.value

    async def write(self, encoded, base):
        if self.others:
            self.version, self.value = self.version + 1, self.others.pop(0)
        if base != self.version:
            return False
        self.version, self.value = self.version + 1, json.loads(encoded)
        return True


def change(value, function):
    return asyncio.run(changing.change("n", function, read=value.read, write=value.write))


def test_a_new_value_is_made_of_none():
    value = Value(None)
    assert change(value, lambda old: [old]) == [None]
    assert (value.version, value.value) == (1, [None])


def test_a_write_that_came_too_late_is_computed_again():
    value, seen = Value(1, others=[10, 20]), []

    def add(old):
        seen.append(old)
        return old + 1

    assert change(value, add) == 21
    assert (value.value, seen) == (21, [1, 10, 20])


def test_a_value_that_always_changes_is_given_up():
    value, seen = Value(0, others=range(changing.ATTEMPTS)), []
    with pytest.raises(DatabenchError, match=r"'n' was changed by others 1000 times"):
        change(value, seen.append)
    assert len(seen) == changing.ATTEMPTS
    assert value.value == changing.ATTEMPTS - 1  # that of the others stands


def test_a_value_without_a_json_form_is_not_written():
    value = Value(1)
    with pytest.raises(TypeError, match="'n'"):
        change(value, lambda _old: object())
    assert value.value == 1
