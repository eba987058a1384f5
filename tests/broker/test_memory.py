"""Who is looked at, and who is ended for the memory that it holds."""

import asyncio
from types import SimpleNamespace

import pytest

from databench.broker import memory
from databench.broker.memory import Memory, find_excess, tell_bytes
from databench.broker.usage import Usage

MIB = 2**20


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (2048, "2 KiB"),
        (1536 * 1024, "1.5 MiB"),
        (2 * 2**30, "2 GiB"),
        (2**31 + 2**27, "2.1 GiB"),
    ],
)
def test_sizes_for_people(size_bytes, text):
    assert tell_bytes(size_bytes) == text


def test_only_what_is_above_a_limit_is_ended():
    assert find_excess(3 * MIB, 2 * MIB) == "used 3 MiB of 2 MiB"
    assert find_excess(2 * MIB, 2 * MIB) == ""
    assert find_excess(3 * MIB, 0) == ""


class Kernel:
    def __init__(self, pid, limit_bytes):
        self.pid = pid
        self.settings = SimpleNamespace(kernel_memory_bytes=limit_bytes)
        self.life = SimpleNamespace(is_ending=False)
        self.problems = []

    def end_for_memory(self, problem):
        self.life.is_ending = True
        self.problems.append(problem)


async def look(monkeypatch, kernels, *, own, groups):
    """Watches until a thread has looked at the groups as well."""
    looked = []

    def read(pids):
        looked.append(sorted(pids))
        return {pid: Usage(size, 0.0) for pid, size in groups.items()}

    monkeypatch.setattr(memory, "LOOK_S", 0.001)
    watching = Memory(asyncio.get_running_loop(), own.get, read)
    for kernel in kernels:
        watching.watch(kernel)
    if any(kernel.settings.kernel_memory_bytes for kernel in kernels):
        while not looked or watching._reading is not None:
            await asyncio.sleep(0.001)
    watching.stop()
    return looked


async def test_a_kernel_above_its_limit_is_ended_once_and_the_others_are_left_alone(monkeypatch):
    kernels = [Kernel(1, 2 * MIB), Kernel(2, 2 * MIB), Kernel(3, 2 * MIB), Kernel(4, 0)]
    own = {1: 3 * MIB, 2: MIB, 3: None, 4: 99 * MIB}
    looked = await look(monkeypatch, kernels, own=own, groups={1: 9 * MIB, 2: MIB, 4: 99 * MIB})
    assert [len(kernel.problems) for kernel in kernels] == [1, 0, 0, 0]
    assert looked[0] == [1, 2, 3]


async def test_children_count(monkeypatch):
    kernel = Kernel(1, 2 * MIB)
    await look(monkeypatch, [kernel], own={1: MIB}, groups={1: 3 * MIB})
    assert kernel.problems == ["used 3 MiB of 2 MiB"]


async def test_another_process_of_the_kernel_is_not_blamed_for_the_one_before(monkeypatch):
    kernel = Kernel(1, 2 * MIB)

    def own(pid):
        kernel.pid = 2  # it ends, and the next one begins, while a thread reads
        return MIB

    await look(monkeypatch, [kernel], own=SimpleNamespace(get=own), groups={1: 3 * MIB})
    assert kernel.problems == []


async def test_nothing_is_looked_at_while_no_kernel_has_a_limit(monkeypatch):
    assert await look(monkeypatch, [Kernel(1, 0)], own={}, groups={}) == []
