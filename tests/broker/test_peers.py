"""Who is at the other end of a connection, and who was disconnected."""

import os
import socket
import subprocess

import pytest
import zmq

from databench.broker.peers import PeerMonitor, find_group

ACCEPTED, DISCONNECTED = int(zmq.EVENT_ACCEPTED), int(zmq.EVENT_DISCONNECTED)


@pytest.fixture
def pair():
    """Two ends of a connection within this process."""
    ends = socket.socketpair()
    yield ends
    for end in ends:
        end.close()


@pytest.fixture
def told():
    """Groups that were disconnected, and the monitor that reports them."""
    groups = []
    return groups, PeerMonitor(groups.append)


def test_the_group_at_the_other_end_is_found_and_the_socket_stays_open(pair):
    assert find_group(pair[0].fileno()) == os.getpgid(0)
    pair[0].send(b"x")
    assert pair[1].recv(1) == b"x"


def test_of_a_descriptor_that_is_none_or_no_socket_nothing_is_known():
    assert find_group(10**6) is None
    with open(os.devnull) as file:
        assert find_group(file.fileno()) is None


def test_a_process_that_has_ended_has_no_group(tmp_path):
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "s"))
        bound.listen()
        code = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])"
        subprocess.run(["python3", "-c", code, str(tmp_path / "s")], check=True)
        accepted, _ = bound.accept()
        with accepted:
            assert find_group(accepted.fileno()) is None


def test_an_end_is_reported_with_the_group_that_was_connected(pair, told):
    groups, monitor = told
    descriptor = pair[0].fileno()
    monitor.handle([(ACCEPTED, descriptor)])
    monitor.handle([(DISCONNECTED, descriptor)])
    assert groups == [os.getpgid(0)]
    monitor.handle([(DISCONNECTED, descriptor)])
    assert len(groups) == 1  # once


def test_a_descriptor_that_was_used_again_is_not_taken_for_another_peers(pair, told):
    groups, monitor = told
    descriptor = pair[0].fileno()
    monitor.handle([(ACCEPTED, descriptor), (DISCONNECTED, descriptor), (ACCEPTED, descriptor)])
    assert groups == []  # whose it was first is not known any more
    monitor.handle([(DISCONNECTED, descriptor)])
    assert groups == [os.getpgid(0)]
