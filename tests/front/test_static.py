"""Files: what leaves a folder, how it is sent, and what is refused."""

import os
from urllib.parse import quote

import pytest

from databench.config import load
from databench.front.static import find_file

COPIES = [
    *("code.py~", "code.py.~1~", "code.py.bak", "code.PY.orig", "code.py.old", "code.py.BAK"),
    *("code.py.swp", "code.py.rej", "code.py.1", "code.py.save.1", "code.py.gz", "code.py.txt"),
    *("code.py-old", "code.py_bak", "code.py,cover", "code.py.dpkg-old", "code.py.un~", "code.py "),
    *("#code.py#", "code.py (copy)", "code.pyc.bak", "code.pyd", "code.pyz", "nb.ipynb.gz"),
]


@pytest.fixture
def files(folder):
    """A tree with something to steal around what may be had."""
    (folder.parent / "secret.txt").write_text("secret")
    (folder.parent / "node_modules" / "lib").mkdir(parents=True)
    (folder.parent / "node_modules" / "lib" / "outer.mjs").write_text("outer")
    (folder / "node_modules" / "lib").mkdir(parents=True)
    (folder / "node_modules" / "lib" / "inner.js").write_text("inner")
    (folder / "index.yaml").write_text("title: secret\nanalyses: [x]")
    static = folder / "x" / "static"
    for name in ("a.txt", "b.yaml", "c d.txt", "ü.txt", "m.mjs", "w.wasm", "page.html"):
        (static / name).write_text(name)
    for name in (".env", "code.py", "code.PY", "code.pyc", "nb.ipynb", *COPIES):
        (static / name).write_text("secret")
    (static / "deep").mkdir()
    (static / "deep" / "a.txt").write_text("deep")
    for name in ("data.csv.gz", "pyramid.pyramid", "happy.txt", "py.js", "a.python"):
        (static / name).write_text("sent")
    (static / ".git").mkdir()
    (static / ".git" / "config").write_text("secret")
    os.symlink(folder.parent / "secret.txt", static / "out.txt")
    os.symlink(folder / "x", static / "up")
    os.symlink(static / "a.txt", static / "in.txt")
    os.symlink(static / "code.py", static / "code.txt")
    (folder / "x" / "analysis.js").write_text("js")
    (folder / "x" / "analysis.css").write_text("css")
    (folder / "x" / "data.csv").write_text("secret")
    (folder / "x" / "README.md").write_text("secret")
    (folder / "x" / "thumbnail.svg").write_text("<svg/>")
    (folder / "static").mkdir()
    (folder / "static" / "all.txt").write_text("all")
    return folder


SERVED = [
    ("/x/static/a.txt", "a.txt", "text/plain; charset=utf-8"),
    ("/x/static/b.yaml", "b.yaml", None),
    ("/x/static/c%20d.txt", "c d.txt", "text/plain; charset=utf-8"),
    ("/x/static/%C3%BC.txt", "ü.txt", "text/plain; charset=utf-8"),
    ("/x/static/deep/a.txt", "deep", "text/plain; charset=utf-8"),
    ("/x/static/in.txt", "a.txt", "text/plain; charset=utf-8"),
    ("/x/static/m.mjs", "m.mjs", "text/javascript; charset=utf-8"),
    ("/x/static/w.wasm", "w.wasm", "application/wasm"),
    ("/x/static/page.html", "page.html", "text/html; charset=utf-8"),
    ("/x/static/a.txt?v=1", "a.txt", "text/plain; charset=utf-8"),
    *((f"/x/static/{name}", "sent", None) for name in ("data.csv.gz", "pyramid.pyramid")),
    *((f"/x/static/{name}", "sent", None) for name in ("happy.txt", "py.js", "a.python")),
    ("/x/analysis.js", "js", "text/javascript; charset=utf-8"),
    ("/x/analysis.css", "css", "text/css; charset=utf-8"),
    ("/x/thumbnail.svg", "<svg/>", "image/svg+xml"),
    ("/static/all.txt", "all", "text/plain; charset=utf-8"),
    ("/node_modules/lib/inner.js", "inner", "text/javascript; charset=utf-8"),
    ("/node_modules/lib/outer.mjs", "outer", "text/javascript; charset=utf-8"),
]
REFUSED = [
    # sources, beside the page and in the static folder
    *("/x/analysis.py", "/x/analysis%2Epy", "/x/analysis.py?x.js", "/x/analysis.py%00.js"),
    *("/x/static/code.py", "/x/static/code.PY", "/x/static/code.pyc", "/x/static/nb.ipynb"),
    *(f"/x/static/{quote(name)}" for name in COPIES),
    *("/x/static/code.txt", "/x/data.csv", "/x/README.md", "/x/static/../analysis.py"),
    *("/index.yaml", "/x/../index.yaml", "/static/../index.yaml", "/x/index.yaml"),
    # hidden files
    *("/x/static/.env", "/x/static/%2Eenv", "/x/static/.git/config", "/x/static/deep/../.env"),
    # out of the folder
    *("/x/static/../../../secret.txt", "/x/static/%2e%2e/%2e%2e/%2e%2e/secret.txt"),
    *("/x/static/..%2f..%2f..%2fsecret.txt", "/x/static/%2e%2e%2f%2e%2e%2f%2e%2e%2fsecret.txt"),
    *("/x/static/..%5c..%5c..%5csecret.txt", "/x/static/deep/../../../../secret.txt"),
    *("/x/static//etc/passwd", "/x/static/%2fetc%2fpasswd", "/x/static/%252e%252e/secret.txt"),
    *("/static/..%2fx%2fanalysis.py", "/_static/..%2fcli.py", "/_static/../cli.py"),
    *("/node_modules/..%2f..%2fsecret.txt", "/x/..%2fbase.html", "/x/%2e%2e%2fbase.html"),
    *("/%2e%2e/secret.txt", "/..%2fsecret.txt", "//etc/passwd", "/x/static/....//secret.txt"),
    # links out of the folder
    *("/x/static/out.txt", "/x/static/up/analysis.py", "/x/static/up/data.csv"),
    # what is no file
    *("/x/static/", "/x/static", "/x/static/deep", "/x/static/deep/", "/static/", "/x/static/gone"),
    *("/x/static/a.txt/", "/x/static/a.txt/b", "/x/static/%00", "/x/static/%0a", "/x/static/%ff"),
    *("/x/static/" + "a" * 5000, "/x/static/" + "a/" * 2000),
]


@pytest.mark.parametrize(("path", "text", "kind"), SERVED, ids=[row[0] for row in SERVED])
async def test_file_is_served(serve, files, path, text, kind):
    server = await serve()
    answer = await server.get(path)
    assert (answer.code, answer.body.decode()) == (200, text)
    if kind:
        assert answer.headers["Content-Type"] == kind
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    head = await server.get(path, "HEAD")
    assert (head.code, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(text.encode()))


@pytest.mark.expected_log("(GET|HEAD) .* (400|404|405|414)")
@pytest.mark.parametrize("path", REFUSED, ids=[path[:40] for path in REFUSED])
async def test_what_may_not_leave_is_refused(serve, files, path):
    server = await serve(debug=False)
    answer = await server.raw(f"GET {path} HTTP/1.1\nHost: {server.address}\nConnection: close\n\n")
    assert answer.split(" ")[1] in {"400", "404"}, answer[:200]
    assert "secret" not in answer.partition("\r\n\r\n")[2].replace("secret.txt", "")


async def test_saved_file_shows_at_once_and_an_unchanged_one_is_not_sent_again(serve, files):
    server = await serve()
    file = files / "x" / "static" / "a.txt"
    first = await server.get("/x/static/a.txt")
    again = await server.get("/x/static/a.txt", headers={"If-None-Match": first.headers["Etag"]})
    assert (again.code, again.body) == (304, b"")
    file.write_text("changed")
    os.utime(file, ns=(1, 2))
    fresh = await server.get("/x/static/a.txt", headers={"If-None-Match": first.headers["Etag"]})
    assert (fresh.code, fresh.body) == (200, b"changed")
    assert fresh.headers["Cache-Control"] == "no-cache"


async def test_part_of_a_file_is_served(serve, files):
    server = await serve()
    answer = await server.get("/x/static/a.txt", headers={"Range": "bytes=2-3"})
    assert (answer.code, answer.body) == (206, b"tx")


@pytest.mark.expected_log("POST .* 405")
async def test_only_get_and_head(serve, files):
    server = await serve()
    answer = await server.raw(
        f"POST /x/static/a.txt HTTP/1.1\nHost: {server.address}\n"
        "Content-Length: 0\nConnection: close\n\n"
    )
    assert answer.startswith("HTTP/1.1 405")


async def test_static_of_the_index_is_served(serve, files):
    (files / "index.yaml").write_text("static: {'files/(.*[.]txt)': x/static/}\nanalyses: [x]")
    server = await serve()
    assert (await server.get("/files/a.txt")).body == b"a.txt"


@pytest.mark.expected_log("/files/")
async def test_static_of_the_index_refuses_the_same(serve, files):
    (files / "index.yaml").write_text("static: {'files/(.*)': x/static/}\nanalyses: [x]")
    server = await serve()
    for path in ("code.py", ".env", "out.txt", "..%2fanalysis.py"):
        assert (await server.get(f"/files/{path}")).code == 404


ORDERED = """
static:
  - files/first/(.*): one/
  - files/(.*): two/
  - /(_static/.*): one/
  - (.*): one/
analyses: [x]
"""


@pytest.fixture
def ordered(folder, monkeypatch):
    """Two folders of files with the same names, and patterns that overlap."""
    for name in ("one", "two"):
        for file in ("a.txt", "x/index.html", "_static/databench.css", "favicon.ico"):
            (folder / name / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / file).write_text(name)
    (folder.parent / "two").mkdir()
    (folder.parent / "two" / "a.txt").write_text("of the working directory")
    (folder.parent / "two" / "b.txt").write_text("of the working directory")
    monkeypatch.chdir(folder.parent)
    (folder / "index.yaml").write_text(ORDERED)
    return folder


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/files/first/a.txt", "one"),
        ("/files/a.txt", "two"),
        ("/a.txt", "one"),
        ("/files/b.txt", "of the working directory"),
    ],
)
async def test_patterns_are_tried_in_order_then_the_working_directory(serve, ordered, path, text):
    assert (await (await serve()).get(path)).body.decode() == text


@pytest.mark.parametrize("path", ["/x/", "/x", "/x/index.html", "/", "/_static/databench.css"])
async def test_no_pattern_takes_the_place_of_a_page_nor_of_databench_own(serve, ordered, path):
    (ordered / "x" / "index.html").write_text("page")
    answer = await (await serve()).get(path)
    assert answer.code in (200, 302)
    assert answer.body not in (b"one", b"two")


async def test_a_pattern_below_an_analysis_is_served(serve, folder):
    (folder / "data").mkdir()
    (folder / "data" / "a.txt").write_text("data")
    (folder / "index.yaml").write_text("static: {x/data/(.*): data/}\nanalyses: [x]")
    assert (await (await serve()).get("/x/data/a.txt")).body == b"data"


async def test_a_group_may_have_a_name(serve, ordered):
    (ordered / "index.yaml").write_text("static:\n  f/(?P<what>.*): one/\nanalyses: [x]")
    assert (await (await serve()).get("/f/a.txt")).body == b"one"


@pytest.mark.expected_log(" 404 ")
async def test_a_group_that_need_not_match_names_no_file(serve, ordered):
    (ordered / "index.yaml").write_text("static: {'f(/.+)?': one/}\nanalyses: [x]")
    assert (await (await serve()).get("/f")).code == 404


@pytest.mark.expected_log(" 404 ")
async def test_a_changed_index_changes_the_patterns(serve, ordered):
    server = await serve()
    (ordered / "index.yaml").write_text("static: {new/(.*): one/}\nanalyses: [x]")
    server.front.swap(load(ordered))
    assert (await server.get("/new/a.txt")).body == b"one"
    assert (await server.get("/files/a.txt")).code == 404


def test_first_folder_that_has_it_wins(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(name)
    (tmp_path / "two" / "b.txt").write_text("two")
    roots = [tmp_path / "one", tmp_path / "two", tmp_path / "gone"]
    assert find_file(roots, "a.txt") == tmp_path / "one" / "a.txt"
    assert find_file(roots, "b.txt") == tmp_path / "two" / "b.txt"
    assert find_file(roots, "c.txt") is None
