"""What a person reads in the terminal: short lines, one format for all of them."""

from __future__ import annotations

import logging
import sys

_KERNELS = "databench.kernel."  # behind it the analysis' name: a line that its kernel printed


class Formatter(logging.Formatter):
    """`12:31:07 text`, with the level where somebody should look, and the logger at DEBUG.

    What a kernel prints has the analysis' name in front.
    """

    def __init__(self) -> None:
        super().__init__(datefmt="%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """One record, its traceback below."""
        text = record.getMessage()
        if record.name.startswith(_KERNELS):
            text = f"{record.name.removeprefix(_KERNELS)} | {text}"
        if record.levelno >= logging.WARNING:
            text = f"{record.levelname.lower()}: {text}"
        elif record.levelno < logging.INFO:
            text = f"{record.name}: {text}"
        line = f"{self.formatTime(record, self.datefmt)} {text}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def configure(level: str) -> None:
    """Log to stderr; other libraries only from WARNING on, unless everything is wanted.

    Args:
        level: `DEBUG`, `INFO`, `WARNING` or `ERROR`.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Formatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level if level in ("DEBUG", "ERROR") else "WARNING")
    logging.getLogger("databench").setLevel(level)
    # A selector's name and each file's hash help nobody.
    for name in ("asyncio", "tornado.general"):
        logging.getLogger(name).setLevel("WARNING")
