"""One kernel process with the front's side of its socket.

Owns the ROUTER, the process and what was received and not yet asked for; `ledger` sees to the
rules. Every wait ends after `limit_s` with a sentence for the kernel's author.

Theory of operation: one thread, which reads the socket only while a case waits for something. So
what a kernel sends at other times lies in the socket until the next wait, in its order.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgpack
import zmq

from ..protocol import codec
from ..protocol import messages as m
from ..settings import Settings
from .case import ConformanceError, MissingPartError, StartError
from .ledger import Ledger
from .process import KernelProcess
from .target import Target
from .trace import describe

WINDOW_BYTES = 4 * 2**20
UNKNOWN_ACTION = "no_such_action"
REQUIRED = ("echo", "nothing", "add", "fail")  # without them, there is little to test
_TO, _FROM = "front → kernel", "kernel → front"
_FRAMES = 400  # lines of the trace that are kept
_UNREAD_S = 0.2
_TURN_S = 0.05  # between two looks at whether the process still runs

_MAY_NAME_NO_REQUEST = (m.Emit, m.StateChange, m.Log)

M = TypeVar("M", bound=m.Message)


class PlayedFront:
    """Starts a kernel and talks to it.

    Args:
        target: The kernel.
        limit_s: The longest wait for an answer.
        start_limit_s: The longest wait for `hello`.
        window_bytes: Credit of each session.
        cli_args: For `welcome`.
        class_values: Values of `class_data`, JSON, by key; each has the version 1.
        is_grown: Whether each header carries fields of a later version behind its own.

    Attributes:
        trace: Each message, as a line.
        pays: Whether read messages give their credit back.
    """

    def __init__(
        self,
        target: Target,
        *,
        limit_s: float,
        start_limit_s: float,
        window_bytes: int = WINDOW_BYTES,
        cli_args: Sequence[str] = (),
        class_values: Mapping[str, bytes] | None = None,
        is_grown: bool = False,
    ) -> None:
        self.limit_s = limit_s
        self._start_limit_s = start_limit_s
        self.window_bytes = window_bytes
        self.cli_args = tuple(cli_args)
        self.class_values = dict(class_values or {})
        self.is_grown = is_grown
        self.trace: deque[str] = deque(maxlen=_FRAMES)
        self.pays = True
        self._token = secrets.token_urlsafe(12)
        self.ledger = Ledger(self._token)
        self._received: deque[m.Message] = deque()
        self._owed: dict[str, int] = {}
        self._number = self._opened = 0
        self._unknown: m.Error | None = None
        self._strangers: list[str] = []
        self._name = f"k1.1.{secrets.token_hex(4)}"
        # Short: the path of a socket has to stay below 107 bytes.
        self._folder = tempfile.mkdtemp(prefix="databench-")
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._bind_and_start(target)

    def _bind_and_start(self, target: Target) -> None:
        for option in (zmq.SNDHWM, zmq.RCVHWM, zmq.LINGER):
            self._socket.setsockopt(option, 0)
        endpoint = f"ipc://{self._folder}/front"
        try:
            self._socket.bind(endpoint)
            variables = self._compose_variables(target, endpoint)
            self.process = KernelProcess(target.command, variables, target.root)
        except BaseException:
            self._close_socket()
            raise

    def _compose_variables(self, target: Target, endpoint: str) -> dict[str, str]:
        return {
            "MPLBACKEND": "agg",
            "PYTHONUNBUFFERED": "1",
            "PYTHONUTF8": "1",
            "DATABENCH_FRONT": secrets.token_urlsafe(12),
            "DATABENCH_ENDPOINT": endpoint,
            "DATABENCH_KERNEL": self._name,
            "DATABENCH_TOKEN": self._token,
            "DATABENCH_ANALYSIS": target.folder.name,
            "DATABENCH_MODULE": f"{target.folder.name}.analysis",
            "DATABENCH_FOLDER": str(target.folder),
            "DATABENCH_LOG": "INFO",
            "DATABENCH_SETTINGS": json.dumps(dict(Settings().values)),
            "DATABENCH_SCRIPT": "",
        }

    # -- sending

    def send(self, message: m.Message) -> None:
        """Send a message."""
        self.ledger.note(message)
        frames = codec.encode(message)
        if self.is_grown:
            frames[0] = msgpack.packb([*msgpack.unpackb(frames[0]), "of a later version", 7, None])
        self.send_frames(frames)

    def send_frames(self, frames: Sequence[bytes]) -> None:
        """Send any frames."""
        self.trace.append(describe(_TO, frames, self._token))
        self._socket.send_multipart([self._name.encode(), *frames])

    def greet(self) -> m.Hello:
        """Wait for `hello` and answer with `welcome`."""
        hello = self.wait_hello()
        self.send(
            m.Welcome(
                window_bytes=self.window_bytes,
                debug=True,
                cli_args=self.cli_args,
                class_keys=tuple((key, 1) for key in self.class_values),
                further=tuple(self.class_values.values()),
            )
        )
        return hello

    def wait_hello(self) -> m.Hello:
        """Wait for `hello`.

        Raises:
            StartError: It does not come, or is not as it should be.
        """
        try:
            hello = self.expect(m.Hello, "hello", limit_s=self._start_limit_s)
        except ConformanceError as failure:
            mistakes = "".join(f"; {text}" for text in self.ledger.mistakes + self._strangers)
            raise StartError(f"{failure}{mistakes}") from None
        if self.ledger.mistakes:
            raise StartError("; ".join(self.ledger.mistakes))
        return hello

    def open(
        self,
        *,
        request_args: str = "",
        restored: str | None = None,
        data: Mapping[str, bytes] | None = None,
    ) -> str:
        """Open a session; returns its id. Actions may follow before `opened` comes."""
        self._opened += 1
        session = f"session-{self._opened}"
        values = dict(data or {})
        self.send(
            m.Open(
                session=session,
                request_args=request_args,
                restored=restored,
                data_keys=tuple(values),
                further=tuple(values.values()),
            )
        )
        return session

    def close_session(self, session: str) -> None:
        """Close a session."""
        self.send(m.Close(session=session, reason="the suite is done with it"))

    def ask(self, session: str, name: str, argument: Any = None, payload: bytes = b"") -> int:
        """Send an action; returns the request's number.

        Args:
            session: Whose.
            name: The action.
            argument: A list for positional arguments; `None`: `payload` is sent as it is.
            payload: JSON, or empty.
        """
        self._number += 1
        body = payload if argument is None else json.dumps(argument, ensure_ascii=False).encode()
        self.send(m.Action(session=session, request=self._number, name=name, payload=body))
        return self._number

    def cancel(self, session: str, number: int, attempt: int = 1) -> None:
        """Cancel a request as the front does: by the message, and by the pipe if it is offered."""
        self.send(m.Cancel(session=session, request=number, attempt=attempt))
        if self.has("interrupt"):
            self.interrupt(number, attempt)

    def interrupt(self, number: int, attempt: int = 1) -> None:
        """Write to the interrupt pipe, and send SIGINT."""
        self.trace.append(f"{_TO}  pipe: request {number}, attempt {attempt}; SIGINT")
        self.process.interrupt(number, attempt)

    def has(self, capability: str) -> bool:
        """Whether `hello` named it."""
        return self.ledger.hello is not None and capability in self.ledger.hello.capabilities

    # -- receiving

    def _poll(self, timeout_s: float) -> bool:
        if not self._socket.poll(int(timeout_s * 1000)):
            return False
        name, *frames = self._socket.recv_multipart()
        if name != self._name.encode():
            problem = f"the routing id is {name!r}, expected {self._name!r}"
            if problem not in self._strangers:  # such a kernel comes again and again
                self._strangers.append(problem)
            return True
        self.trace.append(describe(_FROM, frames, self._token))
        for message, size in self.ledger.take(frames):
            self._received.append(message)
            if message.session is not None:
                self._owe(message.session, size)
        return True

    def _owe(self, session: str, size: int) -> None:
        """Give credit back in parts of half a window, as for a page that reads."""
        self._owed[session] = self._owed.get(session, 0) + size
        if self.pays and self._owed[session] * 2 >= self.window_bytes:
            self.pay(session)

    def pay(self, session: str) -> None:
        """Give a session's credit back for all that was read."""
        size = self._owed.pop(session, 0)
        if size and session in self.ledger.credits:
            self.send(m.Credit(session=session, size_bytes=size))

    def expect(
        self,
        kind: type[M],
        words: str,
        is_it: Callable[[M], bool] = lambda _message: True,
        *,
        limit_s: float | None = None,
    ) -> M:
        """The next message of a kind; those of others stay in their order.

        Args:
            kind: The message's class.
            words: For the failure: what is waited for.
            is_it: Which one is meant.
            limit_s: The longest wait; `None`: as for any answer.

        Raises:
            ConformanceError: None comes in time, or the process ends before.
        """
        limit_s = self.limit_s if limit_s is None else limit_s
        deadline_s = time.monotonic() + limit_s
        skipped: list[m.Message] = []
        try:
            while True:
                while self._received:
                    message = self._received.popleft()
                    if isinstance(message, kind) and is_it(message):
                        return message
                    skipped.append(message)
                self._wait_more(deadline_s, f"no {words} came", limit_s)
        finally:
            self._received.extendleft(reversed(skipped))

    def _wait_more(self, deadline_s: float, problem: str, limit_s: float) -> None:
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            raise ConformanceError(f"{problem} within {limit_s:g} s")
        has_ended = self.process.status is not None  # asked first: its last words come before it
        if not self._poll(min(left_s, _TURN_S)) and has_ended:
            raise ConformanceError(f"{problem}: the process {self.describe_end()}")

    def describe_end(self) -> str:
        """How the process ended, in words."""
        status = self.process.status
        if status is None:
            return "runs"
        return f"was ended by signal {-status}" if status < 0 else f"exited with status {status}"

    def end(self, number: int, words: str = "") -> tuple[m.Message, list[m.Message]]:
        """The end of a request, and what came before it and belongs to it."""
        words = words or f"end of request {number} (done, error or cancelled)"
        session = self.ledger.requests.get(number)
        end = self.expect(m.Message, words, lambda x: isinstance(x, m.ENDS) and x.request == number)
        return end, self._take(number, session)

    def _take(self, number: int, session: str | None) -> list[m.Message]:
        """What has come of a request; of its session also what names no request, as it may."""
        mine: list[m.Message] = []
        others: deque[m.Message] = deque()
        for message in self._received:
            is_free = message.request is None and isinstance(message, _MAY_NAME_NO_REQUEST)
            is_mine = message.request == number or (is_free and message.session == session)
            (mine if is_mine else others).append(message)
        self._received = others
        return mine

    def call(
        self, session: str, name: str, argument: Any = None, payload: bytes = b""
    ) -> tuple[m.Done, list[m.Message]]:
        """Run an action to its good end.

        Returns:
            The `done`, and what came before it.

        Raises:
            ConformanceError: It ends in another way.
            MissingPartError: The kernel has no such action.
        """
        number = self.ask(session, name, argument, payload)
        return self.done(number, name)

    def done(self, number: int, name: str) -> tuple[m.Done, list[m.Message]]:
        """The `done` of a request, as `call` gives it."""
        end, before = self.end(number, f"end of the action '{name}' (done, error or cancelled)")
        if isinstance(end, m.Error):
            raise self._explain(end, name)
        if not isinstance(end, m.Done):
            raise ConformanceError(f"the action '{name}' ended with {end.KIND}, not with done")
        return end, before

    def expect_of(
        self,
        number: int,
        name: str,
        kind: type[M],
        words: str,
        is_it: Callable[[M], bool] = lambda _message: True,
    ) -> M:
        """As `expect`, for a message that a running action sends.

        Args:
            number: The request's.
            name: The action.
            kind: The message's class.
            words: For the failure: what is waited for.
            is_it: Which one is meant.

        Raises:
            ConformanceError: As `expect`, and if the request ends with an error before.
            MissingPartError: The kernel has no such action.
        """

        def is_any(message: m.Message) -> bool:
            if isinstance(message, kind):
                return is_it(message)
            return isinstance(message, m.Error) and message.request == number

        found = self.expect(m.Message, words, is_any)
        if isinstance(found, kind):
            return found
        assert isinstance(found, m.Error), "nothing else is looked for"
        raise self._explain(found, name)

    def _explain(self, error: m.Error, name: str) -> ConformanceError | MissingPartError:
        """Why an action ended with an error."""
        if not self._is_unknown(error, name):
            text = f"the action '{name}' ended with error {error.type}: {error.text}, not with done"
            return ConformanceError(text)
        if name in REQUIRED:
            return ConformanceError(
                f"the kernel has no action '{name}', which is required: "
                "write the analysis of docs/kernels/conformance.md"
            )
        return MissingPartError(f"the kernel has no action '{name}'")

    def result(self, session: str, name: str, argument: Any = None) -> Any:
        """Run an action, and decode its result; a missing one is `None`."""
        end, _before = self.call(session, name, argument)
        return load(end.payload, f"result of '{name}'")

    def _is_unknown(self, error: m.Error, name: str) -> bool:
        """Whether an action's error says that there is no such action.

        That is known by asking for an action that no analysis has, once.
        """
        if self._unknown is None:
            session = self.open()
            number = self.ask(session, UNKNOWN_ACTION)
            end, _before = self.end(number, f"end of the action '{UNKNOWN_ACTION}'")
            self._unknown = end if isinstance(end, m.Error) else m.Error()
            self.close_session(session)
        text = self._unknown.text.replace(UNKNOWN_ACTION, name)
        return (error.type, error.text) == (self._unknown.type, text)

    def rest(self, quiet_s: float) -> list[m.Message]:
        """All that has come and was not asked for, once nothing has come for that long."""
        deadline_s = time.monotonic() + self.limit_s
        while self._poll(quiet_s) and time.monotonic() < deadline_s:
            pass
        messages = list(self._received)
        self._received.clear()
        return messages

    # -- the end

    def vanish(self) -> None:
        """Be gone as a front that was killed: first the socket, then standard input."""
        self.trace.append(f"{_TO}  gone: the socket, then the end of standard input")
        self._socket.close()
        # Between the two, the kernel answers: it then has messages that no front will ever read.
        time.sleep(_UNREAD_S)
        self.process.end_input()

    def close(self) -> None:
        """End the kernel and everything with it."""
        self.process.close()
        self._close_socket()

    def _close_socket(self) -> None:
        self._socket.close()
        self._context.term()
        shutil.rmtree(self._folder, ignore_errors=True)


def load(payload: bytes, words: str) -> Any:
    """A payload, decoded; `None` for an empty one.

    Raises:
        ConformanceError: It is not JSON.
    """
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(payload) if payload else None
    raise ConformanceError(f"the {words} is not JSON: {payload[:80]!r}")
