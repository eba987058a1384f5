"""Who uses the server: a client is an address, and a visitor if known. Pure.

Owns what counts as one client: of IPv6 a network, because one customer has 2^64 addresses; none
for the loopback interface, because all visitors of a proxy that forwards no address have that one.
"""

from __future__ import annotations

import functools
import ipaddress
from typing import NamedTuple

IPV6_PREFIX = 64  # what one customer gets: RFC 6177


class Client(NamedTuple):
    """Whom sessions and bytes are counted for.

    Attributes:
        address: The visitor's address, or its network.
        visitor: The browser's word; empty if it sent none.
    """

    address: str
    visitor: str

    @property
    def is_loopback(self) -> bool:
        """Whether the address may stand for any number of visitors."""
        return is_loopback(self.address)


NOBODY = Client("", "")


def make_client(address: str, visitor: str) -> Client:
    """The client of a page.

    Args:
        address: As the connection or the proxy has it.
        visitor: The browser's word, or empty.
    """
    return Client(find_network(address), visitor)


@functools.lru_cache(maxsize=4096)
def find_network(address: str) -> str:
    """The part that counts as one address: of IPv6, the first 64 bits."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    if found.is_loopback:
        return str(found)
    return str(ipaddress.ip_network((int(found), IPV6_PREFIX), strict=False))


@functools.lru_cache(maxsize=4096)
def is_loopback(address: str) -> bool:
    """Whether an address is of this machine, or none is known."""
    try:
        return not address or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
