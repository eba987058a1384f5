"""What is served: a folder's analyses, or one script."""

from pathlib import Path

import pytest

from databench.errors import SettingError
from databench.front.startup import project
from databench.front.startup.script import from_file


def test_a_folder_is_served_as_it_stands(folder):
    found = project.from_folder(str(folder), here=folder.parent)
    assert (list(found.specs), found.shown, found.address) == (["x"], str(folder), "")
    assert found.specs["x"].script is None
    assert "py" in found.kernelspecs


def test_the_demos_are_told_as_such(tmp_path):
    assert project.from_folder(None, here=tmp_path).shown == "the packaged analyses"


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(SettingError, match="neither a folder"):
        project.from_folder("no.where", here=tmp_path)


def test_a_script_is_named_to_the_kernel_and_to_the_index(tmp_path):
    file = tmp_path / "sub" / "my-pi.py"
    file.parent.mkdir()
    file.touch()
    found = project.from_script(from_file(file, argv=("my-pi.py", "--x")), here=tmp_path)
    spec = found.specs["my-pi"]
    assert (spec.root, spec.folder, spec.kernel) == (tmp_path, file.parent, "py")
    assert (spec.script.file, spec.script.argv) == (file, ("my-pi.py", "--x"))
    assert found.index.entries["my-pi"].file == file
    assert (found.address, found.shown, Path(found.index.folder)) == (
        "my-pi/",
        str(file),
        file.parent,
    )


def test_what_is_wrong_with_a_kernel_is_said_by_the_analyses_that_need_it(folder):
    specs = folder.parent / "kernels"
    for name, text in (("idle", "5"), ("bad", "argv: 5"), ("lacks", "argv: [no-such-program]")):
        (specs / name).mkdir(parents=True)
        (specs / name / "kernel.yaml").write_text(
            f"{text}\nprotocol: 1\n" if "argv" in text else text
        )
        (folder / name).mkdir()
    listed = "".join(f"  - {{name: {name}, kernel: {name}}}\n" for name in ("bad", "lacks"))
    (folder / "index.yaml").write_text(f"analyses:\n  - x\n{listed}")
    found = project.from_folder(str(folder), here=folder.parent)
    assert list(found.specs) == ["x"]
    (bad,), (lacks,) = (found.index.entries[name].problems for name in ("bad", "lacks"))
    assert "kernel.yaml:1: argv is 5, expected a list of words" in bad
    assert bad.endswith("; analysis 'bad' needs this kernel")
    assert lacks.startswith("kernels/lacks/kernel.yaml: the program 'no-such-program' is not in")
    (warning,) = found.index.warnings
    assert warning.startswith(str(specs / "idle"))
    assert warning.endswith("; no analysis needs this kernel")


def test_a_bad_spec_of_python_concerns_analyses_that_name_no_kernel(folder):
    (folder.parent / "kernels" / "py").mkdir(parents=True)
    (folder.parent / "kernels" / "py" / "kernel.yaml").write_text("5")
    found = project.from_folder(str(folder), here=folder.parent)
    assert found.specs == {}
    assert "analysis 'x' needs this kernel" in found.index.entries["x"].problems[0]


def test_a_folder_of_specs_that_cannot_be_listed_warns(folder):
    (folder.parent / "kernels").write_text("")
    found = project.from_folder(str(folder), here=folder.parent)
    assert "folder of kernel specs cannot be read" in found.index.warnings[0]
    assert list(found.specs) == ["x"]


def test_reload_at_once_is_known_to_the_broker_and_is_no_other_analysis(folder):
    before = project.from_folder(str(folder), here=folder.parent).specs["x"]
    (folder / "index.yaml").write_text("analyses:\n  - {name: x, reload: at once}\n")
    spec = project.from_folder(str(folder), here=folder.parent).specs["x"]
    assert (before.restarts_at_once, spec.restarts_at_once) == (False, True)
    assert spec == before
