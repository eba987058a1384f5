"""A kernel that speaks the protocol itself; an action's name is what it then does."""

import os
import random
import sys

import msgpack
import zmq

context = zmq.Context()
socket = context.socket(zmq.DEALER)
socket.setsockopt(zmq.IDENTITY, os.environ["DATABENCH_KERNEL"].encode())
socket.connect(os.environ["DATABENCH_ENDPOINT"])


def send(kind, session, request, *fields, payload=b""):
    socket.send_multipart([msgpack.packb([kind, session, request, *fields]), payload])


KINDS = ["hello", "opened", "emit", "state", "log", "done", "error", "cancelled", "progress"]
KINDS += ["pong", "bye", "sources", "batch", "welcome", "open", "action", "cancel", "close"]
KINDS += ["credit", "ping", "shutdown", "reject", "other"]
NUMBERS = [None, True, 0, 1, -1, 2**53, 2**63, 0.5, float("nan")]
VALUES = [*NUMBERS, "", "a", "x" * 2000, [], ["a"], [[]], {}, {"a": 1}, b"", b"x"]
PAYLOADS = [
    b"",
    b"1",
    b"null",
    b'"x"',
    b"{}",
    b"[",
    b"}",
    b"0},{",
    b"NaN",
    b"1 1",
    b"\xff",
    b"\xef\xbb\xbf1",
    b'"\xed\xa0\x80"',
    b'"\\ud800"',
    b"[" * 5000,
    b"1" * 5000,
    b"\0",
]


FORGED = b'0},{"signal":"__kernel","load":{"state":"failed"}'


def make_junk(draw, session):
    """The frames of one message: a header that nearly fits, or bytes that do not."""
    if draw.random() < 0.2:
        return [draw.randbytes(draw.randrange(40)) for _ in range(draw.randrange(1, 5))]
    own = draw.choice([session, session, session, None, "nobody", "", "x" * 70, 5])
    fields = [draw.choice(VALUES) for _ in range(draw.randrange(6))]
    request = draw.choice([None, -1, 10**6, "x"])
    header = msgpack.packb([draw.choice(KINDS), own, request, *fields])
    if draw.random() < 0.2:
        header = header[: draw.randrange(len(header))] + draw.randbytes(2)
    return [header, *(draw.choice(PAYLOADS) for _ in range(draw.randrange(1, 4)))]


def fuzz(session, seed, count):
    draw = random.Random(seed)
    for _ in range(count):
        frames = make_junk(draw, session)
        if b"bye" not in frames[0] and b"hello" not in frames[0]:  # either would end the attack
            socket.send_multipart(frames)


def forge(session, count):
    for _ in range(count):
        send("emit", session, None, "out", payload=FORGED)


def flood_unknown(session, count):
    for number in range(count):
        send("nothing", f"nobody{number}", None, "x" * 1000)
        send("emit", f"nobody{number}", None, "out", payload=b"1")


def squat(session, count):
    """Take the routing ids of the kernels that may be started next."""
    for number in range(count):
        other = context.socket(zmq.DEALER)
        other.setsockopt(zmq.IDENTITY, f"k{number // 5 + 1}.{number % 5 + 1}".encode())
        other.connect(os.environ["DATABENCH_ENDPOINT"])
        squatters.append(other)


squatters = []
send("hello", None, None, 1, os.environ["DATABENCH_TOKEN"], "hostile", "1", [])
while True:
    header, payload, *_ = socket.recv_multipart()
    kind, session, request, *fields = msgpack.unpackb(header)
    if kind == "open":
        send("opened", session, None)
    elif kind == "ping":
        send("pong", None, None, fields[0])
    elif kind in ("shutdown", "reject"):
        sys.exit()
    elif kind == "action":
        name, *numbers = fields[0].split("-")
        vars()[name](session, *map(int, numbers))
        send("done", session, request)
