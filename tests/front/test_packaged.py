"""The templates that come with Databench, as they are."""

import re

import pytest

from databench.front.templates import Loader, render


def show(folder, template, /, **namespace):
    loader = Loader(folder)
    return render(loader, loader.find(template), {"databench_version": "1", **namespace}).decode()


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
