"""A server whose user may start no further thread or process: it lives, and recovers."""

import asyncio
import os
import re
import shutil
import subprocess
import sys

import pytest
import tornado.httpclient

from tests.attacks.raw import Socket
from tests.processes.server import Server
from tests.processes.visitor import visit

pytestmark = [pytest.mark.slow, pytest.mark.process]

LIMIT = 60  # of the user's threads: more than the server and two kernels have
NOBODY = "61234"  # a user that runs nothing else
IS_ROOT = os.geteuid() == 0
# Root is never limited (getrlimit(2)): real user ids count, and two capabilities. Anybody else
# counts anew in a namespace of its own, which what takes the threads has to enter.
AS_ROOT = ("setpriv", "--ruid", NOBODY, "--bounding-set=-sys_admin,-sys_resource")
AS_OTHER = AS_ROOT if IS_ROOT else ("unshare", "--user")
HOG = f"""
import sys, threading
for _ in range({LIMIT}):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
print("taken", flush=True)
sys.stdin.read()
"""
CODE = """
import asyncio, subprocess, threading

import databench

released = threading.Event()


class Held(databench.Analysis):
    @databench.on
    def hold(self):
        self.emit("held")
        assert released.wait(60)
        return "released"

    @databench.on
    async def release(self):
        released.set()

    @databench.on
    def double(self, n):
        return 2 * n

    @databench.on
    async def stream(self, count):
        for i in range(count):
            self.emit("out", i)

    @databench.on
    def thread(self):
        threading.Thread(target=print).start()

    @databench.on
    def process(self):
        subprocess.run(["true"])
"""


@pytest.fixture
def analyses(tmp_path):
    folder = tmp_path / "analyses" / "held"
    folder.mkdir(parents=True)
    (folder / "analysis.py").write_text(CODE)
    (folder / "README.md").write_text("# Held")
    return tmp_path / "analyses"


@pytest.fixture
def server(analyses):
    if not IS_ROOT and subprocess.run(["unshare", "--user", "true"], check=False).returncode:
        pytest.skip("this system gives no user a namespace; run it as root")
    prefix = (*AS_OTHER, "prlimit", f"--nproc={LIMIT}:{LIMIT}")
    with Server(analyses, prefix=prefix) as server:
        yield server


class Hog:
    """Takes what the server's user may start; gives it back at its end."""

    def __init__(self, server):
        enter = ("nsenter", "--user", f"--target={server.pid}", "--preserve-credentials")
        self._prefix = AS_ROOT if IS_ROOT else enter

    def __enter__(self):
        argv = [*self._prefix, "prlimit", "--nproc=4096:4096", sys.executable, "-c", HOG]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout.readline() == b"taken\n"
        return self

    def __exit__(self, *_error):
        self._process.communicate()


async def begin(visitor, number, action, **load):
    await visitor.send(signal=action, load={**load, "__process_id": number})


async def end(visitor, number):
    """How an action ends, and what comes before."""
    frames = []
    while True:
        frames.append(frame := await visitor.read(strict=False))
        load = frame.get("load")
        if frame["signal"] == "__process" and (load["id"], load["status"]) == (number, "end"):
            return load, frames


async def test_threads_and_processes_that_cannot_be_started_end_nothing(server, analyses):
    async with visit(server.address, "held") as page:
        assert (await page.call("double", {"n": 1}))[0] == 2
        # The others come when no thread can be had any more, so that none is there for them.
        with Hog(server):
            await check_others(server, page)
            await check_errors(page)
            await check_watcher(server, analyses)
            fetched = await tornado.httpclient.AsyncHTTPClient().fetch(f"{server.url}/held/")
            assert fetched.code == 200
    assert "the system allows no further thread" in server.printed
    assert server.printed.count("Traceback") == 2  # of `thread` and of `process`


async def check_others(server, page):
    """One action holds the main thread: what is plain waits for it, and nothing else does."""
    async with (
        visit(server.address, "held") as other,
        visit(server.address, "held") as third,
    ):
        await begin(page, 1, "hold")
        await page.read_until("held")
        await begin(other, 2, "double", n=2)
        await begin(third, 3, "stream", count=2000)
        frames = (await end(third, 3))[1]
        assert sum(frame["signal"] == "out" for frame in frames) == 2000
        await begin(third, 4, "release")
        assert (await end(page, 1))[0]["result"] == "released"
        assert (await end(other, 2))[0]["result"] == 4


async def check_watcher(server, analyses):
    """Where there is more to watch, the library wants a thread, and ends the process without."""
    shutil.copytree(analyses / "held", analyses / "another")
    loop = asyncio.get_running_loop()
    told = re.compile("checks for saved files every .*no further thread")
    await loop.run_in_executor(None, server.wait_printed, told)


async def test_a_kernel_that_cannot_be_started_says_why_and_starts_when_it_can(server):
    def is_kernel(state):
        return lambda frame: frame["signal"] == "__kernel" and frame["load"]["state"] == state

    page = await Socket.join(server.address, "held")
    assert (await page.run("double", n=1))["result"] == 2
    with Hog(server):
        await page.send({"__kernel": "restart"})
        kernel = await page.wait(is_kernel("failed"))
        assert "the system allows no further process" in kernel["load"]["reason"]
    await page.send({"__kernel": "restart"})
    await page.wait(is_kernel("idle"))
    assert (await page.run("double", n=3))["result"] == 6
    await page.close()
    assert "Traceback" not in server.printed


async def check_errors(page):
    """What user code asks for in vain is its own error."""
    for number, action, problem in (
        (5, "thread", "can't start new thread"),
        (6, "process", "Resource temporarily unavailable"),
    ):
        await begin(page, number, action)
        assert problem in (await end(page, number))[0]["error"]["message"]
