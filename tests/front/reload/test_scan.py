"""A change is other content, whatever the system or an editor does to a file."""

import importlib.util
import os
import shutil

import pytest

from databench.front.reload.scan import GONE_S, Scanner, ScanPlan, _digest


class Looker:
    """A scanner over one folder, whose clock is moved by hand."""

    def __init__(self, folder, **plan):
        self.scanner = Scanner(100)
        self.plan = ScanPlan(**{"folders": frozenset({str(folder)}), **plan})
        self.now_s = 0.0
        self.folder = folder
        assert self.look() == []

    def scan(self):
        self.now_s += 0.01
        return self.scanner.scan(self.plan, self.now_s)

    def look(self):
        """The changed files' paths, from the folder."""
        return sorted(os.path.relpath(path, self.folder) for path in self.scan().changed)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pi").mkdir()
    (tmp_path / "pi" / "analysis.py").write_text("one")
    (tmp_path / "base.html").write_text("one")
    return tmp_path


@pytest.fixture
def looker(folder):
    return Looker(folder)


def test_other_content_is_a_change_once(looker):
    (looker.folder / "pi" / "analysis.py").write_text("two")
    assert looker.look() == ["pi/analysis.py"]
    assert looker.look() == []


def test_touch_and_save_of_the_same_are_none(looker):
    file = looker.folder / "pi" / "analysis.py"
    os.utime(file, (1, 1))
    assert looker.look() == []
    file.write_text("one")
    assert looker.look() == []
    file.write_text("two")
    assert looker.look() == ["pi/analysis.py"]


def test_content_of_the_same_size_and_time_in_another_file_is_a_change(looker):
    # An editor writes a new file and moves it over the old one; a tool sets the time back.
    file = looker.folder / "base.html"
    status = file.stat()
    fresh = looker.folder / ".base.html.new"
    fresh.write_text("two")
    os.utime(fresh, ns=(status.st_atime_ns, status.st_mtime_ns))
    fresh.rename(file)
    assert looker.look() == ["base.html"]


def test_file_that_is_gone_for_a_moment_has_not_changed(looker):
    file = looker.folder / "pi" / "analysis.py"
    file.rename(looker.folder / "backup~")
    assert looker.look() == []
    assert looker.scanner.is_waiting
    (looker.folder / "backup~").rename(file)
    assert looker.look() == []
    looker.now_s += GONE_S
    assert looker.look() == []
    assert not looker.scanner.is_waiting


def test_file_that_comes_back_with_other_content_has_changed(looker):
    file = looker.folder / "pi" / "analysis.py"
    file.unlink()
    assert looker.look() == []
    file.write_text("two")
    assert looker.look() == ["pi/analysis.py"]


def test_file_that_stays_away_is_gone_once(looker):
    (looker.folder / "pi" / "analysis.py").unlink()
    looker.look()
    looker.now_s += GONE_S
    scan = looker.scan()
    assert scan.gone == set(scan.changed) == {str(looker.folder / "pi" / "analysis.py")}
    assert looker.look() == []
    (looker.folder / "pi" / "analysis.py").write_text("one")
    assert looker.look() == ["pi/analysis.py"]


def test_new_files_and_new_folders_are_changes(looker):
    (looker.folder / "new" / "inner").mkdir(parents=True)
    (looker.folder / "new" / "inner" / "a.py").write_text("")
    (looker.folder / "new.css").write_text("")
    assert looker.look() == ["new.css", "new/inner/a.py"]
    assert str(looker.folder / "new" / "inner") in looker.scanner.folders


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.py",
        ".git/a.py",
        "__pycache__/a.cpython-311.pyc",
        "node_modules/a.js",
        "a.py~",
        ".a.py.swp",
        "#a.py#",
        ".#a.py",
        "4913",
        "a.pyc",
        "data.csv",
        "log.txt",
    ],
)
def test_hidden_files_bytecode_backups_and_data_are_not_looked_at(looker, name):
    path = looker.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")
    assert looker.look() == []


def test_links_in_a_circle_end(folder):
    for name in ("pi", "e"):
        (folder / "data" / name).mkdir(parents=True)
        (folder / "data" / name / "a.csv").write_text("one")
        os.symlink(folder / "data", folder / "data" / name / "one")
        os.symlink(folder / "data", folder / "data" / name / "two")
    os.symlink(folder / "pi", folder / "data" / "elsewhere")
    (folder / "pi" / "b.csv").write_text("one")
    looker = Looker(folder, globs=frozenset({f"{folder}/data/**/*.csv", f"{folder}/data/**"}))
    (folder / "data" / "e" / "a.csv").write_text("two")
    (folder / "pi" / "b.csv").write_text("two")
    (folder / "data" / "c.csv").write_text("new")
    assert looker.look() == ["data/c.csv", "data/e/a.csv", "data/elsewhere/b.csv"]


def test_glob_finds_any_file_as_it_stands_then_its_changes(folder):
    data = folder / "data"
    data.mkdir()
    (data / "a.csv").write_text("1")
    looker = Looker(folder, globs=frozenset({f"{folder}/data/**/*.csv"}))
    (data / "a.csv").write_text("2")
    (data / "b.csv").write_text("1")
    assert looker.look() == ["data/a.csv", "data/b.csv"]
    assert str(data) in looker.scanner.folders


def test_what_a_plan_has_newly_is_taken_as_it_is(looker, tmp_path_factory):
    far = tmp_path_factory.mktemp("far") / "lib.py"
    far.write_text("one")
    files = frozenset({("pi", str(far), None)})
    looker.plan = ScanPlan(folders=looker.plan.folders, files=files)
    assert looker.look() == []
    far.write_text("two")
    assert looker.scan().changed == {str(far): frozenset({("file", str(far))})}
    looker.plan = ScanPlan(folders=looker.plan.folders)
    far.write_text("three")
    assert looker.look() == []


def test_file_that_was_saved_while_it_was_read_is_late_once(looker):
    file = looker.folder / "pi" / "analysis.py"
    file.write_text("dated")
    os.utime(file, (1000, 1000))
    looker.look()

    def late(since_s):
        files = frozenset({("pi", str(file), since_s)})
        looker.plan = ScanPlan(folders=looker.plan.folders, files=files)
        return looker.scan().late

    assert late(1001.0) == set()
    assert late(999.0) == {("pi", str(file))}
    assert late(998.0) == set()  # the same content was the reason before
    os.utime(file, (2000, 2000))
    assert late(1500.0) == set()  # touched: its content is older
    file.write_text("two")
    os.utime(file, (2**32, 2**32))  # a clock that is ahead
    looker.look()
    assert late(2.0**31) == {("pi", str(file))}
    assert [late(2.0**31 + n) for n in range(3)] == [set()] * 3


def test_large_file_is_compared_by_time_and_size(folder, monkeypatch):
    monkeypatch.setattr("databench.front.reload.scan.DIGEST_BYTES", 2)
    looker = Looker(folder)
    os.utime(folder / "base.html", (1, 1))
    assert looker.look() == ["base.html"]


def test_a_file_is_read_no_further_than_its_size(folder):
    """Of no size, and without an end: read whole, it filled the memory."""
    endless = "/proc/self/pagemap"
    scanner = Scanner(100)
    plan = ScanPlan(files=frozenset({("pi", endless, 1.0)}))
    assert scanner.scan(plan, 0.0).changed == {}
    assert scanner.scan(plan, 1.0).changed == {}
    assert _digest(endless, (0, 0, 0)) == _digest(os.devnull, (0, 0, 0))


def test_folders_are_bounded(folder):
    for number in range(5):
        (folder / f"f{number}").mkdir()
    scanner = Scanner(3)
    scanner.scan(ScanPlan(folders=frozenset({str(folder)})), 0.0)
    assert scanner.is_cut
    assert len(scanner.folders) == 3


def test_folder_that_goes_away_and_one_that_never_was_do_no_harm(folder):
    looker = Looker(folder, folders=frozenset({str(folder), str(folder / "none")}))
    shutil.rmtree(folder / "pi")
    looker.look()
    looker.now_s += GONE_S
    assert looker.look() == ["pi/analysis.py"]


def test_bytecode_of_a_changed_file_goes(looker):
    # Python would take it for current: it compares whole seconds, and the size.
    file = looker.folder / "pi" / "analysis.py"
    bytecode = importlib.util.cache_from_source(str(file))
    os.makedirs(os.path.dirname(bytecode))
    for content, stays in (("one", True), ("two", False)):
        with open(bytecode, "w") as kept:
            kept.write("old")
        file.write_text(content)
        looker.look()
        assert os.path.exists(bytecode) is stays
