"""How to install a missing package: with the pip of the Python that lacks it, not just any."""

from __future__ import annotations

import os
import shlex
import sys


def pip_install(*packages: str) -> str:
    """The command that installs packages for this very Python.

    `pip` alone is whichever comes first on the user's path, often that of another environment.

    Args:
        packages: As pip takes them, for example `databench[redis]`.

    Returns:
        A line for a shell; the interpreter as seen from the working directory where it is below.
    """
    python = os.path.abspath(sys.executable) if sys.executable else "python3"
    try:
        below = os.path.relpath(python)
    except OSError:  # the working directory is gone
        below = python
    shown = python if below.startswith(os.pardir) else below
    return shlex.join([shown, "-m", "pip", "install", *packages])
