"""One simulated world, made of a seed: a front, its kernels, pages, and what happens to them."""

import asyncio
import contextlib
import contextvars
import logging
import random
import secrets
from pathlib import Path
from unittest import mock

from databench.broker import AnalysisSpec
from databench.broker import broker as broker_module
from databench.broker.sessions import persistence as persistence_module
from databench.broker.sessions import sessions as sessions_module
from databench.broker.stores import MemoryStore
from databench.broker.supervision import supervisor as supervisor_module
from databench.broker.supervision.kernelspec import KernelSpec
from databench.kernel import outlet as outlet_module
from databench.kernel import runtime as runtime_module
from databench.kernel import steps as steps_module
from databench.protocol import text
from databench.settings import Settings

from . import faults, kernel
from .checks import Audit, Truth, check_empty, check_settled
from .loop import OWNER, Life, Loop
from .wire import FrontChannel

SETTLE_S = 25.0
FIXED = {
    "session_grace_s": 3.0,
    "result_grace_s": 6.0,
    "stall_limit_s": 4.0,
    "ping_interval_s": 3.0,
    "backoff_first_s": 0.1,
    "backoff_max_s": 1.0,
    "restart_window_s": 5.0,
}


class Front(Life):
    """One life of the front: the shipped broker, and what `front/websockets/` does for it."""

    def __init__(self, world):
        super().__init__()
        self.world = world
        self.channel = None
        self.broker = None

    @property
    def tables(self):
        return self.broker._tables

    def start(self):
        root = Path("/")
        specs = {
            name: AnalysisSpec(name, root, "none", root, "sim", sharing=sharing)
            for name, sharing in self.world.sharing.items()
        }
        self.broker = broker_module.Broker(
            specs,
            self.world.settings,
            kernelspecs={"sim": self.world.kernelspec},
            store=self.world.open_store(),
        )
        starting = self.broker.start()
        with contextlib.suppress(StopIteration):
            starting.send(None)
            raise AssertionError("the broker waits while it starts")

    def receive(self, socket, frame):
        message = text.parse_page(frame)
        if not isinstance(message, text.Connect):
            self.broker.receive(socket, message)
            self.world.truth.note_wish(self, socket, message)
        elif not socket.is_left:
            socket.is_joined = True
            self.broker.join(socket.tab.analysis, socket, message)


class World:
    """Everything of one seed.

    Args:
        seed: What all that is random comes from.
        tell: Gets a line for each event, or `None`.
    """

    def __init__(self, seed, tell=None):
        self.random = random.Random(seed)
        self.loop = Loop()
        self.context = contextvars.copy_context()
        self._tell = tell
        self.settings = Settings(**{**FIXED, **faults.draw_limits(self.random)})
        self.kernelspec = KERNELSPEC
        self.sharing = {name: faults.draw_sharing(self.random) for name in kernel.ANALYSES}
        self.truth, self.audit = Truth(self), Audit(self)
        self.front = None
        self.processes, self.tabs = [], []
        self.names, self.numbers = {}, {}
        self.deaths_of_front = self.seen = 0
        self.bad_starts = self.random.choice((0, 0, 0, 0.3))
        self.delays_s = self.random.choice(
            ((0.0005,), (0.0005, 0.0005, 0.02), (0.0005, 0.01, 0.3), (0.0, 0.05, 1.0))
        )
        self.cuts = self.random.choice((0, 0, 0.5))  # of new connections, how many do not last
        self.repeats = self.random.choice(((1,), (1, 1, 4), (1, 1, 4), (4, 20)))  # of an emit
        self._has_store = self.random.random() < 0.7
        self._contents = None
        self._pids = 0

    # -- what its inhabitants ask

    def trace(self, line):
        if self._tell is not None:
            self._tell(f"{self.loop.time() - 100:8.3f}  {line}")

    def fail(self, problem):
        """Something is wrong, noticed inside of code that would catch an exception."""
        self.loop.failure = self.loop.failure or AssertionError(problem)
        self.loop.stop()

    def delay_s(self):
        return self.random.choice(self.delays_s)

    def next_pid(self):
        self._pids += 1
        return self._pids

    def open_store(self):
        """What outlives a front, without what it had not written yet."""
        if not self._has_store:
            return None
        store = MemoryStore(self._contents)
        self._contents = store.contents
        return store

    def number_of(self, id_):
        """The `__process_id` of a request, by its name here."""
        number = self.numbers[id_] = len(self.numbers) + 1
        self.names[number] = id_
        return number

    def process_of(self, record):
        """The process of an analysis' kernel, which must live."""
        name = record.kernel.routing_id
        found = [p for p in self.processes if p.routing_id == name and p.front is self.front]
        assert found and not found[-1].is_over, f"kernel {name.decode()} does not run"
        return found[-1]

    # -- its history

    def start_front(self):
        self.front = Front(self)
        self.loop.call_soon(self.front.start, context=self.front.context)

    def kill_front(self):
        """SIGKILL: the guard ends the kernels, the pages' connections are cut."""
        front = self.front
        self.trace("the front is killed")
        self.deaths_of_front += 1
        self.loop.end(front)
        for process in self.processes:
            if process.front is front and not process.is_over:
                self.loop.end(process)
        for tab in self.tabs:
            if tab.socket is not None:
                tab.lose_later(tab.socket)
        self.loop.call_later(self.random.choice((0.1, 2.0)), self.start_front)

    def run(self):
        """Live it to its end.

        Raises:
            AssertionError: Something is not as it must be.
        """
        try:
            self._run_until_failure(self._live())
        finally:
            self.loop.close()

    def _run_until_failure(self, coroutine):
        task = self.loop.create_task(coroutine)
        task.add_done_callback(lambda _task: self.loop.stop())
        self.loop.run_forever()
        if self.loop.failure is not None:
            task._log_destroy_pending = False
            raise self.loop.failure
        task.result()

    async def _live(self):
        self.start_front()
        await asyncio.sleep(0)
        await faults.play(self)
        self.trace("no more faults")
        await faults.heal(self, SETTLE_S)
        check_settled(self)
        self.trace("all is settled; everybody leaves")
        for tab in self.tabs:
            faults.leave(self, tab)
        await asyncio.sleep(2 + self.settings.result_grace_s + self.settings.session_grace_s)
        check_empty(self)


class _Clock:
    """Stands for the module `time` where a clock is read."""

    @staticmethod
    def time():
        return asyncio.get_running_loop().time()

    @staticmethod
    def monotonic():
        return asyncio.get_running_loop().time()


class _Random:
    """Stands for the module `random` in a front."""

    @staticmethod
    def uniform(low, high):
        return OWNER.get().world.random.uniform(low, high)


class _Secrets:
    """Stands for the module `secrets`: words that show whose they are."""

    compare_digest = staticmethod(secrets.compare_digest)

    @staticmethod
    def token_urlsafe(_bytes):
        return f"s{OWNER.get().world.next_pid()}"


class _Lines:
    """Stands for the readers of a kernel's output."""

    def __init__(self, *_args, **_options):
        self.last_lines = []

    def lines_since(self, _since_s):
        return []

    def finish(self):
        pass


class _Guardian:
    """Stands for the guard process."""

    def __init__(self, *_args):
        pass

    def start(self):
        pass

    def add_directory(self, directory):
        pass

    def add(self, pgid, name):
        pass

    def discard(self, pgid):
        pass


class _SocketFolder:
    """Stands for the folder of the front's socket."""

    endpoint = "ipc:///nowhere/front"

    def __init__(self, *_args):
        pass

    def open(self):
        pass

    def renew(self):
        pass

    def touch(self, _now_s):
        pass


KERNELSPEC = KernelSpec("sim", Path("/"), ("sim",), "simulated")
_REPLACED = (
    (broker_module, "Channel", FrontChannel),
    (broker_module, "Guardian", _Guardian),
    (broker_module, "SocketFolder", _SocketFolder),
    (sessions_module, "secrets", _Secrets),
    (persistence_module, "secrets", _Secrets),
    (persistence_module, "time", _Clock),
    (supervisor_module, "LocalProcess", kernel.Process),
    (supervisor_module, "Capture", _Lines),
    (supervisor_module, "random", _Random),
    (supervisor_module, "secrets", _Secrets),
    (runtime_module, "KernelChannel", kernel.Channel),
    (runtime_module, "find_handlers", lambda _class: kernel.HANDLERS),
    (runtime_module, "WorkerPool", kernel.WorkerPool),
    (runtime_module, "Flusher", kernel.Flusher),
    (outlet_module, "_monotonic", _Clock.monotonic),
    (steps_module, "time", _Clock),
)


@contextlib.contextmanager
def simulated():
    """What touches the real world is replaced as long as this lasts, and nothing is logged."""
    with contextlib.ExitStack() as stack:
        stack.callback(logging.disable, logging.root.manager.disable)
        logging.disable(logging.CRITICAL)
        for owner, name, stand_in in _REPLACED:
            stack.enter_context(mock.patch.object(owner, name, stand_in))
        for name in ("lock", "settle"):  # a kernel puts its own there
            own = kernel.Datastore.__dict__[name]
            stack.enter_context(mock.patch.object(kernel.Datastore, name, own))
        yield
