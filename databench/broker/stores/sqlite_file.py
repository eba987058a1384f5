"""Opens the file of a SQLite store, and judges it: ours, whole, of this version, not in use.

A file that is damaged is set aside, never served as if whole; one that is another's, newer or in
use is refused. Nothing is ever deleted.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from ...errors import SettingError

logger = logging.getLogger("databench.broker")
_T = TypeVar("_T")
Row = tuple[str, str, str, bytes, bytes, int]

VERSION = 1
APPLICATION_ID = 0x44626E63  # "Dbnc"; https://www.sqlite.org/fileformat.html, 1.3.17
LOCK_WAIT_S = 2.0  # a server that is just ending lets go within this
_MAGIC = b"SQLite format 3\0"
_WAL_HEADER_BYTES = 32
_WAL_FRAME_BYTES = 24  # and a page
# SQLite's words about the disk, the folder or the lock; all others are about the file itself.
_CIRCUMSTANCES = ("locked", "full", "unable to open", "disk I/O", "readonly", "not authorized")
_SCHEMA = f"""
BEGIN;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
CREATE TABLE kept (kind TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL,
  shown BLOB NOT NULL, stored BLOB NOT NULL, version INTEGER NOT NULL, crc INTEGER NOT NULL,
  UNIQUE (kind, owner, name));
CREATE TABLE total (rows INTEGER NOT NULL, crc INTEGER NOT NULL);
INSERT INTO total VALUES (0, 0);
CREATE TRIGGER added AFTER INSERT ON kept BEGIN
  UPDATE total SET rows = rows + 1, crc = crc + new.crc; END;
CREATE TRIGGER changed AFTER UPDATE ON kept BEGIN
  UPDATE total SET crc = crc + new.crc - old.crc; END;
CREATE TRIGGER removed AFTER DELETE ON kept BEGIN
  UPDATE total SET rows = rows - 1, crc = crc - old.crc; END;
COMMIT;
"""


def _schema_of(db: sqlite3.Connection) -> list[tuple[str, str]]:
    return db.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()


def _make_expected() -> list[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.executescript(_SCHEMA)
        return _schema_of(db)


_EXPECTED = _make_expected()


class DamagedError(Exception):
    """The file is not as it was written."""


def check_of(kind: str, owner: str, name: str, shown: bytes, stored: bytes, version: int) -> int:
    """The checksum of a row: of each value, and of where one ends."""
    head = f"{kind}\0{owner}\0{name}\0{version}\0{len(shown)}\0".encode()
    return zlib.crc32(stored, zlib.crc32(shown, zlib.crc32(head)))


def open_or_set_aside(
    path: Path, read: Callable[[Iterator[Row]], _T]
) -> tuple[sqlite3.Connection, _T, str]:
    """Open a store's file; a damaged one is renamed, and an empty one takes its place.

    Args:
        path: The file.
        read: Makes what is wanted of the rows.

    Returns:
        The connection, locked for itself; what `read` made; and what was lost, or nothing.

    Raises:
        SettingError: It cannot be used.
    """
    _prepare(path)
    try:
        return *_open(path, read), ""
    except DamagedError as error:
        try:
            aside = _set_aside(path)
        except OSError as problem:
            text = f"is damaged ({error}) and cannot be renamed: {problem.strerror}"
            raise _refuse(path, text) from None
        notice = (
            f"datastore {str(path)!r} is damaged ({error}): renamed to {str(aside)!r}; "
            "starting again without any state"
        )
        logger.error("%s", notice)
        _prepare(path)
        return *_open(path, read), notice


# ---------------------------------------------------------------- files


def _refuse(path: Path, problem: object) -> SettingError:
    return SettingError(f"datastore {str(path)!r} {problem}; not started", name="datastore")


def _prepare(path: Path) -> None:
    """Ensure that the file exists, that it is Databench's, and that only this user can read it."""
    try:
        if not path.exists():
            _make(path)
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise _refuse(path, "is not a file")
        if mode & 0o077:
            path.chmod(0o600)  # it holds the ids of sessions
        with path.open("rb") as file:
            head = file.read(100)
    except OSError as error:
        raise _refuse(path, f"cannot be used: {error.strerror or error}") from None
    is_ours = head[68:72] == APPLICATION_ID.to_bytes(4, "big")
    # A torn Databench file has one of both, or nothing at all.
    if head and not is_ours and (head[:16] != _MAGIC or len(head) == 100):
        raise _refuse(path, "is not a Databench file: move it away, or name another file")


def _make(path: Path) -> None:
    """A new file appears with all that is in it, so that an empty one is known to be torn."""
    draft = path.with_name(f"{path.name}.new-{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with contextlib.closing(sqlite3.connect(draft)) as db:
            db.executescript(_SCHEMA)
        _publish(draft, path)
    except sqlite3.Error as error:
        raise _refuse(path, f"cannot be created: {error}") from None
    finally:
        draft.unlink(missing_ok=True)


def _publish(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)  # unlike a renaming, it never takes another server's place
    except FileExistsError:
        pass  # that one was begun at the same moment: now its lock is asked for
    except OSError:  # not every file system knows links
        os.rename(draft, path)


def _set_aside(path: Path) -> Path:
    """Rename the file, and what SQLite keeps beside it, to the first name that is free."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for end in ("-wal", "-journal", ""):  # the file last: until then it is found again
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{path}{end}", f"{aside}{end}")
    return aside


# ---------------------------------------------------------------- what is in them


def _open(path: Path, read: Callable[[Iterator[Row]], _T]) -> tuple[sqlite3.Connection, _T]:
    wal_bytes, page_bytes = _size_of_wal(path)
    db = sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw",
        uri=True,
        timeout=LOCK_WAIT_S,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        _lock(db)
        frames = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1]
        if wal_bytes and wal_bytes != _WAL_HEADER_BYTES + frames * (_WAL_FRAME_BYTES + page_bytes):
            text = "datastore %r: its last write is incomplete and is ignored"
            logger.warning(text, str(path))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            text = f"has format {version}, but this version of Databench reads {VERSION}"
            raise _refuse(path, f"{text}: use a newer Databench, or name another file")
        return db, _read(db, read)
    except BaseException as error:
        db.close()
        if isinstance(error, sqlite3.Error) and any(c in str(error) for c in _CIRCUMSTANCES):
            hint = " (another server uses it)" if "locked" in str(error) else ""
            raise _refuse(path, f"cannot be opened: {error}{hint}") from None
        if isinstance(error, sqlite3.Error | ValueError | TypeError):
            raise DamagedError(" ".join(str(error).split())) from None
        raise


def _size_of_wal(path: Path) -> tuple[int, int]:
    """How large the log is that an earlier server left, and the size of its pages."""
    try:
        with open(f"{path}-wal", "rb") as file:
            head = file.read(_WAL_HEADER_BYTES)
            return os.fstat(file.fileno()).st_size, int.from_bytes(head[8:12], "big")
    except OSError:
        return 0, 0


def _lock(db: sqlite3.Connection) -> None:
    """Take the file for this connection alone, until it is closed."""
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("PRAGMA journal_mode = WAL").fetchall()
    db.execute("PRAGMA synchronous = FULL")
    db.execute("BEGIN EXCLUSIVE")
    db.execute("COMMIT")


def _read(db: sqlite3.Connection, read: Callable[[Iterator[Row]], _T]) -> _T:
    """All rows, once everything about them has been found right."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version != VERSION:
        raise DamagedError(f"format {version}")
    problem = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if problem != "ok":
        raise DamagedError(" ".join(problem.split()))
    if _schema_of(db) != _EXPECTED:
        raise DamagedError("its tables are not those of this format")
    rows = db.execute("SELECT kind, owner, name, shown, stored, version, crc FROM kept").fetchall()
    for *row, crc in rows:
        if crc != check_of(*row):
            raise DamagedError("a checksum is wrong")
    total = db.execute("SELECT rows, crc FROM total").fetchall()
    if total != [(len(rows), sum(row[-1] for row in rows))]:
        raise DamagedError("a checksum is wrong: rows are missing")
    return read(row[:-1] for row in rows)
