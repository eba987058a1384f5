"""Which files are templates: those that were there, or that a build made."""

import logging
import os

import pytest

from databench.front import authored
from databench.front.authored import Authored


def write(path, text="words"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def learned(folder, limit=1000, **more):
    known = Authored(limit, **more)
    known.learn([folder])
    return known


def test_what_was_there_is_a_template_and_what_came_is_none(tmp_path):
    page = write(tmp_path / "deep" / "er" / "page.html")
    known = learned(tmp_path)
    assert known.knows(page) and known.may_run(page)
    report = write(tmp_path / "deep" / "report.html")
    assert not known.knows(report) and not known.may_run(report)
    assert not known.knows(tmp_path / "gone.html")


def test_template_that_was_changed_is_known_and_not_run(tmp_path):
    page = write(tmp_path / "page.html")
    known = learned(tmp_path)
    write(page, "other words")
    assert known.knows(page) and not known.may_run(page)
    page.unlink()
    assert not known.may_run(page)


def test_in_development_what_is_saved_is_the_authors_and_logged(tmp_path, caplog):
    caplog.set_level(logging.INFO, "databench")
    page = write(tmp_path / "page.html")
    known = learned(tmp_path, takes_new=True)
    write(page, "other words")
    assert known.may_run(page)
    assert not caplog.records
    new = write(tmp_path / "new.html")
    assert known.may_run(new) and known.may_run(new)
    assert [record.getMessage() for record in caplog.records] == [f"template found: {new}"]


async def test_what_a_build_writes_is_the_authors(tmp_path):
    page, report = write(tmp_path / "page.html"), write(tmp_path / "old.html")
    known = learned(tmp_path)
    write(report, "of a visitor")
    async with known.building():
        write(page, "built anew")
        built = write(tmp_path / "built.html")
    assert known.may_run(page) and known.may_run(built)
    assert not known.may_run(report)


def test_links_are_followed_once_and_a_circle_ends(tmp_path):
    page = write(tmp_path / "elsewhere" / "page.html")
    (tmp_path / "project").mkdir()
    os.symlink(tmp_path / "elsewhere", tmp_path / "project" / "link")
    os.symlink(tmp_path / "project", tmp_path / "project" / "circle")
    os.symlink("gone", tmp_path / "project" / "broken")
    known = learned(tmp_path / "project")
    assert known.may_run(page)
    assert known.may_run(tmp_path / "project" / "circle" / "link" / "page.html")


@pytest.mark.parametrize("name", [".git/x.html", "node_modules/a/x.html", "__pycache__/x.html"])
def test_folders_that_no_page_is_made_of_are_left_out(tmp_path, name):
    write(tmp_path / name)
    assert authored.scan([str(tmp_path)], 1000) == {}


@pytest.mark.expected_log("no template: over 3 files are in the project, limit of project_files")
def test_nearest_files_are_known_up_to_a_limit(tmp_path):
    near = [write(tmp_path / f"{n}.html") for n in range(2)]
    far = [write(tmp_path / "a" / "b" / f"{n}.html") for n in range(5)]
    known = learned(tmp_path, limit=3)
    assert all(known.may_run(page) for page in near)
    assert sum(known.may_run(page) for page in far) == 1


def test_folder_is_learned_once(tmp_path):
    known = learned(tmp_path)
    late = write(tmp_path / "late.html")
    known.learn_new([tmp_path])
    assert not known.knows(late)
    known.learn([tmp_path])
    assert known.knows(late)


def test_folder_that_is_gone_has_no_files(tmp_path):
    assert authored.scan([str(tmp_path / "gone")], 10) == {}
