"""Simulated kernel processes: the shipped runtime, without its threads and its socket.

Sessions, lanes, credit, stores and `class_data` are those of `databench.kernel`; plain code runs
on the loop too, at some later moment.
"""

import asyncio
import contextvars
import functools
import math
import threading

from databench.analysis import Analysis, find_handlers, on
from databench.broker.supervision.launchers.local import Exit
from databench.datastore import Datastore
from databench.kernel import channel as kernel_channel
from databench.kernel import runtime
from databench.kernel.process.environment import Environment
from databench.kernel.request import Cancelled, current
from databench.protocol.codec import decode_to_kernel

from .loop import OWNER, Life
from .wire import Pipe, split


class Work(Analysis):
    """What the simulated pages call: a list of steps that comes with the request."""

    def _emit(self, id_, number, size):
        return self.emit("out", {"life": OWNER.get().pid, "id": id_, "n": number, "x": "x" * size})

    async def _take_steps(self, id_, steps):
        emits = 0
        for word, *given in steps:
            if word == "emit":
                emits += 1
                await self._emit(id_, emits, given[0])
            elif word == "throw":  # an emit that no code awaits
                emits += 1
                self._emit(id_, emits, given[0])
            elif word == "sleep":
                await asyncio.sleep(given[0])
            elif word == "count":
                world = OWNER.get().world
                world.truth.tried[type(self).__name__] += 1
                await self.class_data.change("count", lambda n: (n or 0) + 1)
                world.truth.counted[type(self).__name__] += 1
            else:
                self._say(word, *given)
        return emits

    def _say(self, word, *given):
        if word == "state":
            self.data[given[0]] = given[1]
        elif word == "class":
            self.class_data[given[0]] = given[1]
        elif word == "log":
            self.emit("log", "x" * given[0])
        elif word == "progress" and self._outlet is not None:
            self._outlet.progress(given[0], None)
        elif word == "fail":
            raise ValueError("as asked")

    @on
    async def run(self, id_, steps):
        OWNER.get().world.truth.note_run(id_)
        return await self._take_steps(id_, steps)

    @on(idempotent=True)
    async def run_twice(self, id_, steps):
        return await self.run(id_, steps)

    @on
    def plain(self, id_, steps):
        OWNER.get().world.truth.note_run(id_)
        self._take_plain_steps(id_, steps)

    @on(idempotent=True)
    def plain_twice(self, id_, steps):
        self.plain(id_, steps)

    def _take_plain_steps(self, id_, steps):
        for number, (word, *given) in enumerate(steps, 1):
            if word == "emit":
                self._emit(id_, number, given[0])
            else:
                self._say(word, *given)


IN_TIME_S, TOO_LATE_S = 0.5, 2.5  # the front sees an end within 1 s, and then waits 1 s

ANALYSES = ("a", "b")
HANDLERS = find_handlers(Work)


def load(name):
    """The result of importing the module in one process: a class with its own values."""
    store = type("Store", (Datastore,), {"_domains": {}})
    return type(name, (Work,), {"datastore_class": store})


class Channel(kernel_channel.KernelChannel):
    """The shipped channel, with a pipe for its socket."""

    def _connect(self, endpoint, routing_id):
        self._process = OWNER.get()
        self._parts = []
        self.fd = -1
        self.inbox = []
        self._send = self._put
        self._get = lambda _option: 0

    def _put(self, frame, flags):
        self._parts.append(frame)
        if flags != kernel_channel._SNDMORE:
            frames, self._parts = self._parts, []
            self._process.say(frames)

    def receive(self):
        messages, self.inbox = self.inbox, []
        return messages


class WorkerPool:
    """Stands for the threads of plain code."""

    def __init__(self, main, _make_worker, _limit, later):
        self._later = later
        self._waiting = {}
        main.ident = threading.get_ident()

    def submit(self, job):
        delay_s = OWNER.get().world.random.choice((0.0, 0.001, 0.05))
        self._waiting[job.request] = self._later(delay_s, self._run, job)

    def withdraw(self, request):
        handle = self._waiting.pop(request, None)
        if handle is None:
            return False
        handle.cancel()
        return True

    def _run(self, job):
        request = job.request
        self._waiting.pop(request, None)
        result = failure = None
        try:
            result = contextvars.copy_context().run(self._call, job)
        except Exception as error:
            failure = error
        except Cancelled as error:
            failure = error
        job.finish(request, result, failure)

    def _call(self, job):
        current.set(job.request)
        return job.function()


class Flusher(kernel_channel.Flusher):
    """The shipped one, without the thread that looks after batches: here the loop always turns."""

    def wake(self):
        pass


class Sources:
    def look(self):
        return ()


class Kernel(runtime.Kernel):
    """The shipped kernel; what ends the real process ends the simulated one."""

    def _on_shutdown(self, message):
        OWNER.get().die(Exit(status=0))

    def _on_reject(self, message):
        OWNER.get().die(Exit(status=1))

    def _on_credit(self, message):
        process = OWNER.get()
        process.world.audit.grant(process, message)
        super()._on_credit(message)

    def _on_open(self, message):
        process = OWNER.get()
        process.world.audit.open(process, message, self.context.window_bytes)
        super()._on_open(message)

    def _take(self, frames):
        message = decode_to_kernel(frames)
        self._handlers[type(message)](message)  # an exception is a failure here


class Process(Life):
    """Stands for `LocalProcess`: one life of a kernel."""

    def __init__(self, _command, environ, _cwd, on_exit, *_args, **_options):
        super().__init__()
        self.front = OWNER.get()
        self.world = world = self.front.world
        self.pid = world.next_pid()
        self.stdout_fd = self.stderr_fd = -1
        self.kernel = None
        self.void_s = math.inf
        self.name = environ["DATABENCH_ANALYSIS"]
        self.routing_id = environ["DATABENCH_KERNEL"].encode()
        self._token = environ["DATABENCH_TOKEN"]
        self._on_exit = on_exit
        channel = self.front.channel
        self.up = Pipe(world, functools.partial(channel.take, self), self.front)
        self.down = Pipe(world, self._read, self)
        world.processes.append(self)
        world.trace(f"kernel {self} begins")
        later = world.loop.call_later
        if world.random.random() < world.bad_starts:
            later(0.05, self.die, Exit(status=1), context=world.context)
        else:
            later(world.random.choice((0.01, 0.2)), self._begin, context=self.context)

    def __str__(self):
        return f"{self.name}/{self.routing_id.decode()}"

    def signal(self, number):
        self.die(Exit(signal=number))

    def signal_group(self, number):
        self.die(Exit(signal=number))

    def interrupt(self, page_record):
        pass  # the message says the same

    def die(self, how):
        """What is in the process is gone, and of what it sent lately some too."""
        if self.is_over:
            return
        world = self.world
        world.trace(f"kernel {self} {how}")
        world.loop.end(self)
        self.down.cut(0)
        self.up.cut(world.random.randint(0, len(self.up)))
        # A child of it may hold the socket: what comes after `exit_drain_s` is of no worth.
        now_s = world.loop.time()
        self.up.cut_at(now_s + IN_TIME_S, now_s + TOO_LATE_S)
        self.void_s = now_s + TOO_LATE_S
        if not self.front.is_over:
            world.loop.call_later(world.delay_s(), self._on_exit, how, context=self.front.context)

    def say(self, frames):
        """What the kernel sends."""
        if self.is_over:
            return
        for header, inner in split(frames):
            self.world.audit.spend(self, header, inner)
        self.up.put(frames)

    def _begin(self):
        environment = make_environment(self, self._token)
        self.kernel = Kernel(environment, load(self.name), Sources(), self.world.loop, None)
        self.kernel._begin_loop(threading.get_ident())
        self.front.channel.peers[self.routing_id] = self
        self.kernel._say_hello()

    def _read(self, messages):
        if self.kernel is not None:
            self.kernel.channel.inbox += messages
            self.kernel._read()


def make_environment(process, token):
    """What the real process reads from its environment."""
    return Environment(
        endpoint="",
        kernel=process.routing_id.decode(),
        token=token,
        analysis=process.name,
        module="",
        folder="",
        log_level="CRITICAL",
        interrupt_fd=None,
        settings=process.world.settings,
    )
