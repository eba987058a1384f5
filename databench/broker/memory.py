"""Kernels that may hold so much memory and no more: looked at, and ended above it.

Resident memory is what counts. A limit of the address space (RLIMIT_AS) would not do: threads,
numpy and arrow reserve many times what they use. The kernel's own process is looked at every
`LOOK_S`, its children with it every `GROUP_LOOKS` looks, in a thread; nothing while no kernel has
a limit. What is allocated between two looks may be above it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from .usage import Usage, read_groups, read_resident

if TYPE_CHECKING:
    from .supervisor import Supervisor

LOOK_S = 0.1
GROUP_LOOKS = 10
_UNITS = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def find_excess(used_bytes: int, limit_bytes: int) -> str:
    """Why a kernel that uses so much is ended; empty: it is not."""
    if not 0 < limit_bytes < used_bytes:
        return ""
    return f"used {tell_bytes(used_bytes)} of {tell_bytes(limit_bytes)}"


def tell_bytes(size_bytes: int) -> str:
    """A size for people: `2 GiB`, `1.5 MiB`."""
    for unit_bytes, unit in _UNITS:
        if size_bytes >= unit_bytes:
            return f"{size_bytes / unit_bytes:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size_bytes} bytes"


class Memory:
    """Looks after the kernels that have a limit.

    Args:
        loop: Its timers.
        resident: Reads what one process holds.
        groups: Reads what groups of processes hold.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        resident: Callable[[int], int | None] = read_resident,
        groups: Callable[[Collection[int]], Mapping[int, Usage]] = read_groups,
    ) -> None:
        self._loop = loop
        self._resident = resident
        self._groups = groups
        self._kernels: set[Supervisor] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._reading: asyncio.Future[Mapping[int, Usage]] | None = None
        self._looks = 0

    def watch(self, kernel: Supervisor) -> None:
        """A process of this kernel has begun."""
        if kernel.settings.kernel_memory_bytes:
            self._kernels.add(kernel)
            if self._timer is None:
                self._timer = self._loop.call_later(LOOK_S, self._look)

    def stop(self) -> None:
        """Look no more."""
        self._kernels.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        self._kernels = {kernel for kernel in self._kernels if kernel.pid is not None}
        for kernel in self._kernels:
            self._judge(kernel, self._resident(kernel.pid or 0) or 0)
        self._looks += 1
        if self._kernels and self._looks % GROUP_LOOKS == 0 and self._reading is None:
            pids = {kernel.pid: kernel for kernel in self._kernels if kernel.pid is not None}
            self._reading = self._loop.run_in_executor(None, self._groups, list(pids))
            self._reading.add_done_callback(lambda read: self._judge_groups(pids, read))
        if self._kernels:
            self._timer = self._loop.call_later(LOOK_S, self._look)

    def _judge_groups(
        self, pids: Mapping[int, Supervisor], read: asyncio.Future[Mapping[int, Usage]]
    ) -> None:
        self._reading = None
        for pid, usage in ({} if read.cancelled() else read.result()).items():
            if pids[pid].pid == pid:  # another one may have begun meanwhile
                self._judge(pids[pid], usage.memory_bytes)

    @staticmethod
    def _judge(kernel: Supervisor, used_bytes: int) -> None:
        problem = find_excess(used_bytes, kernel.settings.kernel_memory_bytes)
        if problem and not kernel.life.is_ending:
            kernel.end_for_memory(problem)
