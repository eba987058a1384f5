"""Files that are damaged, torn, newer, another's or in use: never served as if whole."""

import random
import re
import shutil
import sqlite3

import pytest

from databench.broker.stores import SqliteStore, sqlite_file
from databench.broker.stores.class_data import ClassValue
from databench.errors import SettingError
from databench.protocol.saved import Saved
from tests.broker.stores.suite import rows_of

pytestmark = pytest.mark.slow
ends = ("", "-wal")


def fill(store, number):
    for session in range(8):
        saved = Saved("a", f"?n={number}", 1.5, True, ((1, "run"),), (2, 3.5))
        store.pending.put_session(f"s{session}", saved)
        for key in range(5):
            value = b"%d" % number * (1 + 300 * key)
            store.pending.put_value(f"s{session}", f"k{key}", value, value[::-1])
    store.pending.put_class_value("a", "c", ClassValue(b"%d" % number, b"2", number))
    store.pending.drop_session("s0")


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """A file that was closed, and one of a server that was killed before its log was emptied."""
    folder = tmp_path_factory.mktemp("samples")
    store = SqliteStore(folder / "closed")
    before = store.load()
    fill(store, 1)
    before.update(store.pending._changes)
    before.gone.clear()
    store.close()
    shutil.copyfile(folder / "closed", folder / "live")
    store = SqliteStore(folder / "live")

    def copy_before_it_is_emptied(statement):
        if "wal_checkpoint" in statement:
            for end in ends:
                shutil.copyfile(f"{folder}/live{end}", f"{folder}/killed{end}")

    after = store.load()
    store._db.set_trace_callback(copy_before_it_is_emptied)
    fill(store, 2)
    after.update(store.pending._changes)
    after.gone.clear()
    store.flush()
    store.close()
    assert (folder / "killed-wal").stat().st_size > 10_000
    return folder, rows_of(before), rows_of(after)


@pytest.fixture
def place(tmp_path, samples):
    """Puts a sample, damaged by a function, where it is opened from."""
    folder = samples[0]

    def put(sample, end="", damage=lambda content: content):
        path = tmp_path / "state.db"
        for old in tmp_path.iterdir():
            old.unlink()
        for other in ends if sample == "killed" else ("",):
            shutil.copyfile(f"{folder}/{sample}{other}", f"{path}{other}")
        content = damage(bytearray((tmp_path / f"state.db{end}").read_bytes()))
        (tmp_path / f"state.db{end}").write_bytes(content)
        return path

    return put


def contents(path):
    """What is served of the file: its rows, or `None` where it is refused or set aside."""
    try:
        store = SqliteStore(path)
    except SettingError:
        assert path.exists()
        return None
    rows, notice = rows_of(store.load()), store.notice
    store.close()
    if notice:
        assert rows == {}
        assert path.with_name("state.db.damaged-1").exists()
        return None
    return rows


def flips(content, count, seed):
    """Functions that flip one bit each, at places all over the content."""
    chance = random.Random(seed)
    for _ in range(count):
        at, bit = chance.randrange(len(content)), 1 << chance.randrange(8)

        def flip(content, at=at, bit=bit):
            content[at] ^= bit
            return content

        yield flip


def test_the_samples_are_served_whole(place, samples):
    _, before, after = samples
    assert contents(place("closed")) == before
    assert contents(place("killed")) == after


@pytest.mark.expected_log
def test_a_file_cut_anywhere_is_not_served(place, samples):
    length = (samples[0] / "closed").stat().st_size
    for size in {*range(0, length, 1499), 1, 16, 50, 99, 100, 4096, length - 1}:
        found = contents(place("closed", damage=lambda content, size=size: content[:size]))
        assert found is None, size


@pytest.mark.expected_log
def test_a_file_with_a_flipped_bit_is_served_whole_or_not_at_all(place, samples):
    _, before, _ = samples
    content = (samples[0] / "closed").read_bytes()
    served = [contents(place("closed", damage=flip)) for flip in flips(content, 120, seed=1)]
    assert all(found in (None, before) for found in served)
    assert served.count(None) > 50  # unused bytes of pages do not matter


@pytest.mark.expected_log
def test_pages_that_are_zero_or_old_are_not_served(place, samples):
    _, before, after = samples
    old = (samples[0] / "closed").read_bytes()
    with open(samples[0] / "live", "rb") as file:
        new = file.read()
    assert len(old) > 8 * 4096
    for at in range(0, len(old), 4096):

        def blank(content, at=at):
            content[at : at + 4096] = bytes(4096)
            return content

        def mix(content, at=at):
            content[:] = new
            content[at : at + 4096] = old[at : at + 4096]
            return content

        assert contents(place("closed", damage=blank)) in (None, before)
        assert contents(place("closed", damage=mix)) in (None, before, after)


@pytest.mark.expected_log("its last write is incomplete and is ignored")
def test_a_torn_log_leaves_out_its_last_write_and_that_is_said(place, samples, caplog):
    _, before, after = samples
    wal = (samples[0] / "killed-wal").read_bytes()
    for size in (1, 31, 32, 33, 100, 5000, len(wal) // 2, len(wal) - 1):
        caplog.clear()
        found = contents(place("killed", "-wal", lambda content, size=size: content[:size]))
        assert found == before, size
        assert ("is ignored" in caplog.text) is (size != 32)
    for flip in flips(wal, 60, seed=2):
        caplog.clear()
        found = contents(place("killed", "-wal", flip))
        assert found == (before if "is ignored" in caplog.text else after)


@pytest.mark.expected_log("is damaged")
def test_a_damaged_file_is_renamed_with_its_log_and_both_names_are_said(place, caplog):
    path = place("killed", damage=lambda content: content[:5000])
    SqliteStore(path).close()
    aside = path.with_name("state.db.damaged-1")
    assert re.search(
        rf"datastore '{path}' is damaged \(.+\): renamed to '{aside}'; starting again",
        caplog.text,
    )
    assert aside.stat().st_size > 0
    path.write_bytes(b"")  # torn again, to nothing
    SqliteStore(path).close()
    assert path.with_name("state.db.damaged-2").exists()
    assert aside.exists()


def refusal(path):
    with pytest.raises(SettingError) as info:
        SqliteStore(path)
    return str(info.value)


def test_a_file_of_a_newer_format_is_refused_and_left_alone(place):
    path = place("closed")
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 2")
    db.close()
    held = path.read_bytes()
    assert "has format 2, but this version of Databench reads 1" in refusal(path)
    assert path.read_bytes()[100:] == held[100:]
    assert not path.with_name("state.db.damaged-1").exists()


def test_a_file_of_somebody_else_is_refused_and_left_alone(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("not yours\n" * 20)
    assert "is not a Databench file" in refusal(text)
    other = tmp_path / "other.db"
    db = sqlite3.connect(other)
    db.execute("CREATE TABLE kept (x)")
    db.close()
    assert "is not a Databench file" in refusal(other)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "other.db"]


def test_a_file_in_use_is_refused_until_it_is_let_go(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_file, "LOCK_WAIT_S", 0.01)
    first = SqliteStore(tmp_path / "state.db")
    assert "database is locked (another server uses it)" in refusal(tmp_path / "state.db")
    first.close()
    SqliteStore(tmp_path / "state.db").close()


def test_places_where_no_file_can_be_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for path, text in (
        (tmp_path / "missing" / "state.db", "No such file or directory"),
        (tmp_path / "file" / "state.db", "Not a directory"),
        (tmp_path, "is not a file"),
        (tmp_path / ("n" * 300), "File name too long"),
    ):
        assert text in refusal(path)
        assert refusal(path).endswith("; not started")


def test_nobody_else_can_read_it(tmp_path):
    path = tmp_path / "state.db"
    store = SqliteStore(path)
    store.load()
    store.pending.put_session("s", Saved("a", "", None, False))
    store.flush()
    assert {p.stat().st_mode & 0o777 for p in tmp_path.iterdir()} == {0o600}
    store.close()
    path.chmod(0o644)
    SqliteStore(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_draft_that_was_left_is_no_hindrance(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_file.os, "getpid", lambda: 7)
    (tmp_path / "state.db.new-7").write_text("half")
    SqliteStore(tmp_path / "state.db").close()
    assert [path.name for path in tmp_path.iterdir()] == ["state.db"]


def test_a_file_system_without_links_gets_its_file_too(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(sqlite_file.os, "link", refuse)
    SqliteStore(tmp_path / "state.db").close()
    assert [path.name for path in tmp_path.iterdir()] == ["state.db"]
