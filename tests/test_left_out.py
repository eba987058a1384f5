"""A run says what it left out."""

import subprocess
import sys

import pytest

from tests.left_out import name_kind, tell

_INNER = """
import pytest

def test_fast(): pass

@pytest.mark.slow
def test_slow(): pass

@pytest.mark.slow
@pytest.mark.process
def test_slow_process(): pass

@pytest.mark.browser
@pytest.mark.slow
def test_page(): pass

@pytest.mark.bench
def test_figures(): pass
"""
_FAST = ["-m", "not slow and not browser and not process and not bench"]
_LEFT = "left out: 1 test in a browser, 2 that start processes or are slow; make test runs all"


@pytest.mark.parametrize(
    ("marks", "kind"),
    [
        ([], "other"),
        (["asyncio"], "other"),
        (["slow"], "heavy"),
        (["process", "slow"], "heavy"),
        (["slow", "browser"], "browser"),
        (["bench", "slow"], None),
    ],
)
def test_kind_of_a_test_is_that_of_its_marks(marks, kind):
    assert name_kind(marks) == kind


@pytest.mark.parametrize(
    ("counts", "files", "line"),
    [
        ({}, 0, ""),
        (
            {"heavy": 1203, "browser": 103},
            0,
            "left out: 103 tests in a browser, 1,203 that start processes or are slow; "
            "make test runs all",
        ),
        (
            {"heavy": 1},
            1,
            "left out: 1 test that start processes or are slow, 1 file of tests; "
            "make test runs all",
        ),
        ({}, 300, "left out: 300 files of tests; make test runs all"),
    ],
)
def test_line_names_each_kind_with_its_count(counts, files, line):
    assert tell(counts, files) == line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "line"),
    [
        ([], None),
        (_FAST, _LEFT),
        (
            [*_FAST, "-n", "2"],
            "left out: 1 test in a browser, 2 that start processes or are slow; ",
        ),
        (["test_inner.py"], "left out: 1 file of tests; "),
        (["test_inner.py::test_fast", "test_other.py"], None),
        (
            ["-k", "fast"],
            "left out: 1 test in a browser, 2 that start processes or are slow, 1 of other",
        ),
    ],
)
def test_a_run_ends_with_what_it_left_out(command, line, tmp_path, repository, monkeypatch):
    (tmp_path / "test_inner.py").write_text(_INNER)
    (tmp_path / "test_other.py").write_text("def test_other(): pass")
    marks = ["slow", "process", "browser", "bench"]
    lines = ["[pytest]", "testpaths = .", "markers =", *(f"    {mark}" for mark in marks)]
    (tmp_path / "pytest.ini").write_text("\n".join(lines))
    monkeypatch.setenv("PYTHONPATH", str(repository))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # they take most of the time
    monkeypatch.setenv("PYTEST_PLUGINS", "xdist.plugin")
    start = [sys.executable, "-m", "pytest", "-p", "tests.left_out", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*start, *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    if line is None:
        assert "left out" not in run.stdout
    else:
        assert line in run.stdout
