"""How a kernel file of 0.7 hands over its class."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import databench
from databench.kernel.loading import load as loading
from databench.protocol import variables

FILE = """
import databench
import databench_py.singlethread


class Helper(databench_py.Analysis):
    pass


class Own_Name_Py(databench_py.Analysis):
    @databench_py.on
    def run(self):
        pass


reached = []
databench_py.singlethread.Meta('own_py', Own_Name_Py).event_loop()
reached.append('after')
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv(variables.LOADING, "")
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def load(project, text, name="own_py"):
    folder = project / "lab07" / name
    folder.mkdir(parents=True)
    (folder / "analysis.py").write_text(text)
    return loading.load_analysis(f"lab07.{name}.analysis", name, str(project))


def test_the_class_of_the_last_line_is_taken(project):
    cls = load(project, FILE)
    assert cls.__name__ == "Own_Name_Py"
    assert issubclass(cls, databench.Analysis)
    assert sys.modules[cls.__module__].reached == []


def test_a_class_of_another_module_is_taken(project):
    (project / "shared07.py").write_text("import databench\nclass Far(databench.Analysis): pass\n")
    text = "import databench_py.singlethread, shared07\n"
    text += "databench_py.singlethread.Meta('x', shared07.Far).event_loop()\n"
    assert load(project, text).__name__ == "Far"


def test_a_guarded_last_line_is_not_run(project):
    guarded = FILE.replace("class Helper(databench_py.Analysis):\n    pass\n", "").replace(
        "reached = []\n", "reached = []\nif __name__ == '__main__':\n    "
    )
    cls = load(project, guarded)
    assert sys.modules[cls.__module__].reached == ["after"]


def test_it_offers_what_the_old_module_did(project):
    load(project, FILE)
    offered = sys.modules["databench_py"]
    for name in ("Analysis", "Datastore", "on", "on_action", "__version__"):
        assert getattr(offered, name) is getattr(databench, name)


def test_in_a_child_the_last_line_does_nothing(project):
    load(project, FILE)
    namespace = {"__name__": "child"}
    exec(FILE, namespace)
    assert namespace["reached"] == ["after"]


def test_it_comes_after_the_project_and_before_what_is_installed(project):
    load(project, FILE)
    provided = str(Path(loading.__file__).parent / "provided")
    assert sys.path[:2] == [str(project), provided]
    assert sys.path.count(provided) == 1


def test_outside_of_kernels_it_is_not_there():
    assert importlib.util.find_spec("databench_py") is None


@pytest.mark.slow
@pytest.mark.process
def test_outside_of_kernels_an_installed_one_is_found(tmp_path):
    (tmp_path / "databench_py.py").write_text("name = 'installed'")
    code = "import databench, databench_py; databench.Analysis; print(databench_py.name)"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": f"{tmp_path}:{Path(databench.__file__).parent.parent}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "installed\n"
