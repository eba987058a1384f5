"""What earlier servers left: judged, and kept over restarts."""

import os
import stat

import pytest

from databench.front.content import earlierruns
from databench.front.content.earlierruns import Record, Runs, judge

A, B, C = "/p/a.html", "/p/b.html", "/p/deep/c.html"


def test_after_an_orderly_end_only_what_it_named_is_strange():
    record = Record(strange={B: (2, 2)})
    assert judge(record, {A: (1, 1), B: (2, 2), C: (3, 3)}) == {B: (2, 2)}
    assert judge(record, {B: (9, 2)}) == {}


def test_after_a_kill_all_that_differs_is_strange():
    record = Record("run", ("/p",), known={A: (1, 1), B: (2, 2)}, strange={C: (3, 3)})
    found = {A: (1, 1), B: (9, 2), C: (3, 3), "/p/new.html": (4, 4)}
    assert judge(record, found) == {B: (9, 2), C: (3, 3), "/p/new.html": (4, 4)}


def test_after_a_kill_folders_where_nothing_was_looked_at_are_the_authors():
    record = Record("run", ("/p",), known={"/behind/a/link.html": (1, 1)})
    assert judge(record, {"/other/a.html": (1, 1), "/pp/a.html": (1, 1)}) == {}
    assert judge(record, {"/behind/a/new.html": (1, 1)}) == {"/behind/a/new.html": (1, 1)}
    assert judge(Record("run", ("/",)), {"/a.html": (1, 1)}) == {"/a.html": (1, 1)}


def test_record_comes_back_as_it_was_and_nobody_else_reads_it(tmp_path):
    path = os.fsdecode(b"/p/\xff.html")
    runs = Runs(tmp_path / "state", "0a1b2c3d")
    assert runs.read() == Record()
    runs.begin(["/p"], {A: (1, 2)}, {path: (3, 4)}, {C})
    told = runs.read()
    assert told == Record(told.run, ("/p",), {A: (1, 2)}, {path: (3, 4)}, frozenset({C}))
    assert told.run
    (file,) = (tmp_path / "state").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    runs.end({B: (5, 6)})
    assert runs.read() == Record(strange={B: (5, 6)}, built=frozenset({C}))


def test_end_of_the_first_of_two_servers_leaves_the_second_running(tmp_path):
    first, second = (Runs(tmp_path, "0a1b2c3d") for _ in range(2))
    first.begin(["/p"], {A: (1, 1)}, {}, ())
    second.begin(["/p"], {A: (2, 2)}, {C: (3, 3)}, ())
    first.end({B: (5, 6)})
    told = second.read()
    assert told.run and told.known == {A: (2, 2)}
    assert told.strange == {B: (5, 6), C: (3, 3)}


def test_author_who_trusts_all_is_shown_no_record(tmp_path):
    Runs(tmp_path, "0a1b2c3d").end({B: (5, 6)})
    trusting = Runs(tmp_path, "0a1b2c3d", trusts=True)
    assert trusting.read() == Record()
    trusting.settle({})
    assert Runs(tmp_path, "0a1b2c3d").read() == Record()


@pytest.mark.parametrize(
    "content", [b"[]", b"{", b'{"known": 3}', b'{"strange": {"a": 1}}', b"\xff"]
)
@pytest.mark.expected_log("cannot be read, and is written again")
def test_file_that_is_no_record_counts_as_none(tmp_path, content):
    path = tmp_path / "pages-0a1b2c3d.json"
    path.touch(0o600)
    path.write_bytes(content)
    assert Runs(tmp_path, "0a1b2c3d").read() == Record()


@pytest.mark.expected_log("can't write to .* after a restart .* XDG_STATE_HOME")
def test_folder_that_cannot_be_written_is_named_once(tmp_path, caplog):
    (tmp_path / "file").touch()
    runs = Runs(tmp_path / "file", "0a1b2c3d")
    runs.begin([], {}, {}, ())
    runs.end({})
    assert len(caplog.records) == 1


def test_folder_is_no_cache(tmp_path):
    environ = {"XDG_STATE_HOME": str(tmp_path), "XDG_CACHE_HOME": "/elsewhere"}
    assert earlierruns.find_folder(environ) == tmp_path / "databench"
