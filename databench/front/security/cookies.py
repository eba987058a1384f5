"""The names of this server's cookies.

A browser sends a cookie to every port of a host (RFC 6265 section 8.5), so two servers on one
machine would overwrite each other's. The name begins with the port, and with the project too: the
next project on the same port is another one. It ends with the cookie's purpose, so
that people find it in a browser's list: `5000_1f3a…_databench_person`.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import tornado.httputil

_PROJECT_DIGITS = 8
_READ = "_databench_cookies"  # of a request: they are asked for several times


def find_project(folder: Path) -> str:
    """A project's name within names of cookies and files: eight hexadecimal digits.

    Args:
        folder: The analyses' folder, absolute.
    """
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:_PROJECT_DIGITS]


def name(what: str, *, port: int, project: str, is_secure: bool = False) -> str:
    """The name of a cookie.

    Args:
        what: Its purpose.
        port: Where the server listens without encryption.
        project: As `find_project` calls it.
        is_secure: Whether the browser is connected over TLS and the cookie is for the whole host:
            then neither another host of the domain nor a page without TLS can set it
            (RFC 6265bis section 4.1.3.2).
    """
    return f"{'__Host-' if is_secure else ''}{port}_{project}_databench_{what}"


def read(request: Any, name: str) -> str | None:
    """The value of a cookie that a request brings; `None`: it brings none.

    Tornado's own objects for cookies take 15 us for each request.

    Args:
        request: Tornado's.
        name: Of the cookie.
    """
    found: dict[str, str] | None = getattr(request, _READ, None)
    if found is None:
        found = tornado.httputil.parse_cookie(request.headers.get("Cookie", ""))
        setattr(request, _READ, found)
    return found.get(name)
