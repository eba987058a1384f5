"""Limits of kernels, with processes that really go beyond them."""

from pathlib import Path

import pytest

from tests.processes.server import Server
from tests.processes.visitor import visit

pytestmark = [pytest.mark.slow, pytest.mark.process]

CODE = """
import asyncio
import os
import resource
import subprocess
import sys
import time

import databench

HOLD = "import time; held = bytearray(b'x') * ({} << 20); print('held', flush=True); time.sleep(60)"


class Limited(databench.Analysis):
    @databench.on
    def pid(self):
        return os.getpid()

    @databench.on
    def hold(self, mib):
        held = bytearray(b'x') * (mib << 20)
        time.sleep(60)
        return len(held)

    @databench.on
    def hold_slowly(self):
        held = []
        while True:  # over many looks: those that see its begin see other things too
            held.append(bytearray(b'x') * (1 << 20))
            time.sleep(0.02)

    @databench.on
    def hoard(self, mib):
        self.hoarded = bytearray(b'x') * (mib << 20)

    @databench.on
    async def nap(self):
        await asyncio.sleep(0.2)

    @databench.on
    def hold_in_a_child(self, mib):
        command = [sys.executable, '-c', HOLD.format(mib)]
        subprocess.run(command, check=True)

    @databench.on
    def share(self, mib):
        self.held = bytearray(b'x') * (mib << 20)
        self.ends = [os.pipe() for _ in range(3)]
        for reader, _ in self.ends:
            if os.fork() == 0:
                os.read(reader, 1)
                os._exit(0)
        return os.getpid()

    @databench.on
    def spin(self):
        while True:
            pass

    @databench.on
    def open_files(self):
        return resource.getrlimit(resource.RLIMIT_NOFILE)[0]

    @databench.on
    def threads(self):
        return os.environ.get('OMP_NUM_THREADS')

    @databench.on
    def crash(self, how):
        os.kill(os.getpid(), how)

    @databench.on
    def hang(self):
        os.kill(os.getpid(), 19)
"""
INDEX = """
settings: {ping_interval_s: 0.1}
analyses:
  - name: neighbour
  - name: memory
    memory_limit: 150 MiB
  - name: sharing
    memory_limit: 150 MiB
  - name: processor
    processor_limit_s: 1
  - name: few
    open_files: 99
    threads: 3
  - name: hangs
    hang_timeout_s: 0.5
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("limits") / "analyses"
    for name in ("neighbour", "memory", "sharing", "processor", "few", "hangs"):
        (folder / name).mkdir(parents=True)
        (folder / name / "analysis.py").write_text(CODE)
    (folder / "index.yaml").write_text(INDEX)
    with Server(folder) as server:
        yield server


async def end_of(visitor, number, action, **load):
    """Runs an action; its end."""
    await visitor.send(signal=action, load={**load, "__process_id": number})
    while True:
        load = await visitor.read_until("__process", strict=False)
        if load["id"] == number and load["status"] == "end":
            return load


@pytest.mark.parametrize("action", ["hold", "hold_in_a_child"])
async def test_a_kernel_above_its_memory_is_ended_and_named_and_its_neighbour_is_not(
    server, action
):
    async with visit(server.address, "neighbour") as other, visit(server.address, "memory") as page:
        before = (await other.call("pid"))[0]
        own = (await page.call("pid"))[0]
        end = await end_of(page, 1, action, mib=300)
        assert end["outcome"] == "lost"
        assert "kernel 'memory' was ended by SIGKILL: used " in end["error"]["message"]
        assert end["error"]["message"].endswith(" of 150 MiB (memory_limit)")
        assert (await other.call("pid"))[0] == before
        assert (await page.call("pid", strict=False))[0] != own


async def test_what_children_share_with_their_kernel_counts_once(server):
    async with visit(server.address, "sharing") as page, visit(server.address, "memory") as other:
        own = (await page.call("share", {"mib": 100}))[0]
        end = await end_of(other, 1, "hold_in_a_child", mib=300)  # the same look finds this one
        assert "kernel 'memory' was ended by SIGKILL: used " in end["error"]["message"]
        assert (await page.call("pid"))[0] == own


async def test_an_action_that_ends_its_kernel_twice_is_refused_until_a_person_restarts_it(server):
    async with visit(server.address, "neighbour") as page:
        for number in (1, 2):
            assert (await end_of(page, number, "crash", how=11))["outcome"] == "lost"
        end = await end_of(page, 3, "crash", how=11)
        assert (end["outcome"], end["error"]["type"]) == ("error", "PoisonedAction")
        assert "ended its kernel 2 times (SIGSEGV), limit 2" in end["error"]["message"]
        assert (await end_of(page, 4, "pid"))["outcome"] == "done"
        assert (await end_of(page, 5, "crash", how=6))["outcome"] == "lost"  # other arguments
        await page.send(__kernel="restart")
        assert (await end_of(page, 6, "crash", how=11))["outcome"] == "lost"


async def test_a_visitor_who_fills_the_memory_does_not_have_an_innocent_action_refused(server):
    async with visit(server.address, "memory") as victim:
        for turn in range(3):
            process = (await victim.call("pid", strict=False))[0]
            async with visit(server.address, "memory") as visitor:
                outcome, number = "", 100
                while outcome != "lost":
                    # What is kept grows, and the last that is asked for is innocent.
                    number += 1
                    await visitor.send(signal="hoard", load={"mib": 2 * (number - 80)})
                    outcome = (await end_of(visitor, number, "nap"))["outcome"]
            assert (await victim.call("pid", strict=False))[0] != process
            assert (await end_of(victim, 1000 + turn, "nap"))["outcome"] == "done"


async def test_an_action_that_takes_too_much_memory_is_refused(server):
    async with visit(server.address, "memory") as page:
        await page.send(__kernel="restart")
        for number in (21, 22):
            assert (await end_of(page, number, "hold_slowly"))["outcome"] == "lost"
        end = await end_of(page, 23, "hold_slowly")
        assert "ended its kernel 2 times (out of memory)" in end["error"]["message"]


async def test_kills_from_outside_speak_against_no_action(server):
    async with visit(server.address, "neighbour") as page:
        await page.send(__kernel="restart")
        for number in (11, 12, 13):
            assert (await end_of(page, number, "crash", how=9))["outcome"] == "lost"


async def test_processor_time_is_limited_and_named(server):
    async with visit(server.address, "processor") as page:
        end = await end_of(page, 1, "spin")
        assert "used 1 s of processor time, limit 1 (processor_limit_s)" in end["error"]["message"]
        assert (await end_of(page, 2, "pid"))["outcome"] == "done"


async def test_files_and_threads_are_limited(server):
    async with visit(server.address, "few") as page:
        assert (await page.call("open_files"))[0] == 99
        assert (await page.call("threads"))[0] == "3"


async def test_a_kernel_that_hangs_beyond_its_own_limit_is_ended(server):
    async with visit(server.address, "hangs") as page:
        end = await end_of(page, 1, "hang")
        assert "no answer for 0.5 s, limit 0.5 (hang_timeout_s)" in end["error"]["message"]
        assert (await end_of(page, 2, "pid"))["outcome"] == "done"
