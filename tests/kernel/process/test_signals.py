"""Processes that an analysis starts can be terminated, whichever thread starts them."""

import pytest

from databench.protocol import messages as m
from tests.kernel.harness import Front, value

pytestmark = pytest.mark.process

SOURCE = """
    import asyncio, multiprocessing, os, shutil, signal, subprocess, threading, time
    import databench

    OURS = {signal.SIGINT, signal.SIGTERM}

    def blocked():
        return sorted(int(s) for s in signal.pthread_sigmask(signal.SIG_BLOCK, ()) & OURS)

    class Demo(databench.Analysis):
        def terminated(self):
            child = subprocess.Popen(['sleep', '60'])
            child.terminate()
            return [child.wait(), threading.current_thread().name, blocked()]

        @databench.on
        def plain(self):
            return self.terminated()

        @databench.on
        def generator(self):
            yield
            return self.terminated()

        @databench.on
        async def coroutine(self):
            child = await asyncio.create_subprocess_exec('sleep', '60')
            child.terminate()
            return [await child.wait(), threading.current_thread().name, blocked()]

        @databench.on
        async def posix_spawn(self):
            path = shutil.which('sleep')
            child = os.posix_spawn(path, ['sleep', '60'], os.environ)
            os.kill(child, signal.SIGTERM)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            return [status, threading.current_thread().name, blocked()]

        @databench.on
        def hold(self):
            self.emit('held')
            while not self.class_data.get('released'):
                time.sleep(0.005)

        @databench.on
        async def release(self):
            self.class_data['released'] = True

        @databench.on
        async def fork(self):
            with multiprocessing.get_context('fork').Pool(1) as pool:
                return pool.apply(blocked)

        @databench.on
        async def spawn(self):
            with multiprocessing.get_context('spawn').Pool(1) as pool:
                return pool.apply(blocked)
"""


@pytest.fixture(scope="module")
def front():
    with Front(SOURCE) as front:
        yield front


@pytest.mark.parametrize(
    ("action", "thread", "own"),
    [
        ("plain", "MainThread", []),
        ("generator", "databench-loop", [2, 15]),
        ("coroutine", "databench-loop", [2, 15]),
        ("posix_spawn", "databench-loop", [2, 15]),
    ],
)
def test_a_process_is_terminated_and_its_thread_blocks_what_it_did_before(action, thread, own):
    with Front(SOURCE) as front:
        result = value(front.run(front.open(), action)[0])
    assert result == [-15, thread, own]


def test_a_process_of_a_worker_thread_is_terminated(front):
    first, second = front.open(), front.open()
    number = front.action(first, "hold")
    front.expect(m.Emit, signal="held")
    assert value(front.run(second, "plain")[0]) == [-15, "databench-plain", [2, 15]]
    front.run(second, "release")
    assert type(front.end(number)[0]) is m.Done


@pytest.mark.parametrize("action", ["fork", "spawn"])
def test_a_pool_of_processes_takes_signals(front, action):
    assert value(front.run(front.open(), action)[0]) == []
