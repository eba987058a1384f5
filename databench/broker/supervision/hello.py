"""Whether a kernel's `hello` is that of the process that was started (docs/protocol.md, 5)."""

from __future__ import annotations

import secrets

from ...protocol import messages as m
from ...protocol.lifecycle import State


def find_problem(hello: m.Hello, token: str, state: State) -> str:
    """Why a kernel is rejected; empty: it is welcome.

    Args:
        hello: What came by the routing id of its process.
        token: The one in the environment of its process.
        state: Its kernel's.
    """
    if not secrets.compare_digest(hello.token.encode(), token.encode()):
        return "hello with a token that is not this kernel's: send the value of DATABENCH_TOKEN"
    if hello.version != m.PROTOCOL_VERSION:
        return f"hello with protocol {hello.version}, this front speaks {m.PROTOCOL_VERSION}"
    return "" if state is State.STARTING else "a second hello"
