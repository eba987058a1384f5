"""``make bench``: Databench beside a minimal relay, taking turns in the same run.

A whole run, neither quick nor partial, also writes ``docs/performance.md``, unless the machine was
busy with something else and there is such a page already. `--null` measures the
relay against itself: what its ratios are away from 1, the method cannot tell apart.

The load generator is this process. It is cheap enough when its processor time per exchange, shown
below the table, is a fraction of the servers'; the first rows show what it can do at most.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import sys
import time

from benchmarks import report
from benchmarks.client import PageError
from benchmarks.groups import GROUPS, RELAY_GROUPS
from benchmarks.run import Run
from benchmarks.servers import ROOT, ServerError

OPEN_FILES = 8192
BUSY_SHARE = 0.15


def parse(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.bench", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        choices=list(GROUPS),
        help=f"one group of figures: {', '.join(GROUPS)}; may be repeated",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="one short round each: whether it works, not how fast it is",
    )
    parser.add_argument("--null", action="store_true", help="the relay against itself")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Measure, print, and write the page when the run was whole."""
    args = parse(argv)
    _raise_open_files()
    signal.signal(signal.SIGTERM, _stop)
    run = Run(is_quick=args.quick, ours="relay" if args.null else "databench")
    names = args.only or list(RELAY_GROUPS if args.null else GROUPS)
    failed = 0
    others = Others()
    for name in names:
        started_s = time.monotonic()
        print(f"{name} …", end=" ", flush=True)
        try:
            GROUPS[name](run)
            print(f"{time.monotonic() - started_s:.1f} s", flush=True)
        except (PageError, ServerError, OSError) as error:
            failed += 1
            print(f"could not be measured: {error}", flush=True)
    noise, is_quiet = others.describe()
    report.show(run.results, run.costs(), noise)
    if not (args.only or args.quick or args.null or failed):
        _write(report.page(run.results, run.costs(), noise), is_quiet)
    return 1 if failed else 0


def _write(page: str, is_quiet: bool) -> None:
    path = ROOT / "docs" / "performance.md"
    if path.exists() and not is_quiet:
        print(f"{path.relative_to(ROOT)} stays as it is: the machine was too busy")
        return
    path.parent.mkdir(exist_ok=True)
    path.write_text(page, encoding="utf-8")
    print(f"written: {path.relative_to(ROOT)}")


class Others:
    """How busy the machine was with something else: figures of a busy one say little."""

    def __init__(self) -> None:
        self._began_s, self._before = time.monotonic(), _busy_s() - _own_s()

    def describe(self) -> tuple[str, bool]:
        """A sentence or two, and whether the figures can be trusted."""
        spent_s = _busy_s() - _own_s() - self._before
        share = spent_s / (time.monotonic() - self._began_s) / (os.cpu_count() or 1)
        text = f"Other processes used {100 * max(0.0, share):.0f} % of the processors meanwhile."
        if share <= BUSY_SHARE:
            return text, True
        return f"{text} **Too busy to judge by: run it again while nothing else works.**", False


def _busy_s() -> float:
    """Time that all processors together have worked: /proc/stat, proc_stat(5)."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _idle, _wait, irq, soft = map(int, file.readline().split()[1:8])
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")


def _own_s() -> float:
    """Time that this process, and those that it started and that ended, have worked."""
    own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in own)


def _raise_open_files() -> None:
    """2,000 connections from this process, 1,000 in each server that inherits the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _stop(*_: object) -> None:
    raise SystemExit(1)  # unwinds the context managers, which end the servers


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
