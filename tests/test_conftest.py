"""The checks of conftest.py see what they are there for."""

import pytest

from tests.conftest import _REPOSITORY

pytestmark = [pytest.mark.slow, pytest.mark.process]

_INNER = """
import logging, os, subprocess, sys, tempfile
import pytest

def test_clean():
    pass

def test_warns():
    logging.getLogger("databench.front").warning("kernel 'pi' exited")

@pytest.mark.expected_log("exited")
def test_warns_as_expected():
    logging.getLogger("databench.front").warning("kernel 'pi' exited")

@pytest.mark.expected_log("started")
def test_warns_of_something_else():
    logging.getLogger("databench.front").warning("kernel 'pi' exited")

@pytest.mark.expected_log
def test_warns_of_anything():
    logging.getLogger("databench.front").error("kernel 'pi' gave up")

def test_leaves_a_variable():
    os.environ["COVERAGE_PROCESS_START"] = "x"

@pytest.mark.process
def test_leaves_a_process():
    code = "import subprocess; subprocess.Popen(['sleep', '61'], start_new_session=True)"
    subprocess.run([sys.executable, "-c", code], check=True)

@pytest.mark.process
def test_leaves_a_folder():
    tempfile.mkdtemp(prefix="databench-")

def test_leaves_a_socket():
    import gc, socket
    socket.socket()
    gc.collect()

def test_skips():
    pytest.skip("no such thing here")

@pytest.mark.skipif(True, reason="not today")
def test_is_skipped():
    pass

@pytest.mark.xfail(reason="known")
def test_fails_as_known():
    raise AssertionError
"""

_KEEPS = """
import subprocess
import pytest

@pytest.fixture(scope="session")
def sleeper():
    subprocess.run(["sh", "-c", "sleep 61 >/dev/null 2>&1 &"], check=True)

def test_passes(sleeper):
    pass
"""


@pytest.fixture
def inner(pytester, monkeypatch):
    """Runs the inner tests under the project's conftest and settings; outcome by name."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("DATABENCH_TEST_GRACE_S", "0.5")
    for name in ("PYTEST_ADDOPTS", "DATABENCH_TEST_RUN"):
        monkeypatch.delenv(name, raising=False)
    pytester.makeconftest((_REPOSITORY / "tests" / "conftest.py").read_text())
    pytester.makepyprojecttoml((_REPOSITORY / "pyproject.toml").read_text())
    (pytester.mkdir("tests") / "test_inner.py").write_text(_INNER)

    def run() -> dict[str, str]:
        result = pytester.runpytest_subprocess("-v", "-p", "no:cacheprovider", "-p", "no:randomly")
        lines = [line.split() for line in result.outlines if "::test_" in line and "%" in line]
        return {line[0].partition("::")[2]: line[1] for line in lines if len(line) > 1} | {
            line.split()[1].partition("::")[2]: "ERROR"
            for line in result.outlines
            if line.startswith("ERROR ") and "::" in line
        }

    return run


def test_each_check_fails_what_it_should_and_nothing_else(inner):
    outcomes = inner()
    assert {name for name, outcome in outcomes.items() if outcome in ("ERROR", "FAILED")} == {
        "test_warns",
        "test_warns_of_something_else",
        "test_leaves_a_variable",
        "test_leaves_a_process",
        "test_leaves_a_folder",
        "test_leaves_a_socket",
    }
    assert outcomes["test_skips"] == outcomes["test_is_skipped"] == "SKIPPED"


def test_with_ci_a_skip_is_a_failure(inner, monkeypatch):
    monkeypatch.setenv("CI", "true")
    outcomes = inner()
    assert {outcomes["test_skips"], outcomes["test_is_skipped"]} <= {"FAILED", "ERROR"}
    assert outcomes["test_fails_as_known"] == "XFAIL"


@pytest.mark.parametrize("processes", [0, 2])
def test_what_the_whole_run_leaves_behind_fails_it(processes, inner, pytester):
    (pytester.path / "tests" / "test_inner.py").write_text(_KEEPS)
    result = pytester.runpytest_subprocess("-n", str(processes), "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["left behind by the run: *sleep 61*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED
