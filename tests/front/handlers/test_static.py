"""Files: what leaves a folder, how it is sent, and what is refused."""

import asyncio
import gzip
import os
import re
from pathlib import Path
from urllib.parse import quote

import pytest
import tornado.iostream

from databench.config import load
from databench.front.content.cache import find_tag

COPIES = [
    *("code.py~", "code.py.~1~", "code.py.bak", "code.PY.orig", "code.py.old", "code.py.BAK"),
    *("code.py.swp", "code.py.rej", "code.py.1", "code.py.save.1", "code.py.gz", "code.py.txt"),
    *("code.py-old", "code.py_bak", "code.py,cover", "code.py.dpkg-old", "code.py.un~", "code.py "),
    *("#code.py#", "code.py (copy)", "code.pyc.bak", "code.pyd", "code.pyz", "nb.ipynb.gz"),
    *("code.py1", "code.py2", "code.pybak", "code.pyold", "code.pyorig", "code.PYBAK"),
    *("code.pybackup", "code.pysave", "code.pycopy", "code.pytmp", "code.pyw2", "code.pyold1"),
    *("code.py2bak", "code.py1.txt", "nb.ipynbold", "nb.ipynb1"),
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
    os.symlink(".env", static / "env.txt")
    os.symlink(".git", static / "git")
    os.symlink("deep", static / ".hidden")
    os.symlink(".hidden/a.txt", static / "through.txt")
    make_packages(folder / "node_modules")
    make_volume(static / "volume")
    (folder / "x" / "analysis.js").write_text("js")
    (folder / "x" / "analysis.css").write_text("css")
    (folder / "x" / "data.csv").write_text("secret")
    (folder / "x" / "README.md").write_text("secret")
    (folder / "x" / "thumbnail.svg").write_text("<svg/>")
    (folder / "static").mkdir()
    (folder / "static" / "all.txt").write_text("all")
    return folder


def make_packages(folder):
    """As package managers lay them out that hold each version once."""
    store = folder / ".pnpm" / "kept@1.0.0" / "node_modules" / "kept"
    store.mkdir(parents=True)
    (store / "kept.js").write_text("kept")
    (store / ".npmrc").write_text("secret")
    (store / "npmrc").symlink_to(".npmrc")
    (folder / "kept").symlink_to(".pnpm/kept@1.0.0/node_modules/kept")
    (folder / ".lock.json").write_text("secret")
    (folder / "lock.json").symlink_to(".lock.json")


def make_volume(folder):
    """As Kubernetes mounts a ConfigMap, which it exchanges in one step."""
    (folder / "..2026_11_28_14_00_00.123456789").mkdir(parents=True)
    (folder / "..2026_11_28_14_00_00.123456789" / "a.txt").write_text("mounted")
    (folder / "..data").symlink_to("..2026_11_28_14_00_00.123456789")
    (folder / "a.txt").symlink_to("..data/a.txt")


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
    ("/node_modules/kept/kept.js", "kept", "text/javascript; charset=utf-8"),
    ("/x/static/through.txt", "deep", "text/plain; charset=utf-8"),
    ("/x/static/volume/a.txt", "mounted", "text/plain; charset=utf-8"),
]
REFUSED = [
    # sources, beside the page and in the static folder
    *("/x/analysis.py", "/x/analysis%2Epy", "/x/analysis.py?x.js", "/x/analysis.py%00.js"),
    *("/x/static/code.py", "/x/static/code.PY", "/x/static/code.pyc", "/x/static/nb.ipynb"),
    *(f"/x/static/{quote(name)}" for name in COPIES),
    *("/x/static/code.txt", "/x/data.csv", "/x/README.md", "/x/static/../analysis.py"),
    *("/index.yaml", "/x/../index.yaml", "/static/../index.yaml", "/x/index.yaml"),
    # hidden files
    *("/x/static/env.txt", "/x/static/git/config", "/x/static/.hidden/a.txt"),
    *("/node_modules/.pnpm/kept@1.0.0/node_modules/kept/kept.js", "/node_modules/kept/npmrc"),
    *("/node_modules/lock.json", "/x/static/volume/..data/a.txt"),
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


# ---------------------------------------------------------------- from memory


@pytest.fixture
def script(folder, settled):
    """A file that is worth compressing."""
    file = folder / "x" / "static" / "a.js"
    file.write_text("words " * 10_000)
    return file


_HELD = "max-age=31536000, immutable"


async def ask(server, path, *lines):
    """The answer's head and body, as bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    more = "".join(f"{line}\r\n" for line in lines)
    head = f"GET {path} HTTP/1.1\r\nHost: {server.address}\r\nConnection: close\r\n{more}\r\n"
    writer.write(head.encode())
    try:
        answer = await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()
        await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.decode("latin-1"), body


def header(head, name):
    found = re.search(rf"^{name}: (.*?)\r?$", head, re.MULTILINE)
    return found and found[1]


async def test_an_unchanged_file_is_read_once(serve, script, monkeypatch):
    reads = []
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: reads.append(path) or read(path))
    server = await serve()
    for _ in range(3):
        assert (await ask(server, "/x/static/a.js"))[1] == b"words " * 10_000
    assert [path.name for path in reads].count("a.js") == 1


async def test_a_file_goes_out_compressed_to_who_takes_it(serve, script):
    server = await serve()
    head, body = await ask(server, "/x/static/a.js", "Accept-Encoding: gzip")
    assert header(head, "Content-Encoding") == "gzip"
    assert header(head, "Content-Length") == str(len(body))
    assert gzip.decompress(body) == script.read_bytes()
    plain, whole = await ask(server, "/x/static/a.js")
    assert header(plain, "Content-Encoding") is None
    assert whole == script.read_bytes()
    assert header(plain, "Vary") == header(head, "Vary") == "Accept-Encoding"
    assert header(plain, "Etag") != header(head, "Etag")


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_what_a_browser_has_is_not_sent_again(serve, script, encoding):
    server = await serve()
    accept = f"Accept-Encoding: {encoding}"
    head, _ = await ask(server, "/x/static/a.js", accept)
    etag = header(head, "Etag")
    again, body = await ask(server, "/x/static/a.js", accept, f"If-None-Match: {etag}")
    assert (again.split()[1], body) == ("304", b"")
    assert header(again, "Etag") == etag
    assert header(again, "Vary") == "Accept-Encoding"
    dated = f"If-Modified-Since: {header(head, 'Last-Modified')}"
    again, body = await ask(server, "/x/static/a.js", accept, dated)
    assert (again.split()[1], body) == ("304", b"")
    # As the whole answer has them (RFC 9110 section 15.4.5).
    assert (header(again, "Etag"), header(again, "Vary")) == (etag, "Accept-Encoding")


async def test_tiny_and_compressed_files_go_out_as_they_are(serve, folder, settled):
    (folder / "x" / "static" / "tiny.js").write_text("a" * 500)
    (folder / "x" / "static" / "a.png").write_text("a" * 5000)
    server = await serve()
    for name in ("tiny.js", "a.png"):
        head, _ = await ask(server, f"/x/static/{name}", "Accept-Encoding: gzip")
        assert header(head, "Content-Encoding") is None
        assert header(head, "Vary") is None


@pytest.mark.expected_log(" 416 ")
@pytest.mark.parametrize(
    ("lines", "status", "part"),
    [
        (["Range: bytes=0-4"], "206", slice(0, 5)),
        (["Range: bytes=-5"], "206", slice(-5, None)),
        (["Range: bytes=0-4", "If-Range: ETAG"], "206", slice(0, 5)),
        (["Range: bytes=0-4", 'If-Range: "another"'], "200", slice(None)),
        (["Range: bytes=99999999-"], "416", slice(0, 0)),
    ],
)
async def test_a_part_is_of_the_plain_file(serve, script, lines, status, part):
    server = await serve()
    etag = header((await ask(server, "/x/static/a.js"))[0], "Etag")
    lines = [line.replace("ETAG", etag) for line in lines]
    head, body = await ask(server, "/x/static/a.js", *lines)
    assert head.split()[1] == status
    assert body == script.read_bytes()[part]
    assert header(head, "Content-Encoding") is None
    assert header(head, "Etag") == etag
    assert header(head, "Vary") == "Accept-Encoding"


@pytest.mark.parametrize("later", [b"other" * 10_000, b"short"])
async def test_a_part_is_of_the_content_that_its_etag_names(serve, script, later):
    server = await serve()
    earlier = script.read_bytes()
    server.context.kept.interval_s = 60.0  # as in production, for longer: looked at once
    for _ in range(2):
        etag = header((await ask(server, "/x/static/a.js"))[0], "Etag")
    script.write_bytes(later)
    head, body = await ask(server, "/x/static/a.js", "Range: bytes=25000-", f"If-Range: {etag}")
    assert (head.split()[1], header(head, "Etag")) == ("206", etag)
    assert header(head, "Content-Range") == f"bytes 25000-{len(earlier) - 1}/{len(earlier)}"
    assert body == earlier[25_000:]


@pytest.mark.parametrize(
    ("path", "is_held"),
    [
        ("/x/static/a.js?v=TAG", True),
        ("/x/static/a.js?v=0123456789abcdef", False),
        ("/x/static/a.js?v=1.0", False),
        ("/x/static/a.js", False),
        ("/x/static/a.js?v=TAG&x=1", False),
    ],
)
async def test_only_an_address_that_names_the_content_is_held(serve, script, path, is_held):
    server = await serve()
    address = path.replace("TAG", find_tag(script.read_bytes()))
    for lines in ([], ["Accept-Encoding: gzip"], ["Range: bytes=0-4"]):
        head, _ = await ask(server, address, *lines)
        is_whole = "Range" not in str(lines)  # a part is never held: it is read from the disk
        expected = _HELD if is_held and is_whole else "no-cache"
        assert header(head, "Cache-Control") == expected


@pytest.mark.parametrize("path", ["/_static/databench.js", "/_static/databench.js?v=0.9"])
async def test_the_client_is_at_its_plain_address_too(serve, path):
    server = await serve()
    head, body = await ask(server, path)
    assert header(head, "Cache-Control") == "no-cache"
    assert b"Databench" in body


@pytest.mark.expected_log(" 404 ")
async def test_a_link_that_leads_out_later_is_not_followed(serve, folder, tmp_path, settled):
    (tmp_path / "outside.js").write_text("secret")
    (folder / "x" / "static" / "inside.js").write_text("inside")
    link = folder / "x" / "static" / "link.js"
    link.symlink_to(folder / "x" / "static" / "inside.js")
    server = await serve()
    assert (await ask(server, "/x/static/link.js"))[1] == b"inside"
    link.unlink()
    link.symlink_to(tmp_path / "outside.js")
    head, body = await ask(server, "/x/static/link.js")
    assert head.split()[1] == "404"
    assert b"secret" not in body


@pytest.mark.expected_log("/static/moved/a.js 404")
async def test_a_folder_that_was_moved_out_is_not_sent_from_memory(serve, folder, settled):
    moved = folder / "static" / "moved"
    moved.mkdir(parents=True)
    (moved / "a.js").write_text("secret")
    server = await serve()
    for _ in range(2):
        assert (await ask(server, "/static/moved/a.js"))[1] == b"secret"
    moved.rename(folder.parent / "outside")
    moved.symlink_to(folder.parent / "outside")
    head, body = await ask(server, "/static/moved/a.js")
    assert head.split()[1] == "404"
    assert b"secret" not in body


async def test_a_file_in_a_folder_that_comes_first_is_seen(serve, folder, settled):
    (folder / "node_modules").mkdir()
    (folder.parent / "node_modules").mkdir()
    (folder.parent / "node_modules" / "a.js").write_text("second")
    server = await serve()
    assert (await ask(server, "/node_modules/a.js"))[1] == b"second"
    (folder / "node_modules" / "a.js").write_text("first")
    assert (await ask(server, "/node_modules/a.js"))[1] == b"first"


async def test_a_large_file_is_sent_in_parts(serve, folder, settled):
    file = folder / "x" / "static" / "large.js"
    server = await serve()
    file.write_bytes(b"x" * (server.context.kept.most_bytes + 1))
    head, body = await ask(server, "/x/static/large.js", "Accept-Encoding: gzip")
    assert header(head, "Content-Encoding") is None
    assert body == file.read_bytes()
    assert server.context.kept.size_bytes == 0


async def test_who_reads_nothing_makes_the_server_hold_one_part(
    serve, folder, settled, monkeypatch
):
    written = []
    write = tornado.iostream.IOStream.write
    monkeypatch.setattr(
        tornado.iostream.IOStream,
        "write",
        lambda self, data: written.append(len(data)) or write(self, data),
    )
    (folder / "x" / "static" / "a.png").write_bytes(bytes(1_900_000))
    server = await serve()
    head, body = await ask(server, "/x/static/a.png")
    assert len(body) == 1_900_000 == int(header(head, "Content-Length"))
    assert server.context.kept.size_bytes > 1_900_000
    assert max(written) < 70_000
    etag = header(head, "Etag")
    head, body = await ask(server, "/x/static/a.png", f"If-None-Match: {etag}")
    assert (head.split()[1], body) == ("304", b"")


@pytest.mark.parametrize("count", [10_000, 20_000])  # in one part, and in two
async def test_head_of_a_long_file_tells_its_length(serve, script, count):
    script.write_text("words " * count)
    server = await serve()
    told = await server.raw(f"HEAD /x/static/a.js HTTP/1.0\nHost: {server.address}\n\n")
    head, _, body = told.partition("\r\n\r\n")
    assert head.split()[1] == "200"
    assert header(head, "Content-Length") == str(6 * count)
    assert body == ""
