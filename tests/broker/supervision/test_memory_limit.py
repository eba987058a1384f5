"""Who is looked at, and who is ended for the memory that it holds."""

import asyncio
from types import SimpleNamespace

import pytest

from databench.broker.supervision import memory_limit as memory
from databench.broker.supervision.memory_limit import Memory, find_excess, tell_bytes

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
        self.blame = SimpleNamespace(growth=SimpleNamespace(look=[].append))
        self.problems = []

    def end_for_memory(self, problem):
        self.life.is_ending = True
        self.problems.append(problem)


async def look(monkeypatch, kernels, *, resident, held=None, groups):
    """Watches until a thread has looked at the groups as well."""
    looked = []

    def read(limits):
        looked.append(limits)
        return {pid: size for pid, size in groups.items() if size > limits.get(pid, size)}

    monkeypatch.setattr(memory, "LOOK_S", 0.001)
    watching = Memory(asyncio.get_running_loop(), resident.get, (held or resident).get, read)
    for kernel in kernels:
        watching.watch(kernel)
    if any(kernel.settings.kernel_memory_bytes for kernel in kernels):
        while not looked or watching._reading is not None:
            await asyncio.sleep(0.001)
    watching.stop()
    return looked


async def test_a_kernel_above_its_limit_is_ended_once_and_the_others_are_left_alone(monkeypatch):
    kernels = [Kernel(1, 2 * MIB), Kernel(2, 2 * MIB), Kernel(3, 2 * MIB), Kernel(4, 0)]
    resident = {1: 3 * MIB, 2: MIB, 3: None, 4: 99 * MIB}
    groups = {1: 9 * MIB, 2: MIB, 4: 99 * MIB}
    looked = await look(monkeypatch, kernels, resident=resident, groups=groups)
    assert [kernel.problems for kernel in kernels] == [["used 3 MiB of 2 MiB"], [], [], []]
    assert looked[0] == {1: 2 * MIB, 2: 2 * MIB, 3: 2 * MIB}


async def test_what_the_system_can_take_back_does_not_count(monkeypatch):
    kernels = [Kernel(1, 2 * MIB), Kernel(2, 2 * MIB)]
    resident, held = {1: 9 * MIB, 2: 9 * MIB}, {1: 2 * MIB, 2: 3 * MIB}
    await look(monkeypatch, kernels, resident=resident, held=held, groups={})
    assert [kernel.problems for kernel in kernels] == [[], ["used 3 MiB of 2 MiB"]]


async def test_children_count(monkeypatch):
    kernel = Kernel(1, 2 * MIB)
    await look(monkeypatch, [kernel], resident={1: MIB}, groups={1: 3 * MIB})
    assert kernel.problems == ["used 3 MiB of 2 MiB"]


async def test_another_process_of_the_kernel_is_not_blamed_for_the_one_before(monkeypatch):
    kernel = Kernel(1, 2 * MIB)

    def get(_pid):
        kernel.pid = 2  # it ends, and the next one begins, while a thread reads
        return MIB

    await look(monkeypatch, [kernel], resident=SimpleNamespace(get=get), groups={1: 3 * MIB})
    assert kernel.problems == []


async def test_nothing_is_looked_at_while_no_kernel_has_a_limit(monkeypatch):
    assert await look(monkeypatch, [Kernel(1, 0)], resident={}, groups={}) == []


@pytest.mark.parametrize(
    "change", [{"pid": None}, {"settings": SimpleNamespace(kernel_memory_bytes=0)}]
)
async def test_looking_ends_with_the_last_kernel_that_has_a_limit(monkeypatch, change):
    monkeypatch.setattr(memory, "LOOK_S", 0.001)
    kernel = Kernel(1, 2 * MIB)
    watching = Memory(asyncio.get_running_loop(), {1: MIB}.get, {}.get, lambda limits: {})
    watching.watch(kernel)
    for name, value in change.items():
        setattr(kernel, name, value)
    while watching._timer is not None:
        await asyncio.sleep(0.001)
    assert watching._kernels == set()
