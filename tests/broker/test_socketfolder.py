"""The folder of the front's socket: where it is made, and what happens when it goes."""

import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest

from databench.broker import socketfolder
from databench.broker.socketfolder import PATH_BYTES, SocketFolder, make_directory


class Sockets:
    """Binds as ZeroMQ would, and remembers where."""

    def __init__(self):
        self.made, self.bound, self.sockets = [], [], []

    def bind(self, endpoint):
        bound = socket.socket(socket.AF_UNIX)
        bound.bind(endpoint.removeprefix("ipc://"))
        self.sockets.append(bound)
        self.bound.append(endpoint)


@pytest.fixture
def sockets(tmp_path_factory, monkeypatch):
    # Short, since a socket's path has a limit.
    with tempfile.TemporaryDirectory(prefix="s-", dir="/tmp") as root:
        monkeypatch.setattr(tempfile, "tempdir", root)
        used = Sockets()
        yield used
        for bound in used.sockets:
            bound.close()


def opened(sockets, touch_s=10.0):
    folder = SocketFolder(sockets.bind, sockets.made.append, touch_s)
    folder.open()
    return folder, Path(folder.endpoint.removeprefix("ipc://"))


# -- where -----------------------------------------------------------------------------------------


def test_the_runtime_folder_of_the_login_comes_first(tmp_path, monkeypatch):
    with tempfile.TemporaryDirectory(prefix="x-", dir="/tmp") as own:
        monkeypatch.setenv("XDG_RUNTIME_DIR", own)
        made = make_directory()
        assert made.parent == Path(own)
        assert stat.S_IMODE(made.stat().st_mode) == 0o700


@pytest.mark.parametrize("fault", ["open to others", "no folder", "gone", "relative", "too deep"])
def test_a_runtime_folder_that_cannot_be_trusted_or_used_is_not(fault, monkeypatch, sockets):
    with tempfile.TemporaryDirectory(prefix="x-", dir="/tmp") as own:
        path = own
        if fault == "open to others":
            os.chmod(own, 0o750)
        elif fault == "no folder":
            path = f"{own}/file"
            Path(path).touch(mode=0o600)
        elif fault == "gone":
            path = f"{own}/gone"
        elif fault == "relative":
            path = os.path.relpath(own)
        else:
            path = f"{own}/{'d' * 100}"
            os.mkdir(path, 0o700)
        monkeypatch.setenv("XDG_RUNTIME_DIR", path)
        assert make_directory().parent == Path(tempfile.gettempdir())


def test_a_runtime_folder_of_another_user_is_not_used(monkeypatch, sockets):
    with tempfile.TemporaryDirectory(prefix="x-", dir="/tmp") as own:
        monkeypatch.setenv("XDG_RUNTIME_DIR", own)
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        assert make_directory().parent == Path(tempfile.gettempdir())


@pytest.mark.parametrize("fault", ["too deep", "gone"])
def test_a_temporary_folder_that_cannot_be_used_is_not(fault, tmp_path, monkeypatch):
    deep = tmp_path / ("d" * 100)
    if fault == "too deep":
        deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    made = make_directory()
    try:
        assert made.parent == Path("/tmp")
    finally:
        made.rmdir()


def test_a_path_of_exactly_the_limit_is_used(monkeypatch, tmp_path):
    with tempfile.TemporaryDirectory(prefix="x-", dir="/tmp") as own:
        for over in (0, 1):
            rest = PATH_BYTES + over - len("/databench-12345678/front") - len(own) - 1
            root = f"{own}/{'d' * rest}"
            os.mkdir(root)
            monkeypatch.setattr(tempfile, "tempdir", root)
            made = make_directory()
            assert (made.parent == Path(root)) == (not over)
            if not over:
                with socket.socket(socket.AF_UNIX) as bound:
                    bound.bind(f"{made}/front")
                os.unlink(f"{made}/front")
            made.rmdir()


def test_no_folder_at_all_is_an_os_error(monkeypatch):
    def refuse(**options):
        raise PermissionError(13, "Permission denied", options["dir"])

    monkeypatch.setattr(socketfolder.tempfile, "mkdtemp", refuse)
    with pytest.raises(PermissionError, match="/var/tmp"):
        make_directory()


# -- when it goes ----------------------------------------------------------------------------------


def test_a_folder_that_is_there_is_kept(sockets):
    folder, path = opened(sockets)
    folder.renew()
    assert sockets.bound == [f"ipc://{path}"]
    assert sockets.made == [path.parent]


@pytest.mark.expected_log("The folder of the server's socket, .*, is gone")
@pytest.mark.parametrize("what", ["folder", "socket", "another in its place"])
def test_what_is_gone_or_another_is_replaced(what, sockets):
    folder, path = opened(sockets)
    path.unlink()
    if what != "socket":
        path.parent.rmdir()
    if what == "another in its place":
        path.parent.mkdir()
        sockets.bind(f"ipc://{path}")
    folder.renew()
    renewed = Path(folder.endpoint.removeprefix("ipc://"))
    assert renewed.parent != path.parent
    assert stat.S_ISSOCK(renewed.stat().st_mode)
    assert sockets.made == [path.parent, renewed.parent]
    folder.renew()
    assert len(sockets.made) == 2


def test_a_folder_in_which_nothing_can_be_bound_is_removed(sockets):
    def refuse(_endpoint):
        raise OSError("no descriptor is left")

    folder = SocketFolder(refuse, sockets.made.append, 10.0)
    with pytest.raises(OSError, match="no descriptor"):
        folder.open()
    assert not sockets.made[0].exists()


# -- that it looks used ----------------------------------------------------------------------------


def test_folder_and_socket_are_touched_when_it_is_time(sockets):
    folder, path = opened(sockets, touch_s=10.0)

    def age():
        for old in (path, path.parent):
            os.utime(old, (1000, 1000))

    def is_old():
        return {found.st_mtime == found.st_atime == 1000 for found in map(os.stat, both)}

    both = (path, path.parent)
    age()
    for now_s in (5.0, 14.9):
        folder.touch(now_s)
    assert is_old() == {True}
    folder.touch(15.0)
    assert is_old() == {False}
    age()
    folder.touch(24.9)
    assert is_old() == {True}
    folder.touch(25.0)
    assert is_old() == {False}


def test_touching_what_is_gone_is_no_error(sockets):
    folder, path = opened(sockets, touch_s=0.0)
    path.unlink()
    path.parent.rmdir()
    folder.touch(1.0)
