"""Kernels' code: the files that it was read from, and what a change of one of them does.

Knows no file system: the front watches the files and names the saved ones (docs/protocol.md, 7.4).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from ..protocol import messages as m
from ..protocol.lifecycle import OnChange
from ..protocol.text import CODE_CHANGED
from .records import KernelPool, KernelRecord
from .sessions.requests import Requests
from .specs import AnalysisSpec
from .supervision.kernelspec import KernelSpec
from .tables import Tables

logger = logging.getLogger("databench.broker")

CHANGE_CHARACTERS = 200  # of the files that pages and the next kernel get


class Code:
    """Keeps the sources that kernels name, and restarts kernels for new code.

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

    def take_sources(self, record: KernelRecord, message: m.Sources) -> None:
        """The kernel has read its code from these files."""
        generation = record.kernel.life.generation
        if record.sources is None or record.sources_of != generation:
            record.sources, record.sources_of = {}, generation
        known = record.sources
        limit = self._tables.settings.watched_files
        for path in message.paths:
            if len(known) >= limit and path not in known:
                name = record.kernel.spec.name
                logger.warning(
                    "kernel %r: more than %d source files, the limit; not all are watched",
                    name,
                    limit,
                )
                break
            known[path] = message.since_s
        self.on_sources(record.kernel.spec.name)

    def sources(self, analysis: str) -> Mapping[str, float | None] | None:
        """The files that the analysis' kernels have named last; `None` if they named none."""
        pool = self._tables.pools.get(analysis)
        found: dict[str, float | None] | None = None
        for record in pool.records if pool else ():
            if record.sources is not None:
                found = _merge(found or {}, record.sources)
        return found

    def change(self, analysis: str, what: str, *, at_once: bool) -> None:
        """A file was saved on which the analysis' kernel depends.

        Args:
            analysis: The analysis' name; one whose kernel was never needed has nothing to restart.
            what: The file's name, for people.
            at_once: Whether to restart the kernels whatever they do.
        """
        pool = self._tables.pools.get(analysis)
        for record in list(pool.records) if pool else ():
            self._change(record, what[:CHANGE_CHARACTERS], at_once=at_once)
        if pool and not any(record.code_change for record in pool.records):
            pool.poison.forgive()  # also if there is no process to restart
            for record in pool.records:
                record.kernel.blame.starts.forgive()
        self._tables.outbox.flush()

    def change_spec(self, pool: KernelPool, spec: AnalysisSpec, kernelspec: KernelSpec) -> None:
        """An analysis is to be run as these say; its kernels restart where that is another way.

        Args:
            pool: The analysis.
            spec: What `index.yaml` says of it now.
            kernelspec: How its kernels are started now.
        """
        is_other = spec != pool.spec
        pool.spec = spec
        if not is_other and all(r.kernel.kernelspec == kernelspec for r in pool.records):
            return
        for record in pool.records:
            record.kernel.change_spec(spec, kernelspec)
        what = "index.yaml" if is_other else kernelspec.label
        self.change(spec.name, what, at_once=spec.restarts_at_once and not is_other)

    def _change(self, record: KernelRecord, what: str, *, at_once: bool) -> None:
        kernel = record.kernel
        # What a kernel that made a mistake runs may never end.
        is_working = record.open_requests > 0 and not record.mistakes
        step = kernel.life.judge_change(is_working=is_working, at_once=at_once)
        if step is OnChange.RESTART:
            kernel.restart(f"{CODE_CHANGED}{what}", is_reload=True)
        elif step is OnChange.WAIT and record.code_change != what:
            record.code_change = what
            name = kernel.spec.name
            logger.info("kernel %r: code changed: %s; restarting when it is idle", name, what)
            self._tables.announcer.show(record.shown)


def _merge(
    files: Mapping[str, float | None], further: Mapping[str, float | None]
) -> dict[str, float | None]:
    """Files of several kernels, each with the earliest time since when it may have been read."""
    merged = dict(files)
    for path, since_s in further.items():
        known_s = merged.get(path, since_s)
        merged[path] = None if since_s is None or known_s is None else min(known_s, since_s)
    return merged


def _ignore(_analysis: str) -> None:
    pass
