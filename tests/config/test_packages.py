"""Folders in installed packages; nothing is imported for it."""

import sys

import pytest

from databench.config import load
from databench.config.packages import find_folder


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "path" / "brings_js"
    (folder / "js").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path / "path")
    return folder


def test_a_folder_in_a_package_is_found_and_the_package_not_imported(package):
    assert find_folder("package:brings_js/js") == str(package / "js")
    assert find_folder("package:brings_js") == str(package)
    assert "brings_js" not in sys.modules


@pytest.mark.parametrize(
    "target",
    ["folder/", "package:not_installed/js", "package:brings_js/none", "package:sys/js"],
)
def test_other_paths_stay_as_they_are(package, target):
    assert find_folder(target) == target


@pytest.mark.parametrize(
    "target", ["package:", "package:/etc", "package:brings_js/../..", "package:a.b/js"]
)
def test_paths_out_of_a_package_are_refused(package, target):
    with pytest.raises(ValueError, match="package:<name of a package>"):
        find_folder(target)


def test_index_says_the_folder_or_what_is_wrong(package, tmp_path):
    file = tmp_path / "index.yaml"
    file.write_text("static: {'x/(.*)': 'package:brings_js/js'}\nanalyses: []\n")
    assert load(tmp_path).static == (("x/(.*)", str(package / "js")),)
    file.write_text("static: {'x/(.*)': 'package:../js'}\nanalyses: []\n")
    assert "expected 'package:<name of a package>" in load(tmp_path).problems[0]
