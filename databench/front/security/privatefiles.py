"""Files that only the user can read: written whole or not at all.

Theory of operation: a file is written beside its place under a random name, with mode 0600, and
then moves to its place in one step. So a reader never sees half of one. A file that others could
have read or written, a link, or anything but a plain file counts as missing.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path


def find_folder(environ: Mapping[str, str], variable: str, default: str) -> Path:
    """The folder for Databench's files below one of the user's base folders.

    Args:
        environ: The environment.
        variable: Names the base folder, as the XDG Base Directory Specification has it; a path
            that is not absolute does not count.
        default: The base folder if the variable is not set, such as `~/.cache`.
    """
    given = environ.get(variable, "")
    base = Path(given) if os.path.isabs(given) else Path(os.path.expanduser(default))
    return base / "databench"


def read(path: Path, most_bytes: int) -> bytes:
    """The content of a file; empty if there is none that is the user's alone.

    Args:
        path: The file.
        most_bytes: No more is read.
    """
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    with open(opened, "rb") as file:
        status = os.fstat(opened)
        is_own = status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o077
        return file.read(most_bytes) if stat.S_ISREG(status.st_mode) and is_own else b""


def write(path: Path, content: bytes, *, is_first: bool = False) -> None:
    """Write a file, and make its folder if it is missing.

    Args:
        path: The file.
        content: Of it.
        is_first: Whether one that is there stays.

    Raises:
        FileExistsError: There is one, and it stays.
        OSError: It cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chmod(path.parent, 0o700)
    half = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    opened = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(opened, "wb") as file:
            file.write(content)
        if is_first:
            os.link(half, path)
        else:
            os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)
