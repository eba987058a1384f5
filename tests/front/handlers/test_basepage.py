"""Pages from memory: the same for whoever asks, and never older than what they are made of."""

import asyncio
import gzip
import os
import re

import pytest

from databench.front.handlers import basepage as pages_in_common

pytestmark = pytest.mark.usefixtures("settled")


@pytest.fixture
def made(monkeypatch):
    """The paths of the templates that were run."""
    paths = []
    render = pages_in_common.templates.render

    def note(compiled, path, names):
        paths.append(path)
        return render(compiled, path, names)

    monkeypatch.setattr(pages_in_common.templates, "render", note)
    return paths


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("path", ["/", "/x/", "/x/more.html"])
async def test_an_unchanged_page_is_made_once(serve, folder, made, path, debug):
    (folder / "x" / "more.html").write_text("{{ title }}")
    server = await serve(debug=debug)
    first = await server.get(path)
    again = await server.get(path)
    assert (again.code, again.body) == (200, first.body)
    assert again.headers["Etag"] == first.headers["Etag"]
    assert len(made) == 1


async def test_packaged_templates_are_made_once(serve, folder, made):
    for name in ("base.html", "analysis.html", "index.html"):
        (folder / name).unlink()
    (folder / "x" / "README.md").write_text("# Readme of x\n\nwith words")
    server = await serve()
    for path in ("/", "/x/", "/", "/x/"):
        assert b"with words" in (await server.get(path)).body
    assert len(made) == 2


async def test_an_empty_gallery_is_made_once(serve, folder, made):
    for name in ("base.html", "analysis.html", "index.html", "x/analysis.py"):
        (folder / name).unlink()
    (folder / "x" / "static").rmdir()
    (folder / "x").rmdir()
    server = await serve()
    for _ in range(2):
        assert b"the folder <code>analyses</code>" in (await server.get("/")).body
    assert len(made) == 1


# ---------------------------------------------------------------- visitors and hosts


async def test_each_visitor_gets_a_word_of_their_own(serve, made):
    server = await serve()
    cookies = [(await server.get("/x/")).headers["Set-Cookie"] for _ in range(3)]
    words = {cookie.partition(";")[0] for cookie in cookies}
    assert len(words) == 3
    known = await server.get("/x/", headers={"Cookie": words.pop()})
    assert "Set-Cookie" not in known.headers
    assert len(made) == 2  # of an administrator, and of one who is none


async def test_an_administrator_and_a_stranger_get_pages_of_their_own(serve, folder):
    (folder / "x" / "index.html").write_text("{{ debug }} {{ bool(how_to_administer) }}")
    server = await serve()
    for _ in range(2):
        own = await server.get("/x/")
        stranger = await server.get("/x/", headers={"Cookie": "none=1"})
        assert own.body == b"True False"
        assert stranger.body == b"False True"


NAMES = """{{ globals().get('title') }}: {{ request.host }} {{ handler.get_cookie('a') }} \
{{ request.headers.get('Accept-Language') }} {{ request.query }} {{ locale.code }}"""


async def test_what_reads_the_request_is_made_for_each_of_two_visitors_and_two_hosts(
    serve, folder, made
):
    (folder / "x" / "index.html").write_text(NAMES)
    server = await serve(debug=False)
    for _ in range(2):
        for host in ("localhost", "127.0.0.1"):
            for word in ("one", "two"):
                headers = {"Host": host, "Cookie": f"a={word}", "Accept-Language": word}
                answer = await server.get(f"/x/?{word}", headers=headers)
                assert answer.body.decode() == f"x: {host} {word} {word} {word} en_US"
    assert len(made) == 8
    assert server.context.kept.find(("x", "index.html", False)) is None


@pytest.mark.parametrize(
    "text",
    [
        "{% import itertools %}{{ title }}",
        "{{ datetime.datetime.now() }}",
        "{{ handler.request.uri }}",
        "{{ __import__('time').time() }}",
        "{% include 'part.html' %}",
        "{% extends 'part.html' %}",
        "{{ reverse_url }}",
        "{{ current_user }}",
        "{% raw xsrf_form_html() %}",
        "{{ _('x') }}",
    ],
)
async def test_a_page_that_may_depend_on_more_is_made_each_time(serve, folder, made, text):
    (folder / "x" / "index.html").write_text(text)
    (folder / "x" / "part.html").write_text("{{ request.path }}")
    server = await serve()
    for _ in range(3):
        assert (await server.get("/x/")).code == 200
    assert len(made) == 3
    assert server.context.kept.size_bytes == 0


async def test_a_template_that_calls_what_a_script_gives_is_run_each_time(
    serve, folder, made, monkeypatch
):
    numbers = iter(range(10))
    (folder / "x" / "index.html").write_text("{{ count() }} {{ names }}")
    server = await serve()
    entry = server.context.index.entries["x"]
    object.__setattr__(entry, "extra", {"count": lambda: next(numbers), "names": ["a"]})
    assert [(await server.get("/x/")).body for _ in range(2)] == [
        b"0 [&#x27;a&#x27;]",
        b"1 [&#x27;a&#x27;]",
    ]


async def test_values_that_a_script_may_change_are_read_each_time(serve, folder, made):
    (folder / "x" / "index.html").write_text("{{ names }}")
    names = ["a"]
    server = await serve()
    object.__setattr__(server.context.index.entries["x"], "extra", {"names": names})
    assert b"a" in (await server.get("/x/")).body
    names.append("b")
    assert b"b" in (await server.get("/x/")).body


async def test_a_template_cannot_change_what_the_next_page_is_made_of(serve, folder):
    (folder / "index.html").write_text("{{ len(meta_infos) }}{% set _ = meta_infos.pop() %}")
    server = await serve()
    assert [(await server.get("/")).body for _ in range(3)] == [b"1", b"1", b"1"]


async def test_headers_of_the_visitor_are_made_each_time(serve, folder):
    server = await serve(debug=False)
    await server.get("/x/")
    linked = await server.get("/x/?session=abc")
    assert linked.code == 302
    assert "Set-Cookie" in linked.headers
    encrypted = await server.get("/x/")
    assert "Strict-Transport-Security" not in encrypted.headers


@pytest.mark.expected_log("GET / 403")
async def test_a_foreign_host_gets_nothing_from_memory(serve):
    server = await serve()
    await server.get("/")
    assert (await server.get("/", headers={"Host": "evil.example"})).code == 403


# ---------------------------------------------------------------- what changes it


@pytest.mark.parametrize(
    "path",
    ["x/index.html", "base.html", "analysis.html", "x/base.html", "x/README.md", "x/analysis.py"],
)
async def test_a_saved_file_shows_at_once(serve, folder, path):
    texts = {
        "x/README.md": "saved words",
        "x/analysis.py": "import databench\nclass A(databench.Analysis):\n  def on_saved(self): 1",
    }
    (folder / "analysis.html").write_text(
        '{% extends "base.html" %}{% block content %}{% raw readme or "" %}'
        "{{ globals().get('offered') }}{% end %}"
    )
    if path == "x/base.html":
        (folder / "x" / "index.html").write_text('{% extends "base.html" %}')
    server = await serve()
    before = await server.get("/x/")
    assert b"saved" not in before.body
    (folder / path).write_text(texts.get(path, "saved {% block content %}{% end %}"))
    assert b"saved" in (await server.get("/x/")).body
    (folder / path).unlink()
    if path not in ("base.html", "analysis.html"):
        assert b"saved" not in (await server.get("/x/")).body


async def test_a_thumbnail_that_comes_shows_at_once(serve, folder):
    (folder / "index.html").write_text("{% for m in meta_infos %}{{ m['thumbnail'] }}{% end %}")
    server = await serve()
    assert (await server.get("/")).body == b"None"
    (folder / "x" / "thumbnail.png").write_bytes(b"")
    assert (await server.get("/")).body == b"thumbnail.png"


async def test_a_readme_whose_link_gets_its_file_shows_at_once(serve, folder):
    (folder / "x" / "docs").mkdir()
    (folder / "x" / "README.md").symlink_to("docs/real.md")
    server = await serve()
    assert b"real words" not in (await server.get("/x/")).body
    (folder / "x" / "docs" / "real.md").write_text("real words")
    assert b"real words" in (await server.get("/x/")).body


@pytest.mark.parametrize("path", ["/", "/x/", "/y/"])
async def test_a_thumbnail_whose_link_gets_its_file_shows_at_once(serve, folder, path):
    (folder / "index.html").write_text("{% for m in meta_infos %}{{ m['thumbnail'] }}{% end %}")
    (folder / "x" / "index.html").write_text("{{ thumbnail }} {{ static_url('thumbnail.png') }}")
    (folder / "y").mkdir()
    (folder / "y" / "analysis.py").write_text("")
    (folder / "y" / "index.html").write_text("{{ static_url('/x/thumbnail.png') }}")
    (folder / "x" / "images").mkdir()
    (folder / "x" / "thumbnail.png").symlink_to("images/real.png")
    server = await serve()
    before = (await server.get(path)).body
    (folder / "x" / "images" / "real.png").write_bytes(b"image")
    after = (await server.get(path)).body
    assert after != before
    assert (b"thumbnail.png" if path == "/" else b"thumbnail.png?v=") in after


async def test_a_jinja_page_that_comes_shows_at_once(serve, folder):
    source = "import databench\nx = databench.Analysis('x', __name__)\n"
    (folder / "x" / "analysis.py").write_text(source)
    (folder / "x" / "templates").mkdir()
    server = await serve()
    assert b"default page" in (await server.get("/x/")).body
    (folder / "x" / "templates" / "x.html").write_text("{{ 'first' }} release")
    assert (await server.get("/x/")).body.startswith(b"first release")


async def test_an_action_with_another_name_shows_at_once(serve, folder):
    (folder / "analysis.html").write_text("{{ offered }}")
    source = "import databench\nclass A(databench.Analysis):\n  def on_run(self): 1"
    file = folder / "x" / "analysis.py"
    file.write_text(source)
    status = file.stat()
    server = await serve()
    assert b"run" in (await server.get("/x/")).body
    file.write_text(source.replace("run", "jog"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert b"jog" in (await server.get("/x/")).body


async def test_a_readme_shows_in_production_after_a_moment(serve, folder, monkeypatch):
    now_s = 100.0
    server = await serve(debug=False)
    monkeypatch.setattr(server.context.kept, "_clock", lambda: now_s)
    assert b"saved" not in (await server.get("/x/")).body
    assert b"saved" not in (await server.get("/x/")).body
    (folder / "x" / "README.md").write_text("saved")
    assert b"saved" not in (await server.get("/x/")).body
    now_s = 101.0
    assert b"saved" in (await server.get("/x/")).body


async def test_a_page_says_the_count_of_saves_as_it_is(serve, folder):
    (folder / "x" / "index.html").write_text("{{ saves }}")
    server = await serve()
    first = int((await server.get("/x/")).body)
    server.context.saves.add(["/x/"])
    assert int((await server.get("/x/")).body) == first + 1


async def test_faults_of_a_build_show_at_once(serve, folder):
    (folder / "x" / "index.html").write_text("{{ faults }}")
    server = await serve()
    assert (await server.get("/x/")).body == b"[]"
    server.context.builder.faults["x"] = ("build failed",)
    assert b"build failed" in (await server.get("/x/")).body


@pytest.mark.expected_log("404")
async def test_a_page_that_becomes_no_template_is_not_answered_from_memory(serve, folder):
    (folder / "x" / "more.html").write_text("{{ 6 * 7 }}")
    server = await serve()
    assert (await server.get("/x/more.html")).body == b"42"
    (folder / "x" / "more.html").unlink()
    assert (await server.get("/x/more.html")).code == 404


# ---------------------------------------------------------------- how it is sent


async def test_a_kept_page_is_compressed_and_others_are_not(serve, folder):
    (folder / "x" / "index.html").write_text("words " * 1000)
    (folder / "x" / "own.html").write_text("{{ request.path }}" + "words " * 1000)
    server = await serve()
    plain = await server.raw(f"GET /x/ HTTP/1.0\nHost: {server.address}\n\n")
    assert "Content-Encoding" not in plain
    packed = await raw(server, "/x/")
    assert b"Content-Encoding: gzip" in packed
    assert b"Vary: Accept-Encoding" in packed
    body = packed.partition(b"\r\n\r\n")[2]
    assert gzip.decompress(body) == b"words " * 1000
    assert b"Content-Encoding" not in await raw(server, "/x/own.html")


async def test_each_form_has_an_etag_of_its_own(serve, folder):
    (folder / "x" / "index.html").write_text("words " * 1000)
    server = await serve()
    plain = await server.raw(f"GET /x/ HTTP/1.0\nHost: {server.address}\n\n")
    packed = await raw(server, "/x/")
    tag = re.search(r'Etag: "([0-9a-f]{16})"', plain)[1]
    assert f'Etag: "{tag}-gzip"'.encode() in packed
    again = await raw(server, "/x/", f'If-None-Match: "{tag}-gzip"\r\n')
    assert again.startswith(b"HTTP/1.1 304")


async def raw(server, path, more=""):
    """The bytes of an answer to a browser that takes gzip."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"GET {path} HTTP/1.1\r\nHost: {server.address}\r\nConnection: close\r\n"
    writer.write(f"{head}Accept-Encoding: gzip\r\n{more}\r\n".encode())
    try:
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()
        await writer.wait_closed()
