"""The relay's subprocess: echoes opaque bytes, and knows two commands of the benchmark."""

from __future__ import annotations

import json
import os
import sys
import threading

import zmq

STREAM = b'{"signal": "stream"'
SHARE = b'{"signal": "share"'


def _exit_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main(endpoint: str) -> None:
    """Answer until the parent is gone."""
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
    socket.setsockopt(zmq.IDENTITY, b"echoer")
    socket.connect(endpoint)
    socket.send(b"hello")
    while True:
        page, message = socket.recv_multipart()
        if message.startswith(STREAM):
            for i in range(json.loads(message)["load"]):
                socket.send_multipart([page, b'{"signal": "tick", "load": %d}' % i])
        elif message.startswith(SHARE):
            value = json.loads(message)["load"]
            socket.send_multipart(
                [b"*", b'{"signal": "class_data", "load": {"shared": %d}}' % value]
            )
        else:
            socket.send_multipart([page, message])


if __name__ == "__main__":
    main(sys.argv[1])
