"""mypy --strict over a project that uses every public name."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import databench

PROJECT = Path(__file__).resolve().parent / "project"
pytestmark = [pytest.mark.slow, pytest.mark.process]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What mypy says: texts by file."""
    cache = tmp_path_factory.mktemp("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}"]
    # Databench is found by path, as an editable install is not by mypy; only the project is judged.
    command += ["--follow-imports=silent", "--python-version=3.10", "."]
    result = subprocess.run(
        command,
        cwd=PROJECT,
        env={**os.environ, "MYPYPATH": str(Path(databench.__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert result.stderr == ""
    assert (Path(databench.__file__).parent / "py.typed").is_file()
    return [line for line in result.stdout.splitlines() if ": error: " in line]


@pytest.mark.timeout(300)
def test_a_project_that_uses_every_name_is_clean(found):
    assert [line for line in found if not line.startswith("wrong.py")] == []


@pytest.mark.timeout(300)
def test_wrong_uses_are_found(found):
    lines = {int(line.split(":")[1]) for line in found if line.startswith("wrong.py")}
    text = (PROJECT / "wrong.py").read_text().splitlines()
    uses = {n for n, line in enumerate(text, 1) if line.startswith("databench.")}
    assert lines == uses


def test_every_public_name_is_used():
    text = "".join(path.read_text() for path in PROJECT.glob("*.py") if path.name != "wrong.py")
    used = set(re.findall(r"databench\.(\w+)", text))
    used |= {
        word
        for line in re.findall(r"from databench import (.*)", text)
        for word in line.split(", ")
    }
    assert set(databench.__all__) - used == set()
    assert {"testing", "utils"} <= used
