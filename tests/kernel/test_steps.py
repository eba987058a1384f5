"""Coroutines and generators on the kernel's loop; tornado's things and asyncio's."""

import asyncio
import threading

import pytest

from databench.kernel.loop import KernelLoop
from databench.kernel.request import Cancelled, KernelRequest, current
from databench.kernel.steps import LoopWorker
from databench.kernel.yields import drive_asyncgen, drive_generator


@pytest.fixture
def loop():
    loop = KernelLoop()
    yield loop
    loop.close()


def run(loop, *functions):
    """Start coroutines one after another inside one callback of the loop."""
    worker = LoopWorker(threading.RLock(), loop)
    log, left = [], len(functions)

    def ended(request, result, failure):
        nonlocal left
        log.append((request.number, result, type(failure).__name__ if failure else None))
        left -= 1
        if not left:
            loop.call_soon(loop.stop)

    def begin():
        for number, function in enumerate(functions):
            log.append(f"start {number}")
            worker.start(KernelRequest(None, number, "run", b""), function(log), ended)

    loop.call_soon(begin)
    loop.run_forever()
    return log


def test_a_coroutine_that_never_waits_ends_before_the_next_one_starts(loop):
    async def quick(log):
        await asyncio.sleep(-1) if False else None
        return 5

    assert run(loop, quick, quick) == ["start 0", (0, 5, None), "start 1", (1, 5, None)]


def test_a_coroutine_runs_to_its_first_wait_before_the_next_one_starts(loop):
    async def waiting(log):
        log.append(current.get().number)
        await asyncio.sleep(0)
        return current.get().number

    assert run(loop, waiting, waiting) == ["start 0", 0, "start 1", 1, (0, 0, None), (1, 1, None)]


def test_it_runs_in_a_real_task(loop):
    async def uses_tasks(log):
        task = asyncio.current_task()
        inner = await asyncio.gather(asyncio.sleep(0, 1), asyncio.sleep(0, 2))
        try:
            await asyncio.wait_for(asyncio.sleep(60), 0.001)
        except asyncio.TimeoutError:
            inner.append("timeout")
        return [task is asyncio.current_task(), *inner]

    assert run(loop, uses_tasks)[-1] == (0, [True, 1, 2, "timeout"], None)


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, Cancelled])
def test_no_exception_ends_the_loop(loop, error):
    async def fail(log):
        raise error

    async def good(log):
        return 1

    assert run(loop, fail, good)[-3:] == [(0, None, error.__name__), "start 1", (1, 1, None)]


def test_a_generator_gets_results_and_exceptions(loop):
    async def failing():
        raise ValueError

    def generator(log):
        log.append((yield asyncio.sleep(0, "slept")))
        try:
            yield failing()
        except ValueError:
            log.append("caught")
        yield
        return "end"

    log = run(loop, lambda log: drive_generator(generator(log)))
    assert log == ["start 0", "slept", "caught", (0, "end", None)]


def test_a_generator_does_not_wait_for_what_is_done(loop):
    def generator(log):
        done = loop.create_future()
        done.set_result(1)
        log.append((yield done))
        return "end"

    drive = lambda log: drive_generator(generator(log))  # noqa: E731
    assert run(loop, drive, drive) == [
        "start 0",
        1,
        (0, "end", None),
        "start 1",
        1,
        (1, "end", None),
    ]


def test_an_async_generators_awaitables_are_awaited(loop):
    async def generator(log):
        yield asyncio.sleep(0)
        log.append("slept")
        yield 5
        yield None

    assert run(loop, lambda log: drive_asyncgen(generator(log)))[1:] == ["slept", (0, None, None)]


def test_a_cancel_that_came_right_before_the_first_step_is_raised_in_it(loop):
    request, ends, ran = KernelRequest(None, 1, "run", b""), [], []
    worker = LoopWorker(threading.RLock(), loop)

    async def code():
        ran.append(1)

    request.wanted = 1
    worker.start(request, code(), lambda *end: ends.append(end))
    ((ended, _result, failure),) = ends
    assert (ended, type(failure), ran) == (request, Cancelled, [])
    assert request.raised == 1
    assert worker.current is None


def test_a_cancel_that_came_right_before_a_later_step_is_raised_where_it_waits(loop):
    request, seen = KernelRequest(None, 1, "run", b""), []
    worker = LoopWorker(threading.RLock(), loop)

    async def code():
        try:
            await asyncio.sleep(0)
        except Cancelled:
            seen.append("cancelled")

    def ended(*_end):
        loop.call_soon(loop.stop)

    def begin():
        worker.start(request, code(), ended)
        request.wanted = 1

    loop.call_soon(begin)
    loop.run_forever()
    assert seen == ["cancelled"]
