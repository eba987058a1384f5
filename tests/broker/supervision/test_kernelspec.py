"""`kernel.yaml`: read, checked, turned into a command line."""

import os
import re
import sys
from pathlib import Path

import pytest

from databench.broker.supervision.kernelspec import (
    SPEC_BYTES,
    KernelSpec,
    adopt,
    find_folder_problem,
    find_kernelspecs,
    read_kernelspec,
)
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


def test_braces_of_the_program_itself_are_left(tmp_path):
    spec = read_kernelspec(write(tmp_path, "argv: [awk, '{print}', '{}', '{x']\nprotocol: 1\n"))
    assert spec.command(Path("/of/analysis")) == ["awk", "{print}", "{}", "{x"]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("- a list", 1, "a kernel spec is a map of keys to values"),
        ("", None, "a kernel spec is a map of keys to values"),
        ("argv: [", 1, "this is not YAML: .*expected the node content"),
        ("protocol: 1\nargv: @x", 2, "this is not YAML"),
        ("argv: [x]\nprotocol: 2", 2, "protocol is 2, this Databench speaks 1"),
        ("argv: [x]\nprotocol: '1'", 2, "protocol is '1', expected the number 1"),
        ("argv: [x]\nprotocol: true", 2, "protocol is True, expected the number 1"),
        ("argv: [x]\nprotocol: !!bool x", 2, "not a value of the type 'bool'"),
        ("argv: [x]", None, "protocol is missing, expected for example 'protocol: 1'"),
        ("protocol: 1", None, r"argv is missing, expected for example 'argv: \["),
        (
            "argv: x y\nprotocol: 1",
            1,
            r"argv is 'x y', expected a list of words, here \['x', 'y'\]",
        ),
        ("argv: [x, '{specs}/k']\nprotocol: 1", 1, "argv has '{specs}'; did you mean '{spec}'"),
        ("protocol: 1\nargv: ['{Pyton}']", 2, "argv has '{Pyton}'; did you mean '{python}'"),
        ("argv: []\nprotocol: 1", 1, r"argv is \[\], expected a list of words, the program first"),
        ("argv: ['']\nprotocol: 1", 1, "the program first"),
        ("argv: [x, 1]\nprotocol: 1", 1, "1 is not text: put it in quotes"),
        ('argv: [x, "a\\0b"]\nprotocol: 1', 1, "cannot be passed to a program"),
        ("argv: [x]\nargv: [y]\nprotocol: 1", 2, "key 'argv' stands there twice"),
        ("argv: [x]\nprotocol: 1\nlang: R", 3, "unknown key 'lang'; did you mean 'language'"),
        ("Argv: [x]", 1, "unknown key 'Argv'; did you mean 'argv'. Known: argv, protocol"),
        ("zzz: 1", 1, "unknown key 'zzz'; known: argv, protocol"),
        ("argv: [x]\n1: 2\nb: 3", 2, "unknown key '1'; known: argv"),
        ("argv: [x]\n? [a]\n: 2", 2, "a key is not text, expected one of argv"),
        ("argv: [x]\nprotocol: 1\n<<: 3", None, "expected a mapping"),
        ("argv: [x]\nprotocol: 1\nlanguage: 3", 3, "language is 3, expected text"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_file_and_line(tmp_path, text, line, problem):
    path = write(tmp_path, text)
    with pytest.raises(SettingError, match=problem) as caught:
        read_kernelspec(path)
    if line is not None:
        assert f"{path}:{line}: " in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert find_kernelspecs(tmp_path)["r"].problem == str(caught.value)


def a_pipe(path):
    os.mkfifo(path)


def a_folder(path):
    path.mkdir()


def a_link_to_nothing(path):
    path.symlink_to("nowhere")


def a_circle_of_links(path):
    path.parent.rmdir()
    path.parent.symlink_to(path.parent.name)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: path.write_bytes(b"argv: [x]\n# \xff"), r":2: .*not UTF-8: byte 0xff"),
        (
            lambda path: path.write_text("#" * (SPEC_BYTES + 1)),
            "cannot be read: 16385 bytes, limit",
        ),
        (a_pipe, "is not a file"),
        (a_folder, "is not a file"),
        (a_link_to_nothing, "cannot be read: No such file"),
        (a_circle_of_links, "cannot be read: Too many levels"),
    ],
)
def test_what_cannot_be_read_is_a_spec_with_that_problem(tmp_path, make, problem):
    (tmp_path / "r").mkdir()
    make(tmp_path / "r" / "kernel.yaml")
    spec = find_kernelspecs(tmp_path)["r"]
    assert re.search(problem, spec.problem)
    assert str(tmp_path / "r" / "kernel.yaml") in spec.problem
    assert spec.argv == ()
    assert spec.find_problem(tmp_path, tmp_path) == spec.problem


def test_a_folder_that_others_may_not_read_is_said(tmp_path, monkeypatch):
    write(tmp_path, GOOD)

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "lstat", refuse)
    monkeypatch.setattr(Path, "stat", refuse)
    assert find_kernelspecs(tmp_path)["r"].problem.endswith("cannot be read: Permission denied")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SettingError, match="cannot be read"):
        read_kernelspec(tmp_path / "kernel.yaml")


def test_a_folder_of_specs_that_cannot_be_listed_has_a_problem(tmp_path):
    assert find_folder_problem(tmp_path) == find_folder_problem(tmp_path / "none") == ""
    (tmp_path / "kernels").write_text("")
    problem = find_folder_problem(tmp_path / "kernels")
    assert problem.endswith("the folder of kernel specs cannot be read: Not a directory")


def program_of(tmp_path, word):
    spec = read_kernelspec(write(tmp_path, f"argv: ['{word}']\nprotocol: 1\n"))
    return spec.find_problem(tmp_path / "analysis", tmp_path / "root")


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("sh", ""),
        ("{python}", ""),
        ("no-such-program", "the program 'no-such-program' is not in PATH; install it"),
        ("/no/such", "the program '/no/such' is not there"),
        ("bin/here", ""),
        ("{spec}/kernel.yaml", "may not be executed; make it executable"),
        ("{analysis}/run", ""),
        ("{analysis}", "is not there"),
    ],
)
def test_a_program_is_looked_for_as_the_system_does(tmp_path, word, problem):
    for place in ("root/bin/here", "analysis/run"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).touch(mode=0o755)
    found = program_of(tmp_path, word)
    assert problem in found
    assert bool(found) is bool(problem)


def test_places_of_a_program_are_those_of_the_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"/one{os.pathsep}two")
    spec = read_kernelspec(write(tmp_path, "argv: [x]\nprotocol: 1\n"))
    assert spec.find_places(tmp_path, Path("/root")) == ["/one/x", "/root/two/x"]
    assert (
        KernelSpec("made", tmp_path, ("no-such-program",), "").find_problem(tmp_path, tmp_path)
        == ""
    )


def test_a_spec_is_read_again_as_it_is_now(tmp_path):
    path = write(tmp_path, GOOD)
    spec = read_kernelspec(path)
    assert (spec.read_again(), spec.label) == (spec, "kernels/r/kernel.yaml")
    path.write_text("argv: 1")
    assert "argv is 1" in spec.read_again().problem
    made = KernelSpec("made", tmp_path, ("x",), "")
    assert made.read_again() is made


def test_what_is_gone_and_still_used_keeps_its_name_with_a_problem(tmp_path):
    old = {name: KernelSpec(name, tmp_path, ("x",), "") for name in ("a", "b", "c")}
    new = KernelSpec("a", tmp_path, ("y",), "")
    known = dict(old)
    adopt(known, {"a": new}, {"a", "b", "never"})
    assert known["a"] is new
    assert set(known) == {"a", "b"}
    assert (known["b"].argv, known["b"].problem) == ((), "kernels/b/kernel.yaml: the file is gone")
    adopt(known, {}, {"b"})
    assert known["b"].problem == "kernels/b/kernel.yaml: the file is gone"


def test_own_folders_come_before_what_databench_has(tmp_path):
    write(tmp_path / "one", GOOD)
    write(tmp_path / "two", GOOD.replace("language: R", "language: other"))
    write(tmp_path / "two", GOOD, "julia")
    found = find_kernelspecs(tmp_path / "one", tmp_path / "two")
    assert found["r"].language == "R"
    assert found["julia"].name == "julia"


def test_a_bad_spec_of_the_project_hides_none_behind_it(tmp_path):
    write(tmp_path, "argv: 1", "py")
    found = find_kernelspecs(tmp_path)
    assert "argv is 1" in found["py"].problem  # what a person has put there is meant
    assert found.keys() == find_kernelspecs().keys()


def test_a_folder_without_specs_adds_none(tmp_path):
    assert set(find_kernelspecs(tmp_path)) == set(find_kernelspecs())
