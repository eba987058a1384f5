"""Which names a page may ask for (docs/protocol.md, 4.5). Pure.

Front and kernel ask the same question, each for itself: a kernel of any language is safe behind the
front, and the kernel does not rely on it. Refused are the steps of a session's life, always, and
the names that change any value at all, unless the kernel declares them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

# A session's own steps: run by the front's `open` and `close`, never by a page.
STEPS = ("connect", "args", "connected", "disconnected")
# They change values of any name: a page may ask for them only if the analysis declares them.
WRITERS = ("set_state", "set_class_state")


@dataclass(frozen=True, slots=True)
class Declared:
    """The actions that a kernel lets pages ask for.

    Attributes:
        names: The actions.
        others: Whether the kernel also looks at names that are not listed: it has a catch-all, or
            values that inputs write.
        idempotent: Those that may run twice: they are run again if their kernel is lost.
    """

    names: Collection[str] = ()
    others: bool = True
    idempotent: Collection[str] = ()


UNDECLARED = Declared()


def find_problem(name: str, declared: Declared) -> str:
    """Why a page's action does not reach the analysis; empty: it does.

    Args:
        name: The action.
        declared: As the kernel declared it, or `UNDECLARED`.
    """
    if name in STEPS:
        return (
            f"{name!r} is a step of the session's life, which pages cannot call; not run: add an "
            "action of another name to the class"
        )
    if name in declared.names:
        return ""
    if name in WRITERS:
        return (
            f"{name!r} is not an action of this analysis; not run: give each input the name of the "
            f"value that it writes, or add to the class: {find_line(name)}"
        )
    if not declared.others:
        return f"no action {name!r:.200}; not run"
    return ""


def find_line(name: str) -> str:
    """The line that makes one of `WRITERS` an action of a class."""
    return f"on_{name} = databench.Analysis.{name}"
