"""The templates that come with Databench, as they are."""

import html
import re

import pytest

import databench
from databench.front.content.templates import Loader, find, render


def show(folder, template, /, **namespace):
    loader = Loader(folder)
    path = loader.find(template)
    given = {"databench_version": "1", "static_url": str}
    return render(find(loader, path), path, {**given, **namespace}).decode()


@pytest.mark.parametrize(
    ("names", "headings"),
    [
        ({"title": "The <X>"}, ["The &lt;X&gt;"]),
        ({"name": "x"}, ["x"]),
        ({}, []),
        ({"title": "X", "readme": None}, ["X"]),
        ({"title": "X", "readme": "<p>About x.</p>"}, ["X"]),
        ({"title": "X", "readme": "<p>x</p><h1>Of the readme</h1>"}, ["Of the readme"]),
    ],
)
def test_analysis_page_has_one_heading_where_anything_names_it(names, headings, tmp_path):
    text = show(tmp_path, "analysis.html", **names)
    assert re.findall(r"<h1.*?>(.*?)</h1>", text) == headings


def test_page_that_fills_the_analysis_block_has_the_heading_too(tmp_path):
    (tmp_path / "x.html").write_text(
        '{% extends "analysis.html" %}{% block analysis %}<p>here</p>{% end %}'
    )
    text = show(tmp_path, "x.html", title="X", readme=None)
    assert text.count("<h1") == 1
    assert text.index("<h1") < text.index("<p>here</p>")


def test_empty_gallery_says_what_to_make_and_where(tmp_path):
    text = show(tmp_path, "index.html", meta_infos=[], folder_name="lab")
    assert "<code>NAME/analysis.py</code> in the folder <code>lab</code>" in text
    assert "databench new" not in text
    bare = show(tmp_path, "index.html")
    assert "in the folder that is served" in bare


def test_example_of_the_empty_gallery_is_an_analysis(tmp_path):
    (example,) = re.findall(r"<pre><code>(.*?)</code></pre>", show(tmp_path, "index.html"), re.S)
    names: dict = {}
    exec(html.unescape(example), names)
    assert issubclass(names["Hello"], databench.Analysis)
    assert len([line for line in example.splitlines() if line.strip()]) == 3


def test_thumbnail_stands_on_the_page(tmp_path):
    text = show(tmp_path, "analysis.html", title="X", thumbnail="my image.png")
    assert '<img class="d-page-thumbnail" alt="" src="my%20image.png">' in text
    assert "<img class" not in show(tmp_path, "analysis.html", title="X", thumbnail=None)


def test_gallery_shows_the_readme_and_what_each_analysis_is_about(tmp_path):
    infos = [{"name": "a", "description": "of a", "summary": "s"}, {"name": "b", "summary": "of b"}]
    text = show(tmp_path, "index.html", meta_infos=infos, readme="<p>of all</p>")
    assert '<section class="d-readme"><p>of all</p></section>' in text
    shown = re.findall(r'<span class="text-muted">(.*?)</span>', text)
    assert shown == ["of a", "of b"]


def test_gallery_with_analyses_gives_no_lesson(tmp_path):
    hidden = show(tmp_path, "index.html", meta_infos=[{"name": "x", "show_in_index": False}])
    assert "No analysis is shown here" in hidden
    shown = show(tmp_path, "index.html", meta_infos=[{"name": "x"}])
    for text in (hidden, shown):
        assert "analysis.py" not in text
    assert "No analysis is shown" not in shown
