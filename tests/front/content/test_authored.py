"""Which files are templates: those that were there, or that a build made."""

import logging
import os

import pytest

from databench.front.content import authored
from databench.front.content.authored import Authored
from databench.front.content.earlierruns import Runs


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


def test_what_a_build_writes_before_kernels_run_is_the_authors(tmp_path):
    page = write(tmp_path / "page.html")
    known = learned(tmp_path)
    write(page, "built again")
    built = write(tmp_path / "built.html")
    known.learn_built()
    assert known.may_run(page) and known.may_run(built)


@pytest.mark.expected_log("no build wrote them before the first kernel started: '.*old.html'")
async def test_of_a_build_beside_kernels_only_known_files_are_taken(tmp_path):
    page, old = write(tmp_path / "page.html"), tmp_path / "old.html"
    known = learned(tmp_path)
    write(page, "built")
    known.learn_built()
    known.open()
    report = write(tmp_path / "report.html", "of a visitor")
    async with known.building():
        write(page, "built again")
        write(old, "of a visitor, while the build ran")
    assert known.may_run(page)
    assert not known.may_run(old) and not known.may_run(report)


# ---------------------------------------------------------------- over restarts


def served(folder, *, debug=False, trusts=False, limit=1000):
    """A server that has started its kernels."""
    runs = Runs(folder.parent / "state", "0a1b2c3d", trusts=trusts)
    known = Authored(limit, takes_new=debug, runs=runs)
    known.learn([folder])
    known.open()
    return known


@pytest.fixture
def project(tmp_path):
    write(tmp_path / "project" / "page.html", "{{ title }}")
    return tmp_path / "project"


def test_first_start_takes_all_that_is_there(project):
    assert served(project).may_run(project / "page.html")


@pytest.mark.parametrize("is_killed", [False, True])
@pytest.mark.expected_log("Not run as templates, .* an earlier server ran .*'.*report.html'. If")
async def test_what_was_written_while_an_earlier_server_ran_is_no_template(project, is_killed):
    first = served(project)
    report = write(project / "deep" / "report.html", "{{ 6 * 7 }}")
    if not is_killed:
        await first.close()
    for _ in range(2):
        known = served(project)
        assert known.may_run(project / "page.html")
        assert not known.knows(report) and not known.may_run(report)
        await known.close()


@pytest.mark.expected_log("Not run as templates.*page.html")
async def test_template_that_was_changed_while_a_server_ran_is_none(project):
    first = served(project)
    page = write(project / "page.html", "{{ 6 * 7 }}")
    await first.close()
    assert not served(project).knows(page)


async def test_what_comes_between_two_servers_is_the_authors(project):
    await served(project).close()
    page, new = write(project / "page.html", "saved"), write(project / "new.html")
    known = served(project)
    assert known.may_run(page) and known.may_run(new)


@pytest.mark.expected_log("Not run as templates.*page.html")
async def test_author_saves_a_strange_file_again_while_nothing_runs(project):
    first = served(project)
    page = write(project / "page.html", "{{ of a deployment }}")
    await first.close()
    await served(project).close()
    os.utime(page, (1, 1))
    assert served(project).may_run(page)


@pytest.mark.expected_log("Not run as templates.*page.html")
async def test_author_saves_a_strange_file_again_in_development(project, caplog):
    caplog.set_level(logging.INFO, "databench")
    first = served(project)
    page = write(project / "page.html", "{{ 6 * 7 }}")
    await first.close()
    known = served(project, debug=True)
    assert not known.knows(page) and not known.may_run(page)
    os.utime(page, (1, 1))
    assert known.may_run(page)
    assert "template found: " in caplog.text
    assert served(project).may_run(page)


async def test_author_says_that_all_is_his(project):
    first = served(project)
    page = write(project / "page.html", "{{ 6 * 7 }}")
    await first.close()
    trusting = served(project, trusts=True)
    assert trusting.may_run(page)
    await trusting.close()
    assert served(project).may_run(page)


@pytest.mark.expected_log("Not run as templates.*page.html")
def test_development_remembers_what_a_killed_server_left(project):
    served(project)
    page = write(project / "page.html", "{{ 6 * 7 }}")
    served(project, debug=True)
    assert not served(project).may_run(page)


def test_in_development_nothing_is_recorded(project):
    served(project, debug=True)
    assert not (project.parent / "state").exists()


async def test_builds_of_an_earlier_server_are_known(project):
    known = Authored(100, runs=Runs(project.parent / "state", "0a1b2c3d"))
    known.learn([project])
    built = write(project / "built.html")
    known.learn_built()
    known.open()
    await known.close()
    known = served(project)
    async with known.building():
        write(built, "built again, beside kernels")
    assert known.may_run(built)
    # That server is killed: what it built is in its record.
    assert served(project).may_run(built)


def test_file_that_a_build_wrote_after_a_killed_server_is_the_authors(project):
    served(project)
    known = Authored(100, runs=Runs(project.parent / "state", "0a1b2c3d"))
    known.learn([project])
    page, built = write(project / "page.html", "built"), write(project / "new.html")
    known.learn_built()
    known.learn([project])  # as for the templates of `routes.py`
    assert known.may_run(page) and known.may_run(built)


async def test_pages_without_a_templates_words_are_not_named(project):
    """They look the same, run or not: an analysis may well write reports every day."""
    first = served(project)
    report = write(project / "report.html", "words")
    await first.close()
    assert not served(project).knows(report)


@pytest.mark.expected_log(r"a.html', '.*b.html', '.*c.html' and 2 more\. If")
async def test_some_of_many_are_named(project):
    first = served(project)
    for name in "abcde":
        write(project / f"{name}.html", "{% x %}")
    await first.close()
    served(project)


async def test_folder_that_is_learned_late_is_recorded(project):
    first = served(project)
    page = write(project.parent / "late" / "page.html")
    first.learn_new([project.parent / "late"])
    assert first.may_run(page)  # killed
    known = served(project)
    known.learn_new([project.parent / "late"])
    assert known.may_run(page)


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


@pytest.mark.expected_log(
    r"is not run as a template: more than 3 files, the limit \(project_files\)"
)
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
