"""Whether what something was made of is still as it was."""

import os

import pytest

from databench.front.content import sources
from databench.front.content.sources import PageSources, find_stamp


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a"
    path.write_text("one")
    return path


def test_files_that_nobody_touched_are_unchanged(file):
    assert PageSources(file, file.parent, file.parent / "none").are_unchanged()


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.write_text("other"),
        lambda file: file.unlink(),
        lambda file: os.utime(file, ns=(1, 2)),
        lambda file: (file.parent / "new").write_text(""),
    ],
)
def test_a_save_is_seen(file, change):
    found = PageSources(file, file.parent / "new")
    change(file)
    assert not found.are_unchanged()


def test_a_file_that_comes_is_seen_by_its_folder(file):
    found = PageSources(file.parent)
    os.utime(file.parent, ns=(1, 2))  # whatever the clock of the file system is
    found_again = PageSources(file.parent)
    (file.parent / "new").write_text("")
    assert not found.are_unchanged()
    assert not found_again.are_unchanged()


def test_a_file_in_the_place_of_another_is_another_one(file):
    found = PageSources(file)
    status = file.stat()
    other = file.parent / "b"
    other.write_text("two")  # as long, and as old
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(file)
    assert not found.are_unchanged()


def put_link(folder, outside):
    folder.rename(outside)
    folder.symlink_to(outside)


@pytest.mark.parametrize("depth", [1, 2])
def test_a_folder_that_was_moved_behind_a_link_is_another_one(tmp_path, depth):
    folder = tmp_path / "root" / "moved"
    file = folder.joinpath(*["deep"] * (depth - 1), "a")
    file.parent.mkdir(parents=True)
    file.write_text("one")
    found = PageSources()
    found.update(PageSources(file))
    size_bytes = found.size_bytes
    assert found.are_unchanged()
    assert size_bytes > len(str(file)) + 2 * len(str(file.parent))
    put_link(folder, tmp_path / "outside")
    assert file.read_text() == "one"
    assert not found.are_unchanged()


@pytest.mark.parametrize("is_new", [True, False])
def test_a_link_to_a_file_that_was_moved_is_another_one(tmp_path, is_new):
    deep, link = tmp_path / "root" / "deep", tmp_path / "root" / "link"
    deep.mkdir(parents=True)
    (deep / "a").write_text("one")
    link.symlink_to("deep/a")
    found = PageSources(link)
    assert found.are_unchanged()
    if is_new:
        deep.rename(tmp_path / "outside")
        link.unlink()
        link.symlink_to("../outside/a")
    else:
        put_link(deep, tmp_path / "outside")
    assert link.read_text() == "one"
    assert not found.are_unchanged()


def test_the_first_stamp_counts(file):
    found = PageSources(file)
    file.write_text("longer than before")
    found.add(file)
    found.update(PageSources(file))
    assert not found.are_unchanged()


def test_what_was_found_holds_for_an_interval(file):
    found = PageSources(file)
    assert found.are_unchanged(now_s=100.0, interval_s=1.0)
    file.write_text("longer than before")
    assert found.are_unchanged(now_s=100.9, interval_s=1.0)
    assert not found.are_unchanged(now_s=101.1, interval_s=1.0)


def test_what_was_saved_just_now_is_not_trusted(file, monkeypatch):
    now_ns = max(find_stamp(file)[:2])
    monkeypatch.setattr(sources.time, "time_ns", lambda: now_ns + 1_000_000)
    young = PageSources(file)
    monkeypatch.setattr(sources.time, "time_ns", lambda: now_ns + 1_000_000_000)
    assert not young.is_settled
    old = PageSources(file)
    assert old.is_settled
    old.update(young)
    assert not old.is_settled


def test_distrust_holds(file):
    found = PageSources()
    assert found.is_settled
    found.distrust()
    assert not found.is_settled


def test_a_path_that_no_system_takes_has_no_stamp():
    assert find_stamp("a\0b") is None
    assert PageSources("a\0/b").are_unchanged()
