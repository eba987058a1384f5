"""`kernel.yaml`: read, checked, turned into a command line."""

import sys
from pathlib import Path

import pytest

from databench.broker.supervision.kernelspec import find_kernelspecs, read_kernelspec
from databench.errors import SettingError

GOOD = "argv: ['{python}', '-m', 'x', '{spec}/k.py', '{analysis}']\nprotocol: 1\nlanguage: R\n"


def write(folder: Path, text: str, name: str = "r") -> Path:
    path = folder / name / "kernel.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_the_placeholders_are_replaced(tmp_path):
    spec = read_kernelspec(write(tmp_path, GOOD))
    assert (spec.name, spec.language, spec.folder) == ("r", "R", tmp_path / "r")
    assert spec.command(Path("/of/analysis")) == [
        sys.executable,
        "-m",
        "x",
        f"{tmp_path}/r/k.py",
        "/of/analysis",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a list", "not a map"),
        ("argv: [", "cannot be read"),
        ("argv: [x]\nprotocol: 2", "protocol is 2, this Databench speaks 1"),
        ("argv: [x]", "protocol is None"),
        ("argv: x y\nprotocol: 1", "argv is 'x y', expected a list of words"),
        ("argv: []\nprotocol: 1", "argv is"),
        ("argv: [1]\nprotocol: 1", "argv is"),
        ("argv: [x]\nprotocol: 1\nlang: R", "unknown key 'lang'; known: argv"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_file(tmp_path, text, problem):
    path = write(tmp_path, text)
    with pytest.raises(SettingError, match=problem) as caught:
        read_kernelspec(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SettingError, match="cannot be read"):
        read_kernelspec(tmp_path / "kernel.yaml")


def test_own_folders_come_before_what_databench_has(tmp_path):
    write(tmp_path / "one", GOOD)
    write(tmp_path / "two", GOOD.replace("language: R", "language: other"))
    write(tmp_path / "two", GOOD, "julia")
    found = find_kernelspecs(tmp_path / "one", tmp_path / "two")
    assert found["r"].language == "R"
    assert found["julia"].name == "julia"


def test_a_folder_without_specs_adds_none(tmp_path):
    assert set(find_kernelspecs(tmp_path)) == set(find_kernelspecs())
