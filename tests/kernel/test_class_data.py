"""Atomic changes of shared values, against a broker that answers as it likes."""

import json

import pytest

from databench.protocol import messages as m
from tests.kernel.harness import Front, value

pytestmark = pytest.mark.process

SOURCE = """
    import databench

    class Demo(databench.Analysis):
        @databench.on
        async def count(self):
            return await self.class_data.change('n', lambda n: (n or 0) + 1)

        @databench.on
        async def count_state(self):
            await self.set_class_state(lambda state: {'n': state.get('n', 0) + 1})

        @databench.on
        def count_plain(self):
            self.set_class_state(lambda state: {'n': state.get('n', 0) + 1})
            return self.class_data['n']

        @databench.on
        def count_generator(self):
            yield self.set_class_state(lambda state: {'n': state.get('n', 0) + 1})

        @databench.on
        def delete(self):
            self.class_data['n'] = 5
            del self.class_data['n']

        @databench.on
        def keys(self):
            return self.class_data.keys()

        @databench.on
        async def bad(self):
            await self.class_data.change('n', lambda n: 1 / 0)
"""


@pytest.fixture
def front():
    with Front(SOURCE) as front:
        yield front


def answer(front, n, version, *, accepted=True, own=True):
    front.send(
        m.SetState(
            scope="class_data",
            key="n",
            version=version,
            own=own,
            accepted=accepted,
            payload=json.dumps(n).encode(),
        )
    )


@pytest.mark.parametrize("action", ["count", "count_state", "count_plain", "count_generator"])
def test_a_change_names_the_version_it_replaces_and_is_tried_again(front, action):
    session = front.open()
    number = front.action(session, action)
    state = front.expect(m.StateChange)
    assert (state.scope, state.base, value(state)) == ("class_data", 0, 1)
    answer(front, 41, 7, accepted=False)
    state = front.expect(m.StateChange)
    assert (state.base, value(state)) == (7, 42)
    answer(front, 42, 8)
    end, _ = front.end(number)
    assert type(end) is m.Done
    if action in ("count", "count_plain"):
        assert value(end) == 42


def test_two_changes_at_once_are_told_apart_by_their_order(front):
    session = front.open()
    numbers = [front.action(session, "count") for _ in range(2)]
    assert [front.expect(m.StateChange).base for _ in range(2)] == [0, 0]
    answer(front, 1, 1)
    answer(front, 1, 1, accepted=False)
    assert value(front.end(numbers[0])[0]) == 1
    state = front.expect(m.StateChange)
    assert (state.base, value(state)) == (1, 2)
    answer(front, 2, 2)
    assert value(front.end(numbers[1])[0]) == 2


def test_a_function_that_fails_changes_nothing(front):
    end, before = front.run(front.open(), "bad")
    assert (type(end), end.type, before) == (m.Error, "ZeroDivisionError", [])


def test_what_is_deleted_here_does_not_come_back_and_is_null_elsewhere(front):
    session = front.open()
    front.run(session, "delete")
    assert [value(front.expect(m.StateChange)) for _ in range(2)] == [5, None]
    answer(front, 5, 1)
    answer(front, None, 2)
    assert value(front.run(session, "keys")[0]) == []
    answer(front, None, 3, own=False)
    assert value(front.run(session, "keys")[0]) == ["n"]
