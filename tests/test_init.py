"""What `import databench` gives, and what it costs."""

import subprocess
import sys

import pytest

import databench


def test_every_public_name_is_there():
    assert [name for name in databench.__all__ if not hasattr(databench, name)] == []
    assert set(databench.__all__) <= set(dir(databench))


@pytest.mark.parametrize("name", ["http", "testing", "utils"])
def test_a_public_module_is_reached_without_importing_it(name):
    assert getattr(databench, name).__name__ == f"databench.{name}"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = databench.no_such_name


def test_importing_it_loads_nothing_heavy():
    heavy = ["zmq", "tornado", "asyncio", "orjson", "inspect", "databench.kernel"]
    code = f"import sys, databench; print([n for n in {heavy!r} if n in sys.modules])"
    # -S: what an editable install brings at every start is not ours.
    found = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.parametrize("name", ["__version__", "Analysis"])
def test_import_in_a_kernel_brings_no_server(name):
    code = f"import sys, databench; databench.{name}; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    heavy = {"tornado", "zmq", "databench.front", "databench.broker", "markdown_it"}
    assert heavy & set(result.stdout.split()) == set()
