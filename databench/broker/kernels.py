"""What supervisors report to the broker, and ask of it: `supervision.owner.Owner`.

The one way between the processes and the sessions: here a process that has begun, is ready or is
gone becomes a change of its record, and each other part learns of it in a fixed order.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable

from ..protocol import messages as m
from ..protocol.lifecycle import State
from .channel import Channel
from .records import KernelPool, KernelRecord, Loss
from .sessions.opening import Opening
from .socketfolder import SocketFolder
from .supervision.guardian import Guardian
from .supervision.kernelspec import KernelSpec
from .supervision.memory_limit import Memory
from .supervision.supervisor import Supervisor
from .tables import Tables

logger = logging.getLogger("databench.broker")


class Kernels:
    """Makes supervisors and answers them.

    Args:
        mark: By which the guard knows the processes of this front.
        tables: The broker's.
        opening: Gives kernels their sessions.
        guardian: Cleans up what a process leaves.
        channel: The socket.
        folder: Where the socket is.
        cli_args: What kernels get as `cli_args`.
        log_level: For kernels' own logging.
        kernelspecs: The kernel specs by name, which the broker changes too.

    Attributes:
        on_ready: Called with the record of a kernel that can be used.
        on_culled: Called with that of one that ended because no page needed it.
        memory: Ends what holds more than it may.
    """

    def __init__(
        self,
        mark: str,
        tables: Tables,
        opening: Opening,
        guardian: Guardian,
        channel: Channel,
        folder: SocketFolder,
        *,
        cli_args: tuple[str, ...],
        log_level: str,
        kernelspecs: dict[str, KernelSpec],
    ) -> None:
        self.mark = mark
        self.on_ready: Callable[[KernelRecord], None] = _ignore
        self.on_culled: Callable[[KernelRecord], None] = _ignore
        self.memory = Memory(tables.loop)
        self._tables = tables
        self._opening = opening
        self._guardian = guardian
        self._channel = channel
        self._folder = folder
        self._cli_args = cli_args
        self._log_level = log_level
        self._kernelspecs = kernelspecs
        self._numbers = itertools.count(1)  # a kernel's name is not used again

    def make(self, pool: KernelPool, is_queued: bool) -> Supervisor:
        """A supervisor for one more kernel of an analysis; it may be one that is queued."""
        return Supervisor(
            f"k{next(self._numbers)}",
            pool.spec,
            self._kernelspecs[pool.spec.kernel],
            self._tables.settings,
            self,
            log_level=self._log_level,
            poison=pool.poison,
            is_queued=is_queued,
        )

    # ------------------------------------------------------------ what they ask

    @property
    def endpoint(self) -> str:
        """See `Owner.endpoint`."""
        return self._folder.endpoint

    def renew_endpoint(self) -> None:
        """See `Owner.renew_endpoint`."""
        self._folder.renew()

    def read_kernelspec(self, name: str) -> KernelSpec:
        """See `Owner.read_kernelspec`; kernels that begin later get it too."""
        spec = self._kernelspecs[name] = self._kernelspecs[name].read_again()
        if spec.problem:
            logger.warning("%s", spec.problem)
        return spec

    def send(self, kernel: Supervisor, message: m.Message) -> bool:
        """See `Owner.send`."""
        return self._tables.send(kernel, message)

    def is_read(self, kernel: Supervisor) -> bool:
        """See `Owner.is_read`."""
        return self._channel.is_read(kernel.routing_id)

    # ------------------------------------------------------------ what they report

    def kernel_spawned(self, kernel: Supervisor, pgid: int) -> None:
        """See `Owner.kernel_spawned`."""
        self._guardian.add(pgid, kernel.routing_id)
        self.memory.watch(kernel)
        record = self._tables.by_kernel[kernel]
        record.began_s = self._tables.loop.time()
        self._tables.route(record)
        for hosted in record.sessions.values() if kernel.reason else ():
            if hosted.restored is not None:
                hosted.restored = kernel.reason  # a restart has another reason than the last end

    def kernel_reaped(self, pgid: int) -> None:
        """See `Owner.kernel_reaped`."""
        self._guardian.discard(pgid)

    def kernel_ready(self, kernel: Supervisor) -> None:
        """See `Owner.kernel_ready`."""
        record = self._tables.by_kernel[kernel]
        self._opening.welcome(record, self._cli_args)
        self.on_ready(record)

    def kernel_lost(self, kernel: Supervisor, generation: int) -> None:
        """See `Owner.kernel_lost`."""
        record = self._tables.by_kernel[kernel]
        self._channel.forget(kernel.routing_id)
        now_s, words = self._tables.loop.time(), tuple(kernel.stderr_lines)
        record.losses.append(Loss(now_s, generation, kernel.reason, words))
        self._opening.lose(record)
        if kernel.life.state is State.CULLED:
            self.on_culled(record)
        self._tables.outbox.flush()

    def kernel_changed(self, kernel: Supervisor) -> None:
        """See `Owner.kernel_changed`."""
        tables = self._tables
        tables.announcer.show(tables.by_kernel[kernel].shown)
        tables.outbox.flush()


def _ignore(_record: KernelRecord) -> None:
    pass
