"""What a kernel takes with it: the requests that it had, when its process is gone.

Owns the order of what follows such a death for the sessions: first what it says against an action,
then the end of each request.
"""

from __future__ import annotations

from ...protocol import text
from ...protocol.lifecycle import State
from ...protocol.poison import find_suspect
from ..records import KernelRecord
from ..tables import Tables
from .requests import Requests


class Losses:
    """Ends what was lost with a kernel.

    Args:
        tables: The broker's.
        requests: Ends requests.
    """

    def __init__(self, tables: Tables, requests: Requests) -> None:
        self._tables = tables
        self._requests = requests

    def lose_all(self, record: KernelRecord) -> None:
        """The kernel is gone: end what it had, and, where none follows, what waits for it."""
        kernel = record.kernel
        words, why = self._tables.last_words(kernel), text.without_file(kernel.reason)
        self._accuse(record)
        record.begin_life()
        for hosted in record.sessions.values():
            hosted.begin_life(kernel.reason)
            for number in [r.number for r in hosted.session.requests.values() if r.is_sent]:
                self._requests.fail(hosted, number, "KernelLost", why, words, outcome="lost")
            self._tables.outbox.touch(hosted)
            if kernel.life.state in (State.FAILED, State.STOPPING, State.STOPPED):
                for request in hosted.session.waiting():
                    self._requests.fail(
                        hosted, request.number, "KernelFailed", kernel.reason, words
                    )

    def _accuse(self, record: KernelRecord) -> None:
        """The process died in a way that may speak against what it ran."""
        if record.code_change:
            record.pool.poison.forgive()  # the next process reads the new code
            return
        kernel, tables = record.kernel, self._tables
        if kernel.blame.finding.guilty:
            return  # the start of a session ended it
        if record.is_restoring and kernel.blame.cause and not kernel.blame.is_excused:
            record.restore_deaths += 1
        growth, memory_bytes = kernel.blame.growth, kernel.settings.kernel_memory_bytes
        suspect = find_suspect(kernel.blame.cause, growth.requests, growth, memory_bytes)
        if suspect is not None and (hosted := tables.requests.get(suspect.number)) is not None:
            session = hosted.session
            record.pool.poison.note(
                session.requests[suspect.number].fingerprint,
                kernel.blame.cause,
                session=session.id_,
                visitor=session.visitor,
                is_alone=suspect.is_alone,
            )
