"""From a module to the class of its analysis."""

import inspect
import pickle
import sys
from types import ModuleType

import pytest

import databench
from databench.errors import KernelError
from databench.kernel.loading.load import find_class, load_analysis
from databench.kernel.process.environment import ScriptToRun


def load(file, *, name=None, analysis="probe", class_name=None, argv=()):
    """A script as the kernel loads it."""
    script = ScriptToRun(str(file), class_name, [str(file), *argv], [str(file.parent)])
    return load_analysis(name or file.stem, analysis, "/nowhere", script)


@pytest.fixture(autouse=True)
def _interpreter_kept(monkeypatch):
    """What a script changes in its interpreter."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setenv("DATABENCH_LOADING", "")
    modules, main = dict(sys.modules), dict(vars(sys.modules["__main__"]))
    yield
    sys.modules.clear()
    sys.modules.update(modules)
    if "__getattr__" not in main:
        vars(sys.modules["__main__"]).pop("__getattr__", None)


def module_with(*names, foreign=()):
    module = ModuleType("some.analysis")
    module.__file__ = "/project/some/analysis.py"
    for name in names:
        made = type(name, (databench.Analysis,), {"__module__": "some.analysis"})
        setattr(module, name, made)
    for name in foreign:
        setattr(module, name, type(name, (databench.Analysis,), {"__module__": "elsewhere"}))
    return module


def test_the_class_of_the_module_is_found_and_imported_ones_are_not():
    module = module_with("Pi", foreign=["Base"])
    assert find_class(module, "other").__name__ == "Pi"


def test_of_several_the_one_named_like_the_analysis_is_taken():
    assert find_class(module_with("DummyPi", "Other"), "dummy_pi").__name__ == "DummyPi"
    assert find_class(module_with("Other", "DummyPi"), "dummy-pi").__name__ == "DummyPi"


def test_a_class_comes_before_the_one_that_it_extends():
    module = module_with("Base")
    module.Pi = type("Pi", (module.Base,), {"__module__": "some.analysis"})
    module.Again = module.Pi  # a further name of it is no further analysis
    assert find_class(module, "other") is module.Pi


@pytest.mark.expected_log("defines 2 analyses.*taking Apple")
def test_of_several_in_an_analysis_the_first_of_the_alphabet_is_taken_and_told():
    assert find_class(module_with("Banana", "Apple"), "other").__name__ == "Apple"


def test_several_are_told_with_what_to_do(tmp_path):
    file = tmp_path / "two.py"
    file.write_text(
        "import databench\nclass A(databench.Analysis): pass\nclass B(databench.Analysis): pass\n"
    )
    with pytest.raises(KernelError, match=r"defines 2 analyses.*A \(line 2\), B.*name one Pi"):
        load(file, analysis="pi")


def test_an_imported_class_is_taken_where_there_is_no_other():
    assert find_class(module_with(foreign=["Pi"]), "other").__name__ == "Pi"
    module = module_with()
    module.Analysis = databench.Analysis
    with pytest.raises(KernelError, match="defines no analysis"):
        find_class(module, "other")


def test_a_module_without_one_is_told_with_its_file():
    with pytest.raises(KernelError, match=r"analysis.py defines no analysis.*class DummyPi\("):
        find_class(module_with(), "dummy_pi")


def test_the_project_is_on_the_path(tmp_path):
    (tmp_path / "loading_probe.py").write_text(PROBE)
    assert load_analysis("loading_probe", "probe", str(tmp_path)).__name__ == "Probe"
    assert sys.path[0] == str(tmp_path)


PROBE = "import sys, databench\nclass Probe(databench.Analysis): name = __name__\n"
RUN = "databench.run(Probe)\nraise AssertionError('run() did not end it')\n"


def test_a_script_runs_up_to_the_call_of_run_and_under_another_name(tmp_path):
    (tmp_path / "one_script.py").write_text(PROBE + RUN)
    found = load(tmp_path / "one_script.py")
    assert found.name == "one_script"
    assert sys.modules["one_script"].Probe is found


def test_what_a_guard_keeps_is_not_run(tmp_path):
    (tmp_path / "guarded.py").write_text(PROBE + "if __name__ == '__main__':\n    1 / 0\n")
    assert load(tmp_path / "guarded.py", class_name="Probe").__name__ == "Probe"


def test_the_class_that_run_names_is_taken_of_several(tmp_path):
    text = PROBE + "class Other(databench.Analysis): pass\ndatabench.run(Other)\n"
    (tmp_path / "several.py").write_text(text)
    assert load(tmp_path / "several.py").__name__ == "Other"


def test_the_class_that_the_front_names_is_taken_of_several(tmp_path):
    text = PROBE + "class Other(databench.Analysis):\n    class Inner(databench.Analysis): pass\n"
    (tmp_path / "several.py").write_text(text)
    assert load(tmp_path / "several.py", class_name="Other.Inner").__name__ == "Inner"


def test_a_class_behind_the_guard_is_told(tmp_path):
    (tmp_path / "hidden.py").write_text("import databench\nif __name__ == '__main__':\n    1\n")
    with pytest.raises(KernelError, match=r"hidden\.py has no class Probe when a kernel runs it"):
        load(tmp_path / "hidden.py", class_name="Probe")


def test_a_module_that_calls_run_is_ended_there_too(tmp_path):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "analysis.py").write_text(PROBE + RUN)
    assert load_analysis("package.analysis", "probe", str(tmp_path)).__name__ == "Probe"
    import package.analysis

    assert package.analysis.Probe.name == "package.analysis"


def test_an_exception_leaves_no_half_of_a_module(tmp_path):
    (tmp_path / "bad_script.py").write_text("import databench\n\n1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        load(tmp_path / "bad_script.py")
    assert "bad_script" not in sys.modules


def test_a_module_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ModuleNotFoundError, match="no_such_thing_here"):
        load_analysis("no_such_thing_here", "probe", str(tmp_path))


def test_arguments_and_path_are_those_of_the_command_line(tmp_path):
    (tmp_path / "beside_it.py").write_text("VALUE = 3\n")
    (tmp_path / "takes.py").write_text("import beside_it\n" + PROBE + "Probe.argv = sys.argv[1:]\n")
    found = load(tmp_path / "takes.py", argv=["--x", "1"])
    assert found.argv == ["--x", "1"]
    assert sys.path[0] == str(tmp_path)


@pytest.mark.expected_log("has the name of one of Python's own modules")
def test_a_script_named_like_a_module_in_use_does_not_take_its_place(tmp_path):
    (tmp_path / "json.py").write_text(PROBE)
    before = sys.modules["json"]
    assert load(tmp_path / "json.py").name == "json_script"
    assert sys.modules["json"] is before


def test_source_and_pickle_find_the_class(tmp_path):
    (tmp_path / "my-script.py").write_text(PROBE + RUN)
    found = load(tmp_path / "my-script.py")
    assert inspect.getsource(found).startswith("class Probe")
    assert pickle.loads(pickle.dumps(found)) is found
    # As the plain script, whose name is `__main__`, has pickled it.
    assert pickle.loads(b"c__main__\nProbe\n.") is found
    with pytest.raises(AttributeError):
        pickle.loads(b"c__main__\nNoSuch\n.")
