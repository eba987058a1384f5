"""A kernel by the page: docs/protocol.md in as few lines as it takes, no line of databench.

It answers `echo` with its payload. The other actions misbehave on purpose; the tests of the broker
name them. So do some names of the analysis: `dies` exits before hello (unless `STUB_IS_MENDED` is
set), `mute` never sends hello, `imposter` has a wrong token, `ancient` speaks another version,
`nameless` sets no routing id and `misnamed` a wrong one, `mumbles` says hello with text for a
number, `binary` says it in bytes; `cancels` can cancel; `declares` lets pages ask for `echo` and
`set_state` alone; `repeats` lets some actions run twice, `forgets` too, but only in its first
process.
"""

import json
import os
import signal
import subprocess
import sys
import time

import msgpack
import zmq

ANALYSIS = os.environ["DATABENCH_ANALYSIS"]
context = zmq.Context()
socket = context.socket(zmq.DEALER)
NAMES = {"nameless": b"", "misnamed": b"my-kernel"}  # analyses under another routing id
NAME = NAMES.get(ANALYSIS, os.environ["DATABENCH_KERNEL"].encode())
if NAME:
    socket.setsockopt(zmq.IDENTITY, NAME)
socket.setsockopt(zmq.SNDHWM, 0)
socket.setsockopt(zmq.LINGER, 5000)
socket.connect(os.environ["DATABENCH_ENDPOINT"])
opened = {}  # session id to the fields of `open`
held = []  # requests that wait for `release`
class_values = []  # as `welcome` brought them
told = []  # the last value of class_data that was sent
closed_sessions = []
eaten = []  # memory that a session's start took


def send(kind, session=None, request=None, *tail, payload=b"", further=()):
    socket.send_multipart([msgpack.packb([kind, session, request, *tail]), payload, *further])


def done(session, request, payload=b""):
    send("done", session, request, payload=payload)


# -- actions that behave ---------------------------------------------------------------------------


def echo(session, request, payload):
    send("emit", session, request, "echo", payload=payload)
    done(session, request)


def result(session, request, payload):
    done(session, request, payload)


def pid(session, request, _payload):
    done(session, request, b"%d" % os.getpid())


def state(session, request, payload):
    send("state", session, request, "data", "k", None, payload=payload)
    done(session, request)


def state_key(session, request, payload):
    """A value by its key."""
    key, value = json.loads(payload)
    send("state", session, request, "data", key, None, payload=json.dumps(value).encode())
    done(session, request)


def state_hooked(session, request, payload):
    """What pages see differs from what is stored."""
    send("state", session, request, "data", "k", None, payload=b'"shown"', further=[payload])
    done(session, request)


def stepped(session, request, payload):
    for _ in range(50):
        send("emit", session, request, "step", payload=payload)
    echo(session, request, payload)


def state_echo(session, request, payload):
    send("state", session, request, "data", "k", None, payload=payload)
    echo(session, request, payload)


def class_state(session, request, payload):
    send("state", None, None, "class_data", "c", None, payload=payload)
    done(session, request)


def fail(session, request, _payload):
    send("error", session, request, "ValueError", "it failed", payload=b'"trace"')


def log(session, request, payload):
    send("log", session, request, "warn", payload=payload)
    done(session, request)


def progress(session, request, _payload):
    send("progress", session, request, 0.5, 1.0)
    send("progress", session, request, float("nan"), None)
    done(session, request)


def batch(session, request, _payload):
    inner = [[msgpack.packb(["emit", session, request, "b"]), b"%d" % n] for n in range(3)]
    socket.send_multipart([msgpack.packb(["batch", None, None]), msgpack.packb(inner)])
    done(session, request)


def bad_end(session, request, payload):
    """An end that cannot be read, in one of these forms."""
    forms = {
        "in bytes": [b"done", session.encode(), request],
        "as text": ["done", session, str(request)],
        "as a float": ["done", session, float(request)],
        "without a request": ["done", session],
        "of another session": ["done", "nobody", request],
        "error without a type": ["error", session, request],
    }
    socket.send_multipart([msgpack.packb(forms[json.loads(payload)]), b""])


def bad_end_in_a_batch(session, request, _payload):
    """Between two messages that are fine."""
    emit = [msgpack.packb(["emit", session, request, "b"]), b"1"]
    bad = [msgpack.packb([b"done", session, request]), b""]
    socket.send_multipart([msgpack.packb(["batch", None, None]), msgpack.packb([emit, bad, emit])])


def large(session, request, payload):
    """An emit of so many bytes, then the end."""
    send("emit", session, request, "large", payload=b"1" * json.loads(payload))
    done(session, request)


def never(_session, _request, _payload):
    """Stays open for good."""


def hold(session, request, payload):
    """Stays open until `release`."""
    held.append((session, request))
    send("emit", session, request, "held", payload=payload)


def release(session, request, _payload):
    while held:
        done(*held.pop(0))
    done(session, request)


def raw(session, request, payload):
    """Sends the frames that the page gives, as hexadecimal words."""
    for frames in json.loads(payload):
        socket.send_multipart([bytes.fromhex(frame) for frame in frames])
    done(session, request)


def sources(session, request, payload):
    """Names files as those that its code was read from."""
    send("sources", None, None, json.loads(payload), None)
    done(session, request)


def welcomed(session, request, _payload):
    done(session, request, json.dumps(class_values).encode())


def class_told(session, request, _payload):
    done(session, request, json.dumps([*told[:3], json.loads(told[3])]).encode())


def closed(session, request, _payload):
    done(session, request, json.dumps(closed_sessions).encode())


def request_args(session, request, _payload):
    done(session, request, json.dumps(opened[session]["args"]).encode())


# -- actions that end it ---------------------------------------------------------------------------


def leave(_session, _request, payload):
    print("last words", file=sys.stderr, flush=True)
    sys.exit(int(payload))


def segfault(_session, _request, _payload):
    os.kill(os.getpid(), signal.SIGSEGV)


def say_bye(_session, _request, _payload):
    send("bye", None, None, "tired")
    socket.close()
    context.term()
    sys.exit(0)


def emit_and_die(session, request, payload):
    """`[count, size]`: emits that often with a number, handed to the system, then SIGKILL."""
    count, size = json.loads(payload)
    for number in range(count):
        send("emit", session, request, "n", payload=b'[%d,"%b"]' % (number, b"x" * size))
    socket.close()  # lingers: what was sent leaves the process
    context.term()
    os.kill(os.getpid(), signal.SIGKILL)


def stream(session, request, payload):
    """Emits without an end, until it is killed."""
    payload = b'"' + b"x" * int(payload) + b'"'
    while True:
        send("emit", session, request, "n", payload=payload)


# -- actions that do harm --------------------------------------------------------------------------


def flood(session, request, payload):
    """Ignores its credit."""
    for _ in range(int(payload)):
        send("emit", session, request, "flood", payload=b'"' + b"x" * 65536 + b'"')
    done(session, request)


def class_flood(session, request, payload):  # reads no answer
    for _ in range(int(payload)):
        value = b'"' + b"x" * 65536 + b'"'
        send("state", None, None, "class_data", "c", None, payload=value)
    done(session, request)


def invalid(session, request, _payload):
    send("emit", session, request, "bad", payload=b'"\xff\xfe"')
    send("state", session, request, "data", "bad", None, payload=b'"\xff"')
    done(session, request)


def invalid_result(session, request, _payload):
    done(session, request, b'"\xff"')


def junk(session, request, _payload):
    socket.send_multipart([b"\xc1junk", b""])
    socket.send_multipart([b"\x91" * 3000, b""])
    send("emit", session, "no number", "x", payload=b"1")
    send("emit", session, request, "__connect", payload=b"1")
    send("done", session, 10**9)
    send("word of tomorrow", session, request)
    send("done", session, request, "tail of tomorrow")


def much_junk(session, request, payload):
    for _ in range(int(payload)):
        socket.send_multipart([b"\xc1junk", b""])
    done(session, request)


def freeze(session, request, payload):
    """Reads nothing for that many seconds."""
    time.sleep(float(payload))
    done(session, request)


def stubborn(session, request, _payload):
    """Ignores every message, the end of its input and SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    done(session, request)
    while True:
        time.sleep(60)


def child(session, request, payload):
    """Starts a process that stays; with `true` one that leaves the session and the group."""
    process = subprocess.Popen(["sleep", "1000"], start_new_session=json.loads(payload))
    done(session, request, b"%d" % process.pid)


DAEMON = ["env", "-i", "setsid", "-f", "/bin/sh", "-c", "echo $$; exec sleep 1000 >/dev/null 2>&1"]


def daemon(session, request, payload):
    """Starts a process without a parent, in a new session and environment."""
    done(session, request, subprocess.check_output(DAEMON).strip())


def print_lines(session, request, payload):
    """`[count, size]`: writes so many lines of that size to stdout, and ends with a word."""
    count, size = json.loads(payload)
    line = "y" * size + "\n"
    for _ in range(count // 100):
        sys.stdout.write(line * 100)
    print("that was all", file=sys.stderr, flush=True)
    sys.stdout.flush()
    done(session, request)


# -- its life --------------------------------------------------------------------------------------


def start(session, how):
    """What the query string makes the session's start do; with `=path` while that is there."""
    if how == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif how == "exit":
        os._exit(0)
    elif how == "eat":
        eaten.append(b"x" * 2**28)
        time.sleep(60)
    elif how == "hang":
        time.sleep(60)
    elif how == "late":
        send("opened", session)
        socket.close()  # lingers: what was sent leaves the process
        context.term()
        os.kill(os.getpid(), signal.SIGSEGV)


def on_open(session, args, restored, keys, values):
    if b'"deadly"' in values:
        os.kill(os.getpid(), signal.SIGSEGV)
    how, _, path = args.partition("=")
    if b'"deadly later"' in values:
        start(session, "late")
    if not path or os.path.exists(path):
        start(session, how)
    opened[session] = {"args": args}
    send("opened", session)
    said = {"restored": restored, "data": dict(zip(keys, map(json.loads, values)))}
    send("emit", session, None, "opened", payload=json.dumps(said).encode())


def on_cancel(session, request):
    if ANALYSIS == "cancels" and (session, request) in held:
        held.remove((session, request))
        send("cancelled", session, request)


def main():
    if ANALYSIS == "dies" and not os.environ.get("STUB_IS_MENDED"):
        print("no such thing", file=sys.stderr)
        sys.exit(3)
    token = os.environ["DATABENCH_TOKEN"] if ANALYSIS != "imposter" else "guessed"
    version = {"ancient": 0, "mumbles": "1"}.get(ANALYSIS, 1)
    can_cancel = ANALYSIS in ("cancels", "repeats")  # the latter only says so
    capabilities = ["ping", "cancel"] if can_cancel else ["ping"]
    if ANALYSIS == "declares":
        send("actions", None, None, ["echo", "set_state", "connected"], False)
    if ANALYSIS == "repeats" or (ANALYSIS == "forgets" and ".1." in os.environ["DATABENCH_KERNEL"]):
        send("idempotent", None, None, ["hold", "never", "segfault", "leave"])
    if ANALYSIS != "mute":
        kind = b"hello" if ANALYSIS == "binary" else "hello"
        send(kind, None, None, version, token, "stub", "none", capabilities)
    while True:
        header, payload, *further = socket.recv_multipart()
        kind, session, request, *tail = msgpack.unpackb(header)
        if kind == "action":
            act = globals().get(tail[0])
            if act is None:
                send("error", session, request, "LookupError", f"no action {tail[0]!r}")
            else:
                act(session, request, payload)
        elif kind == "welcome":
            class_values[:] = [[*k, json.loads(v)] for k, v in zip(tail[4], further)]
        elif kind == "state":
            told[:] = [*tail[1:4], payload]
        elif kind == "open":
            on_open(session, *tail[:3], further)
        elif kind == "close":
            closed_sessions.append(session)
            del opened[session]
        elif kind == "cancel":
            on_cancel(session, request)
        elif kind == "ping":
            send("pong", None, None, tail[0])
        elif kind == "shutdown":
            send("bye", None, None, "asked to")
            socket.close()
            return
        elif kind == "reject":
            sys.exit(tail[0])


main()
