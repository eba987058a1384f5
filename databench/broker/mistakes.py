"""Kernels that break the protocol: each mistake is counted, reported and, if possible, undone.

A mistake harms only its own kernel. Who writes one looks at the page and the terminal: so the log
names the kernel, the message's kind, what is wrong and the section of docs/protocol.md, once for
each mistake, and in development the kernel's pages show the latest with a button that restarts it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ..protocol.violations import Names, describe_unknown, read_names
from .records import HostedSession, KernelRecord
from .sessions.requests import Requests
from .tables import Tables

logger = logging.getLogger("databench.broker")

# Different mistakes of one process that are said; those after them are only counted.
SAID = 20
# A process that ends is known to have ended so soon after its connection.
_ALIVE_S = 0.5


class Mistakes:
    """Notes mistakes.

    Args:
        tables: The broker's.
        requests: Ends requests whose end could not be read.

    Attributes:
        count: How many messages there were that were not as specified.
    """

    def __init__(self, tables: Tables, requests: Requests) -> None:
        self.count = 0
        self._tables = tables
        self._requests = requests

    def note(self, record: KernelRecord, problem: str, names: Names | None = None) -> None:
        """A message of a kernel is not as specified.

        Args:
            record: Whose it is.
            problem: What is wrong with it, and what became of it.
            names: What it names; `None`: its kind was read, and it ends nothing.
        """
        self.count += 1
        record.mistakes += 1
        section = (names or Names("a kind")).section
        text = f"{problem} (docs/protocol.md, {section})"
        is_new = text not in record.mistakes_said and len(record.mistakes_said) < SAID
        level = logging.WARNING if is_new else logging.DEBUG
        logger.log(level, "kernel %r: %s", record.kernel.spec.name, text)
        if is_new:
            record.mistakes_said[text] = None
            if self._tables.debug:
                self._tables.announcer.show(record.shown)
        limit = self._tables.settings.junk_messages
        if record.mistakes > limit:
            record.kernel.end(f"{record.mistakes} messages were not understood, limit {limit}")

    def note_message(self, record: KernelRecord, problem: str, frames: Sequence[bytes]) -> Names:
        """A message could not be read; if it should have ended a request, that one gets an error.

        Args:
            record: Whose it is.
            problem: What is wrong with it.
            frames: All of it.

        Returns:
            What it names.
        """
        names = read_names(frames[0] if frames else b"")
        self.note(record, problem, names)
        if names.is_end and (found := self._find_meant(record, names)):
            hosted, number = found
            problem = f"the kernel sent an end that cannot be read: {problem}"
            self._requests.fail(hosted, number, "ProtocolError", problem)
        return names

    def note_unknown(self, record: KernelRecord, frames: Sequence[bytes]) -> None:
        """Name a kind that this front does not know: a later one, or one that is misspelt.

        Args:
            record: Whose message it is.
            frames: All of it.
        """
        said = record.mistakes_said
        if len(said) >= SAID:
            return
        kind = read_names(frames[0]).kind
        text = f"{describe_unknown(kind)} (docs/protocol.md, 4.2)"
        if text in said:
            return
        said[text] = None
        logger.warning("kernel %r: %s", record.kernel.spec.name, text)
        if self._tables.debug:
            self._tables.announcer.show(record.shown)

    def note_disconnected(self, group: int) -> None:
        """A connection has ended, most often with its process; one that lives sent too much.

        What it sent is lost, perhaps with the end of a request: so the process is ended too, and
        its pages see what became of their actions.

        Args:
            group: The process group at its other end.
        """
        for record in self._tables.by_kernel.values():
            if record.kernel.pid == group:  # each kernel leads its own
                generation = record.kernel.life.generation
                self._tables.loop.call_later(_ALIVE_S, self._note_if_alive, record, generation)

    def _note_if_alive(self, record: KernelRecord, generation: int) -> None:
        kernel = record.kernel
        if kernel.life.generation != generation or not kernel.life.takes_actions:
            return
        limit = self._tables.settings.kernel_message_bytes
        kernel.end(
            f"its connection broke, as it does at a frame of more than {limit} bytes, the limit "
            "(kernel_message_bytes); send what is larger in parts"
        )

    def _find_meant(self, record: KernelRecord, names: Names) -> tuple[HostedSession, int] | None:
        """The request that an end means: the one that it names, else the only one that is open."""
        if names.request is not None:
            hosted = self._tables.requests.get(names.request)
            if hosted is None or hosted.record is not record:
                return None
            is_sent = hosted.session.requests[names.request].is_sent
            return (hosted, names.request) if is_sent else None
        if record.open_requests != 1:
            return None
        open_ = (
            (hosted, request.number)
            for hosted in record.sessions.values()
            for request in hosted.session.requests.values()
            if request.is_sent
        )
        return next(open_, None)
