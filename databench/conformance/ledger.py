"""What the front knows of a kernel, and what of its messages breaks a rule. Pure.

Owns the rules that hold at any time: form, payloads, sessions, one end for each request, credit.
The cases ask for what a kernel has to do; the ledger sees to what it must not.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import RemoteProtocolError
from ..protocol import codec, violations
from ..protocol import messages as m
from ..protocol.jsontext import find_problem, find_state_problem, find_string_problem

RESERVED = ("__connect", "__kernel", "__gap", "__process", "__progress", "__reload")
_BEFORE_HELLO = (m.Hello, m.Sources, m.Actions, m.Idempotent)
_ONLY_BEFORE = (m.Actions, m.Idempotent)
_NOT_IN_BATCH = (m.Hello, m.Actions, m.Idempotent, m.Batch)


class Ledger:
    """One kernel process as its front sees it.

    Attributes:
        mistakes: What the kernel has done wrong, in words, with the section of docs/protocol.md.
        hello: Its first message, or `None`.
        credits: Open sessions, with the credit that each has left.
        requests: Open requests, with the session of each.
        batches: How many `batch` messages came.
    """

    def __init__(self, token: str) -> None:
        self.mistakes: list[str] = []
        self.hello: m.Hello | None = None
        self.actions: m.Actions | None = None
        self.idempotent: m.Idempotent | None = None
        self.sources: list[m.Sources] = []
        self.credits: dict[str, int] = {}
        self.requests: dict[int, str] = {}
        self.batches = 0
        self.window_bytes = 0
        self._token = token
        self._ended: set[int] = set()
        self._closing: set[str] = set()
        self._has_left = False

    # -- what the front sends

    def note(self, message: m.Message) -> None:
        """The front sends this."""
        session = message.session or ""
        if isinstance(message, m.Welcome):
            self.window_bytes = message.window_bytes
        elif isinstance(message, m.Open):
            self.credits[session] = self.window_bytes
        elif isinstance(message, m.Action):
            self.requests[message.request or 0] = session
        elif isinstance(message, m.Credit) and session in self.credits:
            self.credits[session] += message.size_bytes
        elif isinstance(message, m.Close):
            self.credits.pop(session, None)
            self._closing.add(session)  # a message that was sent before it read this is fine
            self.requests = {n: s for n, s in self.requests.items() if s != session}

    def forget(self, session: str) -> None:
        """The kernel has read the session's `close`: from here on it must send nothing for it."""
        self._closing.discard(session)

    # -- what the kernel sends

    def take(self, frames: Sequence[bytes]) -> list[tuple[m.Message, int]]:
        """The messages in these frames, each with its size in bytes; mistakes are left out."""
        try:
            message = codec.decode_from_kernel(frames)
        except RemoteProtocolError as error:
            names = violations.read_names(frames[0]) if frames else violations.Names()
            self._blame(str(error).removesuffix("; dropped"), names.section)
            return []
        if message is None:  # a later version's: the front ignores it
            return []
        if len(frames) < 2:
            self._blame(f"{message.KIND}: one frame; the payload's frame is always there", "3")
            return []
        if isinstance(message, m.Batch):
            return self._split(message)
        return self._admit(message, frames)

    def _split(self, batch: m.Batch) -> list[tuple[m.Message, int]]:
        self.batches += 1
        found: list[tuple[m.Message, int]] = []
        try:
            for frames in codec.split_batch(batch.payload):
                kind = violations.read_names(frames[0]).kind
                if kind in [other.KIND for other in _NOT_IN_BATCH]:
                    self._blame(f"batch: holds a {kind}", "4.2")
                else:
                    found += self.take(frames)
        except RemoteProtocolError as error:
            self._blame(str(error).removesuffix("; rest dropped"), "4.2")
        return found

    def _admit(self, message: m.Message, frames: Sequence[bytes]) -> list[tuple[m.Message, int]]:
        size = sum(map(len, frames))
        if message.session in self._closing:
            return []
        problem, section = self._find_problem(message)
        if not problem and message.session is not None:
            problem, section = self._pay(message, size)
        if problem:
            self._blame(f"{message.KIND}: {problem}", section)
        # One that cannot be used is given to the case all the same if it names a session of ours:
        # the case continues, and fails by the mistake alone.
        self._keep(message)
        return [(message, size)]

    def _find_problem(self, message: m.Message) -> tuple[str, str]:
        if self.hello is None and not isinstance(message, _BEFORE_HELLO):
            return "comes before hello", "1"
        if self.hello is not None and isinstance(message, m.Hello):
            return "comes a second time", "4.2"
        if self.hello is not None and isinstance(message, _ONLY_BEFORE):
            return "comes after hello", "4.2"
        if isinstance(message, m.Hello):
            return self._find_hello_problem(message)
        if self._has_left:
            return "comes after bye, the last message", "4.2"
        if message.session is not None and message.session not in self.credits:
            return f"for the session {message.session!r}, which is not open", "4.1"
        if isinstance(message, m.StateChange):
            if (message.session is None) != (message.scope == "class_data"):
                return f"scope {message.scope!r} with session {message.session!r}", "4.2"
        problem = _find_payload_problem(message)
        if problem:
            return f"payload is {problem}", "3"
        return self._find_request_problem(message)

    def _find_hello_problem(self, hello: m.Hello) -> tuple[str, str]:
        if hello.version != m.PROTOCOL_VERSION:
            return f"version {hello.version}, expected {m.PROTOCOL_VERSION}", "4.2"
        if hello.token != self._token:
            return "the token is not the one in DATABENCH_TOKEN", "2.1"
        return "", ""

    def _find_request_problem(self, message: m.Message) -> tuple[str, str]:
        number = message.request
        if number is None:
            return "", ""
        if number in self._ended:
            is_end = isinstance(message, m.ENDS)
            text = "a second end of" if is_end else "comes after the end of"
            return f"{text} request {number}", "4.4" if is_end else "3, Order"
        if self.requests.get(number) != message.session:
            return f"request {number} is none of session {message.session!r}", "4.4"
        return "", ""

    def _pay(self, message: m.Message, size: int) -> tuple[str, str]:
        session = message.session or ""
        credit = self.credits[session]
        self.credits[session] = credit - size
        is_counting = self.hello is not None and "credit" in self.hello.capabilities
        least = 0 if is_counting else -self.window_bytes
        if credit <= least and not (isinstance(message, m.ENDS) and message.request is not None):
            return f"sent with a credit of {credit} bytes", "6"
        return "", ""

    def _keep(self, message: m.Message) -> None:
        if isinstance(message, m.Hello):
            self.hello = self.hello or message
        elif isinstance(message, m.Actions):
            self.actions = message
        elif isinstance(message, m.Idempotent):
            self.idempotent = message
        elif isinstance(message, m.Bye):
            self._has_left = True
        elif isinstance(message, m.Sources):
            self.sources.append(message)
        elif isinstance(message, m.ENDS) and message.request in self.requests:
            del self.requests[message.request]
            self._ended.add(message.request)

    def _blame(self, text: str, section: str) -> None:
        self.mistakes.append(f"{text} (docs/protocol.md, {section})")


def _find_payload_problem(message: m.Message) -> str:
    if isinstance(message, m.StateChange):
        stored = message.further[0] if message.further else b""
        return find_state_problem(message.payload, stored)
    if isinstance(message, m.Error):
        return find_string_problem(message.payload) if message.payload else ""
    if isinstance(message, m.Emit) and message.signal in RESERVED:
        return f"for {message.signal!r}, a signal that is the front's"
    payload: bytes = getattr(message, "payload", b"")
    return find_problem(payload) if payload else ""
