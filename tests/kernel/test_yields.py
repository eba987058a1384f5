"""What generators yield: everything that tornado takes, generators, and plain values."""

import asyncio
import concurrent.futures
import functools

import pytest
import tornado.gen

from databench.datastore import Results
from databench.kernel.outlet import SENT
from databench.kernel.yields import (
    drive_asyncgen,
    drive_coroutine,
    drive_generator,
    is_result,
    is_to_await,
)


async def fail(text):
    await asyncio.sleep(0)
    raise ValueError(text)


@tornado.gen.coroutine
def later(value):
    yield tornado.gen.moment
    raise tornado.gen.Return(value)


def handler(value):
    yield asyncio.sleep(0)
    return value


async def drive(yielded):
    def generator():
        return (yield yielded)

    return await drive_generator(generator())


@pytest.mark.parametrize(
    ("make", "result"),
    [
        (lambda: None, None),
        (lambda: tornado.gen.moment, None),
        (lambda: tornado.gen.maybe_future(3), 3),
        (lambda: asyncio.sleep(0, "slept"), "slept"),
        (lambda: asyncio.ensure_future(asyncio.sleep(0, 5)), 5),
        (lambda: later(1), 1),
        (lambda: handler(2), 2),
        (list, []),
        (dict, {}),
        (lambda: [later(1), None, asyncio.sleep(0, 2), 3, handler(4)], [1, None, 2, 3, 4]),
        (lambda: {"a": later(1), "b": [asyncio.sleep(0, 2)]}, {"a": 1, "b": [2]}),
        (lambda: 5, 5),
        (lambda: "text", "text"),
        (lambda: tornado.gen.sleep(0.001), None),
    ],
)
async def test_what_is_yielded_is_waited_for_and_its_result_sent_in(make, result):
    assert await drive(make()) == result


async def test_an_executors_future_is_waited_for_alone_and_in_a_list():
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        assert await drive(executor.submit(int, "5")) == 5
        assert await drive([executor.submit(int, "6"), later(1)]) == [6, 1]


async def test_what_a_library_made_known_to_tornado_is_converted(monkeypatch):
    class Box:
        def __init__(self, value):
            self.value = value

    def convert(yielded, known=tornado.gen.convert_yielded):
        return later(yielded.value) if isinstance(yielded, Box) else known(yielded)

    monkeypatch.setattr(tornado.gen, "convert_yielded", convert)
    assert await drive(Box(5)) == 5


async def test_a_generator_may_end_by_tornados_return():
    def generator():
        yield
        raise tornado.gen.Return(7)

    assert await drive_generator(generator()) == 7
    assert await drive_generator(later(8)) == 8


async def test_the_first_failure_of_a_list_comes_after_all_have_ended():
    ended = []

    async def slow():
        await asyncio.sleep(0.01)
        ended.append("slow")

    with pytest.raises(ValueError, match="first"):
        await drive([slow(), fail("first"), fail("second")])
    assert ended == ["slow"]


async def test_cancelling_a_list_cancels_what_it_waits_for():
    ended = []

    async def slow(name):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append(name)
            raise

    task = asyncio.ensure_future(drive([slow("a"), {"x": slow("b")}]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert sorted(ended) == ["a", "b"]


async def test_a_list_of_what_is_done_does_not_wait():
    turns = []
    asyncio.get_running_loop().call_soon(turns.append, 1)
    done = asyncio.get_running_loop().create_future()
    done.set_result(5)
    assert await drive([done, 6]) == [5, 6]
    assert turns == []


async def test_an_async_generators_awaitables_are_awaited():
    seen = []

    async def generator():
        yield asyncio.sleep(0)
        seen.append("slept")
        yield 5
        yield None

    await drive_asyncgen(generator())
    assert seen == ["slept"]


def test_a_yield_costs_no_turn_of_the_loop_where_nothing_is_waited_for():
    def generator():
        for n in range(3):
            assert (yield n) == n
        return "end"

    step = functools.partial(drive_generator(generator()).send, None)
    with pytest.raises(StopIteration, match="end"):
        step()


async def give(value):
    return value


@pytest.mark.parametrize(
    ("returned", "is_awaited", "is_kept"),
    [
        (None, False, True),
        (5, False, True),
        (SENT, False, False),
        (Results(), False, False),
        (asyncio.sleep(0), True, True),
        (handler(3), True, True),
    ],
)
def test_what_a_handler_returned_is_awaited_or_its_result_or_neither(returned, is_awaited, is_kept):
    assert (is_to_await(returned), is_result(returned)) == (is_awaited, is_kept)
    if hasattr(returned, "close"):
        returned.close()


def test_what_a_coroutine_returns_is_awaited_too():
    for inner, result in ((give(7), 7), (5, 5), (None, None), (SENT, SENT)):
        assert asyncio.run(drive_coroutine(functools.partial(give, inner))) is result


def test_an_emit_that_has_gone_is_awaited_without_a_wait():
    async def twice():
        return [await SENT, await SENT]

    coroutine = twice()
    with pytest.raises(StopIteration) as end:
        coroutine.send(None)
    assert end.value.value == [None, None]
