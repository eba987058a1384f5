"""Sockets that listen."""

import errno
import socket

import pytest

from databench.errors import SettingError
from databench.http import bind
from databench.http.sockets import parse_port


def close(sockets):
    for bound in sockets:
        bound.close()


def test_bound_port_is_taken_and_nothing_else_is():
    sockets = bind("127.0.0.1", 0)
    port = sockets[0].getsockname()[1]
    assert port > 0
    with pytest.raises(OSError) as caught:
        bind("127.0.0.1", port)
    assert caught.value.errno == errno.EADDRINUSE
    close(sockets)


def test_all_addresses_of_a_name_get_one_port():
    sockets = bind("localhost", 0)
    assert len({bound.getsockname()[1] for bound in sockets}) == 1
    assert all(not bound.getblocking() for bound in sockets)
    close(sockets)


def test_no_host_is_every_address_of_this_machine():
    sockets = bind(None, 0)
    assert "0.0.0.0" in [bound.getsockname()[0] for bound in sockets]
    close(sockets)


def test_system_without_ipv6_has_the_other_addresses(monkeypatch):
    real = socket.socket

    def make(family, *args):
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "no IPv6")
        return real(family, *args)

    monkeypatch.setattr(socket, "socket", make)
    sockets = bind(None, 0)
    assert [bound.family for bound in sockets] == [socket.AF_INET]
    close(sockets)


@pytest.mark.parametrize(("host", "error"), [("203.0.113.1", OSError), ("no such host", OSError)])
def test_host_that_is_not_ours_leaves_nothing_open(host, error):
    with pytest.raises(error):
        bind(host, 0)


def test_a_port_is_a_number_that_a_socket_takes():
    assert [parse_port(text, "PORT") for text in ("0", "5000", "65535")] == [0, 5000, 65535]
    for text in ("", "-1", "65536", "1.5", "http", "٣"):
        with pytest.raises(SettingError, match=r"port \(PORT\) is .*, expected 0 to 65535"):
            parse_port(text, "PORT")
