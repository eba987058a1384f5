"""Who counts as one client."""

import pytest

from databench.protocol.clients import Client, find_network, is_loopback, make_client


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::1", "::1"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_of_ipv6_a_network_counts_as_one_address(address, network):
    assert find_network(address) == network
    assert make_client(address, "me") == Client(network, "me")


def test_the_loopback_interface_may_stand_for_anybody():
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "")))
    assert not any(map(is_loopback, ("192.0.2.7", "2001:db8::/64", "unknown")))
    assert Client("127.0.0.1", "").is_loopback
