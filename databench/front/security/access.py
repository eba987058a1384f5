"""Who may administer the server: see tracebacks and the kernel page, end what others share.

Theory of operation: an address gives no rights. A proxy on this machine connects from the
loopback interface, may pass on any `Host`, and may add no header at all: a stranger behind it and
a user of this machine look the same. So the right is a token. In development, the server makes one
for the project, keeps it where only its user can read it, and prints it as part of the
address; in production, `--admin-token` gives it. A browser sends it once, in `?token=`, and gets a
cookie for it, whose value is made from the token and does not reveal it; a program sends
`Authorization: Bearer TOKEN`. The decisions here are pure; only `find_token` touches the disk.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import logging
import re
import secrets
import urllib.parse
from collections.abc import Collection, Mapping
from pathlib import Path

import tornado.httputil

from ...errors import SettingError
from . import cookies, privatefiles
from .hosts import is_loopback
from .redaction import compile_key, hide

log = logging.getLogger("databench.front")

ARGUMENT = "token"
VARIABLE = "DATABENCH_ADMIN_TOKEN"
COOKIE = "admin"
LEAST_CHARACTERS = 16
# Characters that an address, a header and a shell take unchanged (RFC 3986 section 2.3).
_TOKEN = re.compile(r"[A-Za-z0-9._~-]+")
_MOST_BYTES = 4096
_GIVEN = compile_key(ARGUMENT, may_be_empty=True)
_MAKE_ONE = "python3 -c 'import secrets; print(secrets.token_urlsafe())' makes one"
_IN_DEVELOPMENT = (
    "To sign in as the administrator, open the address with ?token= that the terminal shows, once "
    "in each browser."
)
_IN_PRODUCTION = (
    "To sign in as the administrator, open a page once with ?token= and the server's --admin-token."
)
_NOBODY = "This server has no administrator: it was started without --admin-token."


def is_development(
    *,
    option: bool | None,
    environ: Mapping[str, str],
    host: str,
    allowed: Collection[str] = (),
    is_proxied: bool = False,
) -> bool:
    """Whether to serve for the author of the analyses, rather than for visitors.

    Args:
        option: `--debug`, `--no-debug`, or `None`: neither was given.
        environ: The environment, whose `DEBUG` comes next.
        host: Where the server listens.
        allowed: Further names that it answers to.
        is_proxied: Whether something was asked for that only a proxy needs.

    Returns:
        What was asked for; else whether no name but a loopback one is answered to.
    """
    if option is not None:
        return option
    text = environ.get("DEBUG", "").lower()
    if text in ("0", "1", "false", "true", "no", "yes"):
        return text in ("1", "true", "yes")
    return not is_proxied and all(is_loopback(name) for name in (host, *allowed))


def find_mode(options: argparse.Namespace, environ: Mapping[str, str], host: str) -> bool:
    """Whether to serve in development, by all options; logs the ones that turned it off.

    Args:
        options: As `cli` parsed them.
        environ: The environment.
        host: Where the server listens.
    """
    proxied = [name for name in ("xheaders", "base_path") if getattr(options, name, None)]
    given = [f"--{name.replace('_', '-')}" for name in proxied]
    given += ["--allow-host"] * any(not is_loopback(name) for name in options.allow_host)
    decided = is_development(
        option=options.debug,
        environ=environ,
        host=host,
        allowed=options.allow_host,
        is_proxied=bool(proxied),
    )
    if given and options.debug is None and not decided and is_loopback(host):
        log.info(
            "%s: visitors come from other machines, so tracebacks and reload are off, and the "
            "kernel page needs --admin-token",
            " and ".join(given),
        )
    return decided


def check_token(token: str, source: str) -> str:
    """A token that a user chose.

    Args:
        token: As it was given.
        source: The option or the variable.

    Raises:
        SettingError: It is too short, or has characters that an address does not take.
    """
    if len(token) < LEAST_CHARACTERS:
        raise SettingError(
            f"the token ({source}) has {len(token)} characters, minimum {LEAST_CHARACTERS}: "
            f"anyone who guesses it can end what all visitors run; {_MAKE_ONE}",
            name="admin_token",
        )
    if not _TOKEN.fullmatch(token):
        raise SettingError(
            f"the token ({source}) may contain only letters, digits and . _ ~ - "
            f"because it is part of an address; {_MAKE_ONE}",
            name="admin_token",
        )
    return token


def find_chosen(option: str | None, environ: Mapping[str, str]) -> str:
    """The token that a user chose; empty: none.

    Args:
        option: As on the command line, which comes first.
        environ: The environment.

    Raises:
        SettingError: As in `check_token`.
    """
    if option is not None:
        return check_token(option, "--admin-token")
    token = environ.get(VARIABLE, "")
    return check_token(token, VARIABLE) if token else ""


class Access:
    """Judges requests.

    Args:
        token: It gives the right; empty: nothing does.
        port: Where the server listens without encryption.
        project: As `cookies.find_project` calls it.
        is_development: Whether the token is the one that is printed.
    """

    def __init__(
        self, token: str = "", *, port: int = 0, project: str = "", is_development: bool = False
    ) -> None:
        self.project = project
        self.token = token
        self._port = port
        self._is_development = is_development

    @property
    def how(self) -> str:
        """How a page gets the right, in sentences."""
        if not self.token:
            return _NOBODY
        return _IN_DEVELOPMENT if self._is_development else _IN_PRODUCTION

    @property
    def printed(self) -> str:
        """The end of the address in the terminal: without a token that the user chose and knows."""
        return f"?{ARGUMENT}={self.token}" if self._is_development else ""

    def may_administer(self, request: tornado.httputil.HTTPServerRequest) -> bool:
        """Whether this request has the right."""
        if not self.token:
            return False
        scheme, _, word = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _is_same(word.strip(), self.token):
            return True  # a proxy's own token may stand there, and does not count here
        name = self._name(is_secure=request.protocol == "https")
        sent = cookies.read(request, name)
        if sent is None:
            return False
        return _is_same(sent, make_value(self.token, name))

    def brings_token(self, request: tornado.httputil.HTTPServerRequest) -> bool:
        """Whether a browser brings the token in its address, which is to be exchanged.

        Any other word in `?token=` is the page's own affair.
        """
        if not self.token or request.method not in ("GET", "HEAD"):
            return False
        words = request.query_arguments.get(ARGUMENT, ())
        return any(_is_same(word.decode("utf-8", "replace"), self.token) for word in words)

    def cookie(self, *, is_secure: bool) -> tuple[str, str]:
        """Name and value of the cookie that has the right.

        Args:
            is_secure: Whether the browser is connected over TLS.
        """
        name = self._name(is_secure=is_secure)
        return name, make_value(self.token, name)

    def _name(self, *, is_secure: bool) -> str:
        return cookies.name(COOKIE, port=self._port, project=self.project, is_secure=is_secure)


def make(
    folder: Path, port: int, environ: Mapping[str, str], chosen: str, *, is_development: bool
) -> Access:
    """Who may administer: holders of the chosen token, or of the project's own.

    Args:
        folder: The analyses' folder.
        port: Where the server listens without encryption.
        environ: The environment.
        chosen: As `find_chosen` gives it.
        is_development: Whether there is one if none was chosen.
    """
    name = cookies.find_project(folder)
    if chosen or not is_development:
        return Access(chosen, port=port, project=name)
    token = find_token(find_folder(environ), name)
    return Access(token, port=port, project=name, is_development=True)


def make_value(token: str, name: str) -> str:
    """The value of a cookie for a token: of no use under another name, so on no other port."""
    return hmac.new(token.encode(), name.encode(), hashlib.sha256).hexdigest()


def _is_same(given: str, right: str) -> bool:
    """Compares in a time that does not reveal where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())


def hide_token(request: tornado.httputil.HTTPServerRequest) -> str:
    """The address as a log may have it: without the value of `?token=`."""
    return hide(_GIVEN, request.uri or "")


def strip_token(request: tornado.httputil.HTTPServerRequest) -> str:
    """The address without the token, relative to itself: a prefix that a proxy added stays."""
    kept = [
        part
        for part in request.query.split("&")
        if part and urllib.parse.unquote_plus(part.partition("=")[0]).lower() != ARGUMENT
    ]
    last = request.path.rpartition("/")[2]
    return f"./{last}{'?' if kept else ''}{'&'.join(kept)}"


# ---------------------------------------------------------------- kept for the project


def find_folder(environ: Mapping[str, str]) -> Path:
    """The folder of the user's own cache (XDG Base Directory Specification, XDG_CACHE_HOME)."""
    return privatefiles.find_folder(environ, "XDG_CACHE_HOME", "~/.cache")


def read_token(folder: Path, project: str) -> str:
    """The project's token; empty without one that only this user could read."""
    content = privatefiles.read(folder / f"token-{project}", _MOST_BYTES)
    token = content.decode("ascii", "replace").strip()
    return token if len(token) >= LEAST_CHARACTERS and _TOKEN.fullmatch(token) else ""


def find_token(folder: Path, project: str) -> str:
    """The project's token, made and kept if there is none.

    Args:
        folder: As `find_folder` gives it; made if it is missing.
        project: As `cookies.find_project` calls it.
    """
    token = read_token(folder, project)
    if token:
        return token
    token = secrets.token_urlsafe(24)
    try:
        _keep(folder, project, token)
    except OSError as error:
        log.warning(
            "the token can't be stored in '%s' (%s), so each start of the server makes a new one",
            folder,
            error.strerror,
        )
        return token
    return read_token(folder, project) or token  # another server of the project was first


def _keep(folder: Path, project: str, token: str) -> None:
    """Write the token, unless another server of the project has just done so."""
    path, content = folder / f"token-{project}", f"{token}\n".encode("ascii")
    try:
        privatefiles.write(path, content, is_first=True)
    except FileExistsError:
        if not read_token(folder, project):  # one that others could read
            privatefiles.write(path, content)
