"""In words: exceptions for the page and for people, and lines of the log."""

from __future__ import annotations

import bdb
import builtins
import logging
import os
import sys
import traceback
from typing import Any

from ..errors import DatabenchError
from ..printable import PrintableFormatter

_OWN = os.path.dirname(os.path.abspath(__file__))
_TEXT_CHARACTERS = 4000
_LISTED = 5  # of a group's exceptions in one line; the traceback has all
_WIDTH = 1000  # of a group's exceptions in a traceback, and how deep
_INSTEAD = "print or log what you want to see, or attach a debugger: debugpy.listen(5678)"


def describe(error: BaseException) -> str:
    """One readable line: type and message; of our own, which are sentences, the message."""
    try:
        text = _describe(error)
    except Exception:  # noqa: BLE001  # the user's __str__: whatever it raises, there is an end
        text = f"{type(error).__name__} (its text cannot be read)"
    # msgpack takes no lone surrogates.
    return text[:_TEXT_CHARACTERS].encode("utf-8", "replace").decode()


def _describe(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"the action called exit({error.code!r})"
    if isinstance(error, bdb.BdbQuit):
        return f"BdbQuit: the debugger found no terminal here; {_INSTEAD}"
    if is_unanswered(error):
        return "EOFError: input() has no terminal to read from; ask for the value on the page"
    name = type(error).__name__
    said = " ".join(str(error).split())
    words = [said if isinstance(error, DatabenchError) else f"{name}: {said}" if said else name]
    words += [" ".join(str(note).split()) for note in getattr(error, "__notes__", ())]
    inner: tuple[BaseException, ...] = getattr(error, "exceptions", ()) if _is_group(error) else ()
    if inner:
        told = [describe(one) for one in inner[:_LISTED]]
        told += [f"and {len(inner) - _LISTED} more"] if len(inner) > _LISTED else []
        words[0] += ": " + "; ".join(told)
    return "; ".join(words)


def is_unanswered(error: BaseException) -> bool:
    """Whether `input()` raised it, which has printed a prompt and got nothing."""
    return isinstance(error, EOFError) and "reading a line" in str(error)


def _is_group(error: BaseException) -> bool:
    """Whether it holds others (PEP 654); Python 3.10 has no such exceptions."""
    group: Any = getattr(builtins, "BaseExceptionGroup", None)
    return group is not None and isinstance(error, group)


def format_traceback(error: BaseException) -> str:
    """The traceback from the user's first frame on."""
    frames = error.__traceback__
    while frames is not None and _is_own(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    limits: dict[str, Any] = {}
    if sys.version_info >= (3, 11):
        limits = {"max_group_width": _WIDTH, "max_group_depth": _WIDTH}
    whole = traceback.TracebackException(type(error), error, frames, compact=True, **limits)
    return "".join(whole.format()).rstrip("\n")


class LineFormatter(PrintableFormatter):
    """Level and text, and the logger's name if it is not the analysis' own.

    The front puts the analysis' name before every line: once is enough. It takes lines apart as a
    terminal does, which `log` of a page must not make use of: so records are clean here already.

    Args:
        own_name: The analysis' own logger.
    """

    def __init__(self, own_name: str) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self._own = logging.Formatter("%(levelname)s %(message)s")
        self._own_name = own_name

    def compose(self, record: logging.LogRecord) -> str:
        """One record, its traceback below."""
        if record.name == self._own_name:
            return self._own.format(record)
        return super().compose(record)


def _is_own(filename: str) -> bool:
    return (
        filename.startswith(_OWN)
        or "<frozen importlib" in filename
        or filename.endswith(f"importlib{os.sep}__init__.py")
    )
