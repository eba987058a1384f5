"""Where the server listens."""

import socket

import pytest

from databench.errors import SettingError
from databench.front.startup import ports


@pytest.fixture
def taken():
    """A port of 127.0.0.1 that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def close(sockets):
    for bound in sockets:
        bound.close()


@pytest.mark.parametrize(("option", "environ"), [("0", {}), (None, {"PORT": "0"})])
def test_port_is_taken_from_the_option_or_the_environment(option, environ):
    sockets = ports.listen("127.0.0.1", option, environ)
    assert sockets[0].getsockname()[1] not in (0, 5000)
    close(sockets)


def test_option_wins_over_the_environment(taken):
    close(ports.listen("127.0.0.1", "0", {"PORT": str(taken)}))


@pytest.mark.parametrize(
    ("given", "host"),
    [("[::1]", "::1"), ("::1", "::1"), ("localhost", "localhost"), ("[::1", "[::1"), ("", "")],
)
def test_an_address_may_stand_in_brackets_as_in_a_url(given, host):
    assert ports.unbracket(given) == host


def test_host_is_the_options_then_the_environments_then_this_machines_alone():
    assert ports.find_host("[::1]", {"HOST": "a"}) == "::1"
    assert ports.find_host(None, {"HOST": "a"}) == "a"
    assert ports.find_host(None, {"HOST": ""}) == "127.0.0.1"


@pytest.mark.parametrize("source", ["--port", "PORT"])
def test_port_that_was_asked_for_and_is_taken_is_an_error(taken, source):
    option, environ = (str(taken), {}) if source == "--port" else (None, {"PORT": str(taken)})
    with pytest.raises(SettingError) as caught:
        ports.listen("127.0.0.1", option, environ)
    assert f"port {taken} ({source}) is taken on 127.0.0.1" in str(caught.value)


@pytest.mark.expected_log(r"port \d+ is taken; serving on \d+")
def test_default_port_that_is_taken_gives_the_next_free_one(taken, monkeypatch, caplog):
    monkeypatch.setattr(ports, "DEFAULT_PORT", taken)
    sockets = ports.listen("127.0.0.1", None, {})
    got = sockets[0].getsockname()[1]
    close(sockets)
    assert taken < got < taken + ports.NEXT_PORTS
    assert f"port {taken} is taken; serving on {got}" in caplog.text


def test_all_ports_taken_is_an_error(taken, monkeypatch):
    monkeypatch.setattr(ports, "DEFAULT_PORT", taken)
    monkeypatch.setattr(ports, "NEXT_PORTS", 1)
    with pytest.raises(SettingError, match="are taken; give --port 0"):
        ports.listen("127.0.0.1", None, {})


@pytest.mark.parametrize("text", ["x", "-1", "65536", "1.5", " ", "٣"])
def test_what_is_no_port_is_an_error(text):
    with pytest.raises(SettingError, match="expected 0 to 65535"):
        ports.listen("127.0.0.1", text, {})


@pytest.mark.parametrize("port", ["0", None])
@pytest.mark.parametrize("host", ["a" * 300, "a..b", chr(0xDC80)])
def test_host_that_is_no_name_is_an_error(host, port):
    with pytest.raises(SettingError, match="not a host name"):
        ports.listen(host, port, {})


@pytest.mark.parametrize("port", ["0", None])
def test_host_that_is_not_ours_is_an_error(port):
    with pytest.raises(SettingError, match=r"cannot listen on host '203\.0\.113\.1'"):
        ports.listen("203.0.113.1", port, {})


@pytest.mark.expected_log(
    r"browsers refuse to open pages on port 6000 \(--port\).*for example 5000"
)
def test_port_that_browsers_refuse_is_served_with_a_warning():
    close(ports.listen("127.0.0.1", "6000", {}))


def test_port_that_browsers_refuse_is_never_the_next_free_one(monkeypatch):
    monkeypatch.setattr(ports, "DEFAULT_PORT", 5060)
    monkeypatch.setattr(ports, "NEXT_PORTS", 2)
    with pytest.raises(SettingError, match="are taken"):
        ports.listen("127.0.0.1", None, {})


def test_ports_that_browsers_refuse_are_those_of_the_standard():
    assert {1, 22, 25, 5060, 5061, 6000, 6667, 10080} < ports.REFUSED
    assert len(ports.REFUSED) == 83
    assert not {80, 443, 5000, 5001, 8000, 8080, 8888} & ports.REFUSED


def test_any_free_port_is_none_of_those(caplog):
    close(ports.listen("127.0.0.1", "0", {}))
    assert not caplog.records
