"""What the simulated worlds leave behind is collected where it is expected."""

import gc

import pytest


@pytest.fixture(autouse=True)
def collect():
    """Reports coroutines that a world had begun here, and not in some later test."""
    yield
    gc.collect()
