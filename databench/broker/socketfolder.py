"""The folder of the front's socket: chosen, kept from looking old, replaced when it is gone.

Cleaners of temporary files remove what looks unused, and the system removes a login's runtime
folder when its last session ends. Connected kernels need neither file nor folder: only a
starting kernel does, so the folder is checked then. A file at the path of a removed
folder may be another user's: a folder is known by its place on the disk, not by its name.
"""

from __future__ import annotations

import logging
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from .supervision import guard

logger = logging.getLogger("databench.broker")

PATH_BYTES = 107  # sockaddr_un.sun_path, less its final zero: unix(7)
_FALLBACKS = ("/tmp", "/var/tmp")
_NAME = "front"

# Device, inode: of the folder, then of the socket.
_Identity = tuple[int, int, int, int]


class SocketFolder:
    """Owns the folder in which one front's socket is bound.

    Args:
        bind: Binds the front's socket at a further endpoint.
        on_made: Called with each new folder before anything is in it, so that it is removed
            whatever happens.
        touch_s: How often `touch` touches it.

    Attributes:
        endpoint: Where kernels that start now connect to.
    """

    endpoint: str

    def __init__(
        self, bind: Callable[[str], None], on_made: Callable[[Path], None], touch_s: float
    ) -> None:
        self._bind = bind
        self._on_made = on_made
        self._touch_s = touch_s
        self._touched_s: float | None = None

    def open(self) -> None:
        """Make a folder, and bind the socket in it.

        Raises:
            OSError: It cannot be made, or the socket cannot be bound.
        """
        path = make_directory()
        self._on_made(path)
        try:
            self._bind(f"ipc://{path}/{_NAME}")
            self._identity = _identify(path)
        except BaseException:
            guard.remove_directory(str(path))
            raise
        self._path = path
        self.endpoint = f"ipc://{path}/{_NAME}"

    def renew(self) -> None:
        """Bind the socket in a new folder if the present one is gone, or is not ours any more.

        Raises:
            OSError: As in `open`.
        """
        gone = self._path
        if _identify(gone) == self._identity:
            return
        self.open()
        guard.remove_directory(str(gone))  # if only the socket was removed
        logger.warning(
            "The folder of the server's socket, %s, is gone; something removes old files there. "
            "Running kernels keep their connection; new ones connect in %s. Nothing is lost",
            gone,
            self._path,
        )

    def touch(self, now_s: float) -> None:
        """Let folder and socket look used, when it is time."""
        if self._touched_s is None:
            self._touched_s = now_s
        if now_s - self._touched_s < self._touch_s:
            return
        self._touched_s = now_s
        for path in (self._path, self._path / _NAME):
            try:
                os.utime(path)
            except OSError:
                pass  # gone: the next kernel that starts gets another one


def make_directory() -> Path:
    """A fresh folder for the socket, of mode 0700, where the socket's path fits.

    Raises:
        OSError: It cannot be made anywhere; the last attempt's.
    """
    problem = OSError("no folder for the server's socket; set TMPDIR to one that can be written to")
    for root in _find_roots(os.environ):
        longest = os.path.join(root, "databench-12345678", _NAME)
        if len(os.fsencode(longest)) > PATH_BYTES:
            continue
        try:
            return Path(tempfile.mkdtemp(prefix="databench-", dir=root))
        except OSError as error:
            problem = error
    raise problem


def _find_roots(environ: Mapping[str, str]) -> Iterator[str]:
    """Where a folder may be made, the best first."""
    own = environ.get("XDG_RUNTIME_DIR", "")
    if _is_private(own):
        yield own
    try:
        yield tempfile.gettempdir()
    except FileNotFoundError:
        pass
    yield from _FALLBACKS


def _is_private(path: str) -> bool:
    """Whether it is as the XDG Base Directory Specification demands: ours alone, mode 0700."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return False
    return (
        os.path.isabs(path)
        and stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.geteuid()
        and not found.st_mode & 0o077
    )


def _identify(path: Path) -> _Identity | None:
    try:
        folder, socket = os.lstat(path), os.lstat(path / _NAME)
    except OSError:
        return None
    return folder.st_dev, folder.st_ino, socket.st_dev, socket.st_ino
