"""`build:` of `index.yaml`: commands that make what pages need, before serving and on change.

Owns the order (the project's own first, then each analysis') and what a failure means: the rest of
that list does not run, everything is served as it is, and the page and the terminal show the error.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

from ...broker.supervision.launchers.shell import Shell
from ...config import Index
from ...printable import clean_line
from ...settings import Settings

log = logging.getLogger("databench.front")

_CLOCK_S = 0.01  # the file system's clock goes in steps
PROJECT = ""  # the name of what is built for all analyses
Faults = Mapping[str, tuple[str, ...]]


def plan(index: Index) -> dict[str, tuple[str, ...]]:
    """The commands by the analysis' name, the project's own first."""
    jobs = {PROJECT: index.build}
    jobs.update((entry.name, entry.build) for entry in index.entries.values())
    return {name: commands for name, commands in jobs.items() if commands}


async def run(index: Index, settings: Settings, names: Iterable[str] | None = None) -> Faults:
    """Run the commands, one after another, in the analyses' folder.

    Args:
        index: It has the commands.
        settings: The limits.
        names: Whose; `PROJECT` is the project's. `None`: all.

    Returns:
        The failures, by name; empty for those that went well.
    """
    jobs = plan(index)
    wanted = [name for name in jobs if names is None or name in set(names)]
    if not wanted:
        return {}
    async with Shell(settings) as shell:
        return {
            name: await _run_list(shell, name, jobs[name], index.folder, settings)
            for name in wanted
        }


def run_now(index: Index, settings: Settings) -> Faults:
    """Run all of them before anything is served, where no loop runs yet."""
    return asyncio.run(run(index, settings)) if plan(index) else {}


async def _run_list(
    shell: Shell, name: str, commands: tuple[str, ...], folder: Path, settings: Settings
) -> tuple[str, ...]:
    what = f"build of {name!r}" if name else "build"
    for command in commands:
        output = _Output(what, settings.build_lines)
        log.info("%s: %s", what, command)
        problem = await shell.run(command, folder, output.take)
        if problem:
            last = f": {output.last}" if output.last else ""
            text = f"{what}: {command!r:.200} {problem}{last:.300}; the existing files are served"
            log.error("%s", text)
            return (text,)
    return ()


class _Output:
    """Logs the lines of a command, up to a limit.

    Args:
        what: In front of each.
        limit: Further ones are not shown.
    """

    def __init__(self, what: str, limit: int) -> None:
        self.last = ""
        self._what = what
        self._limit = limit
        self._count = 0

    def take(self, line: str) -> None:
        """One line."""
        self.last = clean_line(line).strip() or self.last
        self._count += 1
        if self._count <= self._limit:
            log.info("%s: %s", self._what, line)
        elif self._count == self._limit + 1:
            log.info("%s: further lines are not shown, limit %d", self._what, self._limit)


class Builder:
    """Builds again while the server runs, one after another, and keeps the failures.

    Args:
        settings: The limits.
        faults: Of the first time.
        around: Entered while commands run.

    Attributes:
        faults: The failures, by name.
        on_faults: Called with the names for which that has changed.
    """

    def __init__(
        self,
        settings: Settings,
        faults: Faults | None = None,
        *,
        around: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> None:
        self.faults: dict[str, tuple[str, ...]] = dict(faults or {})
        self.on_faults: Callable[[list[str]], None] = _ignore
        self._settings = settings
        self._around = around
        self._wanted: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        # When the last builds ran, by the clock of files, how many there were, and which of them
        # was the last during which a file was written.
        self._begun_s = self._ended_s = 0.0
        self._count = 0
        self._written: dict[str, int] = {}

    def begin(self, index: Index, names: Iterable[str]) -> None:
        """Build these; further requests while one runs follow it, once.

        Args:
            index: It has the commands.
            names: Of analyses; `PROJECT` for the project's.
        """
        self._index = index
        self._wanted |= set(names) & set(plan(index))
        if self._wanted and self._task is None:
            self._task = asyncio.ensure_future(self._run())

    def begin_for(self, index: Index, saved: Mapping[str, Iterable[str]]) -> None:
        """Watched files were saved: build, but for what the build makes itself.

        A file that was written during two builds in a row is made by them: without that, patterns
        that name what is built would make it run forever.

        Args:
            index: It has the commands.
            saved: By the file, whose patterns name it.
        """
        made = {path for path in saved if self._is_made(path)}
        self.begin(index, {name for path in saved if path not in made for name in saved[path]})

    def forget(self, names: Iterable[str]) -> None:
        """Only these have commands any more."""
        self.faults = {name: texts for name, texts in self.faults.items() if name in set(names)}

    async def stop(self) -> None:
        """End what runs, with everything it has started."""
        task = self._task
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def _is_made(self, path: str) -> bool:
        try:
            saved_s = os.stat(path).st_mtime
        except OSError:
            return False
        if self._task is None and not self._begun_s <= saved_s <= self._ended_s:
            return False
        before, self._written[path] = self._written.get(path, 0), self._count
        return 0 < self._count - 1 <= before

    async def _run(self) -> None:
        self._begun_s = time.time() - _CLOCK_S
        try:
            while self._wanted:
                names, self._wanted = self._wanted, set()
                self._count += 1
                async with self._around():
                    faults = await run(self._index, self._settings, names)
                changed = [name for name in faults if faults[name] != self.faults.get(name, ())]
                self.faults.update(faults)
                log.info("built: %s", ", ".join(name or "the project" for name in faults))
                self.on_faults(changed)
        except Exception:  # the task's edge
            log.exception("build failed")
        finally:
            self._ended_s = time.time()
            self._task = None


def _ignore(_names: list[str]) -> None:
    pass
