"""One session in the kernel: its analysis, its actions in order, its ends.

Lives in the loop's thread. Only `_open` of a class with a constructor, and `_plain_ended` with what
it calls, run in the threads of plain actions.
"""

from __future__ import annotations

import asyncio
import urllib.parse
from collections.abc import Callable
from typing import Any

from ..analysis import Analysis
from ..payload import encode
from ..protocol import messages as m
from .arguments import ActionError
from .calls import find_page_calls, make_call
from .context import Context
from .inner import Inner
from .lane import Lane
from .outlet import SessionOutlet
from .process.streams import log_failure
from .report import describe, format_traceback
from .request import Call, Cancelled, KernelRequest, current
from .send_window import SendWindow
from .stores import Stores
from .workers import Job
from .yields import (
    drive_asyncgen,
    drive_awaitable,
    drive_coroutine,
    drive_generator,
    is_result,
    is_to_await,
)

# Of a page's traceback: a deep recursion has a thousand lines, the last of which matter.
_TRACEBACK_CHARACTERS = 2**14
# Between two attempts to interrupt: a visitor sees no difference, and code that cleans up is not
# interrupted so often that it never ends.
_PRESS_S = 0.05
_QUERY_CHARACTERS = 4096  # what is taken apart on the loop
# Steps of a session's own that end before the next one begins, however they are written.
# `connected` does not: it may compute for long, and can be cancelled meanwhile.
_IN_SUCCESSION = ("connect", "args", "disconnected")


class KernelSession:
    """One page's session.

    Args:
        context: The common parts of all sessions.
        message: How it begins.
        forget: Called with it when it is closed.
    """

    def __init__(
        self, context: Context, message: m.Open, forget: Callable[[KernelSession], None]
    ) -> None:
        self.context = context
        self.id_ = message.session or ""
        self.analysis: Analysis | None = None
        self.requests: set[KernelRequest] = set()
        self.is_closing = False
        self._message = message
        self._forget = forget
        self._lane: Lane[KernelRequest] = Lane()
        self.inner = Inner(context.loop_worker)
        self.outlet = SessionOutlet(
            self.id_,
            context.channel,
            context.loop_worker,
            SendWindow(context.window_bytes, context.settings.unawaited_bytes),
            settings=context.settings,
            logger=context.logger,
            start_inner=self.inner.start,
        )
        self._failure: str | None = None
        for name in ("open", "connect", "args", "connected", "opened"):
            self._push(KernelRequest(self.outlet, None, name, b""))

    # -- what the front asks for

    def run_action(self, message: m.Action) -> None:
        """Run an action when its turn comes."""
        number = message.request
        request = KernelRequest(self.outlet, number, message.name, message.payload)
        if number is not None:
            self.context.requests.open(number, request)
        self._push(request)

    def cancel(self, request: KernelRequest, attempt: int) -> None:
        """Cancel a request; an attempt that was carried out already does nothing."""
        request.wanted = max(request.wanted, attempt)
        if request.is_ended or request.wanted <= request.raised:
            return
        if self._lane.remove(request):
            self._end(request, None, Cancelled())
        elif self.context.workers.withdraw(request):
            self._end(request, None, Cancelled())
            self._step_on(request)
        elif request.task is not None:
            request.raised = request.wanted
            request.task.cancel()
        else:
            self._press(request)

    def _press(self, request: KernelRequest) -> None:
        """Interrupt a plain action, until it has noticed.

        A signal that comes between two instructions, right before a call that waits, is noticed
        only after that call.
        """
        if not request.is_ended and request.wanted > request.raised:
            self.context.interrupts.strike(request)
            self.context.loop.call_later(_PRESS_S, self._press, request)

    def close(self) -> asyncio.Event:
        """Cancel everything, run `disconnected`, free what the session holds.

        Returns:
            Set when that is done.
        """
        if not self.is_closing:
            self.is_closing = True
            self.closed = asyncio.Event()
            self.outlet.close()
            for request in list(self.requests):
                self.cancel(request, request.wanted + 1)
            self.inner.close()
            if self.analysis is not None:
                self._push(KernelRequest(self.outlet, None, "disconnected", b""))
            self._push(KernelRequest(self.outlet, None, "closed", b""))
        return self.closed

    # -- order

    def _push(self, request: KernelRequest) -> None:
        self.requests.add(request)
        self._lane.push(request)
        self._pump()

    def _pump(self) -> None:
        """Start what waits, until something keeps the lane."""
        while (request := self._lane.take()) is not None:
            if self._begin(request):
                return  # without another look: on a plain action's way nothing is asked twice
            self._lane.let_go(request)

    def _step_on(self, request: KernelRequest) -> None:
        """A call of this request has ended, which may have kept the lane; on the loop."""
        self._lane.let_go(request)
        self._pump()

    # -- running

    def _begin(self, request: KernelRequest) -> bool:
        """Start its first call, or the next one; whether it keeps the lane meanwhile."""
        try:
            if request.wanted > request.raised:
                raise Cancelled
            if request.calls is None:
                request.calls = self._find_calls(request)
        except BaseException as error:  # noqa: BLE001  # a task's edge: becomes its end
            self._end(request, None, error)
            return False
        return self._next_call(request, request.calls)

    def _find_calls(self, request: KernelRequest) -> list[Call]:
        if request.number is None:
            special = {
                "open": self._open,
                "opened": self._say_opened,
                "closed": self._free,
            }.get(request.name)
            if special is not None:
                is_plain = request.name == "open" and self._is_slow_to_open()
                return [("plain" if is_plain else "here", special)]
            if self._failure is not None:
                return []
            return self._find_own_calls(request.name)
        context = self.context
        return find_page_calls(
            self._instance(),
            context.handlers,
            context.declared,
            request.name,
            request.payload,
            context.settings,
        )

    def _find_own_calls(self, name: str) -> list[Call]:
        analysis = self._instance()
        # `Analysis` itself does nothing at these steps, or did it in `_open`.
        names = [a for a in self.context.handlers.get(name, ()) if not _is_default(analysis, a)]
        given = (analysis.cli_args, analysis.request_args) if name == "args" else ()
        return [make_call(analysis, name, attribute, list(given), {}) for attribute in names]

    def _next_call(self, request: KernelRequest, calls: list[Call]) -> bool:
        while calls:
            kind, function = calls.pop(0)
            if kind == "plain":
                self.context.workers.submit(Job(request, function, self._plain_ended))
                return True
            if kind != "here":
                return self._start_coroutine(request, kind, function)
            if not self._call_here(request, function):
                return False
        self._end(request, request.result, None)
        return False

    def _call_here(self, request: KernelRequest, function: Callable[[], Any]) -> bool:
        token = current.set(request)
        try:
            function()
        except Exception as error:  # noqa: BLE001  # a hook or a subscriber of the user's
            self._end(request, None, error)
            return False
        finally:
            current.reset(token)
        return True

    def _start_coroutine(
        self, request: KernelRequest, kind: str, function: Callable[[], Any]
    ) -> bool:
        if kind == "generator":
            coroutine = drive_generator(function())
        elif kind == "asyncgen":
            coroutine = drive_asyncgen(function())
        elif kind == "awaitable":
            coroutine = drive_awaitable(function())
        else:
            coroutine = drive_coroutine(function)
        if request.name == "disconnected" and self.is_closing:
            limit_s = self.context.settings.shutdown_limit_s
            self.context.loop.call_later(limit_s, self._give_up, request)
        self.context.loop_worker.start(request, coroutine, self._coroutine_ended)
        return request.number is None and request.name in _IN_SUCCESSION

    def _give_up(self, request: KernelRequest) -> None:
        if request.task is not None:
            limit_s = self.context.settings.shutdown_limit_s
            self.context.logger.warning("disconnected took longer than %g s; cancelled", limit_s)
            request.task.cancel()

    def _plain_ended(
        self, request: KernelRequest, result: Any, failure: BaseException | None
    ) -> None:
        """A plain call has ended; on its own thread, which has no more to do with it."""
        request.worker = None
        calls = request.calls
        if calls is None:
            raise AssertionError("a call that has ended was one of them")
        if failure is None and result is not None and is_to_await(result):
            calls.insert(0, ("awaitable", lambda: result))
        else:
            self._keep(request, result)
        if failure is not None or not calls:
            self._end(request, request.result, failure)
            # The loop is woken only if something waits: most often nothing does.
            if self._lane.let_go(request):
                self.context.loop.call_soon(self._pump)
        else:
            self.context.loop.call_soon(self._go_on, request)

    def _coroutine_ended(
        self, request: KernelRequest, result: Any, failure: BaseException | None
    ) -> None:
        """A coroutine has ended; inside its task's last step."""
        request.worker = request.task = None
        self._keep(request, result)
        # Later: a task may not be started inside the step of another.
        if failure is None and request.calls:
            self.context.loop.call_soon(self._go_on, request)
            return
        self._end(request, request.result, failure)
        if request.number is None:
            self.context.loop.call_soon(self._step_on, request)

    def _go_on(self, request: KernelRequest) -> None:
        """Start the next call of a request, one of whose calls has ended; on the loop."""
        if self._lane.is_held_by(request):
            # A plain call came before, or a step of the session's own: nothing else has begun.
            if not self._begin(request):
                self._step_on(request)
        elif request.calls and request.calls[0][0] == "plain":
            # Others have begun meanwhile, and one of them may keep the lane.
            self._lane.push(request)
            self._pump()
        else:
            self._begin(request)

    def _keep(self, request: KernelRequest, result: Any) -> None:
        """Keep what the first of several handlers returned; the catch-all is the last one."""
        if result is not None and request.result is None and is_result(result):
            request.result = result

    # -- ends

    def _end(self, request: KernelRequest, result: Any, failure: BaseException | None) -> None:
        """Report how a request ended, once; from any thread."""
        if request.is_ended:
            raise AssertionError("a request ends once: the first end has taken it out")
        payload = b""
        if failure is None and result is not None and request.number is not None:
            try:
                payload = encode(result, name="result")
                self.context.channel.check_size("result", len(payload))
            except Exception as error:  # noqa: BLE001  # a value's own code may raise anything
                payload, failure = b"", error
        request.is_ended = True
        self.requests.discard(request)
        if request.number is not None:
            self.context.requests.pop(request.number, None)
        if failure is None:
            if request.number is not None:
                self.outlet.send_done(request, request.number, payload)
        elif isinstance(failure, Cancelled | asyncio.CancelledError) and (
            request.wanted > 0 or self.is_closing
        ):
            if request.number is not None:
                cancelled = m.Cancelled(session=self.id_, request=request.number)
                self.outlet.send_end(request, cancelled)
        else:
            self._fail(request, failure)

    def _fail(self, request: KernelRequest, failure: BaseException) -> None:
        text = describe(failure)
        log_failure(self.context.logger, request.name, failure)
        if request.name == "open" and request.number is None:
            self._failure = text
        payload = b""
        if self.context.is_debug and not isinstance(failure, ActionError):
            # Its last part is the most useful; the log has all of it.
            payload = encode(format_traceback(failure)[-_TRACEBACK_CHARACTERS:])
        message = m.Error(
            session=self.id_,
            request=request.number,
            type=type(failure).__name__[:200],
            text=text,
            payload=payload,
        )
        if request.number is None:
            self.outlet.send(message)
        else:
            self.outlet.send_end(request, message)

    # -- the session's own steps

    def _is_slow_to_open(self) -> bool:
        """Whether to open it in the thread of plain actions, so that nothing blocks the loop.

        The way there and back takes as long as all else that a small session begins with.
        """
        message = self._message
        is_large = bool(message.data_keys) or len(message.request_args) > _QUERY_CHARACTERS
        return is_large or self.context.has_own_making

    def _open(self) -> None:
        """Make the instance: plain code of the user, if the class has a constructor."""
        context, message = self.context, self._message
        analysis = context.analysis_class()
        analysis._outlet = self.outlet
        analysis.restored = message.restored
        analysis.cli_args = list(context.cli_args)
        analysis.request_args = urllib.parse.parse_qs(message.request_args.lstrip("?"))
        analysis.init_databench(self.id_)
        self._stores = Stores(analysis, self.outlet, context.class_data.domain)
        self._stores.restore(zip(message.data_keys, message.further, strict=False))
        self._stores.tell()
        self._message = m.Open(session=self.id_)  # the values are not kept twice
        self.analysis = analysis

    def _say_opened(self) -> None:
        self.outlet.send(m.Opened(session=self.id_))

    def _free(self) -> None:
        if self.analysis is not None:
            self._stores.close()
        self.analysis = None
        self._forget(self)
        self.closed.set()

    def _instance(self) -> Analysis:
        if self.analysis is None:
            raise RuntimeError(f"the session did not begin ({self._failure}); reload the page")
        return self.analysis


def _is_default(analysis: Analysis, attribute: str) -> bool:
    return getattr(type(analysis), attribute, None) is getattr(Analysis, attribute, _PRESS_S)
