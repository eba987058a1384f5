"""Addresses of files: which folder is behind one, and which may be held for ever."""

import re

import pytest

from databench.config import Entry
from databench.front.content.addresses import (
    PACKAGED,
    find_address,
    find_thumbnail,
    is_own_file,
    static_roots,
)
from databench.front.content.sources import PageSources

pytestmark = pytest.mark.usefixtures("settled")


@pytest.fixture
def files(folder):
    for name in ("static/a.js", "x/static/b c.js", "x/analysis.js", "x/thumbnail.png", "x/c.js"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)
    return folder


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/_static/databench.js", r"/_static/databench\.js\?v=[0-9a-f]{16}"),
        ("/static/a.js", r"/static/a\.js\?v=[0-9a-f]{16}"),
        ("static/b c.js", r"static/b%20c\.js\?v=[0-9a-f]{16}"),
        ("analysis.js", r"analysis\.js\?v=[0-9a-f]{16}"),
        ("thumbnail.png", r"thumbnail\.png\?v=[0-9a-f]{16}"),
        ("/x/analysis.js", r"/x/analysis\.js\?v=[0-9a-f]{16}"),
        ("/x/static/b c.js", r"/x/static/b%20c\.js\?v=[0-9a-f]{16}"),
        ("/x/analysis.py", r"/x/analysis\.py"),
        ("/y/analysis.js", r"/y/analysis\.js"),
        ("/static/none.js", r"/static/none\.js"),
        ("/static/a.js?v=mine", r"/static/a\.js\?v=mine"),
        ("c.js", r"c\.js"),
        ("analysis.py", r"analysis\.py"),
        ("../x/analysis.js", r"\.\./x/analysis\.js"),
        ("/static/../x/analysis.py", r"/static/\.\./x/analysis\.py"),
        ("https://example.org/a.js", r"https://example\.org/a\.js"),
        ("/other/a.js", r"/other/a\.js"),
        ("", ""),
    ],
)
async def test_address_names_the_content_of_a_file_that_is_sent(serve, files, address, expected):
    context = (await serve()).context
    found = find_address(
        context.kept, context.index, address, context.index.entries["x"], PageSources()
    )
    assert re.fullmatch(expected, found)


async def test_page_without_an_analysis_has_no_files_beside_it(serve, files):
    context = (await serve()).context
    found = find_address(context.kept, context.index, "analysis.js", None, PageSources())
    assert found == "analysis.js"


async def test_page_depends_on_the_files_that_it_names(serve, files):
    context = (await serve()).context
    sources = PageSources()
    find_address(context.kept, context.index, "/static/a.js", None, sources)
    find_address(context.kept, context.index, "/static/none.js", None, sources)
    assert sources.are_unchanged()
    (files / "static" / "none.js").write_text("")
    assert not sources.are_unchanged()


async def test_saved_file_has_another_address_on_the_page(serve, files):
    (files / "x" / "index.html").write_text("{{ static_url('analysis.js') }}")
    server = await serve()
    first = (await server.get("/x/")).body
    assert (await server.get("/x/")).body == first
    (files / "x" / "analysis.js").write_text("saved")
    second = (await server.get("/x/")).body
    assert first != second
    answers = [await server.get(f"/x/{page.decode()}") for page in (first, second)]
    assert [answer.body for answer in answers] == [b"saved", b"saved"]
    caching = [answer.headers["Cache-Control"] for answer in answers]
    assert caching == ["no-cache", "max-age=31536000, immutable"]


async def test_packaged_pages_name_files_that_browsers_may_hold(serve, folder):
    for name in ("base.html", "analysis.html", "index.html"):
        (folder / name).unlink()
    server = await serve()
    for path in ("/", "/x/"):
        found = re.findall(rb'"(/_static/[^"]*)"', (await server.get(path)).body)
        assert len(found) == 5
        for address in found:
            answer = await server.get(address.decode())
            assert answer.code == 200
            assert answer.headers["Cache-Control"] == "max-age=31536000, immutable"


def test_own_files_are_few(tmp_path):
    entry = Entry("x", tmp_path)
    assert is_own_file(entry, "analysis.js")
    assert is_own_file(entry, "analysis.css")
    assert not is_own_file(entry, "analysis.py")
    assert not is_own_file(entry, "thumbnail.png")
    (tmp_path / "thumbnail.png").write_text("")
    assert find_thumbnail(entry) == "thumbnail.png"
    assert is_own_file(entry, "thumbnail.png")
    assert find_thumbnail(Entry("x", tmp_path, thumbnail="a.png")) == "a.png"


async def test_roots_are_those_of_the_routes(serve, folder):
    roots = static_roots((await serve()).context.index)
    assert roots["_static"][0] == PACKAGED
    assert (PACKAGED / "databench.js").is_file()
    assert roots["static"] == (folder / "static",)
