"""A kernel that keeps each rule of docs/protocol.md, with no line of databench; or breaks one.

`FLAW` in its environment names the rule: tests/conformance/cases/ says which cases of
`databench kernel-test` notice each. It runs the conformance analysis (docs/kernels/conformance.md).

One thread: an action is a generator that yields the time at which it goes on, or `None` for as soon
as a message was read. So it reads messages while an action waits, and none while one computes.
"""

import json
import os
import signal
import struct
import sys
import time
import traceback
import urllib.parse
from collections import deque

import msgpack
import zmq

FLAW = os.environ.get("FLAW", "")
RECORD = struct.Struct("<QQ")
PIPE = int(os.environ["DATABENCH_INTERRUPT_FD"])
NOT_NUMBERS = [float("nan"), float("inf"), float("-inf")]
NAMES = [
    *("echo", "nothing", "add", "fail", "log", "progress", "wait", "compute", "stream"),
    *("set", "get", "set_class", "get_class", "add_class", "describe"),
    "not_a_number",
]


if FLAW == "four actions":
    NAMES = NAMES[:4]
elif FLAW == "no echo":
    NAMES = NAMES[1:]


class CancelledError(Exception):
    """The running request was cancelled."""


class Request:
    def __init__(self, session, number):
        self.session, self.number = session, number
        self.generator = None
        self.due_s = 0.0
        self.is_ended = self.computes = False


class Session:
    def __init__(self, id_, window):
        self.id = id_
        self.credit = window
        self.held = deque()  # frames that wait for credit, or an end behind them
        self.waiting = deque()  # actions that have not begun
        self.running = None
        self.data = {}
        self.begun = {}


context = zmq.Context()
socket = context.socket(zmq.DEALER)
if FLAW != "routing id":
    socket.setsockopt(zmq.IDENTITY, os.environ["DATABENCH_KERNEL"].encode())
for option in (zmq.SNDHWM, zmq.RCVHWM):
    socket.setsockopt(option, 0)
socket.setsockopt(zmq.LINGER, -1 if FLAW == "linger" else 0)
socket.connect(os.environ["DATABENCH_ENDPOINT"])
sessions = {}
running = None  # the request whose code runs at this moment
welcome = {"window": 0, "cli_args": []}
shared, versions, writing = {}, {}, {}  # class_data; writing: key to the writes that are to follow
answers = {}  # key to whether the last own write was accepted
common = {}  # of the flaw that mixes sessions


# -- sending ---------------------------------------------------------------------------------------


def pack(kind, session, request, *fields):
    return msgpack.packb([kind, session, request, *fields], use_bin_type=True)


def dump(value):
    if value == NOT_NUMBERS and FLAW != "nan":
        value = [None, None, None]
    return json.dumps(value, ensure_ascii=False).encode()


def send_raw(frames):
    socket.send_multipart(frames)


def send(kind, session=None, request=None, *fields, payload=b"", further=()):
    frames = [pack(kind, session, request, *fields), payload, *further]
    state = sessions.get(session)
    if state is None:
        if session is None or FLAW == "after close":
            send_raw(frames)
        return
    state.held.append((kind, frames))
    flush(state)


def flush(session):
    while session.held:
        kind, frames = session.held[0]
        if session.credit <= 0 and FLAW != "no credit":
            if FLAW == "drops" and kind == "emit":
                session.held.popleft()
                continue
            return
        session.held.popleft()
        session.credit -= sum(map(len, frames)) if FLAW != "miscounts" else 1
        send_raw(frames)


def emit(request, name, *value):
    payload = dump(value[0]) if value else b""
    if FLAW == "null for none" and not value:
        payload = b"null"
    number = None if FLAW == "emits without request" else request.number
    if FLAW == "emits twice" and name == "echo":
        send("emit", request.session.id, number, name, payload=payload)
    send("emit", request.session.id, number, name, payload=payload)


def done(request, result=None):
    session, number = request.session.id, request.number
    payload = b"" if result is None else dump(result)
    if FLAW == "text for a number":
        number = str(number)
    if FLAW == "bytes for text":
        send_raw([msgpack.packb([b"done", session.encode(), number]), payload])
        return
    if FLAW == "byte order mark" and payload:
        payload = b"\xef\xbb\xbf" + payload
    send("done", session, number, payload=payload)
    if FLAW == "two ends" and not payload:
        send("done", session, number)


def fail(request, error):
    text = "it failed" if FLAW == "error without text" else f"{type(error).__name__}: {error}"
    name = "" if FLAW == "error without type" else type(error).__name__
    trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    payload = trace.encode() if FLAW == "bare traceback" else dump(trace)
    if FLAW == "no tracebacks":
        payload = b""
    if FLAW == "empty traceback":
        payload = b'""'
    send("error", request.session.id, request.number, name, text, payload=payload)


# -- the conformance analysis ----------------------------------------------------------------------


def echo(request, value):
    if FLAW == "truncates":
        value = value[:65536] if isinstance(value, str) else value
    if FLAW == "mixes sessions" and common:
        request = common["request"]
    if FLAW == "late emit":
        done(request, [value])
        request.is_ended = True
    emit(request, "echo", value)
    if FLAW == "null is nothing" and value is None:
        return None
    return [value]
    yield


def nothing(request):
    emit(request, "nothing")
    return None
    yield


def add(request, a, b):
    return a + b
    yield


def fail_(request, text):
    raise ValueError(text)
    yield


def log(request, text):
    for level in ("log", "warn", "log" if FLAW == "no error level" else "error"):
        send("log", request.session.id, request.number, level, payload=dump(text))
    return None
    yield


def progress(request, count):
    for number in range(1, count + 1):
        value = count - number if FLAW == "progress back" else number
        total = None if FLAW == "no total" else count
        send("progress", request.session.id, request.number, value, total)
    return None
    yield


def wait(request, time_s):
    emit(request, "waiting")
    yield time.monotonic() + time_s


def compute(request, time_s):
    request.computes = True
    emit(request, "computing")
    end_s = time.monotonic() + time_s
    while time.monotonic() < end_s:
        pass
    return None
    yield


def stream(request, count):
    for number in range(count):
        if FLAW == "loses" and number == 77:
            continue
        emit(request, "number", number)
        while request.session.credit <= 0 and FLAW not in ("no credit", "drops"):
            yield None
    return None


def not_a_number(request):
    return NOT_NUMBERS
    yield


def set_(request, key, value):
    data = common if FLAW == "shares data" else request.session.data
    data[key] = value
    if FLAW != "no state":
        scope = "class_data" if FLAW == "wrong scope" else "data"
        send("state", request.session.id, request.number, scope, key, None, payload=dump(value))
    return None
    yield


def get(request, key):
    data = common if FLAW == "shares data" else request.session.data
    return [data.get(key)]
    yield


def set_class(request, key, value):
    shared[key] = value
    base = versions.get(key, 0) if FLAW == "base always" else None
    if key in writing:
        writing[key] = value if FLAW != "first write wins" else writing[key] or value
    else:
        writing[key] = None
        session = request.session.id if FLAW == "class data of a session" else None
        send("state", session, None, "class_data", key, base, payload=dump(value))
    return None
    yield


def get_class(request, key):
    return [shared.get(key)]
    yield


def add_class(request, key, number):
    while True:
        value = (shared.get(key) or 0) + number
        base = None if FLAW == "no base" else versions.get(key, 0)
        if FLAW == "nil for new" and not base:
            base = None
        answers.pop(key, None)
        writing[key] = None
        send("state", None, None, "class_data", key, base, payload=dump(value))
        while key not in answers:
            yield None
        if answers.pop(key) or FLAW == "gives up":
            return None


def describe(request):
    return {
        "cli_args": [] if FLAW == "no arguments" else welcome["cli_args"],
        "request_args": request.session.begun["args"],
        "restored": request.session.begun["restored"],
    }
    yield


ACTIONS = {name: globals().get(f"{name}_") or globals()[name] for name in NAMES}


# -- running actions -------------------------------------------------------------------------------


def begin(request, name, payload):
    value = json.loads(payload) if payload else []
    if name not in ACTIONS:
        raise LookupError(f"no action {name!r}")
    if isinstance(value, dict):
        if FLAW != "keeps process id":
            value.pop("__process_id", None)
        if FLAW == "object as one argument":
            value = [value]
        else:
            return ACTIONS[name](request, **value)
    if not isinstance(value, list) or (FLAW == "list as one argument" and len(value) == 2):
        value = [value] if FLAW != "no bare value" else [None]
    return ACTIONS[name](request, *value)


def step(request):
    """Run a request until it waits or ends."""
    global running
    session = request.session
    try:
        running = request
        request.due_s = next(request.generator) or 0.0
        return
    except StopIteration as stop:
        running = None
        if FLAW != "no end" and not request.is_ended:
            done(request, stop.value)
    except CancelledError:
        cancelled(request)
    except Exception as error:
        fail(request, error)
    finally:
        running = None
    session.running = None


def cancelled(request):
    if FLAW == "cancel as error":
        return fail(request, CancelledError("cancelled"))
    if FLAW != "cancels in silence":
        send("cancelled", request.session.id, request.number)
    if FLAW == "cancelled twice":
        send("cancelled", request.session.id, request.number)


def start(session):
    number, name, payload = session.waiting.popleft()
    request = session.running = Request(session, number)
    if FLAW == "mixes sessions":
        common.setdefault("request", request)
    try:
        request.generator = begin(request, name, payload)
    except Exception as error:
        session.running = None
        if FLAW == "dies of arguments" and isinstance(error, TypeError):
            raise
        if FLAW == "ignores the unknown" and isinstance(error, LookupError):
            return
        fail(request, error)
        return
    step(request)


def run():
    for session in list(sessions.values()):
        if session.running is None and session.waiting:
            start(session)
        elif session.running is not None and session.running.due_s <= time.monotonic():
            step(session.running)


def find_pause_s():
    """How long to wait for a message at most."""
    pause_s = 1.0
    for session in sessions.values():
        if session.running is None:
            pause_s = 0 if session.waiting else pause_s
        elif session.running.due_s:
            pause_s = min(pause_s, max(session.running.due_s - time.monotonic(), 0))
    return pause_s


def end_request(number):
    """Cancel a request that waits, or has not begun; returns whether there is one."""
    is_found = False
    for session in sessions.values():
        request = session.running
        if request is not None and (request.number == number or FLAW == "cancels anything"):
            request.generator.close()
            session.running = None
            is_found = True
            cancelled(request)
        for item in list(session.waiting):
            if item[0] == number:
                session.waiting.remove(item)
                is_found = True
                cancelled(Request(session, number))
    return is_found


def on_interrupt(_number, _frame):
    while True:
        try:
            record = os.read(PIPE, RECORD.size)
        except BlockingIOError:
            return
        if len(record) < RECORD.size:
            return
        if FLAW == "ignores the pipe":
            continue
        is_meant = running is not None and running.number == RECORD.unpack(record)[0]
        if is_meant or (FLAW == "any interrupt" and running and running.computes):
            raise CancelledError


# -- messages --------------------------------------------------------------------------------------


def on_welcome(_session, _request, _payload, further, *fields):
    welcome.update(window=fields[1], cli_args=fields[3])
    if FLAW == "strict headers" and len(fields) > 5:
        sys.exit("welcome has too many fields")
    if FLAW != "no class values":
        for (key, version), value in zip(fields[4], further):
            shared[key], versions[key] = json.loads(value), version


def on_open(id_, _request, _payload, further, *fields):
    session = sessions[id_] = Session(id_, welcome["window"])
    args, restored, keys = fields[:3]
    session.begun = {"args": urllib.parse.parse_qs(args.lstrip("?")), "restored": restored}
    if FLAW != "no restore":
        session.data.update(zip(keys, map(json.loads, further)))
    if FLAW != "not opened":
        send("opened", id_)


def on_action(id_, request, payload, _further, name, *_more):
    if id_ not in sessions:
        return
    if FLAW == "out of order" and payload == b"[10]":
        overtaken.append((request, name, payload))
        return
    sessions[id_].waiting.append((request, name, payload))
    while overtaken:
        sessions[id_].waiting.append(overtaken.pop())


overtaken = []
tainted = set()  # keys whose foreign value was taken too early


def on_cancel(_session, request, _payload, _further, *_fields):
    if not end_request(request) and FLAW == "answers late cancels":
        send("cancelled", _session, request)


def on_close(id_, *_rest):
    session = sessions.get(id_)
    if session is None:
        return
    if FLAW == "ends at close":
        sys.exit("closed")
    if FLAW == "after close" and session.running is not None:
        number = session.running.number
        send_raw([pack("done", id_, number), b""])
        late.append([time.monotonic() + 0.1, [pack("emit", id_, None, "late"), b""]])
    del sessions[id_]


late = []


def on_state(_session, _request, payload, _further, _scope, key, version, own, accepted, *_more):
    versions[key] = version
    is_own_ahead = key in writing and not own
    if FLAW == "takes foreign" and is_own_ahead:
        is_own_ahead = False
        tainted.add(key)
    elif key in tainted:
        is_own_ahead = True
    if not is_own_ahead and FLAW != "no foreign values":
        shared[key] = json.loads(payload)
    if not own:
        return
    answers[key] = accepted
    following = writing.pop(key, None)
    if following is not None:
        writing[key] = None
        if FLAW != "takes older answers":
            shared[key] = following
        send("state", None, None, "class_data", key, None, payload=dump(following))


def on_credit(id_, _request, _payload, _further, size, *_more):
    if id_ in sessions:
        sessions[id_].credit += size
        flush(sessions[id_])


def on_ping(_session, _request, _payload, _further, number, *_more):
    if FLAW == "no pong":
        return
    send("pong", None, None, number % 2**32 if FLAW == "short pong" else number)


def on_shutdown(*_rest):
    if FLAW == "ignores shutdown":
        return
    if FLAW != "no bye":
        send("bye", None, None, "asked to")
    if FLAW == "after bye":
        send("log", next(iter(sessions)), None, "log", payload=b'"late"')
    leave()


def on_reject(*_rest):
    if FLAW != "ignores reject":
        sys.exit(1)


def leave():
    socket.close(linger=1000)
    context.term()
    os._exit(0)


HANDLERS = {
    "welcome": on_welcome,
    "reject": on_reject,
    "open": on_open,
    "action": on_action,
    "cancel": on_cancel,
    "close": on_close,
    "state": on_state,
    "credit": on_credit,
    "ping": on_ping,
    "shutdown": on_shutdown,
}


def take(frames):
    try:
        kind, session, request, *fields = msgpack.unpackb(frames[0])
        handler = HANDLERS.get(kind)
        if handler is not None:
            handler(session, request, frames[1], frames[2:], *fields)
        elif FLAW == "dies of kinds":
            sys.exit(f"unknown kind {kind}")
    except (ValueError, TypeError, KeyError, IndexError) as error:
        if FLAW == "dies of junk":
            raise
        print("not understood:", error, file=sys.stderr)


def say_hello():
    if FLAW not in ("declares nothing", "four actions"):
        names = NAMES[4:] if FLAW == "declares too few" else NAMES
        paths = ["kernel.py"] if FLAW == "relative sources" else [os.path.abspath(__file__)]
        send("sources", None, None, paths, None)
        send("actions", None, None, names, False)
        send("idempotent", None, None, ["wait", "w"] if FLAW == "odd idempotent" else ["wait"])
    token = "guessed" if FLAW == "wrong token" else os.environ.pop("DATABENCH_TOKEN")
    version = "1" if FLAW == "version as text" else 1
    language = "" if FLAW == "no language" else "flawed"
    capabilities = ["cancel", "interrupt", "credit", "ping"]
    if FLAW == "no capabilities":
        capabilities = []
    if FLAW != "no hello":
        send("hello", None, None, version, token, language, "none", capabilities)


def main():
    if FLAW == "dies at start":
        sys.exit("no such module")
    signal.signal(signal.SIGINT, on_interrupt if FLAW != "dies of SIGINT" else signal.SIG_DFL)
    if FLAW == "ignores SIGTERM":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say_hello()
    poller = zmq.Poller()
    poller.register(socket, zmq.POLLIN)
    if FLAW != "ignores its input":
        poller.register(0, zmq.POLLIN)
    while True:
        ready = dict(poller.poll(find_pause_s() * 1000 if not late else 20))
        if 0 in ready and not os.read(0, 4096):
            if FLAW == "linger":
                context.destroy()
            os._exit(0)
        if socket in ready:
            take(socket.recv_multipart())
        while late and late[0][0] <= time.monotonic():
            send_raw(late.pop(0)[1])
        run()


main()
