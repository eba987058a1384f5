"""A real kernel process, and the least of a front: one ROUTER that speaks the protocol."""

import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections import deque
from pathlib import Path

import zmq

from databench.protocol import codec
from databench.protocol import messages as m

REPOSITORY = Path(__file__).resolve().parents[2]
LIMIT_S = 20.0


class Front:
    """Starts a kernel for the source of an analysis and talks to it.

    `cost` counts the bytes of messages with a session, as the front's credit does.
    """

    def __init__(
        self,
        source,
        *,
        name="demo",
        window_bytes=4 * 2**20,
        debug=True,
        cli_args=(),
        class_values=None,
        settings=None,
        interrupt=True,
        auto_credit=True,
        welcome=True,
        log="INFO",
        environ=None,
    ):
        self.folder = tempfile.TemporaryDirectory(prefix="kt-")
        root = Path(self.folder.name)
        package = root / "analyses" / name
        package.mkdir(parents=True)
        (root / "analyses" / "__init__.py").write_text("")
        (package / "__init__.py").write_text("")
        (package / "analysis.py").write_text(textwrap.dedent(source))
        self.path = package / "analysis.py"
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.ROUTER)
        for option in (zmq.SNDHWM, zmq.RCVHWM, zmq.LINGER):
            self.socket.setsockopt(option, 0)
        endpoint = f"ipc://{root}/s"
        self.socket.bind(endpoint)
        self.identity = b"k1.1"
        self.window_bytes = window_bytes
        self.auto_credit = auto_credit
        self.received = deque()
        self.cost = {}
        self.messages_in_batches = 0
        self.number = 0
        self.sessions = 0
        self.stderr_lines = []
        self.stdout_lines = []
        self._start(root, endpoint, package, name, settings, interrupt, log, environ)
        if welcome:
            self.hello = self.expect(m.Hello)
            values = class_values or {}
            self.send(
                m.Welcome(
                    window_bytes=window_bytes,
                    debug=debug,
                    cli_args=tuple(cli_args),
                    class_keys=tuple((key, 1) for key in values),
                    further=tuple(json.dumps(v).encode() for v in values.values()),
                )
            )

    def _start(self, root, endpoint, package, name, settings, interrupt, log, environ):
        env = dict(os.environ)
        env.update(
            DATABENCH_ENDPOINT=endpoint,
            DATABENCH_KERNEL=self.identity.decode(),
            DATABENCH_TOKEN="secret-token",
            DATABENCH_ANALYSIS=name,
            DATABENCH_MODULE=f"analyses.{name}.analysis",
            DATABENCH_FOLDER=str(package),
            DATABENCH_LOG=log,
            DATABENCH_SETTINGS=json.dumps(settings or {}),
            MPLBACKEND="agg",
            PYTHONPATH=str(REPOSITORY),
        )
        env.update(environ or {})
        fds = ()
        self.pipe = None
        if interrupt:
            read, self.pipe = os.pipe()
            env["DATABENCH_INTERRUPT_FD"] = str(read)
            fds = (read,)
        self.started_s = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, REPOSITORY / "databench/kernel/__main__.py"],
            cwd=root,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=fds,
            start_new_session=True,
        )
        if interrupt:
            os.close(read)
        self._readers = [
            threading.Thread(target=self._collect, args=pair, daemon=True)
            for pair in (
                (self.process.stdout, self.stdout_lines),
                (self.process.stderr, self.stderr_lines),
            )
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _collect(stream, lines):
        with stream:
            for line in stream:
                lines.append(line.decode(errors="replace").rstrip("\n"))

    @property
    def stderr(self):
        return "\n".join(self.stderr_lines)

    def wait_printed(self, text, lines=None):
        """Wait until the kernel has printed this (stderr by default); pipes have no order."""
        lines = self.stderr_lines if lines is None else lines
        deadline_s = time.monotonic() + LIMIT_S
        while text not in (printed := "\n".join(lines)):
            assert time.monotonic() < deadline_s, f"{text!r} is not in {printed}"
            time.sleep(0.005)

    # -- sending

    def send(self, message):
        self.send_frames(codec.encode(message))

    def send_frames(self, frames):
        self.socket.send_multipart([self.identity, *frames])

    def open(self, session=None, *, data=None, restored=None, request_args="", wait=True):
        if session is None:
            self.sessions += 1
            session = f"s{self.sessions}"
        values = data or {}
        self.send(
            m.Open(
                session=session,
                request_args=request_args,
                restored=restored,
                data_keys=tuple(values),
                further=tuple(json.dumps(v).encode() for v in values.values()),
            )
        )
        if wait:
            self.expect(m.Opened, session=session)
        return session

    def action(self, session, name, *args, payload=None):
        """Ask for an action; no args: no payload. Returns the request's number."""
        self.number += 1
        if payload is None:
            payload = json.dumps(args[0]).encode() if args else b""
        self.send(m.Action(session=session, request=self.number, name=name, payload=payload))
        return self.number

    def cancel(self, session, number, attempt=1, *, message=True, pipe=True):
        if message:
            self.send(m.Cancel(session=session, request=number, attempt=attempt))
        if pipe and self.pipe is not None:
            os.write(self.pipe, struct.pack("<QQ", number, attempt))
            os.kill(self.process.pid, signal.SIGINT)

    def credit(self, session, size_bytes):
        self.send(m.Credit(session=session, size_bytes=size_bytes))

    # -- receiving

    def _poll(self, timeout_s):
        if not self.socket.poll(timeout_s * 1000):
            return False
        _identity, *frames = self.socket.recv_multipart()
        message = codec.decode_from_kernel(frames)
        if isinstance(message, m.Batch):
            for inner in codec.split_batch(message.payload):
                self.messages_in_batches += 1
                self._account(codec.decode_from_kernel(inner), inner)
        else:
            self._account(message, frames)
        return True

    def _account(self, message, frames):
        self.received.append(message)
        if message.session is not None:
            size = sum(map(len, frames))
            self.cost[message.session] = self.cost.get(message.session, 0) + size
            if self.auto_credit:
                self.credit(message.session, size)

    def receive(self, timeout_s=LIMIT_S):
        """The next message; fails with the kernel's stderr when none comes."""
        deadline_s = time.monotonic() + timeout_s
        while not self.received:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0 or (not self._poll(min(left_s, 0.2)) and self._is_dead()):
                status = self.process.poll()
                state = "runs" if status is None else f"has ended with status {status}"
                raise AssertionError(
                    f"no message within {timeout_s} s; the kernel {state}; stderr:\n{self.stderr}"
                )
        return self.received.popleft()

    def _is_dead(self):
        return self.process.poll() is not None and not self.socket.poll(50)

    def expect(self, kind, *, timeout_s=LIMIT_S, **fields):
        """The next message of a kind with these fields; others are left in their order."""
        skipped = []
        try:
            while True:
                message = self.receive(timeout_s)
                if isinstance(message, kind) and all(
                    getattr(message, k) == v for k, v in fields.items()
                ):
                    return message
                skipped.append(message)
        except AssertionError as error:
            raise AssertionError(
                f"no {kind} with {fields}; came: {skipped[-10:]}\n{error}"
            ) from None
        finally:
            self.received.extendleft(reversed(skipped))

    def end(self, number, timeout_s=LIMIT_S):
        """The end of a request, and what came before it and belongs to it."""
        end = self.expect((m.Done, m.Error, m.Cancelled), request=number, timeout_s=timeout_s)
        mine = [x for x in self.received if x.request == number]
        self.received = deque(x for x in self.received if x.request != number)
        return end, mine

    def ends(self, numbers):
        """The ends of these requests by number; everything else that comes is dropped."""
        found = {}
        while len(found) < len(numbers):
            message = self.receive()
            if isinstance(message, (m.Done, m.Error, m.Cancelled)):
                assert message.request in numbers, message
                assert message.request not in found, message
                found[message.request] = message
        return found

    def run(self, session, name, *args, payload=None, timeout_s=LIMIT_S):
        return self.end(self.action(session, name, *args, payload=payload), timeout_s)

    def drain(self, quiet_s=0.1):
        """Everything that comes until nothing comes for a while."""
        while self._poll(quiet_s):
            pass
        messages = list(self.received)
        self.received.clear()
        return messages

    # -- the end

    def wait_exit(self, timeout_s=LIMIT_S):
        status = self.process.wait(timeout_s)
        for reader in self._readers:
            reader.join(5)
        return status

    def close(self):
        try:
            # The group, as the broker does: a cancelled action may have left a child.
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process.stdin.close()
        for reader in self._readers:
            reader.join(5)
        if self.pipe is not None:
            os.close(self.pipe)
        self.socket.close()
        self.context.term()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()


def value(message):
    """A message's payload, decoded."""
    return json.loads(message.payload)


def emits(messages):
    """Signal and value of each emit among the messages."""
    return [(x.signal, value(x) if x.payload else None) for x in messages if isinstance(x, m.Emit)]
