import sys

import pytest

from databench.conformance.target import find_target
from databench.errors import SettingError

SPEC = 'argv: ["{python}", "{spec}/k.py", "{analysis}"]\nprotocol: 1\n'


@pytest.fixture
def tiny(tmp_path):
    folder = tmp_path / "kernels" / "tiny"
    folder.mkdir(parents=True)
    (folder / "kernel.yaml").write_text(SPEC)
    return folder


@pytest.mark.parametrize("word", ["tiny", "kernels/tiny", "kernels/tiny/kernel.yaml"])
def test_a_spec_is_found_by_name_folder_and_file(tiny, tmp_path, word):
    target = find_target([word], None, tmp_path)
    assert target.name == "tiny"
    assert target.command == (sys.executable, f"{tiny}/k.py", str(tiny))


def test_the_analysis_lies_beside_the_spec(tiny, tmp_path):
    (tiny / "conformance").mkdir()
    target = find_target(["tiny"], None, tmp_path)
    assert (target.folder, target.root) == (tiny / "conformance", tiny)
    assert target.command[-1] == str(tiny / "conformance")


def test_another_analysis_can_be_named(tiny, tmp_path):
    (tiny / "conformance").mkdir()
    other = tmp_path / "other"
    other.mkdir()
    assert find_target(["tiny"], other, tmp_path).folder == other


def test_the_python_kernel_brings_its_analysis(tmp_path):
    target = find_target(["py"], None, tmp_path)
    assert (target.folder / "analysis.py").is_file()


@pytest.mark.parametrize("words", [["node", "kernel.mjs", "--x"], ["node kernel.mjs --x"]])
def test_anything_else_is_a_command(tmp_path, words):
    target = find_target(words, None, tmp_path)
    assert target.command == ("node", "kernel.mjs", "--x")
    assert (target.name, target.folder, target.root) == ("node", tmp_path, tmp_path)


@pytest.mark.parametrize("word", ["tiny", "kernels/tiny"])
def test_a_spec_that_cannot_be_used_is_refused(tiny, tmp_path, word):
    (tiny / "kernel.yaml").write_text("protocol: 1\n")
    with pytest.raises(SettingError, match=r"kernel\.yaml: argv is missing"):
        find_target([word], None, tmp_path)


def test_a_spec_whose_program_is_not_there_is_refused(tiny, tmp_path):
    (tiny / "kernel.yaml").write_text("argv: [/none/fortran]\nprotocol: 1\n")
    with pytest.raises(SettingError, match="the program '/none/fortran' is not there"):
        find_target(["tiny"], None, tmp_path)


@pytest.mark.parametrize("words", [[""], ["  "]])
def test_an_empty_command_is_refused(tmp_path, words):
    with pytest.raises(SettingError, match="the command is empty"):
        find_target(words, None, tmp_path)


def test_an_analysis_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(SettingError, match="is not a folder"):
        find_target(["py"], tmp_path / "none", tmp_path)
