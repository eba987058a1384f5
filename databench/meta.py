"""Runs an analysis' actions in this process, without a kernel: for tests and for own front ends.

Owns the meaning of `Meta.run_process`. The kernel's modules read arguments and drive what a handler
yields; the code that made the analysis decides where messages go (`set_emit_fn`, or a test).

Theory of operation: an action is a task that takes its first step at once, so that a plain action
has run when `run_process` returns. If an event loop runs, or waits to be run by tornado's test
case, it runs the rest of the task. Without a loop, the action runs to its end, on a new
loop.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from .analysis import MISSING, Analysis, find_handlers
from .datastore import Results
from .kernel.arguments import PROCESS_ID
from .kernel.calls import BUILT_IN, find_calls
from .kernel.outlet import Sent
from .kernel.yields import drive_asyncgen, drive_awaitable, drive_generator
from .payload import encode

Route = tuple[str, Any, Any]
_tasks: set[asyncio.Task[Any]] = set()  # the loop itself keeps no hold of them


class Meta:
    """An analysis in this process: its name, class, folder and further routes.

    Args:
        name: The name, as it stands in addresses.
        analysis_class: The class of which each session has an instance.
        analysis_path: The folder of the analysis.
        extra_routes: `(route, handler, settings)` as in `routes.py`.
        cli_args: The words after Databench's own options on the command line.

    Attributes:
        info: Whatever else is known of the analysis, by name.
        routes: `extra_routes` with their addresses in full, below `/<name>/`.
    """

    def __init__(
        self,
        name: str,
        analysis_class: type[Analysis],
        analysis_path: str,
        extra_routes: Sequence[Route],
        cli_args: Sequence[str] | None = None,
    ) -> None:
        self.name = name
        self.analysis_class = analysis_class
        self.analysis_path = analysis_path
        self.extra_routes = list(extra_routes)
        self.cli_args = [] if cli_args is None else list(cli_args)
        self.info: dict[str, Any] = {}
        self.routes = [(f"/{name}/{route}", *rest) for route, *rest in self.extra_routes]

    @staticmethod
    def run_process(
        analysis: Analysis,
        action_name: str,
        message: Any = MISSING,
        callback: Callable[[Any], Any] | None = None,
    ) -> asyncio.Future[Any]:
        """Run an action of an analysis, as its kernel would.

        Args:
            analysis: The instance.
            action_name: The action.
            message: What the page sends along: a list gives positional arguments, a dict keyword
                arguments, anything else the first argument. With `__process_id` in a dict the
                analysis also emits `__process` when the action starts and when it ends.
            callback: Called with the action's result when it has ended.

        Returns:
            A future of the action's result. A plain action has ended already.

        Raises:
            ActionError: There is no such action, or it takes other arguments (in the future, where
                an event loop runs).
            TypeError: The message has no JSON form.
        """
        payload = b"" if message is MISSING else encode(message)
        process_id = message.get(PROCESS_ID) if isinstance(message, dict) else None
        return _start(_process(analysis, action_name, payload, process_id), callback)


async def _process(analysis: Analysis, name: str, payload: bytes, process_id: Any) -> Any:
    if process_id is None:
        return await _run(analysis, name, payload)
    await _say(analysis, {"id": process_id, "status": "start"})
    try:
        return await _run(analysis, name, payload)
    finally:
        await _say(analysis, {"id": process_id, "status": "end"})


async def _say(analysis: Analysis, message: dict[str, Any]) -> None:
    sent = analysis.emit("__process", message)
    if hasattr(sent, "__await__"):  # an emit function of the user's own may return anything
        await sent


async def _run(analysis: Analysis, name: str, payload: bytes) -> Any:
    result = None
    # The caller is not a page: it may also call a session's steps, and write values of any name.
    handlers = {**BUILT_IN, **find_handlers(type(analysis))}
    for kind, function in find_calls(analysis, handlers, name, payload):
        result = await _call(kind, function)
    return result


async def _call(kind: str, function: Callable[[], Any]) -> Any:
    result = function()
    if kind == "generator":
        result = await drive_generator(result)
    elif kind == "asyncgen":
        await drive_asyncgen(result)
        return None
    elif kind == "coroutine":
        result = await result
    elif hasattr(result, "__await__") and not isinstance(result, Sent):
        result = await drive_awaitable(result)
    # Actions often return an emit; that is not a result.
    return None if isinstance(result, Sent | Results) else result


# -- tasks that begin at once


def _start(
    coroutine: Coroutine[Any, Any, Any], callback: Callable[[Any], Any] | None
) -> asyncio.Future[Any]:
    loop = _find_loop()
    if loop is None:
        return _finish(coroutine, callback)
    task = begin(coroutine, loop)
    if not loop.is_running() and task.done():
        task.result()  # no code awaits it: the exception is raised here
    if callback is not None:
        task.add_done_callback(lambda done: callback(done.result()))
    return task


def _finish(
    coroutine: Coroutine[Any, Any, Any], callback: Callable[[Any], Any] | None
) -> asyncio.Future[Any]:
    """Run to the end, because no loop will."""
    loop = asyncio.new_event_loop()
    try:
        task = loop.create_task(coroutine)
        result = loop.run_until_complete(task)
        loop.run_until_complete(_end_others())
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
    if callback is not None:
        callback(result)
    return task


async def _end_others() -> None:
    """Let handlers end that the action has called, and end what else it has left running."""
    loop = asyncio.get_running_loop()
    await asyncio.gather(*[task for task in _tasks if task.get_loop() is loop])
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _find_loop() -> asyncio.AbstractEventLoop | None:
    """The loop that runs, or the one that tornado's test case will run; `None`: there is none."""
    loop = asyncio._get_running_loop()
    tornado_ioloop = sys.modules.get("tornado.ioloop")
    if loop is not None or tornado_ioloop is None:
        return loop
    if sys.version_info >= (3, 14):
        try:
            loop = asyncio.get_event_loop()
        except RuntimeError:
            return None
    else:
        # Asking asyncio itself would make a loop, which nothing would close.
        loop = getattr(getattr(asyncio.get_event_loop_policy(), "_local", None), "_loop", None)
    return loop if loop in tornado_ioloop.IOLoop._ioloop_for_asyncio else None


def begin(
    coroutine: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop
) -> asyncio.Task[Any]:
    """Make a task of a loop and take its first step now, also from within another task's step.

    Args:
        coroutine: A native coroutine.
        loop: The task's loop; it runs in this thread, or will.
    """
    task, handle = _make_task(coroutine, loop)
    running, outer = asyncio._get_running_loop(), asyncio.current_task(loop)
    if outer is not None:
        asyncio.tasks._leave_task(loop, outer)
    asyncio._set_running_loop(loop)
    try:
        handle._run()
    finally:
        asyncio._set_running_loop(running)
        if outer is not None:
            asyncio.tasks._enter_task(loop, outer)
    if not task.done():
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)
    return task


def _make_task(
    coroutine: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop
) -> tuple[asyncio.Task[Any], asyncio.Handle]:
    """A task, and its first step, which would else wait for the loop's next turn."""
    caught: list[asyncio.Handle] = []

    def catch(callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        caught.append(asyncio.Handle(callback, args, loop, context))
        return caught[0]

    names = vars(loop)
    before = names.get("call_soon")
    names["call_soon"] = catch
    try:
        task = asyncio.Task(coroutine, loop=loop)
    finally:
        del names["call_soon"]
        if before is not None:
            names["call_soon"] = before
    return task, caught[0]
