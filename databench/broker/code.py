"""Kernels' code: which files it was read from, and what a change of one of them does.

Knows no file system: the front watches the files and says what was saved (docs/protocol.md, 7.4).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from ..protocol import messages as m
from ..protocol.lifecycle import OnChange
from .requests import Requests
from .tables import Entry, Tables

logger = logging.getLogger("databench.broker")

CHANGE_CHARACTERS = 200  # of what pages and the next kernel are told


class Code:
    """Keeps what kernels say of their sources, and restarts them for new code.

    Args:
        tables: The broker's.
        requests: Restarts a kernel when its last action has ended.

    Attributes:
        on_sources: Called with an analysis' name when its kernel has named further files.
    """

    def __init__(self, tables: Tables, requests: Requests) -> None:
        self.on_sources: Callable[[str], None] = _ignore
        self._tables = tables
        self._requests = requests

    def take_sources(self, entry: Entry, message: m.Sources) -> None:
        """The kernel has read its code from these files."""
        generation = entry.kernel.life.generation
        if entry.sources is None or entry.sources_of != generation:
            entry.sources, entry.sources_of = {}, generation
        known = entry.sources
        limit = self._tables.settings.watched_files
        for path in message.paths:
            if len(known) >= limit and path not in known:
                name = entry.kernel.spec.name
                logger.warning(
                    "kernel %r: over %d source files, the limit; not all are watched", name, limit
                )
                break
            known[path] = message.since_s
        self.on_sources(entry.kernel.spec.name)

    def sources(self, analysis: str) -> Mapping[str, float | None] | None:
        """The files that the analysis' kernel has named last; `None` where it named none."""
        entry = self._tables.entries.get(analysis)
        return entry.sources if entry else None

    def change(self, analysis: str, what: str, *, at_once: bool) -> None:
        """A file was saved on which the analysis' kernel depends.

        Args:
            analysis: The analysis' name; one whose kernel was never needed has nothing to restart.
            what: The file's name, for people.
            at_once: Whether to restart the kernel whatever it does.
        """
        entry = self._tables.entries.get(analysis)
        if entry is None:
            return
        kernel = entry.kernel
        what = what[:CHANGE_CHARACTERS]
        step = kernel.life.judge_change(is_working=entry.open_requests > 0, at_once=at_once)
        if step is OnChange.RESTART:
            kernel.restart(f"code changed: {what}", is_reload=True)
        elif step is OnChange.WAIT and entry.code_change != what:
            entry.code_change = what
            logger.info("kernel %r: code changed: %s; restarting when it is idle", analysis, what)
            for seat in entry.seats.values():
                self._tables.outbox.announce(seat, self._tables.compose_kernel(seat))
        self._tables.outbox.flush()


def _ignore(_analysis: str) -> None:
    pass
