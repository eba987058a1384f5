"""`class_data`: the writes of kernels and of the front's handlers, and which pages get a value.

Owns one store per analysis, which exists before any kernel of it runs. Each write, of any writer,
goes the same way: into the store, to every page of the analysis, and to its kernels.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from ...errors import DatabenchError, RemoteProtocolError
from ...protocol import jsontext, text
from ...protocol import messages as m
from ..records import HostedSession, KernelPool, KernelRecord
from ..stores.class_data import ClassData, ClassValue
from ..tables import Tables

logger = logging.getLogger("databench.broker")


class ClassValues:
    """The values of every analysis.

    Args:
        tables: The broker's.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._stores: dict[str, ClassData] = {}

    def store(self, analysis: str) -> ClassData:
        """The store of an analysis, made when it is first asked for."""
        store = self._stores.get(analysis)
        if store is None:
            store = self._stores[analysis] = self._tables.persistence.class_data(analysis)
            store.count_in(self._tables.holdings.budget)
        return store

    def forget(self, analysis: str) -> None:
        """The analysis is gone, and its values with it, unless a datastore keeps them."""
        store = self._stores.pop(analysis, None)
        if store is not None:
            store.count_in(None)
            self._tables.persistence.put_aside(analysis, store)

    def values(self, analysis: str) -> Iterator[tuple[str, ClassValue]]:
        """Every value, each with its version."""
        return iter(list(self.store(analysis)))

    def get(self, analysis: str, key: str) -> ClassValue | None:
        """The value of that key, with its version, or `None`."""
        return self.store(analysis).get(key)

    def write(self, analysis: str, key: str, encoded: bytes, *, base: int | None) -> bool:
        """Write a value for a handler of the front.

        Args:
            analysis: The analysis' name.
            key: The value's name.
            encoded: The value, JSON.
            base: The version that it replaces (0: the key is new), or `None` for any.

        Returns:
            Whether it was written: not if `base` is no longer current.

        Raises:
            DatabenchError: It is over a limit; nothing was written.
        """
        pool = self._tables.pools.get(analysis)
        problem = self._find_problem(key, encoded)
        if problem is None:
            try:
                if not self.store(analysis).write(key, encoded, encoded, base=base):
                    return False
            except OverflowError as error:
                problem = str(error)
        if problem is not None:
            raise DatabenchError(f"class_data {key!r:.80} of {analysis!r}: {problem}; not stored")
        if pool is not None:
            self._show(pool, key, encoded)
            self._tell_kernels(pool, key)
            self._tables.outbox.flush()
        return True

    # ------------------------------------------------------------ kernels

    def receive(self, record: KernelRecord, message: m.StateChange) -> str:
        """A kernel writes a value, and waits for the answer.

        Returns:
            The problem with its message; empty: it was carried out, or refused for its version or
            for a limit.

        Raises:
            RemoteProtocolError: It is not a write, and has no answer.
        """
        key, shown = message.key, message.payload
        stored = message.further[0] if message.further else shown
        if not stored:
            raise RemoteProtocolError(f"state {key!r}: class_data is not deleted; dropped")
        if problem := jsontext.find_state_problem(shown, stored):
            self._answer(record, key, is_accepted=False)  # so that its writes keep their order
            return f"state {key!r}: {problem}; dropped"
        is_accepted = False
        try:
            is_accepted = record.store.write(key, shown, stored, base=message.base)
        except OverflowError as error:
            logger.error("analysis %r: %s; not kept", record.kernel.spec.name, error)
        if is_accepted:
            self._show(record.pool, key, shown)
        self._answer(record, key, is_accepted=is_accepted)
        if is_accepted:
            self._tell_kernels(record.pool, key, writer=record)
        return ""

    def tell_stale(self, record: KernelRecord) -> None:
        """The kernel has read what it was sent: now send what was held back meanwhile."""
        stale, record.stale = record.stale, set()
        for key in stale:
            self._tell_kernel(record, key)

    # ------------------------------------------------------------ pages

    def catch_up(self, hosted: HostedSession) -> None:
        """A session without a page gets one: append what was written meanwhile, each key once."""
        store = hosted.record.store
        if hosted.session.views or hosted.class_writes == store.writes:
            return
        for key, frame in store.list_changed(hosted.class_writes):
            hosted.session.set_class_value(key, b"", frame)  # no page is there: appended
        hosted.class_writes = store.writes
        self._tables.outbox.touch(hosted)

    def note_left(self, hosted: HostedSession) -> None:
        """A session's last page has gone: from now on it is shown nothing until one returns."""
        hosted.session.take_pending_class()
        hosted.class_writes = hosted.record.store.writes

    # ------------------------------------------------------------ parts

    def _show(self, pool: KernelPool, key: str, shown: bytes) -> None:
        """Show a value, which was just written, to every page of its analysis.

        A session without a page needs the latest of each key at its return alone.
        """
        frame = text.compose_state("class_data", key, shown)
        for record in pool.records:
            for hosted in record.shown:
                if hosted.session.set_class_value(key, shown, frame):
                    self._tables.outbox.publish(hosted, (frame,))

    def _tell_kernels(self, pool: KernelPool, key: str, writer: KernelRecord | None = None) -> None:
        """Send a value, which was just written, to the kernels of its analysis.

        Args:
            pool: The analysis.
            key: The value's name.
            writer: The kernel that wrote it, which gets an answer instead.
        """
        for record in pool.records:
            if record is not writer:
                self._tell_kernel(record, key)

    def _find_problem(self, key: str, encoded: bytes) -> str | None:
        settings = self._tables.settings
        size_bytes = len(encoded) + len(key.encode(errors="surrogatepass"))
        if size_bytes > settings.page_message_bytes:
            # What a page may not send, a handler may not put there in its name either.
            return f"{size_bytes} bytes, limit {settings.page_message_bytes}"
        return None

    def _answer(self, record: KernelRecord, key: str, *, is_accepted: bool) -> None:
        """Answer a kernel's write; one that reads nothing does not fill memory."""
        value = record.store.get(key)
        answer = m.SetState(
            scope="class_data",
            key=key,
            version=value.version if value else 0,
            own=True,
            accepted=is_accepted,
            payload=value.stored if value else b"null",
        )
        self._tables.send(record.kernel, answer)
        record.answer_bytes += len(answer.payload)
        limit = self._tables.settings.class_data_bytes
        if record.answer_bytes > limit:
            record.kernel.end(
                f"{record.answer_bytes} bytes of answers to its writes of class_data wait for it, "
                f"limit {limit}"
            )

    def _tell_kernel(self, record: KernelRecord, key: str) -> None:
        """A kernel that begins later gets it with its welcome."""
        value = record.store.get(key)
        if value is None or not record.kernel.is_ready:
            return
        # A kernel that reads nothing is not to end for what others write.
        if record.answer_bytes + len(value.stored) > self._tables.settings.class_data_bytes / 2:
            record.stale.add(key)
            return
        message = m.SetState(
            scope="class_data",
            key=key,
            version=value.version,
            own=False,
            accepted=True,
            payload=value.stored,
        )
        self._tables.send(record.kernel, message)
        record.answer_bytes += len(value.stored)
