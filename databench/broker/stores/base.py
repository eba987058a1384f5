"""A store: it keeps `data`, `class_data` and open sessions for a later front.

Owns the interface and the table of what waits to be written. The broker decides on its own tables
and reads a store once, at its start; from then on it only hands over what has changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from ...protocol.saved import Saved
from .class_data import ClassValue

Shown = tuple[bytes, bytes]  # as pages see it, as kernels get it back


@dataclass
class Contents:
    """The contents of a store, or changes of them.

    Attributes:
        class_values: By analysis and key.
        sessions: By id, without their values.
        values: Of sessions, by id and key.
        gone: Ids of sessions to forget; empty in what a store holds.
        key: Signs what browsers keep; empty if it was not made, or has not changed.
    """

    class_values: dict[str, dict[str, ClassValue]] = field(default_factory=dict)
    sessions: dict[str, Saved] = field(default_factory=dict)
    values: dict[str, dict[str, Shown]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    key: str = ""

    def __bool__(self) -> bool:
        return bool(self.class_values or self.sessions or self.values or self.gone or self.key)

    def ids(self) -> set[str]:
        """Of every session of which something is there."""
        return {*self.sessions, *self.values}

    def update(self, newer: Contents) -> None:
        """Take in what has changed later."""
        self.key = newer.key or self.key
        for id_ in newer.gone:
            self.sessions.pop(id_, None)
            self.values.pop(id_, None)
        self.sessions.update(newer.sessions)
        for analysis, values in newer.class_values.items():
            self.class_values.setdefault(analysis, {}).update(values)
        for id_, own in newer.values.items():
            self.values.setdefault(id_, {}).update(own)


class Pending:
    """The changes that wait to be written: the newest of each, so never more than the state itself.

    Args:
        held: Ids of sessions that the store holds already.
    """

    def __init__(self, held: Iterable[str] = ()) -> None:
        self._changes = Contents()
        self._held = set(held)
        self._new: set[str] = set()  # of what was taken last, ids that the store did not hold

    def __bool__(self) -> bool:
        return bool(self._changes)

    def put_class_value(self, analysis: str, key: str, value: ClassValue) -> None:
        """A value of `class_data` was written."""
        self._changes.class_values.setdefault(analysis, {})[key] = value

    def put_key(self, key: str) -> None:
        """A key was made."""
        self._changes.key = key

    def put_session(self, id_: str, saved: Saved) -> None:
        """A session began, or it changed."""
        self._changes.sessions[id_] = saved

    def put_value(self, id_: str, key: str, shown: bytes, stored: bytes) -> None:
        """A value of a session's `data` was written."""
        self._changes.values.setdefault(id_, {})[key] = (shown, stored)

    def drop_session(self, id_: str) -> None:
        """A session was closed: nothing of it is kept."""
        self._changes.sessions.pop(id_, None)
        self._changes.values.pop(id_, None)
        if id_ in self._held:  # else no store knows of it
            self._changes.gone.add(id_)

    def take(self) -> Contents:
        """All that waits; it waits no more."""
        taken, self._changes = self._changes, Contents()
        self._new = taken.ids() - self._held
        self._held = (self._held - taken.gone) | self._new
        return taken

    def put_back(self, taken: Contents) -> None:
        """The taken changes could not be written: they wait again, below newer ones."""
        newer, self._changes = self._changes, taken
        taken.update(newer)
        # Of sessions that came and went while nothing could be written, nothing stays at all.
        taken.gone |= newer.gone - self._new
        self._held = (self._held - self._new) | taken.gone


class Store(Protocol):
    """Keeps state for a later front.

    Attributes:
        pending: Where changes are put.
        problem: Why changes are not kept at present, for people; empty while they are.
        key: What a later server is to sign with too; empty until `put_key`.
        notice: What this store once held and has lost, for people; empty if nothing.
    """

    pending: Pending
    problem: str
    notice: str
    key: str

    def load(self) -> Contents:
        """The stored contents; asked for once, before anything is put."""

    def commit(self) -> bool:
        """Begin to write what waits; never waits itself.

        Returns:
            Whether all that was ever put is kept. If not, ask again: a write may be under way, or
            it failed (`problem` has the reason), and what it held waits again.
        """

    def flush(self) -> bool:
        """Like `commit`, and wait for it: for the end, and for tests."""

    def close(self) -> None:
        """Write what waits, and let go of everything."""
