"""The front's end of the guard, and what happens when either of them is killed."""

import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path

import pytest

from databench.broker.guardian import Guardian
from tests.broker.harness import is_alive, rigged, wait_until

pytestmark = [pytest.mark.process, pytest.mark.slow]
MARK = "DATABENCH_FRONT=guardian"
REPOSITORY = Path(__file__).resolve().parents[2]

FRONT = """
import asyncio, json, logging
from tests.broker.harness import Rig
async def main():
    rig = Rig("a", "b", "mute")
    await rig.broker.start()
    page, other = rig.join("a"), rig.join("b")
    rig.join("mute")
    child = (await page.run("child", False))["result"]
    escaped = (await page.run("child", True))["result"]
    frozen = rig.request = other.request("freeze", 1000)
    pids = [kernel["pid"] for kernel in rig.broker.status()["kernels"]]
    guard = rig.broker._guardian.pid
    print(json.dumps([rig.broker.endpoint, guard, [*pids, child, escaped]]), flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def guard_of(rig):
    return rig.broker._guardian.pid


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
async def test_a_front_that_is_gone_leaves_no_kernel_child_socket_or_directory(number):
    import json

    front = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", FRONT),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
    )
    line = await asyncio.wait_for(front.stdout.readline(), 20)
    endpoint, guard, pids = json.loads(line)
    folder = Path(endpoint.removeprefix("ipc://")).parent
    assert folder.exists()
    assert all(is_alive(pid) for pid in [guard, *pids])
    front.send_signal(number)
    await asyncio.wait_for(front.wait(), 10)
    await wait_until(
        lambda: not folder.exists() and not any(is_alive(pid) for pid in [guard, *pids]),
        5,
        lambda: [pid for pid in pids if is_alive(pid)],
    )


@pytest.mark.expected_log("guard process .* ended; starting another")
async def test_a_guard_that_is_killed_is_replaced_and_knows_all():
    async with rigged() as rig:
        page = rig.join()
        await page.run("echo")
        first = guard_of(rig)
        os.kill(first, signal.SIGKILL)
        await wait_until(lambda: guard_of(rig) not in (None, first) and is_alive(guard_of(rig)))
        assert not is_alive(first)
        assert (await page.run("echo", 1))["outcome"] == "done"


@pytest.mark.expected_log("guard process .* ended; starting another")
async def test_the_new_guard_does_the_work_of_the_old():
    folder = Path(tempfile.mkdtemp(prefix="databench-"))
    guardian = Guardian(MARK)
    guardian.start()
    guardian.add_directory(folder)
    kernel = await asyncio.create_subprocess_exec("sleep", "1000", start_new_session=True)
    guardian.add(kernel.pid)
    first = guardian.pid
    os.kill(first, signal.SIGKILL)
    await wait_until(lambda: guardian.pid not in (None, first))
    guardian._process.stdin.close()  # as if the front were gone
    await asyncio.wait_for(kernel.wait(), 5)
    await wait_until(lambda: not folder.exists())
    guardian.stop()


async def test_stop_ends_the_guard_and_removes_the_directory():
    folder = Path(tempfile.mkdtemp(prefix="databench-"))
    guardian = Guardian(MARK)
    guardian.add_directory(folder)
    assert guardian.pid is None
    guardian.start()
    pid = guardian.pid
    assert is_alive(pid)
    guardian.stop()
    guardian.stop()
    assert not folder.exists()
    assert not is_alive(pid)
    guardian.add(1)  # nobody is told, nobody is killed
    guardian.discard(1)


async def test_clean_kills_what_left_its_group():
    async with rigged() as rig:
        page = rig.join()
        escaped = (await page.run("child", True))["result"]
        assert is_alive(escaped)
    assert not is_alive(escaped)
