"""The table of layouts fits the messages, in both directions."""

import dataclasses

import pytest

from databench.protocol import layouts
from databench.protocol import messages as m


def test_every_message_has_its_layout_in_its_direction():
    assert tuple(layout.message for layout in layouts.TO_KERNEL_LAYOUTS) == m.TO_KERNEL
    assert tuple(layout.message for layout in layouts.FROM_KERNEL_LAYOUTS) == m.FROM_KERNEL


@pytest.mark.parametrize(
    "layout",
    layouts.TO_KERNEL_LAYOUTS + layouts.FROM_KERNEL_LAYOUTS,
    ids=lambda layout: layout.message.__name__,
)
def test_layout_names_the_fields_of_its_message_in_their_order(layout):
    names = [name for name, _ in layout.tail]
    names += ["payload"] * layout.payload + ["further"] * bool(layout.further)
    fields = [field.name for field in dataclasses.fields(layout.message)]
    assert fields == ["session", "request", *names]
