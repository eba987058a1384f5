"""What `import databench` gives, and what it costs."""

import subprocess
import sys

import pytest

import databench

_HEAVY = ["zmq", "tornado", "asyncio", "orjson", "inspect", "databench.kernel"]


def test_every_public_name_is_there():
    for name in databench.__all__:
        assert getattr(databench, name) is not None
    assert set(databench.__all__) <= set(dir(databench))


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'databench' has no attribute 'nonsense'"):
        databench.nonsense  # noqa: B018


def test_importing_it_loads_nothing_heavy():
    code = f"import sys, databench; print([n for n in {_HEAVY!r} if n in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
