"""Every attack in a small form: what it does not change. What it costs others: `make attack`."""

import pytest

from .__main__ import attack_once
from .attacks import ATTACKS

GROWN_MIB = 150  # of the server's memory, in the small form


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_the_server_is_what_it_was_after(attack):
    figures = await attack_once(attack, seconds=1.0, scale=0.1)
    assert figures["grown_mib"] < GROWN_MIB, figures
