"""Pages: what each address shows, and what a template gets."""

import pytest
import tornado.iostream

from databench._version import __version__


async def test_gallery_lists_the_analyses(serve, folder):
    (folder / "index.yaml").write_text("title: Lab\nanalyses: [{name: x, title: The X}]")
    server = await serve()
    answer = await server.get("/")
    assert answer.code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    text = answer.body.decode()
    assert "<title>Lab</title>" in text
    assert '<a href="/x/">The X</a>' in text


async def test_gallery_tells_what_is_wrong_with_the_index(serve, folder):
    (folder / "index.yaml").write_text("a: [b\nc: d")
    server = await serve()
    text = (await server.get("/")).body.decode()
    assert "index.yaml:2: this is not YAML" in text
    assert '<a href="/x/">' in text


async def test_gallery_template_gets_its_names(serve, folder):
    (folder / "index.yaml").write_text(
        "title: T\ndescription: D\ndescription_html: <b>H</b>\nauthor: A\nversion: 1.10\n"
        "analyses: [{name: x, show_in_index: false, description: dx}]"
    )
    (folder / "index.html").write_text(
        "{{ title }}|{{ description }}|{% raw description_html %}|{{ author }}|{{ version }}|"
        "{{ databench_version }}|{{ home_link }}|{{ meta_infos[0]['show_in_index'] }}|"
        "{{ meta_infos[0].description }}|{{ meta_infos[0].version }}"
    )
    server = await serve()
    text = (await server.get("/")).body.decode()
    assert text == f"T|D|<b>H</b>|A|1.10|{__version__}|None|False|dx|1.10"


async def test_analysis_template_gets_its_names(serve, folder):
    (folder / "index.yaml").write_text(
        "title: Lab\nauthor: A\nversion: 1.0\n"
        "analyses: [{name: x, title: T, description: D, version: 2.0, watch: a}]"
    )
    (folder / "x" / "thumbnail.png").write_bytes(b"")
    (folder / "x" / "README.md").write_text("# R\n<script>x</script>\n\n| a |\n|---|\n| b |\n")
    (folder / "x" / "index.html").write_text(
        "{{ name }}|{{ title }}|{{ description }}|{{ version }}|{{ author }}|{{ home_link }}|"
        "{{ thumbnail }}|{{ show_in_index }}|{{ kernel }}|{{ watch }}|{{ site_title }}|"
        "{{ databench_version }}|{% raw readme %}"
    )
    server = await serve()
    text = (await server.get("/x/")).body.decode()
    head, _, readme = text.rpartition(f"{__version__}|")
    assert head == "x|T|D|2.0|A|/|thumbnail.png|True|py|[&#x27;a&#x27;]|Lab|"
    assert "<h1>R</h1>" in readme
    assert "&lt;script&gt;" in readme
    assert "<table>" in readme


async def test_readme_of_the_index_comes_first(serve, folder):
    (folder / "index.yaml").write_text("analyses: [{name: x, readme: '*from index*'}]")
    (folder / "x" / "README.md").write_text("from file")
    server = await serve()
    text = (await server.get("/x/")).body.decode()
    assert "<em>from index</em>" in text
    assert "from file" not in text


@pytest.mark.slow
async def test_readme_of_the_folder_may_be_rst(serve, folder):
    (folder / "x" / "README.rst").write_text("Of *rst*.")
    server = await serve()
    assert "<p>Of <em>rst</em>.</p>" in (await server.get("/x/")).body.decode()


async def test_gallery_gets_the_readmes(serve, folder):
    (folder / "README.md").write_text("of *all*")
    (folder / "x" / "README.md").write_text("# X\n\nof *one*\n\nmore")
    (folder / "index.html").write_text(
        "{% raw readme %}|{% raw meta_infos[0].readme %}|{{ meta_infos[0].summary }}"
    )
    server = await serve()
    text = (await server.get("/")).body.decode()
    whole, one, summary = text.split("|")
    assert whole == "<p>of <em>all</em></p>\n"
    assert one.startswith("<h1>X</h1>")
    assert summary == "of one"


async def test_analysis_without_a_page_gets_the_default_one(serve):
    server = await serve()
    answer = await server.get("/x/")
    assert answer.code == 200
    assert "<h1>x</h1>" in answer.body.decode()
    assert "default page" in answer.body.decode()


async def test_page_and_further_pages_of_an_analysis(serve, folder):
    (folder / "x" / "index.html").write_text(
        '{% extends "analysis.html" %}{% block analysis %}own{% end %}'
    )
    (folder / "x" / "more.html").write_text("more of {{ title }}")
    (folder / "x" / "sub").mkdir()
    (folder / "x" / "sub" / "page.html").write_text("sub of {{ title }}")
    server = await serve()
    assert "own" in (await server.get("/x/")).body.decode()
    assert (await server.get("/x/index.html")).body == (await server.get("/x/")).body
    assert (await server.get("/x/more.html")).body == b"more of x"
    assert (await server.get("/x/sub/page.html")).body == b"sub of x"


async def test_saved_template_shows_at_once_in_development(serve, folder):
    page = folder / "x" / "index.html"
    page.write_text("one")
    server = await serve(debug=True)
    assert (await server.get("/x/")).body == b"one"
    page.write_text("two")
    assert (await server.get("/x/")).body == b"two"


@pytest.mark.parametrize("path", ["/", "/x/", "/x/index.html"])
async def test_head_is_the_get_without_its_body(serve, folder, path):
    (folder / "x" / "index.html").write_text("one")
    server = await serve()
    get, head = await server.get(path), await server.get(path, "HEAD")
    assert (head.code, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(get.body))
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


@pytest.mark.parametrize(("path", "place"), [("/x", "/x/"), ("/x?a=1", "/x/?a=1")])
async def test_address_without_a_slash_is_redirected(serve, path, place):
    server = await serve()
    answer = await server.get(path)
    assert (answer.code, answer.headers["Location"]) == (302, place)


@pytest.mark.expected_log(" 404 ")
@pytest.mark.parametrize(
    "path",
    ["/gone", "/gone/", "/gone/a.html", "/x/gone.html", "/x/gone", "/.x/", "/a/b", "/%3Cb%3E"],
)
async def test_what_is_not_there_is_told(serve, path):
    server = await serve()
    answer = await server.get(path)
    assert answer.code == 404
    assert "<b>" not in answer.body.decode()
    assert "404 Not Found" in answer.body.decode()


@pytest.mark.expected_log("template failed: .*x/index.html:2: NameError", "/x/ 500")
async def test_template_error_names_file_and_line_in_development(serve, folder):
    (folder / "x" / "index.html").write_text("a\n{{ missing }}")
    server = await serve(debug=True)
    answer = await server.get("/x/")
    assert answer.code == 500
    assert "x/index.html:2: NameError" in answer.body.decode()
    (folder / "x" / "index.html").write_text("mended")
    assert (await server.get("/x/")).body == b"mended"


@pytest.mark.expected_log("template failed: .*/index.html: .* circle", "/x/ 500")
async def test_templates_in_a_circle_are_a_template_error(serve, folder):
    (folder / "x" / "index.html").write_text('{% include "index.html" %}')
    (folder / "index.html").write_text('{% include "x/index.html" %}')
    server = await serve(debug=True)
    answer = await server.get("/x/")
    assert answer.code == 500
    assert "Template error" in answer.body.decode()
    assert "x/index.html &gt; index.html &gt; x/index.html" in answer.body.decode()


@pytest.mark.expected_log("template failed", "/x/ 500")
async def test_template_error_names_nothing_in_production(serve, folder):
    (folder / "x" / "index.html").write_text("a\n{{ missing }}")
    server = await serve(debug=False)
    text = (await server.get("/x/")).body.decode()
    assert "missing" not in text
    assert "see the log" in text


@pytest.mark.expected_log("/x/ 503")
async def test_broken_analysis_shows_why_and_the_others_are_served(serve, folder):
    (folder / "y").mkdir()
    (folder / "y" / "analysis.py").write_text("")
    (folder / "index.yaml").write_text("analyses:\n- name: x\n  kernel: <b>\n- y\n")
    server = await serve()
    answer = await server.get("/x/")
    assert answer.code == 503
    text = answer.body.decode()
    assert "index.yaml:3: there is no kernel &#x27;&lt;b&gt;&#x27;; known: py" in text
    assert (await server.get("/y/")).code == 200
    assert (await server.get("/")).code == 200


@pytest.mark.expected_log("/x/ 503")
async def test_broken_analysis_shows_nothing_of_it_in_production(serve, folder):
    (folder / "index.yaml").write_text("analyses: [{name: x, kernel: cobol}]")
    server = await serve(debug=False)
    assert "cobol" not in (await server.get("/x/")).body.decode()


async def test_gallery_names_no_file_in_production(serve, folder):
    (folder / "index.yaml").write_text("a: [b\nc: d")
    server = await serve(debug=False)
    text = (await server.get("/")).body.decode()
    assert "index.yaml" not in text
    assert "see the log" in text


async def test_page_may_use_what_tornado_gives_to_templates(serve, folder):
    (folder / "x" / "index.html").write_text("{{ request.path }} {{ handler.__class__.__name__ }}")
    server = await serve()
    assert (await server.get("/x/")).body == b"/x/ AnalysisPage"


@pytest.mark.expected_log("template failed", "/x/ 503")
async def test_broken_analysis_is_shown_even_when_the_base_is_broken_too(serve, folder):
    (folder / "index.yaml").write_text("analyses: [{name: x, kernel: cobol}]")
    (folder / "base.html").write_text("{{ missing }}")
    server = await serve()
    assert "no kernel &#x27;cobol&#x27;" in (await server.get("/x/")).body.decode()


async def test_packaged_templates_serve_all_of_it(serve, folder):
    for name in ("base.html", "analysis.html", "index.html"):
        (folder / name).unlink()
    (folder / "x" / "README.md").write_text("# Readme of x")
    server = await serve()
    gallery = (await server.get("/")).body.decode()
    page = (await server.get("/x/")).body.decode()
    assert 'href="/x/"' in gallery
    assert "Readme of x" in page
    assert page.count("/_static/databench.js") == 1
    assert (await server.get("/_static/databench.js")).code == 200


GALLERY = """
title: Lab
author: Somebody
version: "2.0"
description_html: <em>all</em>
analyses:
  - {name: x, title: The X, description: about x, thumbnail: pictures/x.png}
  - {name: y, title: The Y, show_in_index: false}
"""


async def test_gallery_shows_what_the_index_says_of_each_analysis(serve, folder):
    for template in ("base.html", "index.html"):
        (folder / template).unlink()
    (folder / "y").mkdir()
    (folder / "y" / "analysis.py").write_text("")
    (folder / "index.yaml").write_text(GALLERY)
    server = await serve()
    shown = (await server.get("/")).body.decode()
    for text in ("<em>all</em>", "by Somebody", "analyses 2.0", "The X", "about x"):
        assert text in shown, text
    assert 'src="/x/pictures/x.png"' in shown
    assert "The Y" not in shown
    assert (await server.get("/y/")).code == 200


# ---------------------------------------------------------------- what an analysis wrote

CODE = "{{ 'was' + '-run' }} {{ handler.application }}"


async def test_page_that_an_analysis_wrote_is_sent_as_it_is(serve, folder):
    server = await serve(debug=False)
    (folder / "x" / "reports").mkdir()
    for path in ("late.html", "reports/latest.html"):
        (folder / "x" / path).write_text(CODE)
        answer = await server.get(f"/x/{path}")
        assert (answer.code, answer.body.decode()) == (200, CODE)
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "Content-Security-Policy" in answer.headers
        assert (await server.get(f"/x/{path}", "HEAD")).body == b""


@pytest.mark.parametrize("is_kept", [True, False])
async def test_large_page_that_an_analysis_wrote_is_sent_in_parts(
    serve, folder, settled, monkeypatch, is_kept
):
    written = []
    write = tornado.iostream.IOStream.write
    monkeypatch.setattr(
        tornado.iostream.IOStream,
        "write",
        lambda self, data: written.append(len(data)) or write(self, data),
    )
    server = await serve(debug=False, kept_check_s=0.0)
    report = folder / "x" / "report.html"
    text = "words " * (20_000 if is_kept else server.context.kept.most_bytes // 6 + 1)
    report.write_text(text)
    for _ in range(2):
        assert (await server.get("/x/report.html")).body.decode() == text
    assert max(written) < 70_000
    assert (server.context.kept.find((folder / "x", "report.html")) is not None) == is_kept
    part = await server.get("/x/report.html", headers={"Range": "bytes=6-10"})
    assert (part.code, part.body) == (206, b"words")
    assert part.headers["Content-Type"] == "text/html; charset=utf-8"
    head = await server.get("/x/report.html", "HEAD")
    assert (head.code, head.body) == (200, b"")
    report.write_text("other")
    assert (await server.get("/x/report.html")).body == b"other"


SOURCE = """
import databench

class X(databench.Analysis):
    @databench.on
    def run(self): ...
    @databench.on
    def samples(self, value): ...
"""


async def test_page_without_a_template_offers_what_can_be_pressed(serve, folder):
    (folder / "analysis.html").unlink()
    (folder / "base.html").unlink()
    (folder / "x" / "analysis.py").write_text(SOURCE)
    server = await serve()
    body = (await server.get("/x/")).body.decode()
    assert body.count("data-action=") == body.count('data-action="run"') == 1
    assert "<dl" in body and "data-values" in body
    assert "save an index.html beside the analysis" in body
    stranger = (await server.get("/x/", headers={"Cookie": ""})).body.decode()
    assert 'data-action="run"' in stranger and "index.html" not in stranger
    # A page of its own says itself what is on it, and so does one that extends the default one.
    (folder / "x" / "index.html").write_text('{% extends "analysis.html" %}')
    body = (await server.get("/x/")).body.decode()
    assert "data-action" not in body and "data-values" not in body


async def test_page_that_an_analysis_wrote_anew_is_run_no_more(serve, folder):
    (folder / "x" / "more.html").write_text("{{ 1 + 1 }}")
    server = await serve(debug=False)
    (folder / "x" / "more.html").write_text(CODE)
    assert (await server.get("/x/more.html")).body.decode() == CODE


async def test_page_that_was_shown_stays_what_it_was(serve, folder):
    (folder / "x" / "more.html").write_text("{{ 1 + 1 }}")
    server = await serve(debug=False)
    assert (await server.get("/x/more.html")).body == b"2"
    (folder / "x" / "more.html").write_text(CODE)
    assert (await server.get("/x/more.html")).body == b"2"


async def test_index_html_that_an_analysis_wrote_does_not_take_the_place_of_its_page(serve, folder):
    server = await serve(debug=False)
    for file in (folder / "x" / "index.html", folder / "x" / "base.html"):
        file.write_text(CODE)
    answer = await server.get("/x/")
    assert b"default page" in answer.body


@pytest.mark.expected_log("index.html: was changed after the server started", "/x/ 500")
async def test_index_html_that_was_changed_is_not_run(serve, folder):
    (folder / "x" / "index.html").write_text("{{ 1 + 1 }}")
    server = await serve(debug=False)
    (folder / "x" / "index.html").write_text(CODE)
    answer = await server.get("/x/")
    assert answer.code == 500
    assert b"was-run" not in answer.body and b"{{" not in answer.body


@pytest.mark.expected_log("there is no template 'late.txt'; '.*' is not run as one", "/x/ 500")
async def test_file_that_an_analysis_wrote_is_not_included(serve, folder):
    (folder / "x" / "index.html").write_text('{% include "late.txt" %}')
    server = await serve(debug=False)
    (folder / "x" / "late.txt").write_text(CODE)
    answer = await server.get("/x/")
    assert (answer.code, b"was-run" in answer.body) == (500, False)


@pytest.mark.expected_log("/x/more.html 404")
async def test_link_to_a_hidden_file_is_no_page(serve, folder):
    (folder / "x" / ".more.html").write_text(CODE)
    (folder / "x" / "more.html").symlink_to(".more.html")
    server = await serve(debug=True)
    answer = await server.get("/x/more.html")
    assert (answer.code, b"was-run" in answer.body) == (404, False)


async def test_page_that_is_saved_in_development_is_run(serve, folder):
    server = await serve(debug=True)
    (folder / "x" / "more.html").write_text("{{ 1 + 1 }}")
    assert (await server.get("/x/more.html")).body == b"2"
    (folder / "x" / "more.html").write_text("{{ 1 + 2 }}")
    assert (await server.get("/x/more.html")).body == b"3"
