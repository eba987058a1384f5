"""Where the server listens: the host and the ports from the options, or the first free ones.

Owns their options and variables, and the message for a port that cannot be used.
"""

from __future__ import annotations

import argparse
import errno
import logging
import os
import socket
import ssl
from collections.abc import Mapping
from typing import NamedTuple

from ... import http
from ...errors import SettingError
from ...http.sockets import parse_port
from ..reload import reexec
from ..security import tls

log = logging.getLogger("databench.front")

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 5000
DEFAULT_TLS_PORT = 5001
NEXT_PORTS = 100
# Where browsers open no page (Fetch standard, "port blocking": https://fetch.spec.whatwg.org).
# fmt: off
REFUSED = frozenset((
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101,
    102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389,
    427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636,
    989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665,
    6666, 6667, 6668, 6669, 6679, 6697, 10080,
))
# fmt: on


class Ports(NamedTuple):
    """Listening sockets, those for encrypted connections, and what these need."""

    sockets: list[socket.socket]
    tls_sockets: list[socket.socket]
    tls: ssl.SSLContext | None

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """The scheme and the port of each that there is."""
        both = (("http", self.sockets), ("https", self.tls_sockets))
        return [(scheme, bound[0].getsockname()[1]) for scheme, bound in both if bound]


def open_ports(options: argparse.Namespace, environ: Mapping[str, str], host: str) -> Ports:
    """Listen.

    Raises:
        SettingError: As in `listen` and `tls.make_context`; or only encrypted connections are
            wanted, without a word on their certificate.
    """
    wanted = tls.find_wanted(options, environ)
    if options.ssl_only and not wanted:
        raise SettingError(
            "--ssl-only needs --ssl-certfile (or --ssl-port, for a self-signed certificate on this "
            "machine only)",
            name="ssl_only",
        )
    context = tls.make_context(wanted, host) if wanted else None
    sockets = reexec.take_sockets(os.environ)
    if not sockets and not options.ssl_only:
        sockets = listen(host, options.port, environ)
    tls_sockets = reexec.take_sockets(os.environ, reexec.TLS_VARIABLE)
    if wanted and not tls_sockets:
        try:
            tls_sockets = listen(host, options.ssl_port, environ, is_tls=True)
        except SettingError:
            for bound in sockets:
                bound.close()
            raise
    return Ports(sockets, tls_sockets, context)


def listen(
    host: str, port: str | None, environ: Mapping[str, str], *, is_tls: bool = False
) -> list[socket.socket]:
    """Listening sockets: on the port that was asked for, or on the first free one from 5000 on.

    Args:
        host: A name or an address of this machine.
        port: As on the command line.
        environ: The environment.
        is_tls: Whether for encrypted connections: other names, and from 5001 on.

    Raises:
        SettingError: The port is taken or invalid, or the host is not this machine's.
    """
    option, variable = ("--ssl-port", "SSLPORT") if is_tls else ("--port", "PORT")
    default = DEFAULT_TLS_PORT if is_tls else DEFAULT_PORT
    wanted = find_port(port, environ, option=option, variable=variable)
    if wanted is not None:
        return _bind(host, wanted, variable if port is None else option)
    for number in range(default, default + NEXT_PORTS):
        if number in REFUSED:
            continue
        try:
            sockets = _open(host, number)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise _unusable(host, number, "default", error) from None
            continue
        if number != default:
            log.warning("port %d is taken; serving on %d", default, number)
        return sockets
    last = default + NEXT_PORTS - 1
    raise SettingError(f"ports {default} to {last} are taken; give {option} 0 for any free one")


def find_host(option: str | None, environ: Mapping[str, str]) -> str:
    """The address that was asked for, or that of this machine alone.

    Args:
        option: As on the command line, which comes first.
        environ: The environment, whose `HOST` comes next.
    """
    return unbracket(option or environ.get("HOST") or DEFAULT_HOST)


def unbracket(host: str) -> str:
    """An address as the system takes it: that of IPv6 stands in brackets in a URL only."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def find_port(
    port: str | None, environ: Mapping[str, str], *, option: str = "--port", variable: str = "PORT"
) -> int | None:
    """The port that was asked for; `None`: none was.

    Args:
        port: As on the command line, which comes first.
        environ: The environment.
        option: Its name on the command line.
        variable: Its name in the environment.

    Raises:
        SettingError: It is not a port.
    """
    text, source = (port, option) if port is not None else (environ.get(variable, ""), variable)
    return parse_port(text, source) if text else None


def _open(host: str, port: int) -> list[socket.socket]:
    try:
        return http.bind(host, port)
    except UnicodeError as error:  # a label that is too long, a character that no name has
        raise OSError(errno.EINVAL, f"not a host name ({error})") from None


def _bind(host: str, port: int, source: str) -> list[socket.socket]:
    try:
        sockets = _open(host, port)
    except OSError as error:
        raise _unusable(host, port, source, error) from None
    if port and port in REFUSED:
        log.warning(
            "browsers refuse to open pages on port %d (%s); programs can connect. Use another "
            "port, for example %d",
            *(port, source, DEFAULT_PORT),
        )
    return sockets


def _unusable(host: str, port: int, source: str, error: OSError) -> SettingError:
    if error.errno == errno.EADDRINUSE:
        return SettingError(
            f"port {port} ({source}) is taken on {host}; stop the program that listens "
            "there, or give another port (0: any free one)",
            name="port",
        )
    if error.errno == errno.EACCES:
        return SettingError(f"port {port} ({source}) needs privileges; use 1024 or above")
    return SettingError(
        f"cannot listen on host {host!r} (--host or HOST): {error.strerror or error}", name="host"
    )
