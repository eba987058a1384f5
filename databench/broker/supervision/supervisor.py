"""One kernel's life: starts it, watches it, restarts it, gives up (docs/protocol.md, 7).

Owns the process, its generation and its state; decides nothing itself: `protocol.lifecycle` does.
It reports events to its owner (`Owner`), and sends messages to the kernel through it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import signal
from collections.abc import Mapping
from typing import Any

from ...errors import KernelError
from ...protocol import messages as m
from ...protocol.lifecycle import Event, LastMessages, Lifecycle, State
from ...protocol.poison import Poison
from ...protocol.variables import INTERRUPT
from ...settings import Settings, override
from ..specs import AnalysisSpec
from . import environment
from .blame import Blame
from .ending import Ending, find_limits
from .heartbeat import Heartbeat
from .hello import find_problem
from .kernelspec import KernelSpec
from .launchers.local import Exit, LocalProcess
from .output import Capture
from .owner import Owner

logger = logging.getLogger("databench.broker")
REASON_CHARACTERS = 1000  # the next kernel gets it, and its texts have a limit
DRAIN_STEP_S = 0.001


class Supervisor:
    """Supervises one kernel.

    Args:
        name: Short and unique in this server.
        spec: The analysis.
        kernelspec: How its kernel is started.
        settings: The limits.
        owner: The broker.
        log_level: For the kernel's own logging.
        poison: The actions of its analysis that are suspected of ending kernels.
        is_queued: Whether it may not start yet.

    Attributes:
        settings: The limits in force for it.
        routing_id: Of the last process that began; messages by another one are dropped. It
            cannot be guessed: another kernel could take it first, and get this one's messages.
        token: What that process has to send in `hello`.
        heartbeat: Of its current generation.
        blame: The evidence of its ends against its actions and sessions.
    """

    def __init__(
        self,
        name: str,
        spec: AnalysisSpec,
        kernelspec: KernelSpec,
        settings: Settings,
        owner: Owner[Supervisor],
        *,
        log_level: str,
        poison: Poison,
        is_queued: bool = False,
    ) -> None:
        self.spec = spec
        self._base = settings
        self.settings = override(settings, spec.limits)
        self.life = Lifecycle(self.settings, is_queued=is_queued)
        self.reason = ""
        self.retry_in_s: float | None = None
        self.capabilities: frozenset[str] = frozenset()
        self.ended = asyncio.Event()
        self.deaths = 0
        self._name = name
        self.kernelspec = kernelspec
        self.blame = Blame(self.settings, poison)
        self._owner = owner
        self._log_level = log_level
        self._loop = asyncio.get_running_loop()
        self.token = ""
        self.routing_id = b""
        self._process: LocalProcess | None = None
        self._capture: Capture | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ending = Ending(self.settings, self.spec)
        self._is_reload = False
        self.heartbeat = self._make_heartbeat()
        self._ready_s = self._ended_s = 0.0
        self._logger = logging.getLogger(f"databench.kernel.{spec.name}")

    # ------------------------------------------------------------ what it is

    @property
    def id_(self) -> str:
        """The name of its current generation, for people: `k1.3`."""
        return f"{self._name}.{self.life.generation}"

    @property
    def is_ready(self) -> bool:
        """Whether it was welcomed and lives."""
        return self.life.is_live

    @property
    def can_interrupt(self) -> bool:
        """Whether it can end an action without ending itself."""
        return bool(self.capabilities & {"cancel", "interrupt"})

    @property
    def pid(self) -> int | None:
        """Its process id, or `None` while there is no process."""
        return self._process.pid if self._process else None

    @property
    def stderr_lines(self) -> list[str]:
        """The last lines of its stderr."""
        if self._capture is None and self.kernelspec.problem:
            return [self.kernelspec.problem]  # with the file, which not every page may see
        return self._capture.last_lines if self._capture else []

    def lines_since(self, since_s: float) -> list[str]:
        """The last lines of its stderr that speak of an end of what began then.

        What a process wrote before is about something else, and an end that a visitor or new code
        asked for has no other reason.
        """
        if self._capture is None or self.blame.was_asked:
            return []
        return self._capture.lines_since(since_s)

    # ------------------------------------------------------------ its life

    def change_spec(self, spec: AnalysisSpec, kernelspec: KernelSpec) -> None:
        """Its analysis is to be run otherwise: from its next start on."""
        self.spec, self.kernelspec = spec, kernelspec

    def start(self) -> None:
        """Start a process for the current generation."""
        self.retry_in_s = None
        self.settings = self.life.limits = override(self._base, self.spec.limits)
        self._ending = Ending(self.settings, self.spec)
        self.blame.begin_life()
        self._is_reload, self.token = False, secrets.token_urlsafe(16)
        self._capture = None  # the lines of an earlier process do not count for this one
        self.routing_id = f"{self.id_}.{secrets.token_urlsafe(16)}".encode()
        if problem := self.kernelspec.refuse_start(self.spec.folder, self.spec.root):
            self.life.give_up()
            self._loop.call_soon(self._on_failed_start, problem)
            return
        command = self.kernelspec.command(self.spec.folder)
        try:
            self._owner.renew_endpoint()
            variables, limits = self._compose_environment(), find_limits(self.settings)
            root, on_exit = self.spec.root, self._on_exit
            self._process = LocalProcess(command, variables, root, on_exit, limits)
        except (KernelError, OSError) as error:
            self._loop.call_soon(self._on_failed_start, str(error))
            return
        self._owner.kernel_spawned(self, self._process.pid)
        self._capture = Capture(self._process, self._logger, self.settings)
        limit_s = self.settings.start_limit_s
        self._set_timer(limit_s, lambda: self.end(f"no hello in {limit_s:g} s, the limit"))
        told = self.spec.name, self.pid, self.life.generation
        logger.info("kernel %r: process %d begins, generation %d", *told)

    def _compose_environment(self) -> Mapping[str, str]:
        at, own = self._owner.endpoint, self.routing_id
        told = {"mark": self._owner.mark, "log_level": self._log_level, "token": self.token}
        return environment.compose(self.spec, self.settings, endpoint=at, routing_id=own, **told)

    def receive_hello(self, hello: m.Hello) -> None:
        """Answer `hello`: the kernel is ready, or gets the reason why not."""
        if self.life.is_ending or self.life.state is State.STOPPING:
            return  # sent before the kill that is under way: nothing may begin in it any more
        problem = find_problem(hello, self.token, self.life.state)
        if problem:
            self.reject(problem)
            return
        self.capabilities = frozenset(hello.capabilities)
        self.life.step(Event.HELLO)
        self._ready_s = self._loop.time()
        self.reason = ""
        self.heartbeat = self._make_heartbeat()
        self._set_timer(self.settings.ping_interval_s, self._on_ping_time)
        logger.info("kernel %r: ready (%s, %s)", self.spec.name, hello.language, hello.library)
        self._owner.kernel_ready(self)
        self._owner.kernel_changed(self)

    def expects(self, token: str) -> bool:
        """Whether its process has this token and has not said hello."""
        is_same = secrets.compare_digest(token.encode(), self.token.encode())
        return is_same and self.life.state is State.STARTING

    def reject(self, problem: str) -> None:
        """The `hello` is not valid: a process that has not begun otherwise has to exit.

        Args:
            problem: Why, as its log, its pages and the process get it.
        """
        logger.warning("kernel %r: %s; rejected", self.spec.name, problem)
        self._owner.send(self, m.Reject(reason=problem[:REASON_CHARACTERS]))
        if self._process and self.life.state is State.STARTING and not self._ending.why:
            why = self._ending.why = f"rejected: {problem}"
            self._set_timer(self.settings.shutdown_limit_s, lambda: self.end(why))

    def heard(self, *, is_working: bool) -> None:
        """Any traffic counts as an answer; `is_working`: whether requests are open."""
        self.heartbeat.hear()
        if self.life.state is State.UNRESPONSIVE:
            self.life.step(Event.TRAFFIC)
            if not is_working:
                self.life.step(Event.REST)
            self.reason = ""
            self._owner.kernel_changed(self)

    def said_bye(self, reason: str) -> None:
        """It ends by itself: the reason is shown with its exit."""
        self._ending.say_bye(reason[:REASON_CHARACTERS])

    def note(self, event: Event) -> None:
        """Work began or ended, or a cancel was asked: not shown to every page."""
        if self.life.allows(event):
            self.life.step(event)

    def interrupt(self, request: int, attempt: int) -> None:
        """Interrupt the kernel, if it declares that it can be, at that request only."""
        if self._process and "interrupt" in self.capabilities:
            self._process.interrupt(INTERRUPT.pack(request, attempt))

    def end(self, reason: str) -> None:
        """Kill the process; what follows is as after any other crash."""
        if self._process:
            self._ending.why = reason
            self.life.is_ending = True
            self._process.signal_group(signal.SIGKILL)

    def end_for_memory(self, excess: str) -> None:
        """Kill the process, which holds more memory than it may."""
        self.end(self._ending.blame_memory(excess))

    def restart(self, reason: str, *, is_reload: bool = False) -> None:
        """A visitor asks for it, or its code was changed: earlier crashes are forgiven.

        Args:
            reason: Why; sessions get it as `restored`.
            is_reload: Whether it is for new code: that is not an incident.
        """
        self.life.forgive()
        self.blame.forgive()
        self._ending.was_asked = True
        self._is_reload = is_reload
        if is_reload:
            self.life.note_reload(self._loop.time() - self._ready_s)
            logger.info("kernel %r: %s; restarting", self.spec.name, reason)
        if not is_reload:  # which brings the spec, where that is new
            self.kernelspec = self._owner.read_kernelspec(self.spec.kernel)
        if self.life.state in (State.BACKOFF, State.FAILED):
            # Sessions begin again for this reason, and no longer for the one of the last end.
            self.reason = reason if is_reload else f"kernel {self.spec.name!r} was {reason}"
            self._spawn_again()
        elif self._process and self.life.state is not State.STOPPING:
            self.life.wish_end()
            self.end(reason)

    def halt(self, reason: str) -> None:
        """An administrator ends it, and it stays ended until a restart is asked for."""
        if self.life.state is State.BACKOFF:
            self._clear_timer()
            self.life.wish_stop()
            self.retry_in_s = None
            self.reason = f"kernel {self.spec.name!r}: {reason}"
            self.life.step(Event.EXIT_FINAL)
            self._owner.kernel_lost(self, self.life.generation)
            self._owner.kernel_changed(self)
        elif self._process and self.life.state is not State.STOPPING:
            self.life.wish_stop()
            self._is_reload, self._ending.was_asked = False, True
            self.end(reason)

    def cull(self, why: str, *, is_graceful: bool) -> None:
        """No page needs it: end the process until one does.

        Args:
            why: For people; its sessions get it as `restored`.
            is_graceful: Whether it may say goodbye; else it is killed.
        """
        if self._process and not self.life.is_ending:
            self.life.wish_cull()
            if not is_graceful or not self._owner.send(self, m.Shutdown(reason=why)):
                self.end(why)
                return
            self._ending.why = why
            self.life.is_ending = True
            self._set_timer(self.settings.shutdown_limit_s, lambda: self.end(why))

    def queue(self) -> None:
        """A page needs it, and it may not start yet."""
        self.life.step(Event.QUEUE)
        self._owner.kernel_changed(self)

    def need(self) -> None:
        """A page needs it: it begins, if it was queued or culled."""
        if self.life.is_without_process:
            self._spawn_again()
        else:
            self.life.unwish_cull()

    async def stop(self, limit_s: float, why: str = "the server stops") -> None:
        """End the process: a message, SIGTERM, SIGKILL to the group, within the limit.

        Args:
            limit_s: Two thirds are for the message, most of the rest for SIGTERM.
            why: For people.
        """
        if self.life.state is State.STOPPED:
            return
        self.life.step(Event.STOP)
        self.reason = f"kernel {self.spec.name!r} ends: {why}"
        self._clear_timer()
        if self._process is None:
            self._be_gone()  # with what waited for the next life, or for the end of its messages
            return
        self._owner.kernel_changed(self)
        if not self._owner.send(self, m.Shutdown(reason=why)):
            self._process.signal_group(signal.SIGTERM)
        await self._insist(limit_s)

    # ------------------------------------------------------------ what happens to it

    def _on_exit(self, how: Exit) -> None:
        process, self._process = self._process, None
        assert process is not None
        self._clear_timer()
        self._ended_s = self._loop.time()
        assert self._capture is not None
        self._capture.finish()
        self._owner.kernel_reaped(process.pid)
        self._await_last_messages(how, LastMessages(self.settings, self._ended_s))

    def _await_last_messages(self, how: Exit, last: LastMessages) -> None:
        """Messages from before its end are still delivered, in order, before anything is lost.

        libzmq's own thread may not have read it all yet, and the loop reads a part per turn.
        """
        is_heard = self.heartbeat.take_heard()
        if not self._owner.is_read(self) and last.is_awaited(self._loop.time(), is_heard=is_heard):
            self._loop.call_later(DRAIN_STEP_S, self._await_last_messages, how, last)
            return
        self._clear_timer()  # a hello among them began one
        if self.life.state is State.STOPPED:
            return  # the server's end did not wait
        if self.life.state is State.STOPPING:
            self._be_gone()
            return
        died = f"kernel {self.spec.name!r} {self._ending.explain(how)}"
        self.blame.judge(how, self._ending, self.life, self._ended_s)
        self._judge(self._ending.why if self._is_reload else died)

    async def _insist(self, limit_s: float) -> None:
        for part, number in ((0.5, signal.SIGTERM), (0.25, signal.SIGKILL), (0.25, signal.SIGKILL)):
            try:
                await asyncio.wait_for(self.ended.wait(), limit_s * part)
                return
            except asyncio.TimeoutError:
                if self._process:  # else it has ended, and its last messages are awaited
                    self._process.signal_group(number)
        self._be_gone()

    def _be_gone(self) -> None:
        self.life.step(Event.GONE)
        self._owner.kernel_lost(self, self.life.generation)
        self.ended.set()

    def _on_failed_start(self, problem: str) -> None:
        if self.life.state is State.STARTING:
            self._judge(f"kernel {self.spec.name!r}: {problem}")

    def _judge(self, reason: str) -> None:
        now_s, jitter = self._loop.time(), random.uniform(-1, 1)
        verdict = self.life.judge_exit(now_s, jitter=jitter, is_excused=self.blame.is_excused)
        self.deaths += verdict.event is not Event.EXIT_CULL and not self._ending.was_asked
        self.reason = f"{reason}: {verdict.note}" if verdict.note else reason
        generation = self.life.generation  # a retry at once counts on
        self.life.step(verdict.event)
        if self.life.state is State.FAILED:
            logger.log(logging.ERROR if verdict.note else logging.WARNING, "%s", self.reason)
        elif self.life.state is State.CULLED:
            logger.info("%s", self.reason)
        else:
            when = f" in {verdict.wait_s:.1f} s" if verdict.wait_s else ""
            level = logging.DEBUG if self._is_reload else logging.WARNING  # it was logged before
            logger.log(level, "%s; restarting%s", self.reason, when)
        self._owner.kernel_lost(self, generation)
        if self.life.state is State.STARTING:
            self.start()
        elif self.life.state is State.BACKOFF:
            self.retry_in_s = verdict.wait_s
            self._set_timer(verdict.wait_s, self._spawn_again)
        self._owner.kernel_changed(self)

    def _spawn_again(self) -> None:
        self._clear_timer()
        self.life.step(Event.SPAWN)
        self.start()
        self._owner.kernel_changed(self)

    def _on_ping_time(self) -> None:
        late_s = self._loop.time() - self._due_s
        self._set_timer(self.settings.ping_interval_s, self._on_ping_time)
        if "ping" not in self.capabilities:
            return
        self.heartbeat.beat(late_s)
        silent_s = self.heartbeat.silent_s
        if self.heartbeat.is_silent and self.life.state is not State.UNRESPONSIVE:
            self.life.step(Event.SILENT)
            self.reason = f"kernel {self.spec.name!r} has not answered for {silent_s:g} s"
            logger.warning("%s", self.reason)
            self._owner.kernel_changed(self)
        if problem := self.life.judge_silence(silent_s):
            self.end(problem)

    # ------------------------------------------------------------ parts

    def _make_heartbeat(self) -> Heartbeat:
        return Heartbeat(
            self.settings, lambda number: self._owner.send(self, m.Ping(number=number))
        )

    def _set_timer(self, delay_s: float, callback: Any) -> None:
        self._clear_timer()
        self._due_s = self._loop.time() + delay_s
        self._timer = self._loop.call_later(delay_s, callback)

    def _clear_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
