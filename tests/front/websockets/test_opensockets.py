"""Open websockets of one kind: told, shown and closed together, and one timer."""

import asyncio
import json

import pytest

from databench.front.websockets.opensockets import Followers, Lookers, OpenSockets


class Socket:
    def __init__(self, opened=None):
        self.frames, self.closed, self.opened = [], [], opened

    def tell(self, frame):
        self.frames.append(frame)

    show = tell

    def close(self, code, reason):
        self.closed.append((code, reason))
        if self.opened is not None:
            self.opened.discard(self)  # as a handler does when its connection ends


class Swept(OpenSockets):
    def __init__(self, period_s):
        super().__init__(period_s)
        self.sweeps = asyncio.Queue()

    def sweep(self):
        self.sweeps.put_nowait(len(self))


async def test_swept_as_long_as_one_is_open():
    opened = Swept(0.0)
    assert opened._timer is None
    sockets = [Socket(), Socket()]
    for socket in sockets:
        opened.add(socket)
    assert [await asyncio.wait_for(opened.sweeps.get(), 5) for _ in range(3)] == [2, 2, 2]
    for socket in sockets:
        opened.discard(socket)
    opened.discard(sockets[0])  # gone already
    opened._tick()
    assert opened._timer is None
    opened.add(sockets[0])
    assert opened._timer is not None
    opened.close_all(1001, "")


async def test_without_a_period_there_is_no_timer():
    opened = OpenSockets()
    opened.add(Socket())
    assert (len(opened), opened._timer) == (1, None)


async def test_closed_together_although_each_goes_away_at_once():
    opened = OpenSockets(60.0)
    sockets = [Socket(opened) for _ in range(3)]
    for socket in sockets:
        opened.add(socket)
    opened.close_all(1001, "the server stops")
    assert [socket.closed for socket in sockets] == [[(1001, "the server stops")]] * 3
    assert (len(opened), opened._timer) == (0, None)


def test_each_follower_hears_what_is_announced():
    followers, sockets = Followers(), [Socket(), Socket()]
    for socket in sockets:
        followers.add(socket)
    followers.announce(b"x")
    assert [socket.frames for socket in sockets] == [[b"x"], [b"x"]]


@pytest.fixture
async def lookers():
    kernels = []
    lookers = Lookers(lambda: kernels)
    lookers.kernels = kernels
    yield lookers
    lookers.close_all(1001, "the test is over")


async def test_lookers_are_shown_what_there_is_now(lookers):
    socket = Socket()
    lookers.add(socket)
    lookers.kernels.append({"kernel": "k1.1"})
    lookers.sweep()
    [frame] = socket.frames
    assert json.loads(frame) == {"signal": "kernels", "load": [{"kernel": "k1.1"}]}
    assert frame == lookers.compose()
