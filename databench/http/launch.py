"""`run`: from settings and the environment to a running application."""

from __future__ import annotations

import asyncio
import logging
import logging.config
import os
from collections.abc import Callable, Mapping
from typing import Any

import tornado.web

from ..errors import SettingError
from ..printable import PrintableFormatter
from .app import CallbackManager
from .loops import new_loop, refuse_running_loop
from .serving import DEFAULT_PORT, Runner
from .sockets import parse_port

log = logging.getLogger("databench.http")

_FORMAT = "%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"
_TRUE = ("true", "yes", "on")
_FALSE = ("", "false", "no", "off")


def run(
    create_application: Callable[..., CallbackManager | tornado.web.Application],
    settings: Mapping[str, Any] | None = None,
    log_config: dict[str, Any] | None = None,
) -> None:
    """Create an application and serve it until SIGINT or SIGTERM.

    Args:
        create_application: Called with the settings as keywords; a function, a class, or whatever
            else can be called so.
        settings: What the application is to get, and for the run: `port` (`PORT` in the
            environment; 8000), `debug` (`DEBUG`; off), `number_of_procs` (1; 0 is one for each
            core), `xheaders`, `max_body_size`, `max_buffer_size`, `server` (the `Server` header),
            `host` (every address), `shutdown_limit_s` (5). What stands here wins over the
            environment. The application gets all but `port` and `number_of_procs`.
        log_config: For `logging.config.dictConfig`; `None`: to stderr, if nothing was set up.

    Raises:
        SystemExit: With 70, when a `before_run` callback failed.
        SettingError: A setting is invalid, the port cannot be used, or a loop runs here.
    """
    refuse_running_loop("http.run")
    values = {name: value for name, value in (settings or {}).items() if value is not None}
    port = _port(values.pop("port", None), os.environ)
    count = _count(values.pop("number_of_procs", 1))
    values["debug"] = _debug(values.get("debug"), os.environ)
    _configure_logging(log_config, debug=values["debug"])
    loop = None
    if count == 1 or values["debug"]:
        # What the application begins while it is made, such as Tornado's autoreload, runs on it.
        loop = new_loop()
        asyncio.set_event_loop(loop)
    try:
        runner = Runner(create_application(**values), settings=values, loop=loop)
        _run(runner, port, count)
    finally:
        if loop is not None and not loop.is_closed():
            asyncio.set_event_loop(None)
            loop.close()


def _run(runner: Runner, port: int, count: int) -> None:
    try:
        runner.bind(port)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise SettingError(
            f"cannot listen on port {port}: {why}; stop the program that listens there, or give "
            "another port (setting port, or PORT)",
            name="port",
        ) from error
    for listening in runner.sockets[:1]:  # the others have the same port
        host, bound, *_ = listening.getsockname()
        shown = "localhost" if host in ("0.0.0.0", "::", "127.0.0.1", "::1") else host
        log.info("serving on http://%s:%d (Ctrl-C stops)", shown, bound)
    runner.run(port, count)


def _port(given: Any, environ: Mapping[str, str]) -> int:
    source = "setting port" if given is not None else "PORT"
    text = str(environ.get("PORT") or DEFAULT_PORT) if given is None else str(given)
    return parse_port(text, source)


def _count(given: Any) -> int:
    try:
        return int(given)
    except (TypeError, ValueError):
        raise SettingError(
            f"number_of_procs is {given!r}, expected a whole number; 0 is one for each core",
            name="number_of_procs",
        ) from None


def _debug(given: Any, environ: Mapping[str, str]) -> bool:
    if given is not None:
        return bool(given)
    text = environ.get("DEBUG", "").strip().lower()
    if text.isascii() and text.isdigit():
        return int(text) != 0
    if text not in _TRUE + _FALSE:
        raise SettingError(f"debug (DEBUG) is {text!r}, expected 0 or 1", name="debug")
    return text in _TRUE


def _configure_logging(log_config: dict[str, Any] | None, *, debug: bool) -> None:
    if log_config is not None:
        logging.config.dictConfig(log_config)
    else:
        handler = logging.StreamHandler()
        handler.setFormatter(PrintableFormatter(_FORMAT))
        level = logging.DEBUG if debug else logging.INFO
        logging.basicConfig(level=level, handlers=[handler])
