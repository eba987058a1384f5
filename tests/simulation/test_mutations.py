"""Each mistake in `mutations` is found within the seeds that an ordinary test run tries."""

import pytest

from .mutations import MUTATIONS
from .runner import run_chunk
from .test_simulation import LEFT, SEEDS

pytestmark = [LEFT, pytest.mark.certain]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", MUTATIONS)
def test_mistake_is_found(name):
    assert run_chunk(0, SEEDS, name), f"{name}: not found in {SEEDS} seeds"
