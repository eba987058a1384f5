"""Children by fork: they have nothing of the kernel's, and end where their code ends."""

import os
import signal
import time

import pytest

from tests.broker.harness import is_alive
from tests.kernel.harness import Front, value

pytestmark = pytest.mark.process

SOURCE = """
    import asyncio, multiprocessing, os, signal, sys, threading, time
    import databench

    OURS = (signal.SIGINT, signal.SIGTERM)
    context = multiprocessing.get_context('fork')

    def note(number, frame):
        pass

    def look():
        '''What a child has of the kernel.'''
        try:
            loop = repr(asyncio.get_event_loop_policy().get_event_loop())
        except RuntimeError:
            loop = None
        sockets = []
        for name in os.listdir('/proc/self/fd'):
            try:
                sockets.append(os.readlink(f'/proc/self/fd/{name}').partition(':')[0])
            except OSError:
                pass
        return dict(
            handlers=[repr(signal.getsignal(n)) for n in OURS],
            mask=sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ()))),
            wakeup=signal.set_wakeup_fd(-1),
            is_plain=signal.signal.__module__ in ('signal', '_signal')
            and signal.signal.__code__.co_filename == signal.__file__,
            loop=loop,
            sockets=sockets.count('socket'),
        )

    def report(write):
        os.write(write, repr(look()).encode())

    def in_child(function):
        '''Runs it in a child; returns its status.'''
        child = os.fork()
        if child == 0:
            function()
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def sleep(_=None):
        time.sleep(60)

    def looked():
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            report(write)
            os._exit(0)
        os.waitpid(child, 0)
        found = os.read(read, 2**16).decode()
        os.close(read)
        os.close(write)
        return found

    class Demo(databench.Analysis):
        @databench.on
        def ok(self):
            return 'ok'

        @databench.on
        def look_plain(self):
            return looked()

        @databench.on
        async def look_coroutine(self):
            return looked()

        def fork(self, how):
            # In the parent the child and its status, in the child nothing.
            child = os.fork()
            if child:
                return [child, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]
            if how == 'raises':
                raise ValueError('in the child')
            if how == 'exits':
                sys.exit(7)
            return None

        @databench.on
        def fork_plain(self, how):
            return self.fork(how)

        @databench.on
        async def fork_coroutine(self, how):
            found = self.fork(how)
            if how == 'waits':
                await asyncio.sleep(0)
            return found

        @databench.on
        def fork_generator(self, how):
            found = self.fork(how)
            if how == 'waits':
                yield asyncio.sleep(0)
            return found

        @databench.on
        async def fork_task(self, how):
            return await asyncio.create_task(self.fork_coroutine(how))

        @databench.on
        def own_loop(self):
            async def three():
                await asyncio.sleep(0)
                return 3
            return in_child(lambda: os._exit(asyncio.run(three())))

        @databench.on
        async def own_loop_of_coroutine(self):
            async def three():
                await asyncio.sleep(0)
                return 3
            return in_child(lambda: os._exit(asyncio.run(three())))

        @databench.on
        def terminated(self):
            children = [context.Process(target=sleep) for _ in range(2)]
            for child in children:
                child.start()
            for child in children:
                child.terminate()
                child.join()
            return [child.exitcode for child in children]

        @databench.on
        async def pool(self, method):
            with multiprocessing.get_context(method).Pool(2) as pool:
                workers = [worker.pid for worker in pool._pool]
                pool.map_async(sleep, range(4))
                pool.terminate()
                pool.join()
            return workers

        @databench.on
        def daemon(self):
            child = os.fork()
            if child == 0:
                time.sleep(600)
                os._exit(0)
            return child
"""


@pytest.fixture(scope="module")
def front():
    with Front(SOURCE) as front:
        yield front


@pytest.mark.parametrize("action", ["look_plain", "look_coroutine"])
def test_a_child_has_no_handler_loop_or_socket_of_the_kernel(front, action):
    found = eval(value(front.run(front.open(), action)[0]))
    assert found["handlers"] == ["<built-in function default_int_handler>", "<Handlers.SIG_DFL: 0>"]
    assert found["mask"] == []
    assert found["wakeup"] == -1
    assert found["is_plain"]
    assert found["loop"] is None
    assert found["sockets"] == 0


@pytest.mark.parametrize(
    ("kind", "how", "status"),
    [
        ("plain", "returns", 0),
        ("plain", "raises", 1),
        ("plain", "exits", 7),
        ("coroutine", "returns", 0),
        ("coroutine", "raises", 1),
        ("coroutine", "exits", 7),
        ("generator", "returns", 0),
    ],
)
def test_a_child_ends_where_its_code_ends(front, kind, how, status):
    session = front.open()
    child, exited = value(front.run(session, f"fork_{kind}", how)[0])
    assert exited == status
    assert not is_alive(child)
    assert value(front.run(session, "ok")[0]) == "ok"


@pytest.mark.parametrize("how", ["returns", "waits"])
@pytest.mark.parametrize("kind", ["coroutine", "generator", "task"])
def test_a_child_that_needs_the_kernels_loop_ends(front, kind, how):
    session = front.open()
    _child, exited = value(front.run(session, f"fork_{kind}", how)[0])
    assert exited == (1 if how == "waits" or kind == "task" else 0)
    assert value(front.run(session, "ok")[0]) == "ok"


def test_a_child_that_waits_in_a_coroutine_says_why_it_ends():
    with Front(SOURCE) as front:
        front.run(front.open(), "fork_coroutine", "waits")
        front.wait_printed("it cannot await")


@pytest.mark.parametrize("action", ["own_loop", "own_loop_of_coroutine"])
def test_a_child_may_run_a_loop_of_its_own(front, action):
    assert value(front.run(front.open(), action)[0]) == 3


def test_children_are_ended_by_sigterm(front):
    assert value(front.run(front.open(), "terminated")[0]) == [-15, -15]


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_a_pool_that_is_terminated_leaves_nothing(front, method):
    session = front.open()
    workers = value(front.run(session, "pool", method)[0])
    assert not any(map(is_alive, workers))
    assert value(front.run(session, "ok")[0]) == "ok"


def test_a_child_that_lives_on_is_not_the_kernel_and_takes_sigterm():
    with Front(SOURCE) as front:
        session = front.open()
        child = value(front.run(session, "daemon")[0])
        assert value(front.run(session, "ok")[0]) == "ok"
        os.kill(child, signal.SIGTERM)
        until_s = time.monotonic() + 20
        while is_alive(child):
            assert time.monotonic() < until_s
            time.sleep(0.005)
        assert value(front.run(session, "ok")[0]) == "ok"
