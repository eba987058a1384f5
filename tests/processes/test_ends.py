"""However the server ends: its status, and nothing of it that is left."""

import asyncio
import contextlib
import itertools
import os
import signal
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.broker.harness import is_alive, wait_until
from tests.processes.visitor import visit

REPOSITORY = Path(__file__).resolve().parents[2]
ANALYSES = Path(__file__).resolve().parent / "analyses"
LIMIT_S = 30
SHUTDOWN_LIMIT_S = 5.0  # the default
_ids = itertools.count(1)
LATE_S = 4.0  # for the interpreter's own end, on a busy machine

pytestmark = [pytest.mark.slow, pytest.mark.process]


def processes_with(word):
    """Process ids whose environment holds that word."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if word in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return [pid for pid in found if is_alive(pid)]


def mark_of(pid):
    """The word that a front gives to each of its kernels."""
    words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    (mark,) = [word for word in words if word.startswith(b"DATABENCH_FRONT=")]
    return mark


def children(pid):
    """Every process that this one started, by the system's own lists."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended
            found += map(int, (task / "children").read_text().split())
    return found


def descendants(pid):
    """Every process below that one."""
    return [found for child in children(pid) for found in (child, *descendants(child))]


class Scene:
    """A server with actions that run, children that stay, and a lock that is held.

    Attributes:
        process: The server.
        mark: In the environment of its kernels and of what they started.
        pids: Everything that it started, directly or not, its guard too.
        folder: Its temporary folder, which nobody else uses.
    """

    def __init__(self, process, folder):
        self.process = process
        self.folder = folder
        self.pids = []
        self.mark = b""
        self.printed = b""

    async def left(self):
        """Waits until nothing is left; what is left after that is the answer."""

        def find():
            pids = {pid for pid in self.pids if is_alive(pid)} | set(processes_with(self.mark))
            return [*pids, *self.folder.rglob("*")]

        try:
            await wait_until(lambda: not find(), 10)
        except AssertionError:
            return find()
        return []


async def begin(visitor, action):
    """Starts an action and waits until it says that it has begun; the processes it has started."""
    await visitor.send(signal=action, load={"__process_id": next(_ids)})
    while (message := await visitor.read())["signal"] not in ("begun", "children"):
        pass
    return message["load"] if message["signal"] == "children" else []


@asynccontextmanager
async def staged(folder, *names):
    """The scene: of each analysis one kernel, and its actions under way."""
    environ = {k: v for k, v in os.environ.items() if k not in ("PORT", "HOST", "DEBUG")}
    environ |= {"PYTHONPATH": str(REPOSITORY), "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "databench", "--port", "0", "--analyses", str(ANALYSES)),
        cwd=folder,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    scene = Scene(process, folder)
    try:
        address = await _address(scene)
        async with _visitors(address, names) as visitors:
            for name, visitor in zip(names, visitors, strict=True):
                for action in {"busy": ("children", "wait", "nap"), "lock": ("divide",)}.get(
                    name, ()
                ):
                    scene.pids += await begin(visitor, action)
            await wait_until(lambda: len(_kernels(process.pid)) == len(names))
            scene.mark = mark_of(_kernels(process.pid)[0])
            scene.pids += [*descendants(process.pid), *processes_with(scene.mark)]
            assert len(list(folder.rglob("front"))) == 1  # the socket
            yield scene
    finally:
        if process.returncode is None:
            process.kill()
        scene.printed += await process.stdout.read()
        await process.wait()
        print(scene.printed.decode())


async def _address(scene):
    while b"http://" not in scene.printed:
        line = await asyncio.wait_for(scene.process.stdout.readline(), LIMIT_S)
        assert line, f"the server told no address: {scene.printed}"
        scene.printed += line
    return (
        scene.printed.decode()
        .partition("http://")[2]
        .partition("/")[0]
        .replace("localhost", "127.0.0.1")
    )


@asynccontextmanager
async def _visitors(address, names):
    visits = [visit(address, name) for name in names]
    visitors = [await each.__aenter__() for each in visits]
    try:
        yield visitors
    finally:
        for each in visits:
            await each.__aexit__(None, None, None)


def _kernels(pid):
    return [
        child
        for child in children(pid)
        if b"DATABENCH_ANALYSIS" in Path(f"/proc/{child}/environ").read_bytes()
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("names", [("busy",), ("busy", "lock", "slow")], ids="+".join)
async def test_ctrl_c_and_sigterm_end_with_status_0_in_time_and_leave_nothing(
    tmp_path, number, names
):
    async with staged(tmp_path, *names) as scene:
        before_s = time.monotonic()
        os.killpg(scene.process.pid, number)  # as a terminal does
        status = await asyncio.wait_for(scene.process.wait(), LIMIT_S)
        took_s = time.monotonic() - before_s
        assert status == 0
        assert took_s < SHUTDOWN_LIMIT_S + LATE_S
        assert await scene.left() == []
        assert len(scene.pids) >= 4  # the guard, a kernel, two children


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
async def test_a_server_that_is_killed_or_crashes_leaves_nothing(tmp_path, number):
    async with staged(tmp_path, "busy", "lock", "slow") as scene:
        scene.process.send_signal(number)
        assert await asyncio.wait_for(scene.process.wait(), LIMIT_S) == -number
        assert await scene.left() == []


async def test_a_server_and_its_guard_that_are_killed_leave_nothing(tmp_path):
    async with staged(tmp_path, "busy") as scene:
        kernels = set(_kernels(scene.process.pid))
        (guard,) = set(children(scene.process.pid)) - kernels
        for pid in (guard, scene.process.pid):
            os.kill(pid, signal.SIGKILL)
        await asyncio.wait_for(scene.process.wait(), LIMIT_S)
        # The socket's folder alone stays: nobody is left to remove it.
        await wait_until(lambda: not any(map(is_alive, scene.pids)), 10)


async def test_a_second_ctrl_c_does_not_leave_anything_either(tmp_path):
    async with staged(tmp_path, "busy", "lock") as scene:
        scene.process.send_signal(signal.SIGINT)
        scene.process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(scene.process.wait(), LIMIT_S) == 0
        assert await scene.left() == []


async def test_stopped_kernels_do_not_hold_up_the_end(tmp_path):
    async with staged(tmp_path, "busy") as scene:
        for pid in processes_with(scene.mark):
            os.kill(pid, signal.SIGSTOP)
        scene.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(scene.process.wait(), LIMIT_S) == 0
        assert await scene.left() == []


async def test_two_servers_side_by_side_end_alone(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    async with staged(tmp_path / "one", "busy") as one, staged(tmp_path / "two", "busy") as two:
        one.process.send_signal(signal.SIGKILL)
        await one.process.wait()
        assert await one.left() == []
        assert all(is_alive(pid) for pid in two.pids)
        two.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(two.process.wait(), LIMIT_S) == 0
        assert await two.left() == []
