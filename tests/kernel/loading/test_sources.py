"""What was imported is named, and nothing of the interpreter's or of what is installed."""

import importlib
import os
import sys
import types

import pytest

from databench.kernel.loading import sources as module
from databench.kernel.loading.sources import SourceFiles
from databench.protocol import messages as m
from tests.kernel.harness import Front


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder on the path; what is imported from it is forgotten again."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def paths(messages):
    return [path for message in messages for path in message.paths]


def test_fresh_imports_are_named_once_wherever_they_lie(project):
    sources = SourceFiles(10_000)
    sources.look()
    (project / "far").mkdir()
    (project / "far" / "__init__.py").write_text("from . import near")
    (project / "far" / "near.py").write_text("")
    importlib.import_module("far")
    told = sources.look()
    assert set(paths(told)) == {str(project / "far" / n) for n in ("__init__.py", "near.py")}
    assert told[0].since_s < (project / "far" / "near.py").stat().st_mtime + 60
    assert sources.look() == []


def test_what_is_installed_and_databench_itself_are_left_out(project):
    installed = project / "lib" / "site-packages"
    installed.mkdir(parents=True)
    (installed / "thing.py").write_text("")
    sys.path.insert(0, str(installed))
    try:
        importlib.import_module("thing")
    finally:
        sys.path.remove(str(installed))
    named = paths(SourceFiles(10_000).look())
    own = [path for path in named if "/databench/" in path and "/databench/tests/" not in path]
    assert [path for path in named if "site-packages" in path or "/json/" in path] == own == []
    assert __file__ in named


def test_a_name_that_is_no_text_is_left_out(project):
    """A message holds text alone, and the kernel would not say hello without it."""
    folder = os.fsencode(project) + b"/caf\xe9"
    os.mkdir(folder)
    with open(folder + b"/accent.py", "w"):
        pass
    sys.path.insert(0, os.fsdecode(folder))
    sources = SourceFiles(10_000)
    sources.look()
    try:
        importlib.import_module("accent")
    finally:
        del sys.path[0]
    assert paths(sources.look()) == []


def test_lazy_modules_are_not_loaded_and_odd_ones_do_no_harm(monkeypatch):
    class Lazy(types.ModuleType):
        def __getattribute__(self, name):
            raise AssertionError(f"loaded for {name}")

    monkeypatch.setitem(sys.modules, "lazy_one", Lazy("lazy_one"))
    monkeypatch.setitem(sys.modules, "odd_one", 7)
    monkeypatch.setitem(sys.modules, "gone_one", None)
    SourceFiles(10_000).look()


def test_the_count_of_files_is_bounded_and_messages_are_small(project, monkeypatch):
    monkeypatch.setattr(module, "_PATHS_PER_MESSAGE", 2)
    for name in "abcdef":
        (project / f"bounded_{name}.py").write_text("")
    sources = SourceFiles(10_000)
    sources.look()
    known = len(sources._told)
    sources._limit = known + 5
    for name in "abcdef":
        importlib.import_module(f"bounded_{name}")
    assert [len(message.paths) for message in sources.look()] == [2, 2, 1]
    assert sources.look_at_failure(ValueError()) == []


def test_failed_import_names_the_files_that_failed(project):
    (project / "outer_one.py").write_text("import inner_one")
    (project / "inner_one.py").write_text("x = = 1")
    sources = SourceFiles(10_000)
    sources.look()
    with pytest.raises(SyntaxError) as caught:
        importlib.import_module("outer_one")
    expected = {str(project / name) for name in ("outer_one.py", "inner_one.py")}
    assert expected <= set(paths(sources.look_at_failure(caught.value)))


@pytest.mark.process
def test_kernel_names_its_files_before_hello_and_later_imports_after_a_ping():
    source = """
    import databench

    class Demo(databench.Analysis):
        def on_more(self):
            import analyses.demo.more
    """
    with Front(source, welcome=False) as front:
        (front.path.parent / "more.py").write_text("")
        first = front.expect(m.Sources)
        assert str(front.path) in first.paths
        front.expect(m.Hello)
        front.send(m.Welcome(window_bytes=2**20))
        front.open("s1")
        front.action("s1", "more")
        front.expect(m.Done)
        front.send(m.Ping(number=1))
        assert front.expect(m.Sources).paths == (str(front.path.parent / "more.py"),)
        front.send(m.Ping(number=2))
        front.expect(m.Pong, number=2)


@pytest.mark.process
def test_kernel_that_cannot_import_names_its_files_all_the_same():
    with Front("import nothing_of_that_name", welcome=False) as front:
        assert str(front.path) in front.expect(m.Sources).paths
