"""Which names are answered, and which pages may open a websocket."""

import pytest

from databench.front.security.hosts import Hosts, bare, is_loopback, matches_origin


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost", "localhost"),
        ("LocalHost:5000", "localhost"),
        ("localhost.:5000", "localhost"),
        ("127.0.0.1:5000", "127.0.0.1"),
        ("[::1]:5000", "::1"),
        ("::1", "::1"),
        ("", ""),
        (" lab.example ", "lab.example"),
    ],
)
def test_bare_name(host, name):
    assert bare(host) == name


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost:5000", True),
        ("a.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9:80", True),
        ("[::1]:5000", True),
        ("[::1]evil.example", False),
        ("[::1", True),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("evil.example", False),
        ("127.0.0.1@evil.example", False),
        ("0.0.0.0", False),
        ("192.168.1.5", False),
        ("", False),
    ],
)
def test_loopback_names_alone_are_ours_by_default(host, is_ours):
    assert is_loopback(host) is is_ours
    assert Hosts("127.0.0.1").is_allowed(host) is is_ours


@pytest.mark.parametrize(
    ("bound", "allowed", "host", "is_ours"),
    [
        ("127.0.0.1", ["lab.example"], "lab.example:5000", True),
        ("127.0.0.1", ["lab.example"], "LAB.example.", True),
        ("127.0.0.1", ["lab.example:80"], "lab.example", True),
        ("127.0.0.1", ["lab.example"], "x.lab.example", False),
        ("127.0.0.1", ["*.lab.example"], "x.lab.example", True),
        ("127.0.0.1", ["*.lab.example"], "lab.example", False),
        ("127.0.0.1", ["*.lab.example"], "evillab.example", False),
        ("127.0.0.1", ["*"], "evil.example", True),
        ("lab.example", [], "lab.example", True),
        ("192.168.1.5", [], "192.168.1.5:5000", True),
        ("192.168.1.5", [], "192.168.1.6", False),
        ("0.0.0.0", [], "192.168.1.5", True),
        ("::", [], "[fe80::1]:5000", True),
        ("0.0.0.0", [], "evil.example", False),
        ("0.0.0.0", [], "", False),
    ],
)
def test_further_names(bound, allowed, host, is_ours):
    assert Hosts(bound, allowed).is_allowed(host) is is_ours


@pytest.mark.parametrize(
    ("origin", "host", "matches"),
    [
        (None, "localhost:5000", True),
        ("http://localhost:5000", "localhost:5000", True),
        ("https://LAB.example", "lab.EXAMPLE", True),
        ("http://localhost:5001", "localhost:5000", False),
        ("http://localhost", "localhost:5000", False),
        ("http://evil.example", "localhost:5000", False),
        ("null", "localhost:5000", False),
        ("", "", False),
        ("http://[", "localhost", False),
        ("http://localhost:5000@evil.example", "localhost:5000", False),
    ],
)
def test_origin(origin, host, matches):
    assert matches_origin(origin, host) is matches
