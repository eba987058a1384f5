"""`databench kernels`: the kernels of the server on this machine, as a table or as JSON.

The right to see them is the administrator's token, or the stored one of the project of a
server in development. The latter is never sent: only what a browser would have as its cookie, which
is of no use on another port, where another user's program may listen.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import EXIT_USAGE, SettingError
from ..printable import clean_line as clean
from .handlers.kernels import PATH
from .security import access, cookies
from .security.hosts import ANY_ADDRESS
from .startup.ports import DEFAULT_HOST, DEFAULT_PORT, find_host, find_port

_LIMIT_S = 10.0
_OTHER = "it is not a Databench server, or an older one that cannot list its kernels"
_COUNTS = ("SESSIONS", "CRASHES")
_HEAD = ("ANALYSIS", "STATE", "GEN", "PID", "AGE", "MEMORY", "CPU", *_COUNTS, "RUNNING")
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def main(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the command.

    Args:
        words: What follows `databench kernels`.
        environ: The environment: `HOST` and `PORT`, as for serving.

    Returns:
        The exit status: 1 if no server answers, 2 for invalid options.
    """
    options = _make_parser().parse_args(words)
    host = find_host(options.host, environ)
    host = DEFAULT_HOST if host in ANY_ADDRESS else host
    try:
        port = find_port(options.port, environ) or DEFAULT_PORT
        told = ask(host, port, environ, options.admin_token or environ.get(access.VARIABLE, ""))
    except (SettingError, UnicodeError) as error:
        print(f"databench kernels: {error}", file=sys.stderr)
        return EXIT_USAGE
    except ConnectionError as error:
        print(f"databench kernels: {error}", file=sys.stderr)
        return 1
    print(json.dumps(told, indent=2) if options.json else "\n".join(compose_table(told["kernels"])))
    return 0


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="databench kernels",
        description="Show what the kernels of the server on this machine do.",
        allow_abbrev=False,
    )
    parser.add_argument("--host", help=f"address of the server (HOST; {DEFAULT_HOST})")
    parser.add_argument("--port", help=f"its port (PORT; {DEFAULT_PORT})")
    parser.add_argument(
        "--admin-token",
        metavar="TOKEN",
        help=f"the server's token, if it has one ({access.VARIABLE})",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    return parser


def ask(host: str, port: int, environ: Mapping[str, str], token: str = "") -> dict[str, Any]:
    """The kernels of a server.

    Args:
        host: Where it listens.
        port: Where it listens.
        environ: Names the place of the projects' tokens.
        token: The administrator's; empty: the one that is kept for the server's project.

    Raises:
        ConnectionError: No server answers there, or not this page; the text is for people.
    """
    where = f"{host}:{port}"
    code, told = _request(host, port, {"Authorization": f"Bearer {token}"} if token else {})
    if code == 403 and not token and (cookie := _find_cookie(told.get("project"), port, environ)):
        code, told = _request(host, port, {"Cookie": cookie})
    if code == 200 and isinstance(told.get("kernels"), list):
        return told
    problem = told.get("message")
    problem = clean(problem) if isinstance(problem, str) else _OTHER
    raise ConnectionError(f"{where} answered {code}: {problem}")


def _find_cookie(project: Any, port: int, environ: Mapping[str, str]) -> str:
    """The cookie of a project whose token this user has; empty if there is none."""
    if not isinstance(project, str) or not project.isalnum():
        return ""
    token = access.read_token(access.find_folder(environ), project)
    name = cookies.name(access.COOKIE, port=port, project=project)
    return f"{name}={access.make_value(token, name)}" if token else ""


def _request(host: str, port: int, headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    """The status of an answer, and the JSON object in it; an empty one if there is none."""
    where = f"{host}:{port}"
    connection = http.client.HTTPConnection(host, port, timeout=_LIMIT_S)
    try:
        connection.request("GET", PATH, headers={"Accept": "application/json", **headers})
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionError(
            f"no server answers at {where} ({error}); "
            "give the --host and --port that the server shows when it starts"
        ) from None
    finally:
        connection.close()
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    return answer.status, told if isinstance(told, dict) else {}


def compose_table(kernels: Sequence[Mapping[str, Any]]) -> list[str]:
    """The lines of a table, below it why kernels are not well.

    Args:
        kernels: As `/_kernels` gives them.
    """
    if not kernels:
        return ["no kernel is running; each one starts when the first page of its analysis opens"]
    rows = [_HEAD, *(_compose_row(kernel) for kernel in kernels)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    reasons = [
        f"{clean(kernel['analysis'])}: {clean(kernel['reason'])}"
        for kernel in kernels
        if kernel["reason"]
    ]
    return [*lines, *([""] if reasons else []), *reasons]


def _compose_row(kernel: Mapping[str, Any]) -> tuple[str, ...]:
    percent, pid = kernel["processor_percent"], kernel["pid"]
    running = (f"{run['action']} {show_time(run['elapsed_s'])}" for run in kernel["running"])
    return (
        clean(kernel["analysis"]),
        clean(kernel["state"]),
        str(kernel["generation"]),
        "-" if pid is None else str(pid),
        show_time(kernel["age_s"]),
        show_bytes(kernel["memory_bytes"]),
        "-" if percent is None else f"{percent:.0f} %",
        str(kernel["sessions"]),
        str(kernel["deaths"]),
        clean(", ".join(running)) or "-",
    )


def show_time(time_s: float | None) -> str:
    """A time in its two largest units: `12 s`, `3 min 4 s`, `2 h 5 min`, `3 d 4 h`."""
    if time_s is None:
        return "-"
    whole = int(time_s)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 60:
        return f"{whole} s"
    if minutes < 60:
        return f"{minutes} min {whole % 60} s"
    return f"{hours} h {minutes % 60} min" if hours < 24 else f"{days} d {hours % 24} h"


def show_bytes(size_bytes: int | None) -> str:
    """A size with three digits or more: `512 B`, `48.0 MiB`."""
    if size_bytes is None:
        return "-"
    size, unit = float(size_bytes), 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{size_bytes} B"
