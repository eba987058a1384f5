"""The event loop of a server."""

from __future__ import annotations

import asyncio

from ..errors import SettingError


def new_loop() -> asyncio.AbstractEventLoop:
    """A loop for a server: uvloop's if the extra `fast` is installed, asyncio's otherwise."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def refuse_running_loop(what: str) -> None:
    """See to it that no loop runs in this thread: a server has its own, and blocks until its end.

    Args:
        what: For people: what was to be started.

    Raises:
        SettingError: One runs.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise SettingError(
        f"{what} starts an event loop, but one is already running here (a notebook, "
        "asyncio.run); call it at the top level of a script, or in a separate process"
    )
