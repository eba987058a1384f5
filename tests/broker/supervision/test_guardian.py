"""The front's end of the guard, and what happens when either of them is killed."""

import asyncio
import os
import resource
import signal
import sys
import tempfile
from pathlib import Path

import pytest

from databench.broker.supervision import guardian
from databench.broker.supervision.guardian import Guardian, choose_brand
from databench.protocol.brand import HIGHEST, LOWEST
from tests.broker.harness import is_alive, rigged, wait_until

pytestmark = [pytest.mark.process, pytest.mark.slow]
MARK = "DATABENCH_FRONT=guardian"
NOBODY = 2**22 + 1  # beyond the highest process id
REPOSITORY = Path(__file__).resolve().parents[3]

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
    daemon = (await page.run("daemon"))["result"]
    frozen = rig.request = other.request("freeze", 1000)
    pids = [kernel["pid"] for kernel in rig.broker.status()["kernels"]]
    guard = rig.broker._guardian.pid
    print(json.dumps([rig.broker.endpoint, guard, [*pids, child, escaped, daemon]]), flush=True)
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
    own = Guardian(MARK)
    own.start()
    own.add_directory(folder)
    kernel = await asyncio.create_subprocess_exec("sleep", "1000", start_new_session=True)
    own.add(kernel.pid, b"random")
    first = own.pid
    os.kill(first, signal.SIGKILL)
    await wait_until(lambda: own.pid not in (None, first))
    own._process.stdin.close()  # as if the front were gone
    await asyncio.wait_for(kernel.wait(), 5)
    await wait_until(lambda: not folder.exists())
    own.stop()


async def test_stop_ends_the_guard_and_removes_the_directory():
    folder = Path(tempfile.mkdtemp(prefix="databench-"))
    own = Guardian(MARK)
    own.add_directory(folder)
    assert own.pid is None
    own.start()
    pid = own.pid
    assert is_alive(pid)
    own.stop()
    own.stop()
    assert not folder.exists()
    assert not is_alive(pid)
    own.add(NOBODY, b"random")  # nobody is told, nobody is killed
    own.discard(NOBODY)


async def test_clean_kills_what_left_its_group():
    async with rigged() as rig:
        page = rig.join()
        escaped = (await page.run("child", True))["result"]
        daemon = (await page.run("daemon"))["result"]
        assert is_alive(escaped)
        assert is_alive(daemon)
    assert not is_alive(escaped)
    assert not is_alive(daemon)


@pytest.mark.expected_log("was ended by SIGKILL")
async def test_what_a_killed_kernel_left_goes_with_it_and_that_of_others_stays():
    async with rigged("a", "b") as rig:
        left = []
        for name in ("a", "b"):
            page = rig.join(name)
            left.append(
                [(await page.run("daemon"))["result"], (await page.run("child", True))["result"]]
            )
        rig.kill(signal.SIGKILL, "a")
        await wait_until(lambda: not any(map(is_alive, left[0])))
        assert all(map(is_alive, left[1]))


def test_a_brand_is_below_that_which_this_process_has(monkeypatch):
    def have(hard):
        monkeypatch.setattr(resource, "getrlimit", lambda number: (hard, hard))
        return choose_brand()

    assert LOWEST < have(resource.RLIM_INFINITY) < HIGHEST
    assert LOWEST < have(LOWEST + 2**41) < LOWEST + 2**41
    assert have(200_000) is None  # somebody means it
    monkeypatch.delattr(resource, "RLIMIT_RTTIME", raising=False)
    assert choose_brand() is None


async def test_without_a_brand_the_mark_alone_counts(monkeypatch):
    monkeypatch.setattr(guardian, "choose_brand", lambda: None)
    async with rigged() as rig:
        escaped = (await rig.join().run("child", True))["result"]
        assert is_alive(escaped)
    assert not is_alive(escaped)


async def test_a_process_that_has_gone_gets_no_brand():
    own = Guardian(MARK)
    own.add(NOBODY, b"random")
    own.discard(NOBODY)
