"""Databench's own code was saved: the front ends as on a signal, and runs again in its place.

For people who work on Databench itself, in a checkout. The listening sockets stay open meanwhile,
so a page that comes back waits a moment instead of being refused.
"""

from __future__ import annotations

import itertools
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, MutableMapping, Sequence

from ... import descriptors
from ...http.processes import STOP_SIGNALS
from ...http.queued import flush_streams

log = logging.getLogger("databench.front")

# Descriptors, for the process that follows.
VARIABLE = "DATABENCH_SOCKETS"
TLS_VARIABLE = "DATABENCH_TLS_SOCKETS"


class Again:
    """Decides whether this process is to be followed by one with the new code.

    Args:
        sockets: Where the front listens.
        tls_sockets: Where it listens for connections that are encrypted.
    """

    def __init__(
        self, sockets: Sequence[socket.socket], tls_sockets: Sequence[socket.socket] = ()
    ) -> None:
        self.stop: Callable[[], None] = _nothing
        self._sockets = {VARIABLE: sockets, TLS_VARIABLE: tls_sockets}
        self._kept: dict[str, list[int]] = {}
        self._ignored = {n for n in STOP_SIGNALS if signal.getsignal(n) is signal.SIG_IGN}

    def on_own(self, files: Sequence[str]) -> None:
        """Databench's own files were saved: stop, unless the new code is none."""
        problem = find_problem(files)
        if problem is not None:
            log.error("%s; Databench keeps running its previous code", problem)
            return
        listening = itertools.chain(*self._sockets.values())
        if self._kept or any(bound.fileno() < 0 for bound in listening):
            return  # on its way out already
        log.info("Databench's own code changed: %s; restarting", ", ".join(sorted(files)[:3]))
        # Not before: a front that only ends must refuse new connections.
        self._kept = {
            variable: [os.dup(bound.fileno()) for bound in bounds]
            for variable, bounds in self._sockets.items()
        }
        self.stop()

    def finish(self, environ: MutableMapping[str, str]) -> None:
        """The front has ended, its kernels too: run the new code in its place, if there is any."""
        if not self._kept:
            return
        for variable, numbers in self._kept.items():
            for number in numbers:
                os.set_inheritable(number, True)
            environ[variable] = ",".join(map(str, numbers))
        # The runner ignores them on its way out, which would go over to the next process.
        for number in STOP_SIGNALS:
            if number not in self._ignored:
                signal.signal(number, signal.SIG_DFL)
        flush_streams()
        descriptors.restore_limit()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def take_sockets(
    environ: MutableMapping[str, str], variable: str = VARIABLE
) -> list[socket.socket]:
    """The sockets of the process before this one; none if there was none."""
    text = environ.pop(variable, "")
    taken = []
    for word in filter(None, text.split(",")):
        try:
            bound = socket.socket(fileno=int(word))
        except (OSError, ValueError):
            log.warning("%s is %r, which is not a socket; ignored", variable, word)
            continue
        bound.set_inheritable(False)
        bound.setblocking(False)
        taken.append(bound)
    return taken


def find_problem(files: Sequence[str]) -> str | None:
    """Why the new code cannot be run, as far as can be seen without running it."""
    for file in sorted(files):
        try:
            with open(file, "rb") as source:
                compile(source.read(), file, "exec", dont_inherit=True)
        except FileNotFoundError:
            continue  # it was taken away
        except (OSError, SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None)
            return f"{file}{f':{line}' if line else ''}: {error}"
    return None


def _nothing() -> None:
    pass
