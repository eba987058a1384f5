"""Jinja2 pages of the first release: what they find, and where an error is."""

import pytest

from databench.front.functions import render
from databench.front.templates import TemplateError

PAGE = """\
{% extends "base.html" %}
{% block title %}simple{% endblock %}
{% block content %}<p>{{ title }} {{ url_for('static', filename='a b.png') }}</p>{% endblock %}
{% block footerscripts %}<script>last()</script>{% endblock %}
"""


def test_base_gives_the_blocks_jquery_and_the_client(tmp_path):
    (tmp_path / "pi.html").write_text(PAGE)
    text = render(tmp_path, "pi.html", {"title": "<T>", "databench_version": "1"}).decode()
    assert "<title>simple</title>" in text
    assert "<p>&lt;T&gt; /static/a%20b.png</p>" in text
    order = [text.index(word) for word in ("jquery.min.js", "databench.js", "last()")]
    assert order == sorted(order)


def test_a_base_of_ones_own_comes_first(tmp_path):
    (tmp_path / "base.html").write_text("own {% block content %}{% endblock %}")
    (tmp_path / "pi.html").write_text(PAGE)
    assert render(tmp_path, "pi.html", {"title": "T"}) == b"own <p>T /static/a%20b.png</p>"


@pytest.mark.parametrize(
    ("text", "told", "line"),
    [
        ("\n{% block content %}", "endblock", 2),
        ("\n\n{{ 1 / 0 }}", "ZeroDivisionError", 3),
        ("{{ nothing.at_all }}", "UndefinedError", 1),
        ('{% extends "other.html" %}', "no template 'other.html'", None),
        ("\n{{ url_for('page') }}", "only url_for", 2),
        ('{% extends "pi.html" %}', "RecursionError", None),
    ],
)
def test_an_error_names_file_and_line(tmp_path, text, told, line):
    (tmp_path / "pi.html").write_text(text)
    with pytest.raises(TemplateError, match=told) as info:
        render(tmp_path, "pi.html", {})
    assert info.value.file == str(tmp_path / "pi.html")
    assert line is None or info.value.line == line
