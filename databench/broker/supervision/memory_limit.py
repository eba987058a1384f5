"""Watches kernels with a memory limit, and ends those above it.

Resident memory counts, as far as the system cannot take it back (`held`). A limit of the
address space (RLIMIT_AS) would not do: threads, numpy and arrow reserve many times what they use.
A thread measures the kernel's own process every `LOOK_S`, its children with it every `GROUP_LOOKS`
times; nothing while no kernel has a limit. Memory allocated between two looks may exceed
the limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from .memory_use import read_excesses, read_held
from .usage import read_resident

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


def look_now(kernel: Supervisor) -> None:
    """Note what a kernel holds at this moment, if it has a limit."""
    if _find_limit(kernel) and kernel.pid is not None:
        kernel.blame.growth.look(read_resident(kernel.pid) or 0)


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
        resident: Reads what one process has in RAM, which costs little.
        held: Reads what of it the process holds.
        excesses: Reads what groups of processes hold that hold too much.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        resident: Callable[[int], int | None] = read_resident,
        held: Callable[[int], int | None] = read_held,
        excesses: Callable[[Mapping[int, int]], Mapping[int, int]] = read_excesses,
    ) -> None:
        self._loop = loop
        self._resident = resident
        self._held = held
        self._excesses = excesses
        self._kernels: set[Supervisor] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._reading: asyncio.Future[Mapping[int, int]] | None = None
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
        self._kernels = {kernel for kernel in self._kernels if kernel.pid and _find_limit(kernel)}
        for kernel in self._kernels:
            self._look_at(kernel)
        self._looks += 1
        if self._kernels and self._looks % GROUP_LOOKS == 0 and self._reading is None:
            pids = {kernel.pid: kernel for kernel in self._kernels if kernel.pid is not None}
            limits = {pid: _find_limit(kernel) for pid, kernel in pids.items()}
            self._reading = self._loop.run_in_executor(None, self._excesses, limits)
            self._reading.add_done_callback(lambda read: self._judge_groups(pids, read))
        if self._kernels:
            self._timer = self._loop.call_later(LOOK_S, self._look)

    def _look_at(self, kernel: Supervisor) -> None:
        pid = kernel.pid or 0
        used_bytes = self._resident(pid) or 0
        kernel.blame.growth.look(used_bytes)
        if used_bytes > _find_limit(kernel):
            _judge(kernel, self._held(pid) or 0)

    def _judge_groups(
        self, pids: Mapping[int, Supervisor], read: asyncio.Future[Mapping[int, int]]
    ) -> None:
        self._reading = None
        for pid, held_bytes in ({} if read.cancelled() else read.result()).items():
            if pids[pid].pid == pid:  # another one may have begun meanwhile
                _judge(pids[pid], held_bytes)


def _judge(kernel: Supervisor, held_bytes: int) -> None:
    problem = find_excess(held_bytes, _find_limit(kernel))
    if problem and not kernel.life.is_ending:
        kernel.end_for_memory(problem)


def _find_limit(kernel: Supervisor) -> int:
    return int(kernel.settings.kernel_memory_bytes)
