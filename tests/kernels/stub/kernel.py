"""A kernel by the page: docs/protocol.md in as few lines as it takes, no line of databench.

It answers `echo` with its payload. The other actions misbehave on purpose; the tests of the broker
name them.
"""

import json
import os
import signal
import sys
import time

import msgpack
import zmq

context = zmq.Context()
socket = context.socket(zmq.DEALER)
socket.setsockopt(zmq.IDENTITY, os.environ["DATABENCH_KERNEL"].encode())
socket.setsockopt(zmq.LINGER, 5000)
socket.connect(os.environ["DATABENCH_ENDPOINT"])


def send(kind, session=None, request=None, *tail, payload=b"", further=()):
    socket.send_multipart([msgpack.packb([kind, session, request, *tail]), payload, *further])


def act(session, request, name, payload):
    if name == "echo":
        send("emit", session, request, "echo", payload=payload)
        send("done", session, request)
    elif name == "result":
        send("done", session, request, payload=payload)
    elif name == "state":
        send("state", session, request, "data", "k", None, payload=payload)
        send("done", session, request)
    elif name == "class_state":
        send("state", None, None, "class_data", "c", None, payload=payload)
        send("done", session, request)
    elif name == "fail":
        send("error", session, request, "ValueError", "it failed", payload=b'"trace"')
    elif name == "exit":
        print("last words", file=sys.stderr, flush=True)
        sys.exit(int(payload))
    elif name == "emit_and_die":
        for number in range(int(payload)):
            send("emit", session, request, "n", payload=b"%d" % number)
        socket.close()  # lingers: what was sent leaves the process
        context.term()
        os.kill(os.getpid(), signal.SIGKILL)
    elif name == "flood":  # ignores its credit
        for _ in range(int(payload)):
            send("emit", session, request, "flood", payload=b'"' + b"x" * 65536 + b'"')
        send("done", session, request)
    elif name == "invalid":
        send("emit", session, request, "bad", payload=b'"\xff\xfe"')
        send("done", session, request)
    elif name == "junk":
        socket.send_multipart([b"\xc1junk", b""])
        socket.send_multipart([b"\x91" * 3000, b""])
        send("emit", session, "no number", "x", payload=b"1")
        send("emit", session, request, "__connect", payload=b"1")
        send("done", session, 10**9)
        send("word of tomorrow", session, request)
        send("done", session, request, "tail of tomorrow")
    elif name == "freeze":
        time.sleep(float(payload))
        send("done", session, request)
    elif name == "batch":
        inner = [[msgpack.packb(["emit", session, request, "b"]), b"%d" % n] for n in range(3)]
        socket.send_multipart([msgpack.packb(["batch", None, None]), msgpack.packb(inner)])
        send("done", session, request)
    elif name == "never":
        pass


if os.environ["DATABENCH_ANALYSIS"] == "dies":
    sys.exit("cannot even start")
if os.environ["DATABENCH_ANALYSIS"] != "mute":
    send("hello", None, None, 1, os.environ["DATABENCH_TOKEN"], "stub", "none", ["ping"])
opened = {}
while True:
    header, payload, *further = socket.recv_multipart()
    kind, session, request, *tail = msgpack.unpackb(header)
    if kind == "action":
        act(session, request, tail[0], payload)
    elif kind == "open":
        opened = {"restored": tail[1], "data": dict(zip(tail[2], map(json.loads, further)))}
        send("opened", session)
        send("emit", session, None, "opened", payload=json.dumps(opened).encode())
    elif kind == "ping":
        send("pong", None, None, tail[0])
    elif kind == "shutdown":
        send("bye", None, None, "asked to")
        socket.close()
        break
    elif kind == "reject":
        sys.exit(tail[0])
