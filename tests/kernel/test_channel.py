"""The socket: what goes at once, what in batches, and that no arrival is missed."""

import threading
import time

import pytest
import zmq

from databench.kernel.channel import Flusher, KernelChannel
from databench.protocol import codec
from databench.protocol import messages as m


@pytest.fixture
def router(tmp_path):
    context = zmq.Context()
    socket = context.socket(zmq.ROUTER)
    socket.linger = 0
    socket.rcvhwm = 0  # what nobody reads is no reason for the other side to wait at its end
    socket.bind(f"ipc://{tmp_path}/s")
    yield socket
    socket.close()
    context.term()


@pytest.fixture
def channel(router, tmp_path):
    channel = KernelChannel(f"ipc://{tmp_path}/s", "k1.1", batch_messages=4, batch_wait_s=0.05)
    yield channel
    channel.close()


def receive(router):
    assert router.poll(5000), "nothing came"
    identity, *frames = router.recv_multipart()
    assert identity == b"k1.1"
    message = codec.decode_from_kernel(frames)
    if isinstance(message, m.Batch):
        return [codec.decode_from_kernel(inner).number for inner in codec.split_batch(frames[1])]
    return message.number


def pong(number):
    return codec.encode(m.Pong(number=number))


def test_batches_go_when_full_when_old_when_flushed_and_before_what_is_urgent(router, channel):
    begun = []
    channel.on_batch = lambda: begun.append(1)
    for number in range(4):
        channel.send_soon(pong(number), 10, 1.0)
    assert receive(router) == [0, 1, 2, 3]
    channel.send_soon(pong(4), 10, 2.0)
    channel.send_soon(pong(5), 10, 2.06)
    assert receive(router) == [4, 5]
    channel.send_soon(pong(6), 10, 3.0)
    channel.flush()
    channel.flush()
    assert receive(router) == 6
    channel.send_soon(pong(7), 10, 4.0)
    channel.post(pong(8))
    assert receive(router) == [7, 8]
    channel.send_soon(pong(9), 2**20, 5.0)
    assert receive(router) == 9
    assert len(begun) == 4
    assert channel.batch == []


@pytest.mark.parametrize("way", ["at once", "soon"])
def test_a_large_message_goes_by_itself_behind_what_is_batched(router, channel, way):
    # In a batch it might become larger than a message may be, and cost the connection.
    large = codec.encode(m.Emit(session="s", signal="large", payload=b"1" * 2**20))
    channel.send_soon(pong(1), 10, 1.0)
    if way == "soon":
        channel.send_soon(large, 2**20, 1.0)
    else:
        channel.post(large)
    assert receive(router) == 1
    assert router.recv_multipart()[2] == b"1" * 2**20


def test_a_batch_that_is_left_lying_is_sent_by_the_flusher(router, channel):
    flusher = Flusher(channel, None, 0.001)
    flusher.start()
    for number in range(3):
        with channel.lock:
            channel.on_batch = flusher.begin
            channel.send_soon(pong(number), 10, time.monotonic())
        assert receive(router) == number


def test_an_arrival_that_a_send_swallowed_is_told(router, channel):
    told = []
    channel.on_readable = lambda: told.append(1)
    channel.post(pong(1))
    receive(router)
    for number in range(200):
        router.send_multipart([b"k1.1", b"%d" % number])
        deadline_s = time.monotonic() + 5
        # Sends look at EVENTS, and one of them sees the arrival.
        while not told and time.monotonic() < deadline_s:
            channel.post(pong(0))
        assert told
        assert channel.receive() == [[b"%d" % number]]
        told.clear()


def test_at_most_64_are_received_at_once(router, channel):
    channel.post(pong(1))
    receive(router)
    for _ in range(100):
        router.send_multipart([b"k1.1", b"x"])
    got, deadline_s = 0, time.monotonic() + 5
    while got < 100 and time.monotonic() < deadline_s:
        messages = channel.receive()
        assert len(messages) <= 64
        got += len(messages)
    assert got == 100


class Calls:
    """A loop that only notes what it was asked to call."""

    def __init__(self):
        self.soon = []

    def call_soon(self, function):
        self.soon.append(function)


@pytest.mark.parametrize(
    ("is_reading", "is_loop", "calls"), [(False, True, 1), (True, True, 0), (False, False, 0)]
)
def test_the_loop_sends_a_batch_before_it_waits_unless_it_will_anyway(
    channel, is_reading, is_loop, calls
):
    loop = Calls()
    flusher = Flusher(channel, loop, 0.001)
    flusher.loop_ident = threading.get_ident() if is_loop else 0
    channel.is_reading = is_reading
    flusher.begin()
    assert loop.soon == [channel.flush] * calls
