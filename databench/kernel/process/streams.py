"""The kernel's own log lines, whatever user code does to standard streams and to logging.

Owns a separate descriptor for stderr: `sys.stderr` may be closed, replaced or broken, and the
number 2 may have become another file's. A user's handler that raises ends nothing: its record comes
out here. User code's own `print` is not affected: if it raises, that is the
user's error.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import sys
import traceback
from typing import Any, TextIO

from ..arguments import ActionError
from ..report import LineFormatter, describe, format_traceback, is_unanswered

_descriptor = -1


class OwnLogger(logging.Logger):
    """A logger of the kernel: never raises, and stays on when `logging.config` turns others off."""

    @property
    def disabled(self) -> bool:
        """No: `disable_existing_loggers` means the project's own."""
        return False

    @disabled.setter
    def disabled(self, _value: bool) -> None:
        pass

    def handle(self, record: logging.LogRecord) -> None:
        """Hand the record to the handlers; log what one raises, with the record."""
        try:
            super().handle(record)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - of a handler or filter of the user
            what = "".join(traceback.format_exception_only(error)).strip()
            say(
                f"{LineFormatter('').format(record)}\nWARNING a handler of logging failed: {what}\n"
            )


def take_logger(name: str) -> logging.Logger:
    """The logger of that name, as a logger of the kernel."""
    logger = logging.getLogger(name)
    if type(logger) is logging.Logger:
        logger.__class__ = OwnLogger
        vars(logger).pop("disabled", None)
    return logger


def begin(analysis: str, log_level: str) -> None:
    """Set up streams and logging, before any code of the user's.

    Args:
        analysis: The analysis' name; its logger's lines do not repeat it.
        log_level: A name that `logging` knows.
    """
    global _descriptor
    for stream in (sys.stdout, sys.stderr):
        # The front reads UTF-8, whatever the locale of the server is.
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(  # type: ignore[union-attr]
                encoding="utf-8", errors="backslashreplace", line_buffering=True
            )
    with contextlib.suppress(OSError):
        _descriptor = os.dup(2)
    own = _open(_descriptor)
    handler = logging.StreamHandler(own)
    handler.setFormatter(LineFormatter(f"databench.kernel.{analysis}"))
    logging.basicConfig(level=getattr(logging, log_level, logging.INFO), handlers=[handler])
    for name in ("databench", "databench.kernel", f"databench.kernel.{analysis}"):
        take_logger(name)
    if own is not None:
        # A crash in C code prints where it happened: these are the kernel's last lines.
        faulthandler.enable(own, all_threads=False)


def say(text: str) -> None:
    """Write to the stderr that the front reads; never raises."""
    with contextlib.suppress(OSError):
        os.write(_descriptor if _descriptor >= 0 else 2, text.encode("utf-8", "backslashreplace"))


def log_failure(logger: logging.Logger, action: str, failure: BaseException) -> None:
    """Log an action's exception with its whole traceback, as far as it is the user's.

    Args:
        logger: The analysis' own.
        action: The action's name.
        failure: The exception that it raised.
    """
    if isinstance(failure, ActionError):
        logger.warning("%s", failure)  # the page asked for what is not there
        return
    if is_unanswered(failure):
        end_line()
    logger.error("%s: %s\n%s", action, describe(failure), format_traceback(failure))


def end_line() -> None:
    """End the line that user code has begun on its stdout: nothing belongs to it any more."""
    with contextlib.suppress(Exception):  # whatever was put in its place
        print(flush=True)


def settle() -> None:
    """Flush what the user's streams hold; one that cannot be would make the exit status 120."""
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        try:
            if stream is not None:
                stream.flush()
        except Exception:  # noqa: BLE001 - whatever was put in its place
            setattr(sys, name, None)


def _open(descriptor: int) -> TextIO | None:
    if descriptor < 0:
        return None
    return open(
        descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
    )
