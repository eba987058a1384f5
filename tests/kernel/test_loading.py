"""From a module to the class of its analysis."""

import sys
from types import ModuleType

import pytest

import databench
from databench.errors import KernelError
from databench.kernel.loading import find_class, load_analysis


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


def test_of_several_the_one_named_like_the_analysis_or_the_last_is_taken():
    assert find_class(module_with("DummyPi", "Other"), "dummy_pi").__name__ == "DummyPi"
    assert find_class(module_with("DummyPi", "Other"), "else").__name__ == "Other"


def test_a_module_without_one_is_told_with_its_file():
    with pytest.raises(KernelError, match=r"analysis.py defines no analysis.*class DummyPi\("):
        find_class(module_with(foreign=["Base"]), "dummy_pi")


def test_the_project_is_on_the_path(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "loading_probe.py").write_text(
        "import databench\nclass Probe(databench.Analysis): pass\n"
    )
    try:
        assert load_analysis("loading_probe", "probe", str(tmp_path)).__name__ == "Probe"
        assert sys.path[0] == str(tmp_path)
    finally:
        sys.modules.pop("loading_probe", None)
