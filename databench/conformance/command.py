"""`databench kernel-test`: arguments, the run, and the exit status."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import EXIT_USAGE, KernelError, SettingError
from .bench import Bench
from .case import Case, Result
from .cases import CASES, TOPICS
from .report import compose_junit, compose_list, compose_result, compose_summary
from .runner import run_cases
from .target import find_target

LIMIT_S = 10.0
START_LIMIT_S = 30.0  # as the front gives a kernel
_DESCRIPTION = """\
Play the front against a kernel, and report which rules of docs/protocol.md it keeps.

  databench kernel-test py                   the kernel spec of that name
  databench kernel-test kernels/tiny         the kernel spec in that folder
  databench kernel-test -- node kernel.mjs   a command
"""
_EPILOG = """\
The kernel runs the conformance analysis, a few actions that docs/kernels/conformance.md describes.
Exit status: 0 if no case failed, 1 if one did, 2 for what cannot be used.
"""


def main(words: Sequence[str]) -> int:
    """Run the command.

    Args:
        words: What follows `databench kernel-test`.

    Returns:
        The exit status: 1 if a case failed, 2 for what cannot be used.
    """
    options = _make_parser().parse_args(words)
    try:
        if options.list:
            print("\n".join(compose_list(CASES)))
            return 0
        return _run(options)
    except (SettingError, KernelError) as error:
        print(f"databench kernel-test: {error}", file=sys.stderr)
        return EXIT_USAGE
    except BrokenPipeError:  # who reads the report has had enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130  # as a shell reports Ctrl-C


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="databench kernel-test",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_arguments(parser)
    return parser


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kernel", nargs="*", help="a kernel spec, or a command after --")
    parser.add_argument(
        "--analysis",
        type=Path,
        metavar="FOLDER",
        help="folder of the conformance analysis (by default 'conformance' beside kernel.yaml)",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="run this case, or the cases of this topic; repeat it for more",
    )
    parser.add_argument("--list", action="store_true", help="list the cases and exit")
    parser.add_argument(
        "--verbose", action="store_true", help="show messages and output of each case"
    )
    parser.add_argument("--junit", type=Path, metavar="FILE", help="also write JUnit's XML")
    parser.add_argument(
        "--limit-s",
        type=float,
        default=LIMIT_S,
        metavar="S",
        help=f"longest wait for an answer ({LIMIT_S:g})",
    )


def _run(options: argparse.Namespace) -> int:
    if not options.kernel:
        raise SettingError("no kernel is named; give a kernel spec, or -- and a command")
    if not 0 < options.limit_s <= 600:
        raise SettingError(f"--limit-s: {options.limit_s:g}, expected more than 0 and at most 600")
    cases = select(options.only)
    target = find_target(options.kernel, options.analysis, Path.cwd())
    bench = Bench(target, options.limit_s, start_limit_s=max(options.limit_s, START_LIMIT_S))
    results = run_cases(cases, bench, _Printer(is_verbose=options.verbose))
    print("\n".join(compose_summary(results, bench.hello)))
    if options.junit is not None:
        try:
            options.junit.write_bytes(compose_junit(target.name, results))
        except OSError as error:
            raise SettingError(f"--junit: {error}", name="junit") from None
    return int(any(result.outcome == "failed" for result in results))


def select(names: Sequence[str]) -> list[Case]:
    """The cases of these names and topics, in the suite's order; without names all.

    Raises:
        SettingError: There is no such case or topic.
    """
    known = {case.name for case in CASES} | {topic.name for topic in TOPICS}
    for name in names:
        if name not in known:
            raise SettingError(f"--only: no case or topic {name!r}; --list names them", name="only")
    return [case for case in CASES if not names or case.name in names or case.topic in names]


class _Printer:
    """Prints each result when it is there, below its topic."""

    def __init__(self, *, is_verbose: bool) -> None:
        self._is_verbose = is_verbose
        self._topic = ""

    def __call__(self, result: Result) -> None:
        if result.case.topic != self._topic:
            self._topic = result.case.topic
            print(self._topic)
        print("\n".join(compose_result(result, is_verbose=self._is_verbose)), flush=True)
