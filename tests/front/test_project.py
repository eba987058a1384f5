"""What is served: a folder's analyses, or one script."""

from pathlib import Path

import pytest

from databench.errors import SettingError
from databench.front import project
from databench.front.script import from_file


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
