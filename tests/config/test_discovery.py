"""What is served of a folder without being named, and what is said of the rest."""

import os
from pathlib import Path

import pytest

from databench.config.discovery import find_analyses, find_problem, show_name

LATIN = os.fsdecode(b"caf\xe9")


def make(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).mkdir()
        (folder / name / "analysis.py").write_text("")
    return folder


def test_folders_with_an_analysis_are_found_in_order(tmp_path):
    found = find_analyses(make(tmp_path, "b", "A_1", "c-d"))
    assert list(found.analyses) == ["A_1", "b", "c-d"]
    assert found.warnings == ()


def test_a_folder_without_an_analysis_is_no_matter(tmp_path):
    (tmp_path / "my data").mkdir()
    (tmp_path / "__pycache__").mkdir()
    assert find_analyses(tmp_path).warnings == ()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("my analysis", "its name has a space in it; rename it"),
        ("größe", "its name has 'ö' in it; rename it"),
        ("a.b", "its name has '.' in it; rename it"),
        ("-a", "its name has '-' in it; rename it"),
        ("_static", "names that begin with '_' are private; rename it to serve it"),
        (".a", "names that begin with '.' are private; rename it to serve it"),
        ("static", "the address /static/ is used by Databench itself; rename it"),
        (LATIN, "its name is not UTF-8; rename it"),
    ],
)
def test_a_folder_that_is_not_served_is_named_with_the_reason(tmp_path, name, reason):
    found = find_analyses(make(tmp_path, name, "well"))
    assert list(found.analyses) == ["well"]
    (warning,) = found.warnings
    assert f"{show_name(name)} in {str(tmp_path)!r} is not served: {reason}" in warning
    warning.encode()  # a terminal can print it


@pytest.mark.parametrize("name", ["a", "0", "A-b_c", "x" * 100])
def test_other_names_can_be_served(name):
    assert find_problem(name) is None


def test_a_name_that_is_no_text_is_shown_by_its_bytes():
    assert show_name(LATIN) == r"'caf\xe9'"
    assert show_name("größe") == "'größe'"
