"""Runs an application until SIGINT, SIGTERM or SIGHUP, then drains it and ends with a status.

Theory of operation. Sockets are bound before anything else starts, so that a taken port leaves
nothing behind; then, if there are to be several, processes are forked; each makes its own loop.
A signal stops the listening; requests that are under way are answered, websockets closed and the
shutdown callbacks called, all under one limit; a second signal cuts short what is waited for. The
loop is closed by hand and not by `asyncio.run`, which would wait without a limit for threads of an
executor. What is printed and logged meanwhile goes through a queue.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import ssl
import time
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any

import tornado.autoreload
import tornado.ioloop
import tornado.web

from ..closecodes import SERVER_STOPS
from ..errors import SettingError
from . import app
from .connections import Limits
from .loops import new_loop, refuse_running_loop
from .processes import EXIT_SOFTWARE, STOP_SIGNALS, Child, Parent
from .queued import queued_streams
from .server import Server
from .sockets import bind

log = logging.getLogger("databench.http")

DEFAULT_PORT = 8000
DEFAULT_LIMIT_S = 5.0
# A terminal and a wrapper (`timeout`, npm) both pass one Ctrl-C on: that is not a second one.
_ECHO_S = 0.5
# Of `shutdown_limit_s`: what requests may take, and what the websockets may take after them.
_WORK_PART = 0.9
_CLOSE_PART = 0.05
_SERVER_SETTINGS = ("xheaders", "max_body_size", "max_buffer_size")
_LIMITS = {
    "http_idle_limit_s": "idle_limit_s",
    "http_header_limit_s": "header_limit_s",
    "http_body_limit_s": "body_limit_s",
    "connections_per_address": "per_address",
    "unfinished_bytes": "unfinished_bytes",
}
SETTINGS = (*_SERVER_SETTINGS, *_LIMITS, "server", "host", "shutdown_limit_s", "debug")


class Runner:
    """One run of one application.

    Args:
        application: A `CallbackManager`, or any Tornado application.
        before_run: Further callbacks, see `CallbackManager`.
        on_start: Further callbacks.
        shutdown: Further callbacks.
        sockets: Bound and listening; the runner closes them. None: bound by `run`.
        settings: For those of the application, if it has none of that name: `xheaders`,
            `max_body_size`, `max_buffer_size`, `server`, `host`, `shutdown_limit_s`, `debug`, and
            limits of connections: `http_idle_limit_s`, `http_header_limit_s`, `http_body_limit_s`,
            `connections_per_address`, `unfinished_bytes` (absent: none).
        loop: Where the application was made; the runner closes it. `None`: a new one.
        tls_sockets: Like `sockets`, for connections that are encrypted.
        tls: What these need; without it there are none.
    """

    def __init__(
        self,
        application: app.CallbackManager | tornado.web.Application,
        before_run: Sequence[app.BeforeRun] | None = None,
        on_start: Sequence[app.OnStart] | None = None,
        shutdown: Sequence[app.OnShutdown] | None = None,
        *,
        sockets: Iterable[socket.socket] = (),
        settings: Mapping[str, Any] | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        tls_sockets: Iterable[socket.socket] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.application = app.wrap_application(application, before_run, on_start, shutdown)
        self.sockets = list(sockets)
        self.tls_sockets = list(tls_sockets)
        self._tls = tls
        self._settings = self.application.tornado_application.settings
        for name, value in (settings or {}).items():
            self._settings.setdefault(name, value)
        self.shutdown_limit_s = float(self._settings.get("shutdown_limit_s", DEFAULT_LIMIT_S))
        self._loop = loop
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._stopped_s = 0.0
        self.server: Server | None = None
        # `nohup` ignores the hangup for what it starts: that stays so.
        is_kept = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        self._heard = [n for n in STOP_SIGNALS if not (is_kept and n == signal.SIGHUP)]

    def run(self, port_number: int | None = None, number_of_procs: int = 1) -> None:
        """Serve until a signal; after it, further ones are ignored: the process is on its way out.

        Args:
            port_number: Where to listen, where no sockets were given; 0 takes any free port.
                `None`: 8000.
            number_of_procs: 0 is one for each core; with the setting `debug` it is always one.

        Raises:
            SystemExit: With 70, when a `before_run` callback failed; with 0 in each child, once
                it has ended.
            SettingError: The application cannot be run in several processes, or a loop runs here.
            OSError: The port is taken, or the host is not this machine's.
        """
        refuse_running_loop("a server")
        with queued_streams():
            self._run(port_number, self._count(number_of_procs))

    def _run(self, port_number: int | None, count: int) -> None:
        self.bind(port_number)
        child = None
        if count > 1:
            answer = self._fork(count)
            if isinstance(answer, int):
                if answer:
                    raise SystemExit(answer)
                return
            child = answer
        status = self._run_here(child)
        if status or child is not None:
            raise SystemExit(status)

    def bind(self, port_number: int | None = None) -> None:
        """Listen, if no sockets were given; see `run`.

        Raises:
            OSError: The port is taken, or the host is not this machine's.
        """
        if not self.sockets and not self.tls_sockets:
            port = DEFAULT_PORT if port_number is None else port_number
            self.sockets = bind(self._settings.get("host") or None, port)

    def start_server(self, port_number: int | None = None, number_of_procs: int = 1) -> None:
        """Serve on the current loop, which the caller starts; `run` does all of it.

        No callback is called before SIGINT or SIGTERM: these stop the server, call the shutdown
        callbacks and stop the loop, see `CallbackManager.stop`.

        Args:
            port_number: As of `run`.
            number_of_procs: As of `run`; the loop may not have been made before.

        Raises:
            SystemExit: In the parent of several processes, when they have ended.
        """
        self.bind(port_number)
        if (count := self._count(number_of_procs)) > 1:
            answer = self._fork(count)
            if isinstance(answer, int):
                raise SystemExit(answer)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, (*STOP_SIGNALS, signal.SIGCHLD))
        io_loop = tornado.ioloop.IOLoop.current()
        loop: asyncio.AbstractEventLoop = io_loop.asyncio_loop  # type: ignore[attr-defined]
        self._listen()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self._stop_by_hand, io_loop)

    def _stop_by_hand(self, io_loop: tornado.ioloop.IOLoop) -> None:
        self.stop_server()
        self.application.stop(io_loop, self.shutdown_limit_s)

    def stop_server(self) -> None:
        """Stop listening; running requests continue."""
        if self.server is not None:
            self.server.stop()

    def stop(self) -> None:
        """Drain and end, as a signal does; a second call cuts the draining short."""
        now_s = time.monotonic()
        if not self._stop.is_set():
            self._stopped_s = now_s
        elif now_s - self._stopped_s > _ECHO_S:
            log.warning("stopping now")
            self._hurry.set()
        self._stop.set()

    # ------------------------------------------------------------ processes

    def _count(self, wanted: int) -> int:
        if self._settings.get("debug"):
            return 1
        reason = self.application.one_process
        if wanted != 1 and reason:
            raise SettingError(f"number_of_procs is {wanted}, limit 1: {reason}")
        return wanted if wanted > 0 else os.cpu_count() or 1

    def _fork(self, count: int) -> Child | int:
        if self._loop is not None:
            self._loop.close()  # a loop does not survive a fork
            self._loop = None
        parent = Parent(count, limit_s=self.shutdown_limit_s, on_stop=self._close_sockets)
        answer = parent.run()
        if isinstance(answer, int):
            self._close_sockets()
        return answer

    def _close_sockets(self) -> None:
        for bound in (*self.sockets, *self.tls_sockets):
            bound.close()

    # ------------------------------------------------------------ one process

    def _run_here(self, child: Child | None) -> int:
        before = {number: signal.getsignal(number) or signal.SIG_DFL for number in self._heard}
        loop = self._loop or new_loop()
        asyncio.set_event_loop(loop)
        try:
            return self._run_on(loop, child)
        finally:
            # Closing the loop gives the signals back to the system, which would end us with -2.
            signal.pthread_sigmask(signal.SIG_BLOCK, self._heard)
            _close(loop)
            for number, handler in before.items():
                # asyncio's loop leaves the system's own handlers behind, uvloop's leaves its own.
                signal.signal(number, signal.SIG_IGN if self._stop.is_set() else handler)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, self._heard)
            self._close_sockets()

    def _run_on(self, loop: asyncio.AbstractEventLoop, child: Child | None) -> int:
        for number in self._heard:  # until the loop has its own: a callback can be interrupted
            signal.signal(number, signal.default_int_handler)
        try:
            if child is not None:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, (*STOP_SIGNALS, signal.SIGCHLD))
                loop.add_reader(child.parent_fd, self._on_orphaned, loop, child.parent_fd)
            started = self.application.start(tornado.ioloop.IOLoop.current())
            return self._run_to_end(loop, loop.create_task(self._serve(started)))
        except KeyboardInterrupt:
            self._stop.set()
            status = 0
        except Exception:  # noqa: BLE001 - a callback's; it is logged
            status = EXIT_SOFTWARE
        loop.run_until_complete(self.application.shut_down(self.shutdown_limit_s))
        return status

    def _run_to_end(self, loop: asyncio.AbstractEventLoop, serving: asyncio.Task[int]) -> int:
        """Run until all is drained; `IOLoop.stop()` asks for that too."""
        while True:
            try:
                return loop.run_until_complete(serving)
            except RuntimeError:
                if serving.done():
                    raise
                self.stop()

    def _listen(self) -> Server:
        application = self.application.tornado_application
        values = {name: self._settings.get(name) for name in _SERVER_SETTINGS}
        limits = {own: self._settings.get(name) for name, own in _LIMITS.items()}
        given = {own: value for own, value in limits.items() if value}
        self.server = server = Server(application, limits=Limits(**given), **values)
        server.add_sockets(self.sockets)
        if self._tls is not None:
            server.add_tls_sockets(self.tls_sockets, self._tls)
        return server

    def _on_orphaned(self, loop: asyncio.AbstractEventLoop, parent_fd: int) -> None:
        loop.remove_reader(parent_fd)
        log.warning("the parent process is gone; stopping")
        self.stop()

    async def _serve(self, started: asyncio.Task[bool]) -> int:
        loop = asyncio.get_running_loop()
        for number in self._heard:
            loop.add_signal_handler(number, self.stop)
        self.application.stop_run = self.stop
        server = self._listen()
        if self._settings.get("autoreload"):
            tornado.autoreload.start()  # again, should the application have been made elsewhere
        stopped = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait((stopped, started), return_when=asyncio.FIRST_COMPLETED)
        has_failed = started.done() and not started.result() and self.application.must_start
        if not has_failed:
            await stopped
        stopped.cancel()
        await self._end(server)
        return EXIT_SOFTWARE if has_failed else 0

    # ------------------------------------------------------------ the end

    async def _end(self, server: Server) -> None:
        """Requests, then websockets, then callbacks; each has what the ones before have left."""
        loop = asyncio.get_running_loop()
        limit_s = self.shutdown_limit_s
        end_s = loop.time() + limit_s
        self.application.on_stopping()
        server.drain()
        work_s = limit_s * _WORK_PART
        if server.busy:
            under_way = _count(server.busy, "open request")
            log.info("%s: waiting up to %g s (Ctrl-C again quits now)", under_way, work_s)
        await asyncio.gather(
            self._wait(server.wait_answered(), work_s),
            self._wait(self.application.drain(work_s), work_s),
        )
        if server.busy and not self._hurry.is_set():
            cut = _count(server.busy, "request")
            log.warning("%s took more than %g s, the limit; closed", cut, work_s)
        close_s = max(end_s - loop.time() - limit_s * _CLOSE_PART, 0)
        await self._wait(server.close_websockets(SERVER_STOPS), min(close_s, 1.0))
        left_s = max(end_s - loop.time(), limit_s * _CLOSE_PART)
        await self._wait(self.application.shut_down(left_s), left_s + _ECHO_S)
        await self._wait(server.close_all_connections(), limit_s * _CLOSE_PART)

    async def _wait(self, work: Coroutine[Any, Any, Any], limit_s: float) -> None:
        """Until it is done, the limit is over or there is a hurry."""
        task = asyncio.ensure_future(work)
        hurrying = asyncio.ensure_future(self._hurry.wait())
        await asyncio.wait((task, hurrying), timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        hurrying.cancel()
        if not task.done():
            task.cancel()
        elif not task.cancelled() and task.exception() is not None:
            log.error(
                "a part of the shutdown failed; the rest continues", exc_info=task.exception()
            )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


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
