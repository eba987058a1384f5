"""Messages of several frames, held against what pyzmq itself sends and receives."""

import pytest
import zmq

from databench import multipart


@pytest.fixture
def pair():
    context = zmq.Context()
    left, right = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
    for socket in (left, right):
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVTIMEO, 5000)
    left.bind("inproc://test")
    right.connect("inproc://test")
    yield left, right
    left.close()
    right.close()
    context.term()


@pytest.mark.parametrize(
    "frames", [[b"one"], [b"", b""], [b"header", b"payload", b"", b"further" * 20_000]]
)
def test_what_is_sent_is_what_pyzmq_receives(pair, frames):
    multipart.send(pair[0], frames)
    assert pair[1].recv_multipart() == frames


@pytest.mark.parametrize("frames", [[b"one"], [b"", b""], [b"a", b"b" * 100_000, b""]])
def test_what_pyzmq_sends_is_what_is_received(pair, frames):
    pair[0].send_multipart(frames)
    pair[0].send_multipart([b"next"])
    assert pair[1].poll(5000)
    assert multipart.receive(pair[1]) == frames
    assert multipart.receive(pair[1]) == [b"next"]


def test_an_empty_socket_says_so_at_once(pair):
    assert not multipart.has_message(pair[1])
    with pytest.raises(zmq.Again):
        multipart.receive(pair[1])


def test_a_message_is_there_as_soon_as_it_is_sent(pair):
    multipart.send(pair[0], [b"one", b"two"])
    assert multipart.has_message(pair[1])
    assert multipart.receive(pair[1]) == [b"one", b"two"]
    assert not multipart.has_message(pair[1])


def test_a_full_queue_takes_nothing():
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)  # without a peer its queue has no room at all
    socket.setsockopt(zmq.LINGER, 0)
    with pytest.raises(zmq.Again):
        multipart.send(socket, [b"one", b"two"])
    socket.close()
    context.term()
