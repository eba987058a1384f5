"""Which names this server answers to, and which pages may open a websocket.

A page of another site can make a browser send requests here. Its name in `Host` (DNS rebinding)
or its own in `Origin` gives it away, so both are checked before any handler runs.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

ANY_ADDRESS = ("", "0.0.0.0", "::", "*")
# RFC 1035 section 2.3.4: a name has 255 bytes; port, brackets and blanks come on top.
_NAME_CHARACTERS = 300


def bare(host: str) -> str:
    """A `Host` header without its port, brackets, final dot and capitals."""
    host = host.strip().lower()
    if host.startswith("["):
        name, _, rest = host[1:].partition("]")
        return name if not rest or rest[0] == ":" else host
    if host.count(":") == 1:
        host = host.partition(":")[0]
    return host.removesuffix(".")


def is_loopback(host: str) -> bool:
    """Whether this name or address always means this machine."""
    if len(host) > _NAME_CHARACTERS:
        return False
    return _is_loopback(bare(host))


@functools.lru_cache(maxsize=256)  # nearly every request has the same `Host`
def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 section 6.3
        return True
    address = _address(name)
    return address is not None and address.is_loopback


class Hosts:
    """The names that a request may give as its `Host`.

    Args:
        bound: The address or name that the server listens on. Where that is every address of the
            machine, any address (not any name) is accepted: rebinding needs a name.
        allowed: Further names; `*.example.org` stands for all below it, `*` for all.
    """

    def __init__(self, bound: str, allowed: Collection[str] = ()) -> None:
        self._any_address = bound in ANY_ADDRESS
        self._names = {bare(name) for name in (bound, *allowed)} - {""}

    def is_allowed(self, host: str) -> bool:
        """Whether to answer a request with this `Host`."""
        name = bare(host)
        if is_loopback(name) or "*" in self._names:
            return True
        if not name:
            return False
        if name in self._names or (self._any_address and _address(name) is not None):
            return True
        return any(
            pattern.startswith("*.") and name.endswith(pattern[1:]) for pattern in self._names
        )


def matches_origin(origin: str | None, host: str) -> bool:
    """Whether `Origin` is the request's own server; requests of other sites' pages have one."""
    if origin is None:
        return True
    try:
        place = urlsplit(origin).netloc.lower()
    except ValueError:
        return False
    return bool(place) and place == host.strip().lower()


def tell_unknown(host: str) -> str:
    """Why a request with a foreign `Host` is refused, and how to allow it."""
    return (
        f"this server does not answer to the host {host!r:.200}; "
        f"start it with --allow-host NAME if that name is meant to reach it"
    )


def tell_foreign(origin: str | None, host: str) -> str:
    """Why a request of another site's page is refused, and what to do if it is not one."""
    return (
        f"the page's origin is {origin!r:.200}, but this server is {host!r:.200}; a proxy in front "
        "of the server must forward the Host header; then give that host with --allow-host"
    )


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
