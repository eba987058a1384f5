"""`--coverage`: the front and the kernels measured, combined into one file."""

import contextlib
import os
import sqlite3
import sys

import coverage
import pytest

from databench.errors import SettingError
from databench.front.startup.coverage import measured
from tests.processes.server import Server
from tests.processes.visitor import visit

ANALYSIS = """
import databench

class X(databench.Analysis):
    @databench.on
    def used(self):
        return 1

    @databench.on
    def unused(self):
        return 2
"""


@pytest.mark.process
@pytest.mark.slow
async def test_front_and_kernel_are_measured_into_one_file(tmp_path):
    analysis = tmp_path / "analyses" / "x" / "analysis.py"
    analysis.parent.mkdir(parents=True)
    analysis.write_text(ANALYSIS)
    file = tmp_path / "out" / ".coverage"
    file.parent.mkdir()
    with Server(tmp_path / "analyses", "--coverage", str(file)) as server:
        async with visit(server.address, "x") as page:
            assert (await page.call("used"))[0] == 1
    assert list(file.parent.iterdir()) == [file]
    found = coverage.CoverageData(str(file))
    found.read()
    assert {7} <= set(found.lines(str(analysis)))
    assert 11 not in found.lines(str(analysis))
    assert any(name.endswith("front/websockets/pagesocket.py") for name in found.measured_files())


def test_without_the_package_the_error_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "coverage", None)
    error = pytest.raises(SettingError, match=r"pip install 'databench\[coverage\]'")
    with error, measured(str(tmp_path / "c")):
        raise AssertionError("nothing runs")


def test_a_file_that_cannot_be_written_is_an_error(tmp_path):
    error = pytest.raises(SettingError, match="the file cannot be written")
    with error, measured(str(tmp_path / "gone" / "c")):
        raise AssertionError("nothing runs")


def make_database(path):
    with contextlib.closing(sqlite3.connect(path)) as data:
        data.execute("CREATE TABLE state (key)")
        data.commit()


@pytest.mark.parametrize("make", [make_database, lambda path: path.write_text("my notes " * 100)])
def test_a_file_that_is_not_of_coverage_is_an_error_and_stays_as_it_is(tmp_path, make):
    file = tmp_path / "notes"
    make(file)
    before = file.read_bytes()
    error = pytest.raises(SettingError, match="notes: the file is not coverage data")
    with error, measured(str(file)):
        raise AssertionError("nothing runs")
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_of_lines_takes_no_branches(tmp_path):
    file = tmp_path / "c"
    data = coverage.CoverageData(str(file))
    data.add_lines({"earlier.py": [1]})
    data.write()
    data.close()
    error = pytest.raises(SettingError, match="holds lines, but this run measures branches")
    with error, measured(str(file)):
        raise AssertionError("nothing runs")


@pytest.mark.parametrize("runs", [0, 1])
def test_an_empty_file_and_one_of_an_earlier_run_are_added_to(tmp_path, runs):
    file = tmp_path / "c"
    file.touch()
    data = coverage.CoverageData(str(file))
    if runs:
        data.add_arcs({str(tmp_path / "earlier.py"): [(1, 2)]})
        data.write()
    data.close()
    before = {str(tmp_path / "earlier.py")} if runs else set()
    with measured(str(file)):
        SettingError("a line that runs")
    found = coverage.CoverageData(str(file))
    found.read()
    assert before < found.measured_files()


def test_without_the_option_nothing_is_measured(tmp_path):
    with measured(None):
        assert "DATABENCH_COVERAGE" not in os.environ
