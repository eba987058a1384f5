"""Files of the user's own: whole, and for nobody else."""

import os
import stat

import pytest

from databench.front.security import privatefiles


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_folder_lies_below_the_users_own(tmp_path):
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    assert privatefiles.find_folder(environ, "XDG_STATE_HOME", "~/.x") == tmp_path / "databench"
    for given in ({}, {"XDG_STATE_HOME": ""}, {"XDG_STATE_HOME": "relative"}):
        found = privatefiles.find_folder(given, "XDG_STATE_HOME", "~/.x")
        assert str(found) == os.path.expanduser("~/.x/databench")


def test_file_is_written_for_nobody_else_and_read_again(tmp_path):
    path = tmp_path / "a" / "b" / "file"
    privatefiles.write(path, b"one")
    privatefiles.write(path, b"two")
    assert privatefiles.read(path, 100) == b"two"
    assert privatefiles.read(path, 2) == b"tw"
    assert (mode(path.parent), mode(path)) == (0o700, 0o600)
    assert list(path.parent.iterdir()) == [path]


def test_first_one_stays_where_that_is_asked_for(tmp_path):
    privatefiles.write(tmp_path / "file", b"one", is_first=True)
    with pytest.raises(FileExistsError):
        privatefiles.write(tmp_path / "file", b"two", is_first=True)
    assert privatefiles.read(tmp_path / "file", 100) == b"one"
    assert len(list(tmp_path.iterdir())) == 1


def test_what_others_could_have_written_is_not_read(tmp_path):
    privatefiles.write(tmp_path / "file", b"one")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "fifo", 0o600)
    assert privatefiles.read(tmp_path / "link", 9) == privatefiles.read(tmp_path / "fifo", 9) == b""
    assert privatefiles.read(tmp_path / "gone", 9) == b""
    (tmp_path / "file").chmod(0o620)
    assert privatefiles.read(tmp_path / "file", 9) == b""
