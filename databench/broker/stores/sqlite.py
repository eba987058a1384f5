"""A store in one SQLite file: one table, written by one thread.

Owns the file's rows and how they are written; `sqlite_file` opens files and judges them.

Theory of operation: `commit` hands all that waits to the thread, which writes it as one
transaction, synced to the disk before it counts, and then empties SQLite's write-ahead log into
the file. So the log never holds more than one transaction, and a file is either as it was before
one or after it. Each row has a checksum, and the file one of all rows, kept by triggers: SQLite
itself has none. The lock is held from opening to closing, so a file has one server.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future, wait
from dataclasses import astuple
from pathlib import Path

from ...protocol.saved import Saved
from ...threads import make_pool
from .base import Contents, Pending
from .class_data import ClassValue
from .sqlite_file import DamagedError, Row, check_of, open_or_set_aside

_PUT = """
INSERT INTO kept (kind, owner, name, shown, stored, version, crc) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (kind, owner, name) DO UPDATE SET shown = excluded.shown, stored = excluded.stored,
version = excluded.version, crc = excluded.crc"""
_DROP = "DELETE FROM kept WHERE kind = ? AND owner = ?"


class SqliteStore:
    """See `Store`.

    Args:
        path: The file; made if there is none.

    Raises:
        SettingError: It cannot be used, and it is not for us to put another in its place.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db, self._loaded, self.notice = open_or_set_aside(path, read_contents)
        self.key = self._loaded.key
        self.problem = ""
        self.pending = Pending(self._loaded.ids())
        self._thread = make_pool("store", 1)
        self._write_under_way: tuple[Future[None], Contents] | None = None

    def load(self) -> Contents:
        """See `Store.load`."""
        loaded, self._loaded = self._loaded, Contents()
        return loaded

    def commit(self) -> bool:
        """See `Store.commit`."""
        self._settle()
        if self._write_under_way is None and self.pending:
            taken = self.pending.take()
            self._write_under_way = self._thread.submit(self._write, taken), taken
        return self._write_under_way is None

    def flush(self) -> bool:
        """See `Store.flush`."""
        self._wait()  # for what is under way
        self.commit()
        self._wait()
        return not self.pending

    def close(self) -> None:
        """See `Store.close`."""
        self.flush()
        self._thread.shutdown()
        self._db.close()

    def _wait(self) -> None:
        if self._write_under_way is not None:
            wait([self._write_under_way[0]])
        self._settle()

    def _settle(self) -> None:
        """Take the result of the write that has ended, if one has."""
        if self._write_under_way is None or not self._write_under_way[0].done():
            return
        (ended, taken), self._write_under_way = self._write_under_way, None
        error = ended.exception()
        if error is not None:
            self.pending.put_back(taken)
        self.problem = f"{self.path} cannot be written: {error}" if error else ""

    def _write(self, taken: Contents) -> None:
        """In the thread: one transaction."""
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            for id_ in taken.gone:
                db.execute(_DROP, ("data", id_))
                db.execute(_DROP, ("session", id_))
            db.executemany(_PUT, ((*row, check_of(*row)) for row in make_rows(taken)))
            db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # SQLite may have rolled it back by itself
                db.execute("ROLLBACK")
            raise
        with contextlib.suppress(sqlite3.Error):  # it stands in the log: tried again next time
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def make_rows(contents: Contents) -> Iterator[Row]:
    """Its rows in a file: kind, owner, name, shown, stored, version."""
    if contents.key:
        yield "key", "", "", b"", contents.key.encode(), 0
    for analysis, values in contents.class_values.items():
        for key, value in values.items():
            yield "class", analysis, key, value.shown, value.stored, value.version
    for id_, saved in contents.sessions.items():
        yield "session", id_, "", b"", json.dumps(astuple(saved)).encode(), 0
    for id_, own in contents.values.items():
        for key, (shown, stored) in own.items():
            yield "data", id_, key, shown, stored, 0


def read_contents(rows: Iterator[Row]) -> Contents:
    """The reverse of `make_rows`.

    Raises:
        DamagedError: A row that it does not make.
    """
    contents = Contents()
    for kind, owner, name, shown, stored, version in rows:
        if kind == "class":
            value = ClassValue(shown, stored, version)
            contents.class_values.setdefault(owner, {})[name] = value
        elif kind == "data":
            contents.values.setdefault(owner, {})[name] = (shown, stored)
        elif kind == "key":
            contents.key = stored.decode()
        elif kind == "session":
            contents.sessions[owner] = _read_session(stored)
        else:
            raise DamagedError(f"a row of kind {kind!r}")
    return contents


def _read_session(stored: bytes) -> Saved:
    analysis, request_args, left_s, is_unseen, requests, recent, *more = json.loads(stored)
    return Saved(
        analysis,
        request_args,
        left_s,
        is_unseen,
        tuple((process_id, action) for process_id, action in requests),
        tuple(recent),
        *more[:2],  # the visitor and the address, which earlier versions did not keep
    )
