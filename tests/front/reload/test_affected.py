"""Which addresses a file is shown at."""

import dataclasses

import pytest

from databench.config import load
from databench.front.reload.affected import find_paths, first_paths


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "analyses"
    files = {
        "base.html": "<p>{% block content %}{% end %}</p>",
        "analysis.html": '{% extends "base.html" %}',
        "index.html": '{% extends "base.html" %}',
        "index.yaml": "static: {files/(.*): folder/}\nanalyses: [{name: pi}, {name: mu}]",
        "pi/analysis.py": "",
        "pi/index.html": '{% extends "analysis.html" %}{% include "part.html" %}',
        "pi/other.html": "alone",
        "pi/part.html": "part",
        "mu/analysis.py": "",
        "folder/a b.css": "",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def paths(project, *names):
    return find_paths([str(project / name) for name in names], load(project))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pi/other.html", ["/pi/other.html"]),
        ("pi/index.html", ["/pi/", "/pi/index.html"]),
        ("pi/part.html", ["/pi/", "/pi/index.html", "/pi/part.html"]),
        ("analysis.html", ["/mu/", "/pi/", "/pi/index.html"]),
        ("base.html", ["/", "/mu/", "/pi/", "/pi/index.html"]),
        ("index.html", ["/"]),
        ("pi/static/x/a.css", ["/pi/static/x/a.css"]),
        ("pi/analysis.js", ["/pi/analysis.js"]),
        ("static/a.js", ["/static/a.js"]),
        ("folder/a b.css", ["/files/a%20b.css"]),
        ("pi/README.md", ["/", "/pi/", "/pi/README.md", "/pi/index.html", "/pi/other.html"]),
        ("mu/README.md", ["/", "/mu/", "/mu/README.md"]),
        ("nothing/of/it.css", []),
    ],
)
def test_file_is_shown_where_it_is_sent_or_part_of_a_page(project, name, expected):
    found = [path for path in paths(project, name) if path != "/pi/part.html" or "part" in name]
    assert found == expected


def test_first_path_is_that_of_the_page(project):
    index = load(project)
    assert first_paths(index.entries["mu"], index) == ["/mu/"]
    single = dataclasses.replace(index, single="mu")
    assert first_paths(index.entries["mu"], single) == ["/"]


def test_broken_template_and_those_that_use_it_are_shown(project):
    (project / "pi" / "part.html").write_text("{% if %}")
    assert {"/pi/", "/pi/index.html"} <= set(paths(project, "pi/part.html"))
    assert "/mu/" not in paths(project, "pi/part.html")


def test_paths_of_a_script_are_those_of_its_browser(project):
    index = dataclasses.replace(load(project), single="pi")
    found = find_paths([str(project / "pi" / "index.html")], index)
    assert found == ["/", "/index.html"]
