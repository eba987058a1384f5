"""One frozen dataclass per message between the front and a kernel (docs/protocol.md, 4).

A class attribute `KIND` is the word on the wire. Every message has `session` and `request` (both
may be `None` if the table allows it); the fields after them travel in the header in this order;
`payload` is JSON text that the front never decodes; `further` are the frames behind it. Write
their names where you make one: the codec alone gives them by position, which takes a quarter less
time, and `tests/protocol/test_messages.py` holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

PROTOCOL_VERSION = 1


@dataclass(frozen=True, slots=True)
class Message:
    """The common part of all messages.

    Attributes:
        session: The session's id, or `None` for messages about the kernel itself.
        request: The request's number, or `None` outside of an action.
    """

    KIND: ClassVar[str] = ""
    session: str | None = None
    request: int | None = None


# ---------------------------------------------------------------- front to kernel


@dataclass(frozen=True, slots=True)
class Welcome(Message):
    """Answers `hello`: the kernel may work.

    Attributes:
        version: The protocol version that both speak.
        window_bytes: Initial credit of each session.
        debug: Whether tracebacks may be sent to pages.
        cli_args: The words after Databench's own options on the command line.
        class_keys: `[key, version]` for each value of `class_data`.
        further: The values of `class_data`, JSON, in the order of `class_keys`.
    """

    KIND: ClassVar[str] = "welcome"
    version: int = PROTOCOL_VERSION
    window_bytes: int = 0
    debug: bool = False
    cli_args: tuple[str, ...] = ()
    class_keys: tuple[tuple[str, int], ...] = ()
    payload: bytes = b""
    further: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Reject(Message):
    """Answers `hello`: the kernel must exit. `reason` is for people."""

    KIND: ClassVar[str] = "reject"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Open(Message):
    """Begins a session in the kernel.

    Attributes:
        request_args: The page's query string, with or without its `?`.
        restored: Why the session begins again (a crash, a restart), or `None` the first time.
        data_keys: Names of the values of `data`.
        further: The values of `data`, JSON, in the order of `data_keys`.
    """

    KIND: ClassVar[str] = "open"
    request_args: str = ""
    restored: str | None = None
    data_keys: tuple[str, ...] = ()
    payload: bytes = b""
    further: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Action(Message):
    """Runs the action `name`; an empty payload means no argument."""

    KIND: ClassVar[str] = "action"
    name: str = ""
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Cancel(Message):
    """Cancels a request; `attempt` counts from 1, which distinguishes a second one from an echo."""

    KIND: ClassVar[str] = "cancel"
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Close(Message):
    """Ends a session in the kernel; `reason` is for people."""

    KIND: ClassVar[str] = "close"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SetState(Message):
    """A value of `class_data` as the broker now has it (`state` on the wire).

    Attributes:
        scope: `"class_data"`.
        key: The value's name.
        version: Counts the writes of this key, from 1.
        own: Whether this answers a write of the kernel that receives it.
        accepted: False if a write named a version that was no longer current.
        payload: The current value, JSON.
    """

    KIND: ClassVar[str] = "state"
    scope: str = "class_data"
    key: str = ""
    version: int = 0
    own: bool = False
    accepted: bool = True
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Credit(Message):
    """Gives back `size_bytes` of credit to a session."""

    KIND: ClassVar[str] = "credit"
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Ping(Message):
    """Asks for a `pong` with the same `number`."""

    KIND: ClassVar[str] = "ping"
    number: int = 0


@dataclass(frozen=True, slots=True)
class Shutdown(Message):
    """Asks the kernel to end its actions, send `bye` and exit."""

    KIND: ClassVar[str] = "shutdown"
    reason: str = ""


# ---------------------------------------------------------------- kernel to front


@dataclass(frozen=True, slots=True)
class Hello(Message):
    """The first message of a kernel.

    Attributes:
        version: The protocol version that it speaks.
        token: The one-time token from its environment.
        language: For example `python 3.11.7`.
        library: Its kernel library and version.
        capabilities: Some of `cancel interrupt credit ping buffers`.
    """

    KIND: ClassVar[str] = "hello"
    version: int = PROTOCOL_VERSION
    token: str = ""
    language: str = ""
    library: str = ""
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Opened(Message):
    """The session's own start code has run as far as its first wait, or there is none."""

    KIND: ClassVar[str] = "opened"


@dataclass(frozen=True, slots=True)
class Emit(Message):
    """A signal for the session's pages; an empty payload means no message."""

    KIND: ClassVar[str] = "emit"
    signal: str = ""
    payload: bytes = b""
    further: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class StateChange(Message):
    """A changed value of `data` (with a session) or `class_data` (without one).

    Attributes:
        scope: `"data"` or `"class_data"`.
        key: The value's name.
        base: For `class_data`: the version that this write replaces, or `None` for any.
        payload: The value for pages, JSON.
        further: Empty, or one frame: the stored value, if a hook made it different; for `data`
            that frame is empty if the value was deleted.
    """

    KIND: ClassVar[str] = "state"
    scope: str = "data"
    key: str = ""
    base: int | None = None
    payload: bytes = b""
    further: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Log(Message):
    """A log line for the pages: `level` is the signal (`log`, `warn` or `error`)."""

    KIND: ClassVar[str] = "log"
    level: str = "log"
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Done(Message):
    """The request ended well; the payload is its result, or empty."""

    KIND: ClassVar[str] = "done"
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Error(Message):
    """The request, or with `request=None` the session's own code, failed.

    Attributes:
        type: The exception's name.
        text: One readable line.
        payload: The traceback, a JSON string, or empty.
    """

    KIND: ClassVar[str] = "error"
    type: str = ""
    text: str = ""
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Cancelled(Message):
    """The request was cancelled."""

    KIND: ClassVar[str] = "cancelled"


@dataclass(frozen=True, slots=True)
class Progress(Message):
    """How far the request is; `total` may be unknown."""

    KIND: ClassVar[str] = "progress"
    value: float = 0
    total: float | None = None


@dataclass(frozen=True, slots=True)
class Pong(Message):
    """Answers the `ping` of that `number`."""

    KIND: ClassVar[str] = "pong"
    number: int = 0


@dataclass(frozen=True, slots=True)
class Bye(Message):
    """The last message of a kernel that ends by itself."""

    KIND: ClassVar[str] = "bye"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sources(Message):
    """Files that the kernel has read its code from; may come before `hello`.

    Attributes:
        paths: Absolute; they add to those of earlier messages of this process.
        since_s: Unix time: none of them was read before this. A file that was modified later may
            have been read in its older form. `None` if the kernel does not know.
    """

    KIND: ClassVar[str] = "sources"
    paths: tuple[str, ...] = ()
    since_s: float | None = None


@dataclass(frozen=True, slots=True)
class Actions(Message):
    """The actions that pages may ask for; comes before `hello`.

    Attributes:
        names: The actions.
        others: Whether the kernel also looks at names that are not listed.
    """

    KIND: ClassVar[str] = "actions"
    names: tuple[str, ...] = ()
    others: bool = True


@dataclass(frozen=True, slots=True)
class Idempotent(Message):
    """Actions that may run twice; comes before `hello`, and may be left out.

    Attributes:
        names: The actions. One that was lost with its kernel is run again by the next, once.
    """

    KIND: ClassVar[str] = "idempotent"
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch(Message):
    """Several messages in one: `payload` is a msgpack array of arrays of frames."""

    KIND: ClassVar[str] = "batch"
    payload: bytes = b""


TO_KERNEL: tuple[type[Message], ...] = (
    Welcome,
    Reject,
    Open,
    Action,
    Cancel,
    Close,
    SetState,
    Credit,
    Ping,
    Shutdown,
)
FROM_KERNEL: tuple[type[Message], ...] = (
    Hello,
    Opened,
    Emit,
    StateChange,
    Log,
    Done,
    Error,
    Cancelled,
    Progress,
    Pong,
    Bye,
    Sources,
    Actions,
    Idempotent,
    Batch,
)
ENDS = (Done, Error, Cancelled)
