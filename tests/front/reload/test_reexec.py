"""Databench's own code: another process in the place of this one, if the code is any."""

import os
import shutil
import socket

import pytest

from databench.front.reload import reexec
from databench.front.reload.reexec import Again, find_problem, take_sockets
from tests.processes import server as servers
from tests.processes.server import REPOSITORY, Server


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as bound:
        yield bound


def test_sockets_go_over_to_the_next_process(listening, monkeypatch):
    executed = []
    monkeypatch.setattr(os, "execv", lambda *words: executed.append(words))
    environ, stops = {}, []
    tls_socket = socket.create_server(("127.0.0.1", 0))
    follower = Again([listening], [tls_socket])
    follower.stop = lambda: stops.append(True)
    follower.on_own([__file__])
    assert stops == [True]
    follower.finish(environ)
    ((program, words),) = executed
    assert words[0] == program
    for bound, variable in ((listening, reexec.VARIABLE), (tls_socket, reexec.TLS_VARIABLE)):
        (taken,) = take_sockets(environ, variable)
        with bound, taken:
            assert taken.getsockname() == bound.getsockname()
            assert not taken.get_inheritable()
    assert environ == {}


def test_without_new_code_nothing_follows_and_nobody_listens_on(listening, monkeypatch):
    monkeypatch.setattr(os, "execv", None)
    address = listening.getsockname()
    follower = Again([listening])
    listening.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    follower.stop = None
    follower.on_own([__file__])  # it is on its way out already
    follower.finish({})


@pytest.mark.expected_log("broken.py:1: invalid syntax.*previous code")
def test_code_that_cannot_be_compiled_stops_nothing(listening, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("x = = 1")
    follower = Again([listening])
    follower.stop = None
    follower.on_own([str(broken)])
    follower.finish({})


def test_problem_names_file_and_line(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "b.py").write_text("x = 1\n(\n")
    assert find_problem([str(tmp_path / "a.py"), str(tmp_path / "gone.py")]) is None
    assert f"{tmp_path / 'b.py'}:2: " in find_problem([str(tmp_path / "b.py")])


@pytest.mark.expected_log("which is not a socket; ignored")
def test_words_that_are_no_sockets_are_ignored():
    assert take_sockets({reexec.VARIABLE: "x,999999"}) == []


@pytest.mark.process
@pytest.mark.slow
def test_server_runs_its_own_new_code_at_the_same_address(tmp_path, monkeypatch):
    checkout = tmp_path / "checkout"
    shutil.copytree(
        REPOSITORY / "databench",
        checkout / "databench",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copytree(REPOSITORY / "kernels", checkout / "kernels")
    (checkout / ".git").mkdir()
    (tmp_path / "analyses" / "one").mkdir(parents=True)
    (tmp_path / "analyses" / "one" / "analysis.py").write_text(
        "import databench\n\n\nclass One(databench.Analysis):\n    pass\n"
    )
    monkeypatch.setattr(servers, "REPOSITORY", checkout)
    with Server(tmp_path / "analyses") as server:
        own = checkout / "databench" / "_version.py"
        text = own.read_text()
        own.write_text(text + "x = = 1\n")
        server.wait_printed(r"_version\.py:\d+: .*previous code")
        own.write_text(text.replace("dev0", "dev99"))
        server.wait_printed(r"dev99 serves .*\n +" + server.url)
