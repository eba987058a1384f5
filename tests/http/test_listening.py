"""Accepting: paused, resumed, and what the system refuses."""

import asyncio
import errno
import socket

import pytest

from databench.http import bind
from databench.http.listening import Listener


class Fake:
    """What the server does about connections."""

    def __init__(self):
        self.streams = []
        self.failures = []
        self.may = True
        self.changed = asyncio.Event()
        self.listener = Listener(
            self.take, may_accept=lambda: self.may, on_failure=self.fail, max_buffer_size=2**20
        )

    def take(self, stream, address):
        self.streams.append(stream)
        self.changed.set()

    def fail(self, error):
        self.failures.append(error)
        self.listener.pause()
        self.changed.set()

    async def wait(self, is_there):
        while not is_there():
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), 10)


@pytest.fixture
async def fake():
    fake = Fake()
    [bound] = bind("127.0.0.1", 0)
    fake.address = bound.getsockname()
    fake.bound = bound
    yield fake
    for stream in fake.streams:
        stream.close()
    fake.listener.stop()


async def settle():
    for _ in range(5):
        await asyncio.sleep(0.001)


async def test_paused_listener_leaves_connections_to_the_system_until_it_resumes(fake):
    fake.listener.add(fake.bound)
    fake.listener.pause()
    with socket.create_connection(fake.address, 5):
        await settle()
        assert fake.streams == []
        fake.listener.resume()
        fake.listener.resume()
        await fake.wait(lambda: fake.streams)
    assert len(fake.streams) == 1


async def test_nothing_is_accepted_that_may_not_be(fake):
    fake.may = False
    fake.listener.add(fake.bound)
    with socket.create_connection(fake.address, 5):
        await settle()
        assert fake.streams == []
        fake.may = True
        await fake.wait(lambda: fake.streams)


class Refusing:
    """A listening socket at which the system refuses."""

    def __init__(self, bound, numbers):
        self._bound = bound
        self._numbers = list(numbers)

    def __getattr__(self, name):
        return getattr(self._bound, name)

    def accept(self):
        if self._numbers:
            raise OSError(self._numbers.pop(0), "refused")
        return self._bound.accept()


async def test_refusal_of_the_system_pauses_and_raises_nothing(fake):
    fake.listener.add(Refusing(fake.bound, [errno.EMFILE]))
    with socket.create_connection(fake.address, 5):
        await fake.wait(lambda: fake.failures)
        await settle()
        assert [error.errno for error in fake.failures] == [errno.EMFILE]
        assert fake.streams == []
        fake.listener.resume()
        await fake.wait(lambda: fake.streams)


async def test_connection_that_is_gone_before_it_is_accepted_is_no_failure(fake):
    fake.listener.add(Refusing(fake.bound, [errno.ECONNABORTED, errno.EPROTO]))
    with socket.create_connection(fake.address, 5):
        await fake.wait(lambda: fake.streams)
    assert fake.failures == []


async def test_stream_says_once_that_its_descriptor_is_closed(fake):
    closed = []
    fake.listener.add(fake.bound)
    with socket.create_connection(fake.address, 5):
        await fake.wait(lambda: fake.streams)
        [stream] = fake.streams
        stream.on_closed = lambda: closed.append(stream)
        stream.close()
        stream.close()
    assert closed == [stream]


async def test_small_writes_are_sent_at_once_from_the_first_answer_on(fake):
    fake.listener.add(fake.bound)
    with socket.create_connection(fake.address, 5):
        await fake.wait(lambda: fake.streams)
        [stream] = fake.streams

        def is_prompt():
            return stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1

        stream.set_nodelay(False)
        assert not is_prompt()
        stream.set_nodelay(True)
        stream.set_nodelay(False)  # as Tornado does after each answer, the upgrade among them
        assert is_prompt()
