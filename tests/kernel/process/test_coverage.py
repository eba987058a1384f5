"""A kernel's part of `--coverage`: written at its end, where it is asked for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
CODE = "from databench.kernel.process import coverage\ncoverage.begin()\nimport colorsys\n"


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("asked", [True, False])
def test_it_is_written_where_it_is_asked_for(tmp_path, asked):
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    if asked:
        environ["DATABENCH_COVERAGE"] = str(tmp_path / "data")
    subprocess.run([sys.executable, "-c", CODE], env=environ, check=True, cwd=tmp_path)
    assert len(list(tmp_path.glob("data.*"))) == (1 if asked else 0)
