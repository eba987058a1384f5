"""The list of messages: complete, each kind once, and growing only at the end."""

import ast
import dataclasses
from pathlib import Path

import pytest

from databench.protocol import messages as m


@pytest.mark.parametrize("direction", [m.TO_KERNEL, m.FROM_KERNEL], ids=["to", "from"])
def test_each_kind_means_one_message_in_a_direction(direction):
    kinds = [message.KIND for message in direction]
    assert len(kinds) == len(set(kinds))
    assert all(kind.isalpha() and kind.islower() for kind in kinds)


def test_every_message_of_the_module_is_in_a_direction():
    made = {
        value
        for value in vars(m).values()
        if isinstance(value, type) and issubclass(value, m.Message) and value is not m.Message
    }
    assert made == set(m.TO_KERNEL) | set(m.FROM_KERNEL)


def test_kinds_are_those_of_version_one():
    # A kind that is renamed breaks every kernel that is out there.
    assert m.PROTOCOL_VERSION == 1
    assert " ".join(message.KIND for message in m.TO_KERNEL) == (
        "welcome reject open action cancel close state credit ping shutdown"
    )
    assert " ".join(message.KIND for message in m.FROM_KERNEL) == (
        "hello opened emit state log done error cancelled progress pong bye sources actions "
        "idempotent batch"
    )


def test_ends_are_the_three_that_end_a_request():
    assert [message.KIND for message in m.ENDS] == ["done", "error", "cancelled"]


@pytest.mark.parametrize("message", m.TO_KERNEL + m.FROM_KERNEL, ids=lambda kind: kind.__name__)
def test_every_message_can_be_made_of_its_defaults(message):
    made = message()
    assert (made.session, made.request) == (None, None)
    names = [field.name for field in dataclasses.fields(made)]
    assert names[:2] == ["session", "request"]
    # The payload and the frames behind it come last: they are no part of the header.
    tail = [name for name in names if name in ("payload", "further")]
    assert names[len(names) - len(tail) :] == tail


PACKAGE = Path(m.__file__).resolve().parents[1]
SOURCES = [*PACKAGE.rglob("*.py"), *Path(__file__).resolve().parents[1].rglob("*.py")]


def find_positional(text):
    """The lines that make a message of `messages as m` and do not name each field."""
    names = {message.__name__ for message in m.TO_KERNEL + m.FROM_KERNEL}
    return [
        node.lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and (node.func.value.id, node.func.attr in names) == ("m", True)
        and node.args
    ]


@pytest.mark.slow
def test_messages_are_made_with_the_names_of_their_fields():
    assert find_positional("m.Emit('s', 1)\nm.Emit(signal='x')\nother.Emit(1)\n") == [1]
    found = {path.name: find_positional(path.read_text()) for path in SOURCES}
    assert {name: lines for name, lines in found.items() if lines} == {}
