"""Generator handlers that a session's other handlers call: begun at once, on the loop.

Owns their tasks until they end, at the latest with the session. It does not own tasks that user
code makes with asyncio: user code ends those, in `disconnected`.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Awaitable
from typing import Any

from .steps import LoopWorker
from .yields import drive_generator

# How long a thread waits in one piece: an exception that interrupts it does not wake it.
_LOOK_S = 0.05


class Inner:
    """The generators that the handlers of one session have called.

    Args:
        worker: The loop's thread.
    """

    def __init__(self, worker: LoopWorker) -> None:
        self._worker = worker
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, generator: Any) -> Awaitable[Any]:
        """Run it as far as its first real wait; its task runs the rest."""
        if threading.get_ident() == self._worker.ident:
            return self._begin(generator)
        begun: concurrent.futures.Future[asyncio.Task[Any]] = concurrent.futures.Future()
        # call_soon takes the caller's context along: it belongs to the same request.
        self._worker.loop.call_soon_threadsafe(self._begin_for, generator, begun)
        while True:
            try:
                return begun.result(_LOOK_S)
            except concurrent.futures.TimeoutError:
                continue

    def close(self) -> None:
        """End all of them; on the loop."""
        for task in list(self._tasks):
            task.cancel()

    def _begin(self, generator: Any) -> asyncio.Task[Any]:
        task = self._worker.start_inner(drive_generator(generator))
        if not task.done():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return task

    def _begin_for(
        self, generator: Any, begun: concurrent.futures.Future[asyncio.Task[Any]]
    ) -> None:
        begun.set_result(self._begin(generator))
