"""The certificate: its files, or a self-signed one if only this machine can connect.

Pages are served with encryption in addition to plain HTTP, on a separate port.
"""

from __future__ import annotations

import argparse
import datetime
import ipaddress
import os
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ...errors import SettingError
from ...install import pip_install
from .hosts import is_loopback

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

_OPTIONS = ("ssl_certfile", "ssl_keyfile", "ssl_port")
_VALID = datetime.timedelta(days=30)


class Wanted(NamedTuple):
    """The options; each empty if it was not given.

    Attributes:
        certfile: A PEM file with the certificate and those that it rests on, in this order.
        keyfile: A PEM file with its key, if `certfile` does not hold it.
        port: Where to serve with it, as text.
    """

    certfile: str
    keyfile: str
    port: str


def find_wanted(options: argparse.Namespace, environ: Mapping[str, str]) -> Wanted | None:
    """The options of the command line, or else the environment; `None`: no encryption."""
    values = [
        getattr(options, name, None) or environ.get(name.replace("_", "").upper(), "")
        for name in _OPTIONS
    ]
    return Wanted(*values) if any(values) else None


def make_context(wanted: Wanted, host: str) -> ssl.SSLContext:
    """The context of a TLS server.

    Args:
        wanted: The files, if any.
        host: The one that the server listens on.

    Returns:
        A context for TLS 1.2 and newer (RFC 8996 deprecates what is older).

    Raises:
        SettingError: The files cannot be used, or there are none and others can connect.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if wanted.certfile:
        _load(context, wanted.certfile, wanted.keyfile)
    elif wanted.keyfile:
        raise SettingError(
            f"--ssl-keyfile is '{wanted.keyfile}', but --ssl-certfile is missing; give both",
            name="ssl_certfile",
        )
    elif not is_loopback(host):
        raise SettingError(
            f"--ssl-port without --ssl-certfile needs a loopback host, but the host is '{host}': "
            "other machines cannot tell a self-signed certificate from a forged one; "
            "give --ssl-certfile and --ssl-keyfile",
            name="ssl_certfile",
        )
    else:
        _load_self_signed(context, host)
    return context


def _load(context: ssl.SSLContext, certfile: str, keyfile: str) -> None:
    for name, file in (("ssl_certfile", certfile), ("ssl_keyfile", keyfile)):
        try:
            if file:
                Path(file).read_bytes()
        except OSError as error:
            option = "--" + name.replace("_", "-")
            raise SettingError(
                f"{option} is '{file}', which cannot be read: {error.strerror}", name=name
            ) from None
    try:
        # Without a password, OpenSSL would ask for one in the terminal, and wait.
        context.load_cert_chain(certfile, keyfile or None, password=_refuse_password)
    except (ssl.SSLError, _PasswordError) as error:
        key = f" and --ssl-keyfile '{keyfile}'" if keyfile else ""
        reason = getattr(error, "reason", None) or str(error)
        raise SettingError(
            f"--ssl-certfile '{certfile}'{key} cannot be used: {reason}; expected PEM files of a "
            "certificate and its key",
            name="ssl_certfile",
        ) from None


class _PasswordError(Exception):
    pass


def _refuse_password() -> str:
    raise _PasswordError("the key has a password, for which a server cannot ask")


def _load_self_signed(context: ssl.SSLContext, host: str) -> None:
    certificate = make_self_signed(host)
    # `load_cert_chain` reads files alone; this one is readable for its owner and gone at once.
    descriptor, name = tempfile.mkstemp(prefix="databench-", suffix=".pem")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(certificate)
        context.load_cert_chain(name)
    finally:
        os.unlink(name)


def make_self_signed(host: str) -> bytes:
    """A key and a certificate for the names of this machine's loopback, as PEM.

    Args:
        host: A further name or address that it is for.

    Raises:
        SettingError: The library that makes it is not installed.
    """
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError:
        raise SettingError(
            "--ssl-port without --ssl-certfile makes a certificate, which needs the package "
            f"'cryptography'; {pip_install('databench[ssl]')}, or give --ssl-certfile and "
            "--ssl-keyfile",
            name="ssl_certfile",
        ) from None
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + _sign(key, host).public_bytes(serialization.Encoding.PEM)


def _sign(key: ec.EllipticCurvePrivateKey, host: str) -> x509.Certificate:
    """A certificate of the key by itself, for this machine's own names and `host`."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = [_general_name(each) for each in dict.fromkeys(["localhost", "127.0.0.1", "::1", host])]
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )


def _general_name(text: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
