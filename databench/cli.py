"""`databench` on the command line: arguments and how they end, nothing else.

A file or a subcommand comes before the first unknown flag; from that flag on everything belongs
to the analyses (`cli_args`), and so does each further word that is not an option. `front.serve`
runs the command; `databench.run` reads the same options without a file.
"""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import settings
from ._version import __version__
from .errors import EXIT_USAGE, SettingError

if TYPE_CHECKING:
    from .front.startup.script import ServedScript

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
SUBCOMMANDS = ("new", "kernels", "kernel-test")

_USAGE = """\
databench [options] [limits] [arguments for the analyses]
       databench [options] [limits] FILE.py [arguments for it]
       databench new NAME [--kernel KERNEL]
       databench kernels [--host HOST] [--port PORT] [--admin-token TOKEN] [--json]
       databench kernel-test [--only NAME] [--verbose] [--junit FILE] SPEC_OR_COMMAND"""
_DESCRIPTION = """\
Serve live web pages for data analyses, each in its own process.

  databench            serve the folder 'analyses', this folder if it holds analyses, or the demos
  databench FILE.py    serve the one analysis in that file, at /FILE/
  databench new NAME   create an analysis to start from (databench new --help)
  databench kernels    show what the kernels of the server on this machine do
  databench kernel-test SPEC   test a kernel in any language against the protocol
"""
_EPILOG = """\
The first unknown option and everything after it go to the analyses as cli_args.
Each limit above can also be set in the environment (DATABENCH_SESSION_GRACE_S=60) and in
index.yaml (settings: {session_grace_s: 60}); the command line wins, then the environment.
"""
_EPILOG_OF_SCRIPT = """\
The first unknown option and everything after it go to the analysis as cli_args.
Each limit above can also be set in the environment (DATABENCH_SESSION_GRACE_S=60); the
command line wins.
"""


# Our own options, in addition to `--help` and the limits: what `argparse` takes of each. The help,
# the documents' tests and the nearest name of a misspelt one (settings.OPTIONS) follow it.
_OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("--version", {"action": "version", "version": f"databench {__version__}"}),
    (
        "--host",
        {"help": "address to listen on (HOST; 127.0.0.1, so that only this machine can connect)"},
    ),
    ("--port", {"help": "port (PORT; 5000, or the next free one; 0: any free one)"}),
    (
        "--ssl-certfile",
        {
            "metavar": "FILE",
            "help": "PEM file of the certificate: serve with encryption too (SSLCERTFILE; without "
            "it Databench makes a self-signed one, if only this machine can connect)",
        },
    ),
    (
        "--ssl-keyfile",
        {
            "metavar": "FILE",
            "help": "PEM file of its key (SSLKEYFILE; by default in --ssl-certfile)",
        },
    ),
    (
        "--ssl-port",
        {
            "metavar": "PORT",
            "help": "port for encryption (SSLPORT; 5001, or the next free one; 0: any)",
        },
    ),
    (
        "--ssl-only",
        {
            "action": "store_true",
            "help": "serve only with encryption, without a plain port (see also hsts_s)",
        },
    ),
    ("--analyses", {"metavar": "FOLDER", "help": "folder or dotted path of the analyses"}),
    (
        "--log",
        {
            "type": str.upper,
            "choices": LEVELS,
            "default": "INFO",
            "metavar": "LEVEL",
            "help": f"{', '.join(LEVELS)} (INFO)",
        },
    ),
    (
        "--allow-host",
        {
            "action": "append",
            "default": [],
            "metavar": "NAME",
            "help": "another host name to answer to; repeat it for more (*.example.org: all below)",
        },
    ),
    (
        "--xheaders",
        {
            "action": "store_true",
            "help": "trust the X-Forwarded headers of the proxy in front of the server",
        },
    ),
    (
        "--admin-token",
        {
            "metavar": "TOKEN",
            "help": "token that gives the right to administer the server: kernel page, tracebacks "
            "(DATABENCH_ADMIN_TOKEN; in development Databench makes and shows one)",
        },
    ),
    (
        "--debug",
        {
            "action": argparse.BooleanOptionalAction,
            "help": "show tracebacks on pages, read templates again for each request "
            "(DEBUG=0 or 1; by default on if only this machine can connect, without a proxy)",
        },
    ),
    (
        "--watch",
        {
            "action": argparse.BooleanOptionalAction,
            "help": "restart kernels and reload pages when a file is saved (by default as --debug)",
        },
    ),
    (
        "--trust-pages",
        {
            "action": "store_true",
            "help": "run all HTML files of the project as templates, also those that were written "
            "while an earlier server ran",
        },
    ),
    (
        "--build",
        {
            "action": "store_true",
            "help": "run the build commands of index.yaml and exit, with status 0 unless one fails",
        },
    ),
    (
        "--trace-kernel",
        {
            "action": "append",
            "default": [],
            "metavar": "NAME",
            "help": "log each message to and from the kernels of this analysis, decoded; repeat it "
            "for more",
        },
    ),
    (
        "--trace-file",
        {"metavar": "FILE", "help": "append them to this file instead of the log"},
    ),
    (
        "--coverage",
        {
            "metavar": "FILE",
            "help": "write which lines of the server and the analyses ran (coverage.py's format)",
        },
    ),
)
# Options that are of no use if a script is the analysis.
_OF_FOLDERS = ("--analyses",)


class _Parser(argparse.ArgumentParser):
    """Knows which words are Databench's options, and whether a value follows."""

    targets = 1  # how many words that are not options are Databench's

    def takes_value(self, word: str) -> bool | None:
        """Whether this option takes a value; `None` if it is not Databench's."""
        action = self._option_string_actions.get(word)
        return None if action is None else action.nargs != 0


def make_parser(script: ServedScript | None = None) -> argparse.ArgumentParser:
    """The parser of our own options; the help is made from it.

    Args:
        script: The script that calls `databench.run`; `None`: the command `databench`.
    """
    parser = _Parser(
        prog="databench" if script is None else Path(script.argv[0]).name,
        usage=_USAGE if script is None else "%(prog)s [options] [limits] [arguments]",
        description=_DESCRIPTION if script is None else f"Serve the analysis '{script.name}'.",
        epilog=_EPILOG if script is None else _EPILOG_OF_SCRIPT,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    # Whether a lone `--` says that what follows is the analyses', however it is spelt.
    parser.set_defaults(is_divided=False, target=None, analyses=None)
    for option, arguments in _OPTIONS:
        if script is None or option not in _OF_FOLDERS:
            parser.add_argument(option, **arguments)
    limits = parser.add_argument_group("limits")
    for row in settings.TABLE:
        help_text = f"{row.help} ({row.unit}; {row.default})".replace("%", "%%")
        limits.add_argument(row.option, metavar=row.unit.upper(), help=help_text)
    if script is None:
        parser.add_argument("target", nargs="?", help=argparse.SUPPRESS)
    else:
        parser.targets = 0
    return parser


def split(parser: argparse.ArgumentParser, words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our own words, and those of the analyses.

    Args:
        parser: As `make_parser` gives it.
        words: The command line without the program's name.

    Returns:
        The words before the first unknown option (or the first word too many that is none), and
        the rest with it; a lone `--` divides too.
    """
    assert isinstance(parser, _Parser)
    position = targets = 0
    while position < len(words):
        word = words[position]
        if word == "--":
            return list(words[:position]), list(words[position + 1 :])
        if word.startswith("-") and word != "-":
            takes_value = parser.takes_value(word.partition("=")[0])
            if takes_value is None:
                break
            position += 1 if takes_value and "=" not in word else 0
        else:
            targets += 1
            if targets > parser.targets:
                break
        position += 1
    return list(words[:position]), list(words[position:])


def main(
    words: Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    script: ServedScript | None = None,
) -> int:
    """Run the command.

    Args:
        words: The command line without the program's name; this process' own when `None`.
        environ: The environment; this process' own when `None`.
        script: The script that calls `databench.run`; `None`: the command `databench`.

    Returns:
        The exit status: 0 after Ctrl-C or SIGTERM, 2 for what cannot be used.
    """
    words = list(sys.argv[1:] if words is None else words)
    environ = os.environ if environ is None else environ
    if not _is_somewhere():
        return EXIT_USAGE
    if script is None and words[:1] == ["new"]:
        from . import scaffold

        return scaffold.main(words[1:], prog="databench new")
    if script is None and words[:1] == ["kernels"]:
        from .front import terminal

        return terminal.main(words[1:], environ)
    if script is None and words[:1] == ["kernel-test"]:
        from .conformance import command

        return command.main(words[1:])
    parser = make_parser(script)
    own, cli_args = split(parser, words)
    options = parser.parse_args(own)
    options.is_divided = "--" in words[: len(words) - len(cli_args)]
    try:
        if options.target is not None:
            script = _find_script(options.target, cli_args)
        from .front import serve  # the help and the version need no server

        return serve.serve(options, environ, cli_args, script)
    except SettingError as error:
        print(f"databench: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:  # before the loop runs: nothing is there to be stopped
        return 0


def _is_somewhere() -> bool:
    """Whether the working directory exists; prints a sentence if it does not."""
    try:
        os.getcwd()
    except OSError:
        print(
            "databench: The folder that you are in was removed or renamed. "
            "Change to another folder (cd) and start again.",
            file=sys.stderr,
        )
        return False
    return True


def _find_script(target: str, cli_args: Sequence[str]) -> ServedScript:
    """The file that the command line names.

    Raises:
        SettingError: It is none, with what is near.
    """
    from .front.startup import script

    path = Path(target)
    if target in SUBCOMMANDS and not path.exists():
        raise SettingError(f"'{target}' comes first: databench {target} --help", name="target")
    if path.is_dir():
        raise SettingError(f"'{target}' is a folder; {_advise_folder(path, target)}", name="target")
    if path.suffix != ".py" and path.exists():
        raise SettingError(
            f"'{target}' is not a Python file, expected FILE.py (or --analyses FOLDER)",
            name="target",
        )
    if not path.exists():
        near = _nearest(target, path)
        hint = f"did you mean '{near}'?" if near else "databench --help lists the commands"
        raise SettingError(f"'{target}' is neither a subcommand nor a file; {hint}", name="target")
    return script.from_file(path, argv=(target, *cli_args))


def _advise_folder(path: Path, target: str) -> str:
    from .config import MODULE_FILE

    if (path / MODULE_FILE).is_file():
        return f"to serve the analysis in it, give {path / MODULE_FILE}"
    return f"to serve the analyses in it, give --analyses {target}"


def _nearest(target: str, path: Path) -> str | None:
    """A file of its folder, or a subcommand, with nearly that name."""
    files = {file.name: str(file) for file in sorted(path.parent.glob("*.py"))}
    named = {**files, **{word: word for word in SUBCOMMANDS if path.name == target}}
    near = difflib.get_close_matches(path.name, named, n=1)
    if not near and f"{path.name}.py" in files:
        near = [f"{path.name}.py"]
    return named[near[0]] if near else None
