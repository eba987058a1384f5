"""Encrypted pages, with clients that check the chain of certificates."""

import argparse
import asyncio
import datetime
import json
import re
import signal
import socket
import ssl
import sys

import pytest
import tornado.httpclient
import tornado.websocket
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from databench.errors import SettingError
from databench.front.security import tls
from databench.front.security.tls import Wanted, find_wanted, make_context, make_self_signed
from tests.processes.server import Server

FILES = Wanted("cert.pem", "key.pem", "")


def make_certificate(common_name, issuer=None, alternative=None):
    """A key and its certificate, signed by the issuer (a pair of the same kind) or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer[1].subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=alternative is None, path_length=None), True)
    )
    if alternative:
        names = x509.SubjectAlternativeName([x509.DNSName(alternative)])
        builder = builder.add_extension(names, critical=False)
    return key, builder.sign(issuer[0] if issuer else key, hashes.SHA256())


def write_key(path, key, password=None):
    encryption = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    form = serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, encryption))


def write_certificates(path, *certificates):
    pem = serialization.Encoding.PEM
    path.write_bytes(b"".join(each.public_bytes(pem) for each in certificates))


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """A folder: an authority, one below it, and what that one has signed for `localhost`."""
    folder = tmp_path_factory.mktemp("tls")
    root = make_certificate("root")
    middle = make_certificate("middle", root)
    key, leaf = make_certificate("leaf", middle, "localhost")
    write_certificates(folder / "root.pem", root[1])
    write_certificates(folder / "cert.pem", leaf, middle[1])
    write_key(folder / "key.pem", key)
    write_key(folder / "locked.pem", key, b"secret")
    write_key(folder / "other.pem", root[0])
    return folder


# ---------------------------------------------------------------- what is asked for


@pytest.mark.parametrize(
    ("options", "environ", "wanted"),
    [
        ({}, {}, None),
        ({}, {"SSLPORT": ""}, None),
        ({"ssl_port": "0"}, {}, Wanted("", "", "0")),
        ({}, {"SSLCERTFILE": "c", "SSLKEYFILE": "k", "SSLPORT": "1"}, Wanted("c", "k", "1")),
        ({"ssl_certfile": "o"}, {"SSLCERTFILE": "c"}, Wanted("o", "", "")),
    ],
)
def test_options_come_before_the_environment(options, environ, wanted):
    assert find_wanted(argparse.Namespace(**options), environ) == wanted


@pytest.mark.parametrize(
    ("certfile", "keyfile", "complaint"),
    [
        ("cert.pem", "other.pem", "cannot be used: KEY_VALUES_MISMATCH"),
        ("cert.pem", "", "cannot be used: "),
        ("key.pem", "key.pem", "cannot be used: "),
        ("cert.pem", "locked.pem", "the key has a password, for which a server cannot ask"),
        ("gone.pem", "key.pem", r"--ssl-certfile is '.*gone.pem', which cannot be read: No such"),
        ("cert.pem", "gone.pem", r"--ssl-keyfile is '.*gone.pem', which cannot be read: No such"),
        (".", "key.pem", "which cannot be read: Is a directory"),
    ],
)
def test_files_that_cannot_be_used_are_told(certfile, keyfile, complaint, chain):
    files = [str(chain / file) if file else "" for file in (certfile, keyfile)]
    with pytest.raises(SettingError, match=complaint):
        make_context(Wanted(*files, ""), "0.0.0.0")


def test_key_without_certificate_is_an_error():
    with pytest.raises(SettingError, match=r"--ssl-keyfile is 'k.pem', but --ssl-certfile is miss"):
        make_context(Wanted("", "k.pem", ""), "127.0.0.1")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "lab.example"])
def test_others_get_no_self_signed_certificate(host):
    with pytest.raises(SettingError, match="needs a loopback host, but the host is"):
        make_context(Wanted("", "", "0"), host)


def test_without_the_library_it_is_told_what_to_install(monkeypatch):
    for name in ("cryptography", "cryptography.hazmat.primitives"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SettingError, match=r"pip install 'databench\[ssl\]'"):
        make_self_signed("localhost")


def test_the_self_signed_certificate_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(tls.tempfile, "tempdir", str(tmp_path))
    make_context(Wanted("", "", "0"), "127.0.0.1")
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- real clients


def client(cafile=None, cadata=None):
    return ssl.create_default_context(cafile=cafile, cadata=cadata)


async def fetch(url, context):
    http = tornado.httpclient.AsyncHTTPClient()
    return (await http.fetch(url, ssl_options=context)).code


def tls_port(server):
    return int(server.wait_printed(re.compile(r"https://127\.0\.0\.1:(\d+)/"))[1])


async def join(port, context):
    """A page's way: the websocket of an analysis, and what it is answered first."""
    request = tornado.httpclient.HTTPRequest(
        f"wss://localhost:{port}/dummypi/ws",
        ssl_options=context,
        headers={"Origin": f"https://localhost:{port}"},
    )
    page = await tornado.websocket.websocket_connect(request)
    await page.write_message(json.dumps({"__connect": None}))
    return page, json.loads(await page.read_message())["signal"]


@pytest.mark.process
@pytest.mark.slow
async def test_page_and_websocket_are_served_with_the_chain_and_http_beside_them(chain):
    files = ["--ssl-certfile", str(chain / "cert.pem"), "--ssl-keyfile", str(chain / "key.pem")]
    with Server(None, *files, "--ssl-port", "0") as server:
        port = tls_port(server)
        trusting = client(str(chain / "root.pem"))
        assert await fetch(f"https://localhost:{port}/dummypi/", trusting) == 200
        assert await fetch(f"{server.url}/dummypi/", None) == 200
        page, first = await join(port, trusting)
        assert first == "__connect"
        page.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            await fetch(f"https://localhost:{port}/", client())
        with pytest.raises(ssl.SSLCertVerificationError):  # it is for another name
            await fetch(f"https://127.0.0.1:{port}/", trusting)


@pytest.mark.process
@pytest.mark.slow
async def test_self_signed_certificate_is_one_that_a_client_can_be_told_to_trust():
    with Server(None, "--ssl-port", "0") as server:
        port = tls_port(server)
        pem = ssl.get_server_certificate(("127.0.0.1", port))
        for name in ("localhost", "127.0.0.1"):
            assert await fetch(f"https://{name}:{port}/", client(cadata=pem)) == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            await fetch(f"https://localhost:{port}/", client())


@pytest.mark.process
@pytest.mark.slow
async def test_encryption_alone_leaves_no_plain_port_and_holds_browsers_to_it():
    with Server(None, "--ssl-port", "0", "--ssl-only", "--hsts-s", "3600") as server:
        assert "http://" not in server.printed
        pem = ssl.get_server_certificate(("127.0.0.1", server.port))
        fetched = await tornado.httpclient.AsyncHTTPClient().fetch(
            f"https://localhost:{server.port}/", ssl_options=client(cadata=pem)
        )
        assert fetched.headers["Strict-Transport-Security"] == "max-age=3600"
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", server.port, ssl=client(cadata=pem), server_hostname="localhost"
        )
        writer.write(b"junk\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"\r\nStrict-Transport-Security: max-age=3600\r\n" in answer
        assert b"\r\nContent-Security-Policy: object-src 'none'; " in answer


@pytest.mark.process
@pytest.mark.slow
async def test_plain_port_stays_and_browsers_are_free_unless_asked():
    with Server(None, "--ssl-port", "0") as server:
        port = tls_port(server)
        pem = ssl.get_server_certificate(("127.0.0.1", port))
        for url in (f"https://localhost:{port}/", server.url):
            fetched = await tornado.httpclient.AsyncHTTPClient().fetch(
                url, ssl_options=client(cadata=pem)
            )
            assert "Strict-Transport-Security" not in fetched.headers


@pytest.mark.process
@pytest.mark.slow
async def test_a_server_that_stops_says_so_to_encrypted_pages_too(chain):
    files = ["--ssl-certfile", str(chain / "cert.pem"), "--ssl-keyfile", str(chain / "key.pem")]
    with Server(None, *files, "--ssl-port", "0") as server:
        page, _ = await join(tls_port(server), client(str(chain / "root.pem")))
        server.signal(signal.SIGTERM)
        while await page.read_message() is not None:
            pass
        assert page.close_code == 1001
        page.close()


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_protocol_versions_are_refused():
    with Server(None, "--ssl-port", "0") as server:
        port = tls_port(server)
        for version, is_served in [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)]:
            context = ssl._create_unverified_context()
            context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            with socket.create_connection(("127.0.0.1", port)) as plain:
                if is_served:
                    context.wrap_socket(plain).close()
                    continue
                # The server's own word, not an inability of the client.
                with pytest.raises(ssl.SSLError, match="alert protocol version"):
                    context.wrap_socket(plain)
