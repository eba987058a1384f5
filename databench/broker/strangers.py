"""Peers that are not kernels of this server, by their routing id.

Most are earlier processes, whose last messages come late: those are dropped in silence. Otherwise a
kernel is being written that does not set its routing id, or changes it. Its `hello` has the token,
which says whose it is, so that kernel is rejected with the reason at once, and not after
`start_limit_s`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

from ..errors import RemoteProtocolError
from ..protocol import codec
from ..protocol import messages as m
from ..protocol.violations import read_names
from .tables import Tables

logger = logging.getLogger("databench.broker")

# Messages that are looked at within so many seconds, one of which is logged; the rest are counted.
LOOKS = 20
LOOK_S = 1.0
_OF_BEFORE = re.compile(rb"k[0-9]+\.[0-9]+\..+", re.DOTALL)  # as `Supervisor.routing_id` makes them
_SIZES = 8  # frames whose sizes are said
WRONG_ID = (
    "hello under a routing id that is not DATABENCH_KERNEL's: set ZMQ_ROUTING_ID to it before you "
    "connect (docs/protocol.md, 2.1)"
)


class Strangers:
    """Looks at what they send.

    Args:
        tables: The broker's.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._began_s = -LOOK_S
        self._looks = 0
        self._is_said = False
        self._unsaid = 0

    def meet(self, routing_id: bytes, frames: Sequence[bytes]) -> None:
        """A message of one has come.

        Args:
            routing_id: Its own.
            frames: The rest.
        """
        if _OF_BEFORE.fullmatch(routing_id):
            return
        now_s = self._tables.loop.time()
        if now_s - self._began_s >= LOOK_S:
            self._began_s, self._looks, self._is_said = now_s, 0, False
        self._looks += 1
        if self._looks <= LOOKS and self._reject(routing_id, frames):
            return
        if self._is_said:
            self._unsaid += 1
            return
        _log(frames, self._unsaid)
        self._is_said, self._unsaid = True, 0

    def _reject(self, routing_id: bytes, frames: Sequence[bytes]) -> bool:
        """Reject the kernel whose token this is; whether there is one."""
        try:
            hello = codec.decode_from_kernel(frames)
        except RemoteProtocolError:
            return False
        if not isinstance(hello, m.Hello):
            return False
        for record in self._tables.by_routing.values():
            if record.kernel.expects(hello.token):
                if self._tables.channel is not None:
                    self._tables.channel.send(routing_id, codec.encode(m.Reject(reason=WRONG_ID)))
                record.kernel.reject(WRONG_ID)
                return True
        return False


def _log(frames: Sequence[bytes], unseen: int) -> None:
    kind = read_names(frames[0] if frames else b"").kind
    sizes = ", ".join(str(len(frame)) for frame in frames[:_SIZES])
    logger.warning(
        "a peer that does not belong to this server sent %s in %d frames (%s%s bytes); dropped%s",
        repr(kind) if kind else "an unreadable message",
        len(frames),
        sizes,
        ", …" if len(frames) > _SIZES else "",
        f" ({unseen} more since the last such line)" if unseen else "",
    )
