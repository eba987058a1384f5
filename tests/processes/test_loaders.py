"""What loads data in processes of its own: loaders as PyTorch's, and joblib.

PyTorch itself is too large for a test's environment. `Loader` does what its `DataLoader` does to
the process that it runs in: daemonic workers behind queues, an event that ends them, a thread that
hands on what they send (PyTorch: into pinned memory), a handler of SIGCHLD that raises where a
worker has died, workers that look whether their parent is there, batches in shared memory.
"""

import psutil
import pytest

from tests.broker.harness import is_alive, wait_until
from tests.processes.server import Server
from tests.processes.visitor import visit

pytestmark = [pytest.mark.slow, pytest.mark.process]

CODE = '''
import multiprocessing
import multiprocessing.shared_memory
import os
import queue
import signal
import threading
import time

import databench


NAP, KILL = -1, -2  # in the place of an index


def work(indices, results, done):
    """A worker: takes an index, sends a batch in shared memory."""
    parent = os.getppid()  # of a forkserver's worker, that is the forkserver
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    while not done.is_set() and os.getppid() == parent:
        try:
            index = indices.get(timeout=1)
        except queue.Empty:
            continue
        if index is None:
            break
        if index == NAP:
            time.sleep(600)
        if index == KILL:
            os.kill(os.getpid(), signal.SIGKILL)  # here it holds no lock of the others
        memory = multiprocessing.shared_memory.SharedMemory(create=True, size=1000)
        memory.buf[:] = bytes([index % 250]) * 1000
        memory.close()
        results.put((index, memory.name))
    results.cancel_join_thread()
    results.close()


class Loader:
    """Batches of an epoch, in order, by two workers."""

    def __init__(self, method):
        context = multiprocessing.get_context(method)
        self.results = context.Queue()
        self.done = context.Event()
        self.indices = [context.Queue() for _ in range(2)]
        self.workers = []
        self.is_watching = threading.current_thread() is threading.main_thread()
        if self.is_watching:
            self.before = signal.signal(signal.SIGCHLD, self.look)
        for indices in self.indices:
            indices.cancel_join_thread()
            args = (indices, self.results, self.done)
            worker = context.Process(target=work, args=args, daemon=True)
            worker.start()
            self.workers.append(worker)
        self.handed = queue.Queue()
        threading.Thread(target=self.hand_on, daemon=True).start()

    @property
    def pids(self):
        return [worker.pid for worker in self.workers]

    def look(self, *signal):
        for worker in self.workers:
            if worker.exitcode:
                raise RuntimeError(f"a worker was ended by signal {-worker.exitcode}")

    def hand_on(self):
        while not self.done.is_set():
            try:
                index, name = self.results.get(timeout=0.1)
            except queue.Empty:
                continue
            except (OSError, ValueError):
                return
            memory = multiprocessing.shared_memory.SharedMemory(name=name)
            total = sum(memory.buf)
            memory.close()
            memory.unlink()
            self.handed.put((index, total))

    def epoch(self, indices):
        for number, index in enumerate(indices):
            self.indices[number % 2].put(index)
        waiting = {}
        for index in indices:
            while index not in waiting:
                try:
                    got, total = self.handed.get(timeout=2)
                except queue.Empty:
                    self.look()  # no SIGCHLD tells of a forkserver's worker
                else:
                    waiting[got] = total
            yield waiting.pop(index)

    def close(self):
        self.done.set()
        if self.is_watching:
            signal.signal(signal.SIGCHLD, self.before or signal.SIG_DFL)
        for indices in self.indices:
            indices.put(None)
        for worker in self.workers:
            worker.join(1)
            if worker.is_alive():
                worker.terminate()
                worker.join()


kept = {}
released = threading.Event()


class Loads(databench.Analysis):
    @databench.on
    def epoch(self, method):
        loader = Loader(method)
        try:
            sums = list(loader.epoch(range(10)))
            return {"sums": sums, "pids": loader.pids, "is_main": loader.is_watching}
        finally:
            loader.close()

    @databench.on
    def begin(self, method, index):
        """An epoch without an end: the action is cancelled, or a worker dies."""
        loader = Loader(method)
        try:
            list(loader.epoch([0, 1]))
            self.emit("began", loader.pids)
            list(loader.epoch([index, 2]))
        finally:
            loader.close()

    @databench.on
    def keep(self, method):
        """Persistent workers: the next epoch finds them."""
        loader = kept.setdefault(method, None) or Loader(method)
        kept[method] = loader
        return {"sums": list(loader.epoch(range(10))), "pids": loader.pids}

    @databench.on
    def hold(self):
        """It has the main thread, so that others run in threads of their own."""
        released.clear()
        self.emit("held", threading.current_thread() is threading.main_thread())
        assert released.wait(60)

    @databench.on
    async def release(self):
        released.set()

    @databench.on
    def job(self, backend):
        import joblib

        jobs = (joblib.delayed(square)(n) for n in range(6))
        return joblib.Parallel(n_jobs=2, backend=backend)(jobs)

    @databench.on
    def jobs(self):
        import joblib

        self.emit("began")
        joblib.Parallel(n_jobs=2)(joblib.delayed(time.sleep)(60) for _ in range(4))


def square(n):
    return [n * n, os.getpid()]
'''
NAP, KILL = -1, -2  # as above
METHODS = ["fork", "forkserver", "spawn"]
SUMS = [1000 * n for n in range(10)]


def write(folder):
    (folder / "loads").mkdir(parents=True)
    (folder / "loads" / "analysis.py").write_text(CODE)
    # A package, so that a new process does not take the repository's own `analyses` for it.
    (folder / "__init__.py").touch()
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(write(tmp_path_factory.mktemp("loaders") / "analyses")) as server:
        yield server


@pytest.fixture
def ending(tmp_path):
    """A server that the test ends."""
    with Server(write(tmp_path / "analyses")) as server:
        yield server


async def wait_gone(pids):
    await wait_until(lambda: not any(map(is_alive, pids)))


async def begin(page, number, action, **load):
    await page.send(signal=action, load={**load, "__process_id": number})


async def end(page, number):
    while True:
        frame = await page.read(strict=False)
        load = frame.get("load")
        if frame["signal"] == "__process" and (load["id"], load["status"]) == (number, "end"):
            return load


@pytest.mark.parametrize("method", METHODS)
async def test_an_epoch_has_all_batches_and_leaves_no_worker(server, method):
    async with visit(server.address, "loads") as page:
        result, _ = await page.call("epoch", {"method": method})
        assert result["sums"] == SUMS
        assert not any(map(is_alive, result["pids"]))
        assert (await page.call("epoch", {"method": method}))[0]["sums"] == SUMS


@pytest.mark.parametrize("method", METHODS)
async def test_so_has_one_in_a_thread_beside_the_main_one(server, method):
    async with visit(server.address, "loads") as holder:
        await begin(holder, 1, "hold")
        assert await holder.read_until("held"), "it is to have the main thread"
        # Its session opens when the main thread is taken, so all of it runs in another one.
        async with visit(server.address, "loads") as page:
            result, _ = await page.call("epoch", {"method": method})
            assert result["sums"] == SUMS
            assert not result["is_main"]
            assert not any(map(is_alive, result["pids"]))
            await page.call("release")
        assert (await end(holder, 1))["outcome"] == "done"


@pytest.mark.parametrize("method", METHODS)
async def test_a_cancel_ends_the_action_and_its_workers(server, method):
    async with visit(server.address, "loads") as page:
        await begin(page, 1, "begin", method=method, index=NAP)
        pids = await page.read_until("began")
        await page.send(__cancel=1)
        assert (await end(page, 1))["outcome"] == "cancelled"
        await wait_gone(pids)
        assert (await page.call("epoch", {"method": method}))[0]["sums"] == SUMS


@pytest.mark.expected_log
@pytest.mark.parametrize("method", METHODS)
async def test_a_worker_that_dies_fails_the_action_and_not_the_kernel(server, method):
    async with visit(server.address, "loads") as page:
        kernel = server.kernel("loads").pid
        await begin(page, 1, "begin", method=method, index=KILL)
        pids = await page.read_until("began")
        load = await end(page, 1)
        assert load["outcome"] == "error"
        assert "a worker was ended by signal 9" in load["error"]["message"]
        await wait_gone(pids)
        assert (await page.call("epoch", {"method": method}))[0]["sums"] == SUMS
        assert server.kernel("loads").pid == kernel


@pytest.mark.parametrize("method", METHODS)
async def test_persistent_workers_stay_idle_and_end_with_the_kernel(ending, method):
    async with visit(ending.address, "loads") as page:
        first, _ = await page.call("keep", {"method": method})
        second, _ = await page.call("keep", {"method": method})
        assert first == second
        before = [psutil.Process(pid).cpu_times().user for pid in first["pids"]]
        kernel = ending.kernel("loads")
        below = [child.pid for child in kernel.children(recursive=True)]
        assert set(first["pids"]) <= set(below)
        await page.call("epoch", {"method": method})  # something happens meanwhile
        after = [psutil.Process(pid).cpu_times().user for pid in first["pids"]]
        assert all(b - a < 0.5 for a, b in zip(before, after, strict=True))
    ending.stop()
    await wait_gone(below)


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
async def test_joblib_computes_and_ends_with_the_kernel(ending, backend):
    async with visit(ending.address, "loads") as page:
        result, _ = await page.call("job", {"backend": backend})
        assert [square for square, _ in result] == [0, 1, 4, 9, 16, 25]
        kernel = ending.kernel("loads")
        pids = {pid for _, pid in result}
        assert (pids == {kernel.pid}) == (backend == "threading")
        below = [child.pid for child in kernel.children(recursive=True)]
    ending.stop()
    await wait_gone(below)


async def test_a_cancel_ends_what_joblib_computes(ending):
    async with visit(ending.address, "loads") as page:
        await begin(page, 1, "jobs")
        await page.read_until("began")
        kernel = ending.kernel("loads")
        await wait_until(lambda: len(kernel.children(recursive=True)) >= 2)
        await page.send(__cancel=1)
        assert (await end(page, 1))["outcome"] == "cancelled"
        assert [s for s, _ in (await page.call("job", {"backend": "loky"}))[0]][-1] == 25
        below = [child.pid for child in kernel.children(recursive=True)]
    ending.stop()
    await wait_gone(below)
