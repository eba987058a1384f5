"""The requests that a kernel had when its process ended.

Owns the order of what follows a crash for the sessions: first its evidence against an action,
then, for each request, its end, or that it waits for the next process (`protocol.reruns`).
"""

from __future__ import annotations

import logging

from ...protocol import reruns, text
from ...protocol.lifecycle import State
from ...protocol.poison import find_suspect
from ...protocol.records import OpenRequest
from ..records import HostedSession, KernelRecord
from ..tables import Tables
from .requests import Requests

logger = logging.getLogger("databench.broker")


class Losses:
    """Ends requests that were lost with a kernel, or has them run again.

    Args:
        tables: The broker's.
        requests: Ends requests, and keeps those that are run again.
    """

    def __init__(self, tables: Tables, requests: Requests) -> None:
        self._tables = tables
        self._requests = requests

    def lose_all(self, record: KernelRecord) -> None:
        """The kernel is gone: end its requests, and, if none follows, those that wait for it.

        What may run twice waits for the next process instead. Each end and each note is sent here,
        before anything of that process: a reader of the stream sees where the first run stopped.
        """
        kernel, tables = record.kernel, self._tables
        self._accuse(record)
        record.begin_life()
        rerun: list[str] = []
        for hosted in record.sessions.values():
            hosted.begin_life(kernel.reason)
            rerun += self._lose(hosted)
            tables.outbox.touch(hosted)
            if kernel.life.state in (State.FAILED, State.STOPPING, State.STOPPED):
                words = tables.last_words(kernel)
                for request in hosted.session.waiting():
                    self._requests.fail(
                        hosted, request.number, "KernelFailed", kernel.reason, words
                    )
        if rerun:
            logger.info("kernel %r: %s", kernel.spec.name, reruns.compose_note(rerun))

    def _lose(self, hosted: HostedSession) -> list[str]:
        """The names of a session's actions that run again; its other open ones are lost."""
        kernel, session = hosted.record.kernel, hosted.session
        why = text.without_file(kernel.reason)
        goes_on = reruns.may_go_on(
            kernel.life.state,
            was_asked=kernel.blame.was_asked,
            is_set_aside=bool(hosted.set_aside_for),
            is_draining=self._tables.is_draining,
        )
        rerun: list[str] = []
        for request in list(session.requests.values()):
            if goes_on and request.is_sent and self._may_rerun(hosted, request):
                self._requests.requeue(hosted, request)
                rerun.append(request.action)
            elif request.is_sent or (request.is_rerun and not goes_on):
                words = self._tables.last_words(kernel, request.accepted_s)
                self._requests.fail(
                    hosted, request.number, "KernelLost", why, words, outcome="lost"
                )
        if rerun:
            note = f"{why[:1].upper()}{why[1:]}. {reruns.compose_note(rerun)}."
            self._requests.complain(hosted, note, level="warn")
        return rerun

    def _may_rerun(self, hosted: HostedSession, request: OpenRequest) -> bool:
        poison, id_ = hosted.record.pool.poison, hosted.session.id_
        is_suspect = poison.is_suspected(request.fingerprint, session=id_)
        return reruns.may_rerun(request, is_suspect=is_suspect)

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
