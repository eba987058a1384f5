"""What holds up the front is told; what waits is not."""

import asyncio
import functools

import pytest
import tornado.gen

from databench.front.handlers.blocking import BlockingWatch

now_s = [0.0]  # moved by hand


def clock():
    return now_s[0]


def block():
    now_s[0] += 0.2


def watch(limit_s=0.1):
    return BlockingWatch("x/routes.py: Get", limit_s, clock)


async def run(method, *args):
    answer = method(*args)
    return answer if answer is None or isinstance(answer, int) else await answer


def plain(n):
    block()
    return n


async def step(n):
    await asyncio.sleep(0)
    block()
    return n


@tornado.gen.coroutine
def old_step(n):
    yield tornado.gen.moment
    block()
    return n


def returns_a_coroutine(n):
    return step(n)


@pytest.mark.expected_log("blocked the server")
@pytest.mark.parametrize("method", [plain, step, old_step, returns_a_coroutine])
async def test_a_slow_step_is_told_with_name_and_duration(method, caplog):
    assert await run(watch().wrap(method), 5) == 5
    (record,) = caplog.records
    text = record.getMessage()
    assert text.startswith(f"x/routes.py: Get: {method.__name__} blocked the server for ")
    assert "for 200 ms, limit 100 ms" in text
    assert "asyncio.to_thread" in text


async def somebody_else():
    block()


async def waits():
    await asyncio.ensure_future(somebody_else())


@tornado.gen.coroutine
def waited():
    yield asyncio.ensure_future(somebody_else())


@pytest.mark.parametrize("method", [waits, waited])
async def test_waiting_holds_up_nobody(method, caplog):
    await run(watch().wrap(method))
    assert caplog.records == []


async def catches(future):
    try:
        await future
    except OSError as error:
        return f"caught {error}"


@tornado.gen.coroutine
def catches_too(future):
    try:
        yield future
    except OSError as error:
        return f"caught {error}"


@pytest.mark.parametrize("method", [catches, catches_too])
async def test_an_error_goes_where_it_belongs(method):
    future = asyncio.get_running_loop().create_future()
    future.set_exception(OSError("it"))
    assert await watch(10).wrap(method)(future) == "caught it"


@pytest.mark.parametrize("method", [plain, step, old_step])
async def test_what_it_raises_is_raised(method):
    with pytest.raises(TypeError):
        await run(watch(10).wrap(method))


def exits(error):
    raise error


async def exits_late(error):
    await asyncio.sleep(0)
    raise error


@tornado.gen.coroutine
def exits_as_of_old(error):
    yield tornado.gen.moment
    raise error


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("method", [exits, exits_late, exits_as_of_old])
async def test_what_would_end_the_server_is_an_error_like_others(method, error):
    with pytest.raises(RuntimeError, match=type(error).__name__) as caught:
        await run(watch(10).wrap(method), error)
    assert caught.value.__cause__ is error


async def test_a_cancelled_one_ends():
    ended = []

    async def never():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    task = asyncio.ensure_future(watch(10).wrap(never)())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True]


def keeps_the_door(method):
    @functools.wraps(method)
    def door(n):
        return -1

    return door


async def test_what_is_around_a_coroutine_stays_around_it():
    """functools.wraps copies Tornado's mark of a coroutine to whatever is around it."""
    method = keeps_the_door(old_step)
    assert method.__tornado_coroutine__
    assert watch(10).wrap(method)(5) == -1
