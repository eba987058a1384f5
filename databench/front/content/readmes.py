"""Readmes for pages: made in a thread, once for each version of a file, within a size and a time.

A readme is text from anywhere, perhaps of a visitor of another service; a renderer may take
minutes for it. One that takes too long, is too large or breaks the renderer is shown as plain text,
and the page shows the reason.

Theory of operation. One readme is made at a time: renderers are Python, and two of them would only
take turns. A thread cannot be ended, but an exception can be raised in it from outside, which
Python code meets at its next step.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import html
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...config import Entry, Index
from ...readme import Readme, find_candidates, render_markdown
from ...settings import Settings
from ...threads import NO_THREAD
from .sources import PageSources, find_stamp

log = logging.getLogger("databench.front")

_KEPT = 256  # made readmes that are remembered
_SHOWN_BYTES = 2**16  # of one that is shown as it is written


class _OverError(BaseException):
    """Raised in a thread that has taken too long; no renderer catches it."""


class NoThreadError(Exception):
    """The system allows no thread for it."""


class Readmes:
    """Makes readmes, and remembers them.

    Args:
        limits: `readme_bytes` and `readme_limit_s`.
    """

    def __init__(self, limits: Settings) -> None:
        self._limits = limits
        self._made: OrderedDict[Any, str] = OrderedDict()
        self._making: dict[Any, asyncio.Task[str]] = {}
        self._turn = asyncio.Lock()
        self._warming: asyncio.Task[None] | None = None

    async def make(self, entry: Entry, sources: PageSources | None = None) -> str | None:
        """An analysis' readme as HTML, of `index.yaml` or of its folder; `None`: there is none.

        Args:
            entry: The analysis.
            sources: Takes the files that it is made of.
        """
        text = entry.readme
        if text is None:
            return await self.make_of_folder(entry.folder, sources)
        size_bytes = len(text.encode("utf-8", "replace"))
        made = await self._get("index.yaml", text, size_bytes, lambda: render_markdown(text), text)
        if sources is not None and text not in self._made:
            sources.distrust()
        return made

    async def make_of_folder(self, folder: Path, sources: PageSources | None = None) -> str | None:
        """The readme of a folder as HTML; `None`: there is none.

        Args:
            folder: Where it is.
            sources: Takes the files that it is made of.
        """
        sources = PageSources() if sources is None else sources
        sources.add(folder)  # which names it has
        for candidate in find_candidates(folder):
            sources.add(candidate)  # a link may get its file, or lose it, without a new name
        readme = Readme(folder)
        file = readme.file
        if file is None:
            return None
        stamp = find_stamp(file)
        if stamp is None:
            return None
        key = (file, stamp)
        made = await self._get(file.name, key, stamp[2], lambda: readme.html, file)
        if key not in self._made:
            sources.distrust()
        return made or None

    def warm_up(self, index: Index) -> None:
        """Make the readmes before a page asks: the first takes 60 ms for the renderer's import."""
        self._warming = asyncio.ensure_future(self._make_all(index))

    async def _make_all(self, index: Index) -> None:
        await self.make_of_folder(index.folder)
        for entry in index.entries.values():
            await self.make(entry)

    async def _get(
        self, name: str, key: Any, size_bytes: int, render: Callable[[], str], source: Path | str
    ) -> str:
        if key in self._made:
            self._made.move_to_end(key)
            return self._made[key]
        task = self._making.get(key)
        if task is None:
            task = asyncio.ensure_future(self._render(name, key, size_bytes, render, source))
            self._making[key] = task
            task.add_done_callback(lambda _: self._making.pop(key))
        return await asyncio.shield(task)

    async def _render(
        self, name: str, key: Any, size_bytes: int, render: Callable[[], str], source: Path | str
    ) -> str:
        most, limit_s = self._limits.readme_bytes, self._limits.readme_limit_s
        async with self._turn:
            try:
                if size_bytes > most:
                    raise ValueError(f"{size_bytes:,} bytes, limit {most:,} (readme_bytes)")
                made = await run_in_thread(render, limit_s)
            except asyncio.TimeoutError:
                made = self._show_plain(
                    name, f"not ready after {limit_s:g} s, limit (readme_limit_s)", source
                )
            except NoThreadError:
                return self._show_plain(name, NO_THREAD, source)  # not kept: there may be one soon
            except Exception as error:  # noqa: BLE001 - whatever a renderer makes of it
                made = self._show_plain(name, str(error) or type(error).__name__, source)
        self._made[key] = made
        while len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return made

    def _show_plain(self, name: str, why: str, source: Path | str) -> str:
        problem = f"{name}: {why}; its first part is shown as it is written"
        log.warning("%s", problem)
        if isinstance(source, str):
            text = source[:_SHOWN_BYTES]
        else:
            try:
                with source.open("rb") as file:
                    text = file.read(_SHOWN_BYTES).decode("utf-8", "replace")
            except OSError as error:
                text = str(error)
        return f"<p>{html.escape(problem)}</p>\n<pre>{html.escape(text)}</pre>\n"


async def run_in_thread(function: Callable[[], str], limit_s: float) -> str:
    """Run a function in a separate thread, and end it when it takes too long.

    Args:
        function: Python code; one C call in it cannot be ended.
        limit_s: After this it is.

    Raises:
        asyncio.TimeoutError: It took too long.
        NoThreadError: The system allows no thread for it.
        Exception: Raised by the function.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[str] = loop.create_future()

    def run() -> None:
        try:
            made, error = function(), None
        except _OverError:
            return
        except Exception as failure:  # noqa: BLE001 - handed on
            made, error = "", failure
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server has ended
            loop.call_soon_threadsafe(_settle, ended, made, error)

    thread = threading.Thread(target=run, name="databench-readme", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise NoThreadError(str(error)) from None
    try:
        return await asyncio.wait_for(ended, limit_s)
    except asyncio.TimeoutError:
        target = ctypes.c_ulong(thread.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(target, ctypes.py_object(_OverError))
        raise


def _settle(ended: asyncio.Future[str], made: str, error: Exception | None) -> None:
    if ended.done():
        return  # too late
    if error is None:
        ended.set_result(made)
    else:
        ended.set_exception(error)
