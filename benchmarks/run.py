"""One run of the benchmark: its rounds, whose turn it is, what came out and what it cost."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator, Sequence

from benchmarks.client import Page, close_pages, open_pages
from benchmarks.figures import Results, percentile
from benchmarks.servers import Server, processor_s, running

SIDES = ("databench", "reference")
NAMES = {"databench": "Databench", "reference": "relay"}


class Run:
    """What is measured, how often, and the results.

    Args:
        is_quick: few and short rounds, to see that everything works.
        ours: the kind of server in Databench's place.
    """

    def __init__(self, *, is_quick: bool = False, ours: str = "databench") -> None:
        self.is_quick = is_quick
        self.ours = ours
        self.results = Results()
        self._costs: dict[str, dict[str, list[list[float]]]] = {}

    def rounds(self, count: int) -> range:
        """So many, or one when it is quick."""
        return range(1 if self.is_quick else count)

    @contextlib.contextmanager
    def pair(self) -> Iterator[dict[str, Server]]:
        """Fresh servers by side: Databench, and the relay as its reference."""
        with running(self.ours) as ours, running("relay") as relay:
            yield {"databench": ours[self.ours], "reference": relay["relay"]}

    def turns(self, count: int) -> Iterator[str]:
        """Sides in the order A B, B A, A B …: none of them always goes first."""
        for number in self.rounds(count):
            yield from SIDES if number % 2 else reversed(SIDES)

    @contextlib.contextmanager
    def cost(self, figure: str, side: str, server: Server) -> Iterator[list[int]]:
        """Note the processor time per exchange; the body appends how many there were."""
        tree = server.tree()
        groups = [tree[:1], tree[1:], [os.getpid()]]
        exchanges: list[int] = []
        before = [processor_s(group) for group in groups]
        with no_collector():
            yield exchanges
        spent = [processor_s(group) - was for group, was in zip(groups, before, strict=False)]
        per_exchange = [1e6 * value / max(1, sum(exchanges)) for value in spent]
        self._costs.setdefault(figure, {}).setdefault(side, []).append(per_exchange)

    def costs(self) -> list[list[str]]:
        """Rows of the table of costs: medians over the rounds."""
        return [
            [
                figure,
                NAMES[side],
                *(f"{percentile(list(values), 0.5):,.1f}" for values in zip(*rounds, strict=False)),
            ]
            for figure, sides in self._costs.items()
            for side, rounds in sorted(sides.items())
        ]


@contextlib.contextmanager
def no_collector() -> Iterator[None]:
    """Keep the load generator's garbage collector out of the samples."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextlib.contextmanager
def pages_on(servers: dict[str, Server], count: int) -> Iterator[dict[str, Sequence[Page]]]:
    """`count` open pages on each server, by side; closed at the end."""
    with contextlib.ExitStack() as stack:
        pages: dict[str, Sequence[Page]] = {}
        for side, server in servers.items():
            pages[side] = open_pages(server.port, count)
            stack.callback(close_pages, pages[side])
        yield pages


def p50_p99_ms(samples_s: Sequence[float]) -> tuple[float, float]:
    """Both percentiles, in milliseconds."""
    return 1e3 * percentile(samples_s, 0.5), 1e3 * percentile(samples_s, 0.99)
