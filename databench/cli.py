"""`databench` on the command line: arguments and how they end, nothing else.

A file or a subcommand comes before the first unknown flag; from that flag on everything belongs
to the analyses (`cli_args`). What the command does with it is in `front.serve`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from . import settings
from ._version import __version__
from .errors import SettingError

EXIT_USAGE = 2
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

_EPILOG = """\
Without --analyses: the folder 'analyses' here, or this folder when it is one, or else the demos.
Everything from the first unknown option on is handed to the analyses as cli_args.
Each limit below can also be set in the environment (DATABENCH_SESSION_GRACE_S=60) and in
index.yaml (settings: {session_grace_s: 60}); the command line wins, then the environment.
"""


class _Parser(argparse.ArgumentParser):
    """Knows which words are options of ours, and whether a value follows."""

    def takes_value(self, word: str) -> bool | None:
        """Whether this option takes a value; `None` when it is none of ours."""
        action = self._option_string_actions.get(word)
        return None if action is None else action.nargs != 0


def make_parser() -> argparse.ArgumentParser:
    """The parser of our own options; the help is made from it."""
    parser = _Parser(
        prog="databench",
        usage="databench [options] [limits] [arguments for the analyses]",
        description="Serve live web pages for data analyses, each in a process of its own.",
        epilog=_EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    # Whether a lone `--` says that what follows is the analyses', however it is spelt.
    parser.set_defaults(is_divided=False)
    _add_options(parser)
    limits = parser.add_argument_group("limits")
    for row in settings.TABLE:
        help_text = f"{row.help} ({row.unit}; {row.default})".replace("%", "%%")
        limits.add_argument(row.option, metavar=row.unit.upper(), help=help_text)
    parser.add_argument("target", nargs="?", help=argparse.SUPPRESS)
    return parser


def _add_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--version", action="version", version=f"databench {__version__}")
    add("--host", help="address to listen on (HOST; 127.0.0.1: this machine alone)")
    add("--port", help="port (PORT; 5000, or the next free one; 0: any free one)")
    add("--analyses", metavar="FOLDER", help="folder or dotted path of the analyses")
    levels = f"{', '.join(LEVELS)} (INFO)"
    add("--log", type=str.upper, choices=LEVELS, default="INFO", metavar="LEVEL", help=levels)
    hosts = "a further name to answer to (again for more; *.example.org: all below)"
    add("--allow-host", action="append", default=[], metavar="NAME", help=hosts)
    proxy = "believe the X-Forwarded headers of the proxy in front"
    add("--xheaders", action="store_true", help=proxy)
    debug = (
        "show tracebacks on pages, read templates again for each request "
        "(DEBUG=0 or 1; on where only this machine can connect)"
    )
    add("--debug", action=argparse.BooleanOptionalAction, help=debug)


def split(parser: argparse.ArgumentParser, words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our own words, and those of the analyses.

    Args:
        parser: As `make_parser` gives it.
        words: The command line without the program's name.

    Returns:
        The words before the first unknown option, and the rest with it; a lone `--` divides too.
    """
    assert isinstance(parser, _Parser)
    position = 0
    while position < len(words):
        word = words[position]
        if word == "--":
            return list(words[:position]), list(words[position + 1 :])
        if word.startswith("-") and word != "-":
            takes_value = parser.takes_value(word.partition("=")[0])
            if takes_value is None:
                break
            position += 1 if takes_value and "=" not in word else 0
        position += 1
    return list(words[:position]), list(words[position:])


def main(words: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run the command.

    Args:
        words: The command line without the program's name; this process' own when `None`.
        environ: The environment; this process' own when `None`.

    Returns:
        The exit status: 0 after Ctrl-C or SIGTERM, 2 for what cannot be used.
    """
    words = sys.argv[1:] if words is None else words
    environ = os.environ if environ is None else environ
    parser = make_parser()
    own, cli_args = split(parser, words)
    options = parser.parse_args(own)
    options.is_divided = "--" in words[: len(words) - len(cli_args)]
    try:
        if options.target is not None:
            return _dispatch(options.target)
        from .front import serve  # the help and the version need no server

        return serve.serve(options, environ, cli_args)
    except SettingError as error:
        print(f"databench: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:  # before the loop runs: nothing is there to be stopped
        return 0


def _dispatch(target: str) -> int:
    """A file or a subcommand: `new`, a single file and `kernels` get their place here."""
    raise SettingError(
        f"'{target}' is no subcommand; to serve a folder say --analyses {target}", name="target"
    )
