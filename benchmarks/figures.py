"""The figures, their targets, and the maths between a round's numbers and a verdict. Pure."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Figure:
    """One row of the table.

    Attributes:
        key: how `Results` names it.
        title: for people.
        unit: of both values.
        limit: the target; None for a figure that is only shown.
        is_ratio: whether `limit` is for Databench over its reference, else for Databench's value.
        is_more_better: a throughput, so `limit` is the least.
        reference: what the middle column holds.
    """

    key: str
    title: str
    unit: str
    limit: float | None = None
    is_ratio: bool = True
    is_more_better: bool = False
    reference: str = "relay"

    def target(self) -> str:
        """The target in words, such as ``≤ 1.3 ×``."""
        if self.limit is None:
            return ""
        sign = "≥" if self.is_more_better else "≤"
        return f"{sign} {self.limit:g} {'×' if self.is_ratio else self.unit}"


FIGURES: Sequence[Figure] = (
    Figure("generator_p50", "the load generator at most: echo p50", "ms", reference=""),
    Figure(
        "generator_1", "the load generator at most: pipelined, 1 connection", "/s", reference=""
    ),
    Figure(
        "generator_32", "the load generator at most: pipelined, 32 connections", "/s", reference=""
    ),
    Figure("generator_payload", "the load generator at most: 1 MB payloads", "MB/s", reference=""),
    Figure("echo_p50", "echo p50, one connection", "ms", 1.3),
    Figure("echo_p99", "echo p99, one connection", "ms"),
    Figure("echo_plain_p50", "echo p50 of a plain method", "ms"),
    Figure("pipelined_1", "pipelined echo, 1 connection", "/s", 1.0, is_more_better=True),
    Figure("pipelined_32", "pipelined echo, 32 connections", "/s", 1.0, is_more_better=True),
    Figure("stream", "stream of 20,000 small emits", "/s", 3.0, is_more_better=True),
    Figure("payload", "1 MB payloads, there and back", "MB/s", 0.85, is_more_better=True),
    Figure(
        "other_coroutine",
        "echo on another analysis, p99, during a coroutine loop",
        "ms",
        2.0,
        reference="own idle p99",
    ),
    Figure(
        "other_plain",
        "echo on another analysis, p99, during a plain loop",
        "ms",
        2.0,
        reference="own idle p99",
    ),
    Figure(
        "other_control",
        "the same with a bare process computing, no kernel",
        "ms",
        reference="own idle p99",
    ),
    Figure(
        "same_coroutine",
        "echo on the same analysis, p99, during a coroutine loop",
        "ms",
        25.0,
        is_ratio=False,
        reference="own idle p99",
    ),
    Figure(
        "same_plain",
        "echo on the same analysis, p99, during a plain loop",
        "ms",
        25.0,
        is_ratio=False,
        reference="own idle p99",
    ),
    Figure(
        "lock_other",
        "echo on another analysis, p99, while a C call holds the interpreter lock",
        "ms",
        2.0,
        reference="own idle p99",
    ),
    Figure("lock_index", "the index page, p99, meanwhile", "ms", 2.0, reference="own idle p99"),
    Figure("rate_coroutine", "emits of the coroutine loop meanwhile", "/s", reference=""),
    Figure("rate_plain", "emits of the plain loop meanwhile", "/s", reference=""),
    Figure("gallery_new", "processor time of the gallery, for a new visitor", "us", 1.5),
    Figure("gallery_again", "processor time of the gallery, on a kept connection", "us", 1.5),
    Figure("page_new", "processor time of an analysis' page, for a new visitor", "us", 1.5),
    Figure("page_again", "processor time of an analysis' page, on a kept connection", "us", 1.5),
    Figure("loading_html", "echo p99 while 50 pages per second are loaded", "ms", 1.5),
    Figure("loading_assets", "the same with the files of the pages", "ms", 1.5),
    Figure("connections", "new connections, each for one page", "/s", 0.7, is_more_better=True),
    Figure("joins", "new connections, each a websocket that joins", "/s", 0.7, is_more_better=True),
    Figure("memory", "memory per idle connection at 1,000", "KiB", 40.0, is_ratio=False),
    Figure("share", "class_data change to 1,000 connections", "ms", 1.5),
    Figure("revival", "kill -9 to the next successful action", "s", 0.3, is_ratio=False),
    Figure(
        "revival_alone",
        "kill -9 to the next successful action, isolation: session",
        "s",
        0.3,
        is_ratio=False,
    ),
    Figure(
        "preheated",
        "a new page to its first answer, from a preheated kernel",
        "ms",
        50.0,
        is_ratio=False,
    ),
    Figure("resume", "a page comes back to 1,000 missed messages", "ms"),
    Figure("detached", "memory per session without a page at 1,000", "KiB"),
    Figure("reload", "a save to the new code's first answer", "s", 0.3, is_ratio=False),
    Figure("start", "start to first page", "s", 0.5, is_ratio=False),
)


class Results:
    """What was measured: per figure and side, one number for each round."""

    def __init__(self) -> None:
        self._rounds: dict[str, dict[str, list[float]]] = {}

    def add(self, key: str, side: str, value: float) -> None:
        """Keep one round's number; `side` is ``databench`` or ``reference``."""
        if side not in ("databench", "reference"):
            raise ValueError(f"side of a figure, {side!r}, is neither databench nor reference")
        self._rounds.setdefault(key, {}).setdefault(side, []).append(value)

    def rounds(self, key: str, side: str) -> list[float]:
        """All rounds' numbers."""
        return self._rounds.get(key, {}).get(side, [])

    def median(self, key: str, side: str) -> float | None:
        """The middle of the rounds; None when there is none."""
        rounds = self.rounds(key, side)
        return statistics.median(rounds) if rounds else None

    def ratio(self, key: str) -> float | None:
        """Databench's median over the reference's."""
        ours, reference = self.median(key, "databench"), self.median(key, "reference")
        if ours is None or not reference:
            return None
        return ours / reference

    def ratio_spread(self, key: str) -> tuple[float, float] | None:
        """Least and greatest ratio of one round; None below two rounds with both sides."""
        pairs = zip(self.rounds(key, "databench"), self.rounds(key, "reference"), strict=False)
        ratios = [ours / reference for ours, reference in pairs if reference]
        return (min(ratios), max(ratios)) if len(ratios) > 1 else None

    def is_met(self, figure: Figure) -> bool | None:
        """Whether the target is met; None without a target or a measurement."""
        value = self.ratio(figure.key) if figure.is_ratio else self.median(figure.key, "databench")
        if figure.limit is None or value is None:
            return None
        return value >= figure.limit if figure.is_more_better else value <= figure.limit


def percentile(samples: Sequence[float], share: float) -> float:
    """The least sample that at least `share` (0 to 1) of the samples do not exceed."""
    if not samples:
        raise ValueError("percentile of no samples")
    return sorted(samples)[max(0, math.ceil(share * len(samples)) - 1)]
