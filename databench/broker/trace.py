"""`--trace-kernel`: each message of some analyses' kernels, both ways, as a line of the log.

For who writes a kernel. A server without it has a plain channel, so it costs nothing there.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Any

from ..protocol.readable import describe
from .channel import Channel
from .records import KernelRecord
from .tables import Tables

logger = logging.getLogger("databench.trace")


class TracedChannel(Channel):
    """A channel that logs what passes.

    Args:
        tables: Know whose routing ids these are.
        names: Of the analyses whose kernels are traced.
        options: As for `Channel`.
    """

    def __init__(self, tables: Tables, names: Collection[str], **options: Any) -> None:
        on_message = options.pop("on_message")

        def receive(routing_id: bytes, frames: list[bytes]) -> None:
            self._log(routing_id, frames, is_from_kernel=True)
            on_message(routing_id, frames)

        super().__init__(on_message=receive, **options)
        self._tables = tables
        self._names = frozenset(names)

    def send(self, routing_id: bytes, frames: Sequence[bytes]) -> bool:
        """Log a message, and hand it to libzmq."""
        is_sent = super().send(routing_id, frames)
        self._log(routing_id, frames, is_from_kernel=False, note="" if is_sent else " (not sent)")
        return is_sent

    def _log(
        self, routing_id: bytes, frames: Sequence[bytes], *, is_from_kernel: bool, note: str = ""
    ) -> None:
        record = self._tables.by_routing.get(routing_id)
        if record is None or record.pool.spec.name not in self._names or frames == [b""]:
            return  # an empty message is for libzmq alone, and no kernel reads it
        for line in describe(frames, is_from_kernel=is_from_kernel):
            arrow = "from" if is_from_kernel else "to"
            # Misspelt kinds and misplaced fields may hold it too.
            line = line.replace(record.kernel.token or line, "…")
            logger.info("%s %s: %s%s", arrow, _name(record), line, note)


def _name(record: KernelRecord) -> str:
    return f"{record.pool.spec.name} {record.kernel.id_}"
