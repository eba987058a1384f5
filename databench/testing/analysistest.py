"""An analysis, its actions called by a test, its messages in a list."""

from __future__ import annotations

import asyncio
import copy
import shlex
import urllib.parse
import weakref
from collections.abc import Awaitable, Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol

from ..analysis import MISSING, Analysis
from ..kernel.outlet import SENT
from ..kernel.yields import drive_generator
from ..meta import Meta, begin
from ..payload import encode


class ActionRunner(Protocol):
    """What runs the actions: `databench.Meta`, or something in its place."""

    def run_process(
        self, analysis: Any, action_name: str, message: Any = MISSING
    ) -> Awaitable[Any]:
        """See `databench.Meta.run_process`."""


class AnalysisTest:
    """Runs the actions of an analysis and keeps what it emits.

    The session begins at once: `connect`, `args` and `connected` have been called when this
    returns (and have ended, as far as they do not wait).

    Args:
        analysis: The class, or an instance of it.
        cli_args: What the analysis finds in `self.cli_args`: a list, or a line that is split as a
            shell does, `'--a 1'`.
        request_args: What it finds in `self.request_args`: a dict of lists, or a query like
            `'?a=1'`.
        meta: What runs the actions: an object with a `run_process` like that of `databench.Meta`.

    Attributes:
        analysis: The instance.
        emitted_messages: A pair `(signal, message)` for each emit, in order; a signal that was
            emitted without a message has `databench.testing.MISSING`. State changes are the
            signals `data` and `class_data`.
    """

    __test__ = False  # pytest takes classes of this name for tests

    def __init__(
        self,
        analysis: Analysis | type[Analysis],
        cli_args: Sequence[str] | str | None = None,
        request_args: Mapping[str, Sequence[str]] | str | None = None,
        meta: ActionRunner | type[Meta] | None = None,
    ) -> None:
        self.analysis: Any = analysis() if isinstance(analysis, type) else analysis
        self.emitted_messages: list[tuple[str, Any]] = []
        self.meta: Any = Meta if meta is None else meta
        self.analysis.init_databench()
        outlet = _Outlet(self.emitted_messages)
        self.analysis.set_emit_fn(outlet.emit)
        self.analysis._outlet = outlet
        # Nothing that lives longer refers to the test itself: when it is forgotten, so are values
        # that the next test of this class would else find in its `class_data`.
        self._release = weakref.finalize(self, _release, self.analysis)
        words = shlex.split(cli_args) if isinstance(cli_args, str) else list(cli_args or ())
        given = [words, _read_query(request_args)]
        self._begin("connect")
        self._begin("args", given)
        self._begin("connected")

    def _begin(self, action_name: str, *message: Any) -> None:
        running = self.trigger(action_name, *message)
        if isinstance(running, asyncio.Future) and running.done():
            running.result()

    def trigger(self, action_name: str, message: Any = MISSING, **kwargs: Any) -> Awaitable[Any]:
        """Run an action, at once: a plain one has ended when this returns.

        Args:
            action_name: The action.
            message: What the page sends along, see `databench.Meta.run_process`.
            **kwargs: Handed to `run_process`: `callback` is called with the result when the action
                has ended.

        Returns:
            What can be awaited (or yielded), and gives the action's result. Without an event loop
            the action has ended, and its exception was raised here.
        """
        running: Awaitable[Any] = self.meta.run_process(
            self.analysis, action_name, message, **kwargs
        )
        return running

    def close(self) -> Awaitable[Any]:
        """End the session: call `disconnected`, and let go of the values.

        Without this the values go with the object. While several tests of one class are there they
        share `class_data`, like the sessions of an analysis.
        """
        ended = self.trigger("disconnected")
        self._release()
        return ended

    def __enter__(self) -> AnalysisTest:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()


class _Outlet:
    """The outlet of an analysis under test."""

    def __init__(self, messages: list[tuple[str, Any]]) -> None:
        self._messages = messages

    def emit(self, signal: str, message: Any = MISSING) -> Awaitable[None]:
        """Keep a copy: the analysis may change the object afterwards."""
        if message is not MISSING:
            encode(message)  # a value that a page could not get is refused here too
            message = copy.deepcopy(message)
        self._messages.append((signal, message))
        return SENT

    def progress(self, value: float, total: float | None) -> None:
        """The progress of an action, which is not a message of the analysis."""

    def start(self, generator: Any) -> Awaitable[Any]:
        """Run the generator of a handler that another handler calls, at once."""
        return begin(drive_generator(generator), asyncio.get_running_loop())


def _release(analysis: Any) -> None:
    for store in (analysis.data, analysis.class_data):
        if hasattr(store, "close"):
            store.release_storage = True
            store.close()


def _read_query(request_args: Mapping[str, Sequence[str]] | str | None) -> dict[str, list[str]]:
    if isinstance(request_args, str):
        query = request_args.lstrip("?")
        return urllib.parse.parse_qs(query)
    return {key: list(values) for key, values in (request_args or {}).items()}
