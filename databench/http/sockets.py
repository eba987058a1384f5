"""Listening sockets: bound before anything else starts, so that a taken port leaves nothing."""

from __future__ import annotations

import errno
import socket
from typing import Any

from ..errors import SettingError

_BACKLOG = 1024  # pages that come back at once after a restart


def parse_port(text: str, source: str) -> int:
    """The port that the user gave.

    Args:
        text: As it was given; 0 takes any free one.
        source: The option, the setting or the variable.

    Raises:
        SettingError: It is not a port.
    """
    if text.isascii() and text.isdigit() and int(text) < 65536:
        return int(text)
    raise SettingError(f"port ({source}) is {text!r}, expected 0 to 65535", name="port")


def bind(host: str | None, port: int) -> list[socket.socket]:
    """Listening sockets for each address of a host.

    Args:
        host: A name or an address; all of its addresses get the same port. `None` is every
            address of this machine.
        port: 0 takes any free one.

    Raises:
        OSError: The port is taken, or the host is not this machine's.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    bound: list[socket.socket] = []
    refused: OSError | None = None
    for family, kind, protocol, _, address in dict.fromkeys(found):
        own_port = bound[0].getsockname()[1] if bound else port
        try:
            listening = socket.socket(family, kind, protocol)
        except OSError as error:
            if error.errno == errno.EAFNOSUPPORT:  # a system without IPv6
                refused = error
                continue
            raise
        try:
            _listen(listening, (address[0], own_port, *address[2:]))
        except OSError as error:
            listening.close()
            if error.errno == errno.EADDRNOTAVAIL:  # a name's IPv6 address without IPv6
                refused = error
                continue
            for other in bound:
                other.close()
            raise
        bound.append(listening)
    if not bound and refused is not None:
        raise refused
    return bound


def _listen(listening: socket.socket, address: tuple[Any, ...]) -> None:
    listening.setblocking(False)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listening.family == socket.AF_INET6:
        # Only its own address, so that the IPv4 one of the same name stays free.
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listening.bind(address)
    listening.listen(_BACKLOG)
