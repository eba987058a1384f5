"""Ties the kernel's parts together: start, messages, stop.

Theory of operation: the main thread imports the user's module, starts the side thread and then
runs plain actions. The side thread runs the loop and the socket. A third one watches stdin, whose
end means that the front is gone.
"""

from __future__ import annotations

import asyncio
import functools
import os
import platform
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from .. import __version__, threads
from ..analysis import Analysis, find_class_inputs, find_handlers, find_idempotent
from ..datastore import Datastore
from ..errors import KernelError, RemoteProtocolError
from ..protocol import messages as m
from ..protocol.codec import decode_to_kernel
from ..protocol.codec import encode as encode_message
from ..protocol.layouts import LIST_ITEMS
from .calls import find_declared, has_own_making
from .channel import RECEIVES_PER_WAKE, Flusher, KernelChannel
from .class_data import ClassDataCopy
from .context import Context
from .interrupts import Interrupts
from .loading.load import load_analysis
from .loading.sources import SourceFiles
from .loop import KernelLoop
from .process import forks, kin, signals, streams
from .process.dispositions import Dispositions
from .process.environment import Environment, read_environment
from .report import format_traceback
from .request import OpenRequests, settle
from .session import KernelSession
from .steps import LoopWorker
from .workers import MainWorker, PlainWorker, PoolWorker, WorkerPool

CAPABILITIES = ("cancel", "interrupt", "credit", "ping")
# How long code that computes keeps the interpreter lock from the loop; Python's own 5 ms would be
# added to every ping, cancel and emit of a coroutine while a plain action computes.
SWITCH_INTERVAL_S = 0.001
THREADS = 4  # libzmq's two, the loop's and the flusher's
logger = streams.take_logger("databench.kernel")


class Kernel:
    """One process' analysis and its sessions.

    Args:
        environment: As the front set it.
        analysis_class: The user's class.
        sources: The files that it was read from.
        loop: The loop that it found while it was imported.
        dispositions: The effects of signals.
    """

    def __init__(
        self,
        environment: Environment,
        analysis_class: type[Analysis],
        sources: SourceFiles,
        loop: KernelLoop,
        dispositions: Dispositions,
    ) -> None:
        self.sources = sources
        self.environment = environment
        self.settings = environment.settings
        self.dispositions = dispositions
        self.loop = loop
        self.sessions: dict[str, KernelSession] = {}
        self.status = 0
        self.channel = _make_channel(environment)
        Datastore.lock = lock = self.channel.lock
        Datastore.settle = staticmethod(settle)
        self.main = MainWorker(lock)
        self.main.loop = loop
        self._flusher = Flusher(self.channel, loop, self.settings.batch_wait_s)
        self.context = self._make_context(analysis_class)
        self._is_stopping = False
        self._handlers = self._message_handlers()

    def _make_context(self, analysis_class: type[Analysis]) -> Context:
        lock, environment, requests = self.channel.lock, self.environment, OpenRequests()
        handlers = find_handlers(analysis_class)
        find_class_inputs(analysis_class)  # wrong ones end the start, not a page's first word
        return Context(
            analysis_class=analysis_class,
            handlers=handlers,
            declared=find_declared(handlers, find_idempotent(analysis_class, handlers)),
            has_own_making=has_own_making(analysis_class),
            settings=self.settings,
            logger=streams.take_logger(f"databench.kernel.{environment.analysis}"),
            channel=self.channel,
            loop=self.loop,
            loop_worker=LoopWorker(lock, self.loop),
            workers=WorkerPool(
                self.main, self._make_worker, self.settings.plain_threads, self.loop.call_later
            ),
            requests=requests,
            interrupts=Interrupts(
                lock, self.main, requests, environment.interrupt_fd, self.dispositions
            ),
            class_data=ClassDataCopy(analysis_class, self.channel, self.loop),
        )

    # -- the two threads

    def serve(self) -> int:
        """Run until the front asks for the end; in the main thread. Returns the exit status."""
        self.dispositions.is_user_code = lambda: self.main.is_running
        self.dispositions.take(signal.SIGTERM, self._on_sigterm)
        self.context.interrupts.install()
        self.main.look_again = self.dispositions.look_again
        self.main.put_right = self.dispositions.put_right
        forks.watch_kernel(self.channel.lock, self.loop, self._on_forked)
        self._flusher.start()
        side = threading.Thread(target=self._run_loop, name="databench-loop", daemon=True)
        side.start()
        self.main.serve()
        side.join(self.settings.shutdown_limit_s)
        return self.status

    def _run_loop(self) -> None:
        signals.leave_to_main()
        self._begin_loop(threading.get_ident())
        asyncio.set_event_loop(self.loop)
        self.loop.add_reader(self.channel.fd, self._read)
        self.loop.call_soon(self._say_hello)
        try:
            self.loop.run_forever()
        finally:
            if forks.is_child:
                forks.end(sys.exc_info()[1])
            self.channel.close()
            self.main.jobs.put(None)

    def _begin_loop(self, ident: int) -> None:
        """Let the parts know which thread the loop runs in, and call it."""
        self.context.loop_worker.ident = self._flusher.loop_ident = ident
        self.channel.on_readable = functools.partial(self.loop.call_soon, self._read)
        self.channel.on_batch = self._flusher.begin

    def _say_hello(self) -> None:
        hello = m.Hello(
            version=m.PROTOCOL_VERSION,
            token=self.environment.token,
            language=f"python {platform.python_version()}",
            library=f"databench {__version__}",
            capabilities=CAPABILITIES,
        )
        self._tell_sources()
        declared = self.context.declared
        names = tuple(sorted(declared.names)[:LIST_ITEMS])
        self.channel.post(encode_message(m.Actions(names=names, others=declared.others)))
        if declared.idempotent:
            names = tuple(sorted(declared.idempotent)[:LIST_ITEMS])
            self.channel.post(encode_message(m.Idempotent(names=names)))
        self.channel.post(encode_message(hello))

    def _tell_sources(self) -> None:
        for message in self.sources.look():
            self.channel.post(encode_message(message))

    def _on_forked(self) -> None:
        """In the child of an action's fork, which has none of our threads."""
        self.channel.disown()
        for session in list(self.sessions.values()):
            session.outlet.disown()

    # -- reading

    def _read(self) -> None:
        channel = self.channel
        messages = channel.receive()
        channel.is_reading = channel.is_fresh = True
        try:
            for frames in messages:
                self._take(frames)
        finally:
            channel.is_reading = False
            if channel.batch:
                channel.flush()
            if len(messages) >= RECEIVES_PER_WAKE:
                self.loop.call_soon(self._read)

    def _take(self, frames: list[bytes]) -> None:
        try:
            message = decode_to_kernel(frames)
        except RemoteProtocolError as error:
            logger.error("invalid message from the front: %s", error)
            return
        if message is None:
            return
        try:
            self._handlers[type(message)](message)
        except Exception:  # messages that came with it must still be read
            logger.exception("handling the message %s failed", message.KIND)

    # -- messages

    def _message_handlers(self) -> dict[type[m.Message], Callable[[Any], None]]:
        return {
            m.Welcome: self._on_welcome,
            m.Reject: self._on_reject,
            m.Open: self._on_open,
            m.Action: self._on_action,
            m.Cancel: self._on_cancel,
            m.Close: self._on_close,
            m.SetState: self.context.class_data.receive,
            m.Credit: self._on_credit,
            m.Ping: self._on_ping,
            m.Shutdown: self._on_shutdown,
        }

    def _on_welcome(self, message: m.Welcome) -> None:
        self.context.window_bytes = message.window_bytes
        self.context.is_debug = message.debug
        self.context.cli_args = message.cli_args
        self.context.class_data.restore(message)

    def _on_reject(self, message: m.Reject) -> None:
        streams.say(f"the front refused this kernel: {message.reason}\n")
        self.status = 1
        self.loop.stop()

    def _on_open(self, message: m.Open) -> None:
        session = message.session or ""
        if self._is_stopping or session in self.sessions:
            return
        self.sessions[session] = KernelSession(self.context, message, self._forget)

    def _on_action(self, message: m.Action) -> None:
        session = self.sessions.get(message.session or "")
        if session is None or session.is_closing:
            logger.debug("action %r for a session that is not open", message.name)
            return
        session.run_action(message)

    def _on_cancel(self, message: m.Cancel) -> None:
        session = self.sessions.get(message.session or "")
        request = self.context.requests.get(message.request or 0)
        if session is not None and request is not None and request.owner is session.outlet:
            session.cancel(request, message.attempt)

    def _on_close(self, message: m.Close) -> None:
        session = self.sessions.get(message.session or "")
        if session is not None:
            session.close()

    def _on_credit(self, message: m.Credit) -> None:
        session = self.sessions.get(message.session or "")
        if session is not None:
            session.outlet.grant(message.size_bytes)

    def _on_ping(self, message: m.Ping) -> None:
        self.channel.post(encode_message(m.Pong(number=message.number)))
        self._tell_sources()  # an action may have imported more

    # -- the end

    def _on_shutdown(self, message: m.Shutdown) -> None:
        self._stop(message.reason or "shutdown")

    def _on_sigterm(self, number: int, frame: Any) -> None:
        self.loop.call_soon_threadsafe(self._stop, "SIGTERM")
        _exit_later(self.settings.shutdown_limit_s)
        self.dispositions.call_kept(number, frame)

    def _stop(self, reason: str) -> None:
        if not self._is_stopping:
            self._is_stopping = True
            _exit_later(self.settings.shutdown_limit_s)
            # Not in the task: `disconnected` may be one too, and begins inside of `close`.
            sessions = list(self.sessions.values())  # closing takes them out
            closed = [session.close() for session in sessions]
            self._stopping = self.loop.create_task(self._end(closed, reason))

    async def _end(self, closed: Sequence[asyncio.Event], reason: str) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in closed]
        if waits:
            await asyncio.wait(waits, timeout=self.settings.shutdown_limit_s / 2)
        self.channel.post(encode_message(m.Bye(reason=reason)))
        self.loop.stop()

    def _forget(self, session: KernelSession) -> None:
        if self.sessions.get(session.id_) is session:
            del self.sessions[session.id_]

    def _make_worker(self) -> PlainWorker:
        worker = PoolWorker(self.channel.lock)
        worker.loop = self.loop
        worker.start()
        return worker


def main() -> int:
    """Run the kernel that its environment describes; returns the exit status."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        return _run(read_environment(os.environ))
    except KernelError as error:
        streams.say(f"{error}\n")
        return 1


def _run(environment: Environment) -> int:
    streams.begin(environment.analysis, environment.log_level)
    dispositions = _prepare(environment)
    sources = SourceFiles(environment.settings.watched_files)
    # Timers and clients that the module makes find the loop that will run.
    loop = KernelLoop()
    asyncio.set_event_loop(loop)
    try:
        analysis_class = load_analysis(
            environment.module, environment.analysis, os.getcwd(), environment.script
        )
    except BaseException as error:  # noqa: BLE001  # whatever the user's module raises
        is_told = isinstance(error, KernelError)
        text = str(error) if is_told else format_traceback(error)
        streams.say(f"{text}\n")
        _tell_failure(environment, sources.look_at_failure(error))
        return 1
    dispositions.keep()
    return Kernel(environment, analysis_class, sources, loop, dispositions).serve()


def _prepare(environment: Environment) -> Dispositions:
    """Set up threads, signals and what children get, before any user code runs."""
    threads.require(1 + THREADS)
    if environment.interrupt_fd is not None:
        forks.descriptors.add(environment.interrupt_fd)
    _watch_stdin(environment.kernel.encode())
    signals.free_children()
    dispositions = Dispositions()
    dispositions.install()
    forks.watch(dispositions)
    return dispositions


def _tell_failure(environment: Environment, messages: Sequence[m.Sources]) -> None:
    """Name the files of a failed import, so that the next save of one starts a kernel again."""
    channel = _make_channel(environment)
    for message in messages:
        channel.post(encode_message(message))
    channel.close()


def _make_channel(environment: Environment) -> KernelChannel:
    settings = environment.settings
    threads.require(THREADS)
    return KernelChannel(
        environment.endpoint,
        environment.kernel,
        batch_messages=settings.batch_messages,
        batch_wait_s=settings.batch_wait_s,
        message_bytes=settings.kernel_message_bytes,
    )


def _watch_stdin(name: bytes) -> None:
    """End with the front; the user's processes get an empty stdin."""
    watched = os.dup(0)
    forks.descriptors.add(watched)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)

    def watch() -> None:
        signals.leave_to_main()
        while os.read(watched, 4096):
            pass
        kin.end_all(name)
        os._exit(1)

    threading.Thread(target=watch, name="databench-stdin", daemon=True).start()


def _exit_later(limit_s: float) -> None:
    """End the process in any case: a C call may hold the main thread forever.

    If there is no thread for it, the front ends the process with signals.
    """
    threads.call_later(limit_s, os._exit, 0)
