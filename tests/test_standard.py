"""A project's files that are called like standard modules: ours are found, and theirs named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from databench import standard
from databench.kernel.loading.load import load_analysis
from databench.standard import OwnFirst, explain, find_hiding
from tests.kernel.harness import Front, value

REPOSITORY = Path(__file__).resolve().parent.parent
NAMES = (
    *("random", "types", "json", "queue", "typing", "logging", "secrets", "enum", "dataclasses"),
    *("string", "select", "socket", "ssl", "copy", "struct", "inspect", "calendar", "html"),
)
FAIL = "raise SystemExit(f'{__name__} of the project was imported')\n"
LOADS_ALL = """
import databench
databench.Analysis, databench.run, databench.Meta, databench.http, databench.Readme
with databench.standard.OwnFirst():
    import databench.cli, databench.front.startup.script
import random
random.random()
print('fine')
"""


def write(folder, names=NAMES, text=FAIL):
    for name in names:
        (folder / f"{name}.py").write_text(text)


def run(*words, cwd, **environ):
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.parametrize("name", ["random", "types", "queue"])
def test_a_script_beside_such_files_and_called_like_one_is_served(tmp_path, name):
    write(tmp_path)
    (tmp_path / f"{name}.py").write_text(LOADS_ALL)
    found = run(f"{name}.py", cwd=tmp_path)
    assert found.stdout == "fine\n", found.stderr


@pytest.mark.slow
@pytest.mark.process
def test_a_module_that_the_script_has_imported_already_is_not_ours(tmp_path):
    (tmp_path / "queue.py").write_text("x = 1\n")
    code = f"import queue\n{LOADS_ALL}assert queue.x and __import__('queue') is queue"
    (tmp_path / "pi.py").write_text(code)
    found = run("pi.py", cwd=tmp_path)
    assert found.stdout == "fine\n", found.stderr


@pytest.mark.slow
@pytest.mark.process
def test_the_command_runs_beside_such_files(tmp_path):
    write(tmp_path, ("random", "queue", "json", "secrets", "html"))
    found = run("-m", "databench", "--version", cwd=tmp_path)
    assert found.returncode == 0, found.stderr


@pytest.mark.slow
@pytest.mark.process
def test_the_server_gets_as_far_as_its_builds_beside_such_files(tmp_path):
    write(tmp_path, ("random", "queue", "json", "logging", "asyncio", "secrets", "tempfile"))
    (tmp_path / "analyses" / "a").mkdir(parents=True)
    (tmp_path / "analyses" / "a" / "analysis.py").write_text("")
    (tmp_path / "analyses" / "index.yaml").write_text("build: echo built")
    found = run("-m", "databench", "--build", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert "built" in found.stdout + found.stderr


class Project(Front):
    """A kernel whose project has such files."""

    def _start(self, root, *rest):
        write(root)
        super()._start(root, *rest)


KERNEL = """
    import json, random
    import databench

    class Demo(databench.Analysis):
        @databench.on
        def names(self):
            return [json.dumps([random.random() < 1]), hasattr(databench.testing, 'AnalysisTest')]
"""


@pytest.mark.slow
@pytest.mark.process
def test_a_kernel_runs_beside_such_files_and_names_them():
    with Project(KERNEL) as front:
        front.wait_printed("json.py has the name of one of Python's own modules: `import json`")
        front.wait_printed("calendar.py has the name of one of Python's own modules")
        session = front.open()
        assert value(front.run(session, "names")[0]) == ["[true]", True]


@pytest.mark.expected_log("has the name of one of Python's own modules")
def test_files_that_hide_a_module_are_warned_of_by_name(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("DATABENCH_LOADING", "")
    (tmp_path / "hiding_probe.py").write_text(
        "import databench\nclass Probe(databench.Analysis): pass\n"
    )
    (tmp_path / "queue.py").write_text("")
    load_analysis("hiding_probe", "probe", str(tmp_path))
    del sys.modules["hiding_probe"]
    (record,) = [r for r in caplog.records if r.name == "databench.kernel"]
    assert record.getMessage() == (
        f"{tmp_path}/queue.py has the name of one of Python's own modules: `import queue` gives "
        "Python's own module, not this file. Rename it"
    )


def test_only_modules_and_packages_hide_any(tmp_path):
    (tmp_path / "queue.py").touch()
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "__init__.py").touch()
    (tmp_path / "logging").mkdir()  # without a file of its own it gives way
    (tmp_path / "random.txt").touch()
    (tmp_path / "own.py").touch()
    assert find_hiding(str(tmp_path)) == [f"{tmp_path}/json", f"{tmp_path}/queue.py"]
    assert find_hiding(str(tmp_path / "gone")) == []


def test_a_file_that_is_imported_in_the_place_of_a_module_is_told_as_that(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "sndhdr", raising=False)
    assert "gives this file, in the libraries that you use too" in explain(f"{tmp_path}/sndhdr.py")


def test_order_and_modules_are_as_before_when_it_is_left(tmp_path, monkeypatch):
    folder, hidden = str(tmp_path), type(sys)("queue")
    hidden.__file__ = f"{folder}/queue.py"
    monkeypatch.setattr(sys, "path", [folder, *sys.path])
    monkeypatch.setitem(sys.modules, "queue", hidden)
    before = list(sys.path)
    with OwnFirst():
        assert sys.path.index(os.path.dirname(os.__file__)) < sys.path.index(folder)
        import queue

        assert queue.SimpleQueue
        assert sorted(sys.path) == sorted(before)
    assert sys.path == before
    assert sys.modules["queue"] is hidden


def test_what_an_import_adds_to_the_path_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", ["/project", *sys.path])
    with OwnFirst():
        sys.path.append("/added")
    assert sys.path[-1] == "/added"
    assert "/project" in sys.path


def test_what_is_installed_is_no_standard_module():
    assert not standard._is_own(f"{standard._LIBRARY}/site-packages")
    assert standard._is_own(f"{standard._LIBRARY}/lib-dynload")
