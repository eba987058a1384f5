"""Runs an application until SIGINT or SIGTERM, then drains it and ends with a status.

Theory of operation. Sockets are bound before anything else starts, so that a taken port leaves
nothing behind. A signal stops the listening, then runs the shutdown callbacks under one limit;
a second signal cuts that short. The loop is closed by hand and not by `asyncio.run`, which would
wait without a limit for threads of an executor.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

import tornado.httpserver
import tornado.ioloop

from . import app

log = logging.getLogger("databench.http")

EXIT_SOFTWARE = 70  # sysexits.h: an internal error, here before or at the start
_BACKLOG = 1024  # pages that come back at once after a restart
# A terminal and a wrapper (`timeout`, npm) both pass one Ctrl-C on: that is not a second one.
_ECHO_S = 0.5
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def bind(host: str, port: int) -> list[socket.socket]:
    """Listening sockets for each address of a host.

    Args:
        host: A name or an address; all of its addresses get the same port.
        port: 0 takes any free one.

    Raises:
        OSError: The port is taken, or the host is none of ours.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    bound: list[socket.socket] = []
    refused: OSError | None = None
    for family, kind, protocol, _, address in dict.fromkeys(found):
        own_port = bound[0].getsockname()[1] if bound else port
        listening = socket.socket(family, kind, protocol)
        try:
            _listen(listening, (address[0], own_port, *address[2:]))
        except OSError as error:
            listening.close()
            if error.errno == errno.EADDRNOTAVAIL:  # a name's IPv6 address without IPv6
                refused = error
                continue
            for other in bound:
                other.close()
            raise
        bound.append(listening)
    if not bound and refused is not None:
        raise refused
    return bound


def _listen(listening: socket.socket, address: tuple[Any, ...]) -> None:
    listening.setblocking(False)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listening.family == socket.AF_INET6:
        # Its own address alone, so that the IPv4 one of the same name can be had beside it.
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listening.bind(address)
    listening.listen(_BACKLOG)


def new_loop() -> asyncio.AbstractEventLoop:
    """A loop for a server: uvloop's where the extra `fast` is installed, asyncio's otherwise."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


class Runner:
    """One run of one application.

    Args:
        application: A Tornado application that is a `CallbackManager` too.
        sockets: Bound and listening; the runner closes them.
        xheaders: Whether to believe the X-Forwarded headers of a proxy.
        shutdown_limit_s: From the first signal to the end.
        server_settings: Further arguments of Tornado's `HTTPServer`.
    """

    def __init__(
        self,
        application: app.Application,
        sockets: Sequence[socket.socket],
        *,
        xheaders: bool = False,
        shutdown_limit_s: float = 5.0,
        server_settings: dict[str, Any] | None = None,
    ) -> None:
        self.application = application
        self.sockets = list(sockets)
        self.xheaders = xheaders
        self.shutdown_limit_s = shutdown_limit_s
        self.server_settings = server_settings or {}
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._stopped_s = 0.0

    def run(self) -> int:
        """Serve until a signal; after it, further ones are ignored: the process is on its way out.

        Returns:
            The exit status: 0 after a signal, 70 when the start failed.
        """
        before = {number: signal.getsignal(number) or signal.SIG_DFL for number in _SIGNALS}
        loop = new_loop()
        asyncio.set_event_loop(loop)
        try:
            return loop.run_until_complete(self._serve())
        finally:
            # Closing the loop gives the signals back to the system, which would end us with -2.
            signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
            _close(loop)
            for number, handler in before.items():
                # asyncio's loop leaves the system's own handlers behind, uvloop's leaves its own.
                signal.signal(number, signal.SIG_IGN if self._stop.is_set() else handler)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            for bound in self.sockets:
                bound.close()

    def stop(self) -> None:
        """Drain and end, as a signal does; a second call cuts the draining short."""
        now_s = time.monotonic()
        if not self._stop.is_set():
            self._stopped_s = now_s
        elif now_s - self._stopped_s > _ECHO_S:
            log.warning("stopping at once")
            self._hurry.set()
        self._stop.set()

    async def _serve(self) -> int:
        loop = asyncio.get_running_loop()
        io_loop = tornado.ioloop.IOLoop.current()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.stop)
        server = tornado.httpserver.HTTPServer(
            self.application, xheaders=self.xheaders, **self.server_settings
        )
        try:
            for before in self.application.before_run_callbacks:
                before(self.application, io_loop)
            await app.start(self.application, io_loop)
        except Exception:
            log.exception("the start failed; ending")
            await app.shut_down(self.application, self.shutdown_limit_s)
            return EXIT_SOFTWARE
        server.add_sockets(self.sockets)
        await self._stop.wait()
        await self._drain(server)
        return 0

    async def _drain(self, server: tornado.httpserver.HTTPServer) -> None:
        server.stop()
        draining = asyncio.ensure_future(app.shut_down(self.application, self.shutdown_limit_s))
        hurrying = asyncio.ensure_future(self._hurry.wait())
        await asyncio.wait((draining, hurrying), return_when=asyncio.FIRST_COMPLETED)
        hurrying.cancel()
        draining.cancel()


def run(
    create_application: Callable[[dict[str, Any]], app.Application],
    settings: dict[str, Any] | None = None,
) -> int:
    """Create an application and serve it until a signal.

    Args:
        create_application: Takes the settings; a class does as well.
        settings: `port` (default 5000), `host` (default 127.0.0.1), `xheaders`,
            `shutdown_limit_s`, `server` (arguments of Tornado's `HTTPServer`).

    Returns:
        The exit status.
    """
    values = dict(settings or {})
    sockets = bind(values.get("host", "127.0.0.1"), values.get("port", 5000))
    return Runner(
        create_application(values),
        sockets,
        xheaders=values.get("xheaders", False),
        shutdown_limit_s=values.get("shutdown_limit_s", 5.0),
        server_settings=values.get("server"),
    ).run()


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is left, let it end, close the loop."""
    try:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=0.5))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
