"""Where the analyses are, and what a kernel imports."""

import sys
from pathlib import Path

import pytest

from databench.errors import SettingError
from databench.front import folders


@pytest.fixture
def project(tmp_path):
    (tmp_path / "analyses" / "pi").mkdir(parents=True)
    return tmp_path


def test_folder_named_analyses_here_is_served(project):
    place = folders.find(None, here=project)
    assert (place.folder, place.root) == (project / "analyses", project)
    assert place.module("pi") == "analyses.pi.analysis"
    assert not place.is_packaged


@pytest.mark.parametrize("inside", ["analyses", "analyses/pi"])
def test_inside_of_it_the_same_is_served(project, inside):
    assert folders.find(None, here=project / inside) == folders.find(None, here=project)


def test_elsewhere_the_packaged_ones_are_served(tmp_path, repository):
    place = folders.find(None, here=tmp_path)
    assert place.is_packaged
    assert place.folder == repository / "analyses"
    assert (place.folder / "index.yaml").is_file()


def test_installed_package_has_its_analyses_inside(tmp_path, monkeypatch):
    inside = tmp_path / "databench" / "analyses_packaged"
    inside.mkdir(parents=True)
    monkeypatch.setattr(folders, "PACKAGE", tmp_path / "databench")
    place = folders.find(None, here=tmp_path)
    assert place.folder == inside
    assert place.module("pi") == "databench.analyses_packaged.pi.analysis"
    assert folders.find("databench.analyses_packaged", here=tmp_path) == place


def test_missing_packaged_analyses_are_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "PACKAGE", tmp_path / "databench")
    with pytest.raises(SettingError, match="install Databench again"):
        folders.find(None, here=tmp_path)


@pytest.mark.parametrize("wanted", ["work", "./work", "work/"])
def test_any_folder_can_be_named(tmp_path, wanted):
    (tmp_path / "work").mkdir()
    place = folders.find(wanted, here=tmp_path)
    assert (place.folder, place.root, place.package) == (tmp_path / "work", tmp_path, "work")


def test_absolute_folder_is_taken_as_it_is(tmp_path):
    (tmp_path / "work").mkdir()
    assert folders.find(str(tmp_path / "work"), here=Path("/")).folder == tmp_path / "work"


def test_folder_inside_a_package_is_imported_as_part_of_it(tmp_path):
    (tmp_path / "lab" / "shows").mkdir(parents=True)
    (tmp_path / "lab" / "__init__.py").write_text("")
    place = folders.from_folder(tmp_path / "lab" / "shows")
    assert (place.root, place.package) == (tmp_path, "lab.shows")


def test_folder_that_no_import_can_name_is_the_root_itself(tmp_path):
    (tmp_path / "v1.2").mkdir()
    place = folders.from_folder(tmp_path / "v1.2")
    assert (place.root, place.module("pi")) == (tmp_path / "v1.2", "pi.analysis")


def test_dotted_path_is_found_without_running_it(tmp_path):
    (tmp_path / "lab_dotted" / "shows").mkdir(parents=True)
    (tmp_path / "lab_dotted" / "__init__.py").write_text("raise RuntimeError('was run')")
    place = folders.find("lab_dotted.shows", here=tmp_path)
    assert place.folder == tmp_path / "lab_dotted" / "shows"
    assert (place.root, place.package) == (tmp_path, "lab_dotted.shows")
    assert "lab_dotted" not in sys.modules


@pytest.mark.parametrize("wanted", ["gone", "gone.shows", "a b", "../x", "json.decoder"])
def test_what_is_not_there_is_an_error(tmp_path, wanted):
    with pytest.raises(SettingError, match="neither a folder"):
        folders.find(wanted, here=tmp_path)


def test_one_analysis_is_no_folder_of_analyses(tmp_path):
    (tmp_path / "pi").mkdir()
    (tmp_path / "pi" / "analysis.py").write_text("")
    with pytest.raises(SettingError, match="'pi', which is one analysis; give the folder"):
        folders.find("pi", here=tmp_path)
