"""A file of a project is one module under all of its names."""

import importlib
import os
import subprocess
import sys
import textwrap
import types
from pathlib import Path

import pytest

from databench.kernel.loading.onemodule import _Finder

REPOSITORY = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys
sys.path.insert(0, {outside!r})
from databench.kernel.loading.load import load_analysis
cls = load_analysis("analyses.pi.analysis", "pi", {project!r})
module = sys.modules["analyses.pi.analysis"]
{check}
print("good")
"""
COMMON = "runs = []\nruns.append(__name__)\nclass Shape:\n    pass\n"
ANALYSIS = "import databench\n{imports}\nclass Pi(databench.Analysis):\n    pass\n"


def _make(tmp_path, imports, *, inits):
    project = tmp_path / "examples"
    folder = project / "analyses" / "pi"
    folder.mkdir(parents=True)
    (folder / "analysis.py").write_text(ANALYSIS.format(imports=textwrap.dedent(imports)))
    (project / "analyses" / "common.py").write_text(COMMON)
    (project / "other.py").write_text("import examples.analyses.common as common\n")
    if inits:
        for place in (project, project / "analyses", folder):
            (place / "__init__.py").write_text("")
    return project


def _run(tmp_path, project, check):
    text = PROGRAM.format(outside=str(tmp_path), project=str(project), check=textwrap.dedent(check))
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", text]
    return subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("inits", [True, False])
@pytest.mark.parametrize(
    "imports",
    [
        "import analyses.common as a, examples.analyses.common as b",
        "import examples.analyses.common as a, analyses.common as b",
        "from analyses import common as a; from examples.analyses import common as b",
        "import other; a = other.common; import analyses.common as b",
    ],
)
def test_a_module_of_two_names_runs_once(tmp_path, imports, inits):
    project = _make(tmp_path, imports, inits=inits)
    ran = _run(
        tmp_path,
        project,
        """
        import examples.analyses.pi.analysis as again
        assert module.a is module.b and module.a.Shape is module.b.Shape
        assert len(module.a.runs) == 1
        assert module.a.__spec__.name == module.a.__name__ == module.a.runs[0]
        assert again is module and module.__name__ == "analyses.pi.analysis"
        import examples.analyses, analyses
        assert examples.analyses is analyses
        """,
    )
    assert ran.stdout == "good\n", ran.stderr


def test_relative_imports_and_circles_work(tmp_path):
    project = _make(tmp_path, "from .. import common as a\nfrom . import side", inits=True)
    (project / "analyses" / "pi" / "side.py").write_text(
        "import examples.analyses.pi.analysis as owner\nfrom examples.analyses import common\n"
    )
    ran = _run(
        tmp_path,
        project,
        "assert module.side.owner is module and module.side.common is module.a",
    )
    assert ran.stdout == "good\n", ran.stderr


def test_a_linked_folder_is_the_same(tmp_path):
    project = _make(tmp_path, "import analyses.common as a, linked.common as b", inits=False)
    (project / "linked").symlink_to(project / "analyses")
    ran = _run(tmp_path, project, "assert module.a is module.b")
    assert ran.stdout == "good\n", ran.stderr


def test_what_only_has_the_same_name_stays_another_module(tmp_path):
    project = _make(tmp_path, "import analyses.common as a, common as b", inits=False)
    (tmp_path / "common.py").write_text(COMMON)
    ran = _run(tmp_path, project, "assert module.a is not module.b")
    assert ran.stdout == "good\n", ran.stderr


def test_what_is_installed_in_the_project_is_no_part_of_it(tmp_path, monkeypatch):
    finder = _Finder(str(tmp_path))
    installed = tmp_path / ".venv" / "lib" / "python3" / "site-packages"
    installed.mkdir(parents=True)
    (installed / "found_here.py").write_text("")
    monkeypatch.setattr(finder, "_find_loaded", lambda *_: pytest.fail("it was looked for"))
    assert finder.find_spec("found_here", [str(installed)]) is None
    assert finder.find_spec("found_here.part", [str(installed / "found_here")]) is None


def test_an_import_costs_the_same_however_many_modules_are_loaded(tmp_path, monkeypatch):
    finder, looked = _Finder(str(tmp_path)), []
    real = os.path.realpath
    monkeypatch.setattr(os.path, "realpath", lambda path: looked.append(path) or real(path))
    for n in range(200):
        (tmp_path / f"probe{n}.py").write_text("")
    importlib.invalidate_caches()
    for n in range(200):
        assert finder.find_spec(f"probe{n}", [str(tmp_path)]) is None
        module = types.ModuleType(f"probe{n}")
        module.__file__ = str(tmp_path / f"probe{n}.py")
        monkeypatch.setitem(sys.modules, f"probe{n}", module)
        if n:
            assert len(looked) < 10  # else each of those that are loaded was looked at
        looked.clear()
    (tmp_path / "twin").symlink_to(tmp_path)
    assert finder.find_spec("twin.probe7", [str(tmp_path / "twin")]) is not None
