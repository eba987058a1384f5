"""Writes the table, for the terminal and for ``docs/performance.md``."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable
from importlib import metadata

import zmq

from benchmarks.figures import FIGURES, Figure, Results

COLUMNS = ("figure", "reference", "Databench", "ratio", "rounds", "target", "")
LIBRARIES = ("tornado", "pyzmq", "msgpack", "msgspec", "orjson", "uvloop")

PAGE = """# Performance

`make bench` writes this page. It starts a minimal relay (`benchmarks/relay/`: a Tornado websocket,
a ZMQStream on one ROUTER over ipc, a subprocess that echoes opaque bytes, nothing else) and
Databench in the same run, alternates between them, and shows the median of the rounds. A ratio is
Databench's figure divided by the reference; `rounds` shows the smallest and the largest ratio of a
round. The reference is the relay; for the figures during a loop, it is the same echo while nothing
else runs.

{machine}
{noise}

{table}

How it is measured:

- One process makes the load, with raw sockets and no websocket library. `load generator` below is
  its processor time per exchange; if that is far below the servers', it is not the bottleneck.
- `echo`: one exchange after the other. `pipelined`: 128 exchanges in flight at a time.
- `during a loop`: a second page runs 5 s of pure Python that emits about every 0.1 ms. The load
  generator sends an echo every 5 ms, whether the previous one was answered or not. The loop's
  kernel, the front, the echo's kernel and the load generator share the processors named above; the
  row with a bare process that computes shows how much the machine itself adds.
- `processor time of the gallery` and of a page: that of the front's process, for one request after
  the other; the relay's page has a few bytes. A new visitor sends no cookie, on a new connection.
- `50 pages per second`: a separate process loads them at that rate, each on a new connection, and
  the load generator sends an echo every 5 ms. The relay serves its page and the same files at the
  same rate.
- `memory`: the proportional set size of the server and all its descendants, before and after 1,000
  further pages that have each done one echo.
- `preheated`: from the page's connection to the answer to its first action, with a waiting kernel
  that has imported its module (`isolation: session`).
- `resume`: from the connection of a page that missed 1,000 messages to the last of them.
- `session without a page`: the proportional set size of the server and its kernel, before and after
  1,000 pages came, each did one echo, and left.
- `kill -9`: the page acts again as soon as it learns that its request was lost.

Processor time per exchange, in microseconds:

{costs}
"""


def machine() -> str:
    """Processor, cores, versions; nothing that names the machine itself."""
    libraries = ", ".join(
        f"{name} {version}" for name in LIBRARIES if (version := _version(name)) is not None
    )
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} "
        f"{platform.release().partition('-')[0]}; Python {platform.python_version()}, "
        f"{libraries}, libzmq {zmq.zmq_version()}."
    )


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            found = re.search(r"^model name\s*:\s*(.+)$", file.read(), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.machine()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def rows(results: Results) -> list[list[str]]:
    """The table's cells; a figure that was not measured has no row."""
    return [
        _row(figure, results)
        for figure in FIGURES
        if results.rounds(figure.key, "databench") or results.rounds(figure.key, "reference")
    ]


def _row(figure: Figure, results: Results) -> list[str]:
    reference = number(results.median(figure.key, "reference"), figure.unit)
    if reference and figure.reference != "relay":
        reference += f" ({figure.reference})"
    ratio, spread = results.ratio(figure.key), results.ratio_spread(figure.key)
    is_met = results.is_met(figure)
    return [
        figure.title,
        reference,
        number(results.median(figure.key, "databench"), figure.unit),
        "" if ratio is None else f"{ratio:.2f}",
        "" if spread is None else f"{spread[0]:.2f} to {spread[1]:.2f}",
        figure.target(),
        "" if is_met is None else "met" if is_met else "**missed**",
    ]


def number(value: float | None, unit: str) -> str:
    """Three digits that count, thousands set off, with its unit."""
    if value is None:
        return ""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f} {unit}"


def table(head: Iterable[str], body: Iterable[Iterable[str]]) -> str:
    """A Markdown table whose columns also line up in a terminal."""
    lines = [list(head), *(list(row) for row in body)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    padded = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=False))
        + " |"
        for line in lines
    ]
    return "\n".join(
        [padded[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *padded[1:]]
    )


def page(results: Results, costs: Iterable[Iterable[str]], noise: str) -> str:
    """The whole of ``docs/performance.md``."""
    return PAGE.format(
        machine=machine(),
        noise=noise,
        table=table(COLUMNS, rows(results)),
        costs=costs_table(costs),
    )


def costs_table(costs: Iterable[Iterable[str]]) -> str:
    """Processor time by process."""
    return table(("figure", "server", "front", "kernel or echoer", "load generator"), costs)


def show(results: Results, costs: Iterable[Iterable[str]], noise: str) -> None:
    """Print the table, the costs and a last line."""
    costs = list(costs)
    print(f"\n{machine()}\n{noise}\n\n{table(COLUMNS, rows(results))}")
    if costs:
        print(f"\nProcessor time per exchange, in us:\n\n{costs_table(costs)}")
    verdicts = [results.is_met(figure) for figure in FIGURES]
    print(f"\n{verdicts.count(True)} targets met, {verdicts.count(False)} missed.", flush=True)
