"""Jinja2 pages of the first release: what they find, and where an error is."""

import pytest

from databench.front.content import functionpages
from databench.front.content.authored import Authored
from databench.front.content.functionpages import render
from databench.front.content.templates import TemplateError

PAGE = """\
{% extends "base.html" %}
{% block title %}simple{% endblock %}
{% block content %}<p>{{ title }} {{ url_for('static', filename='a b.png') }}</p>{% endblock %}
{% block footerscripts %}<script>last()</script>{% endblock %}
"""


def test_base_gives_the_blocks_jquery_and_the_client(tmp_path):
    (tmp_path / "pi.html").write_text(PAGE)
    text = render(
        tmp_path, "pi.html", {"title": "<T>", "databench_version": "1", "static_url": str}
    ).decode()
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
        ("{{ " + "1+" * 20_000 + "1 }}", "RecursionError", None),
    ],
)
def test_an_error_names_file_and_line(tmp_path, text, told, line):
    (tmp_path / "pi.html").write_text(text)
    with pytest.raises(TemplateError, match=told) as info:
        render(tmp_path, "pi.html", {})
    assert info.value.file == str(tmp_path / "pi.html")
    assert line is None or info.value.line == line


def render_text(tmp_path, text, **names):
    folder = tmp_path / "templates"
    folder.mkdir(exist_ok=True)
    (folder / "pi.html").write_text(text)
    return render(folder, "pi.html", {"static_url": str, **names}).decode()


def test_markdown_is_a_filter(tmp_path):
    text = "{% filter markdown %}\n    ### Title\n\n    *a* {{ x }} \\(x_1\\)\n{% endfilter %}"
    shown = render_text(tmp_path, text, x="<script>")
    assert shown == "<h3>Title</h3>\n<p><em>a</em> &lt;script&gt; \\(x_1\\)</p>\n"
    assert "<b>" in render_text(tmp_path, "{{ '**a** <b>c</b>'|markdown }}")


def test_a_page_shows_its_own_source_and_nothing_beyond_its_folder(tmp_path):
    (tmp_path / "analyses").mkdir()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "analyses" / "pi.py").write_text("x = '<b>'\n")
    (tmp_path / "analyses" / "out").symlink_to(tmp_path / "secret")
    macro = "{% from 'macros.html' import include_src %}{{ include_src(NAME, 'python') }}"
    shown = render_text(tmp_path / "analyses", macro.replace("NAME", "'pi.py'"))
    assert '<code class="language-python">x = &#39;&lt;b&gt;&#39;\n</code>' in shown
    assert "include_src" in render_text(
        tmp_path / "analyses", macro.replace("NAME", "'templates/pi.html'")
    )
    for name in ("'../secret'", "'out'", "'none.py'", "'templates'", "'/etc/passwd'"):
        with pytest.raises(TemplateError, match="there is no such file"):
            render_text(tmp_path / "analyses", macro.replace("NAME", name))


def test_highlight_is_a_block_of_a_programs_text(tmp_path):
    text = "{% highlight 'html' %}\n<i>[[ x ]]</i>\n{% endhighlight %}"
    assert render_text(tmp_path, text) == (
        '<pre><code class="language-html">&lt;i&gt;[[ x ]]&lt;/i&gt;</code></pre>'
    )


def test_the_base_brings_d3_and_classes_before_the_client(tmp_path):
    text = render_text(tmp_path, PAGE, databench_version="1")
    order = [
        text.index(word)
        for word in ("firstrelease.css", "databench.css", "d3.min.js", "databench.js")
    ]
    assert order == sorted(order)


def test_file_that_came_later_is_no_template(tmp_path):
    (tmp_path / "pi.html").write_text('{% include "late.html" %}')
    authored = Authored(100)
    authored.learn([tmp_path])
    (tmp_path / "late.html").write_text("{{ 6 * 7 }}")
    with pytest.raises(TemplateError, match=r"'late.html' was added or changed while"):
        render(tmp_path, "pi.html", {}, authored)
    authored.learn([tmp_path])
    assert render(tmp_path, "pi.html", {}, authored) == b"42"


def test_packaged_base_is_a_template(tmp_path):
    (tmp_path / "pi.html").write_text('{% extends "base.html" %}')
    authored = Authored(100)
    authored.learn([tmp_path])
    assert b"<html" in render(
        tmp_path, "pi.html", {"databench_version": "1", "static_url": str}, authored
    )


def test_a_page_that_names_mpld3_gets_its_scripts_and_their_d3(tmp_path):
    base = '{% extends "base.html" %}{% block content %}'
    text = render_text(tmp_path, base + "<p id=mpld3canvas></p>{% endblock %}")
    order = [text.index(word) for word in ("d3.v5.min.js", "/_static/mpld3.v", "databench.js")]
    assert order == sorted(order)
    assert "d3/d3.min.js" not in text
    text = render_text(tmp_path, base + "{% endblock %}")
    assert "d3/d3.min.js" in text
    assert "mpld3.v" not in text


def test_without_mpld3_a_page_has_the_old_d3(tmp_path, monkeypatch):
    monkeypatch.setattr(functionpages, "find_mpld3", tuple)
    text = render_text(tmp_path, '{% extends "base.html" %}{# mpld3 #}')
    assert "d3/d3.min.js" in text


# ---------------------------------------------------------------- kept


def test_compiled_template_is_kept_until_a_file_of_it_changes(tmp_path, settled, monkeypatch):
    read = []
    get_source = functionpages._Loader.get_source
    monkeypatch.setattr(
        functionpages._Loader,
        "get_source",
        lambda self, environment, name: read.append(name) or get_source(self, environment, name),
    )
    (tmp_path / "base.html").write_text("own {% block content %}{% endblock %}")
    (tmp_path / "pi.html").write_text(PAGE)
    for _ in range(2):
        assert render(tmp_path, "pi.html", {"title": "T"}).startswith(b"own <p>T ")
    assert read == ["pi.html", "base.html"]
    (tmp_path / "base.html").write_text("saved {% block content %}{% endblock %}")
    assert render(tmp_path, "pi.html", {"title": "T"}).startswith(b"saved <p>T ")


def test_a_base_that_comes_takes_the_place_of_the_packaged_one(tmp_path, settled):
    (tmp_path / "pi.html").write_text(PAGE)
    names = {"title": "T", "databench_version": "1", "static_url": str}
    assert b"<html" in render(tmp_path, "pi.html", names)
    (tmp_path / "base.html").write_text("own {% block content %}{% endblock %}")
    assert render(tmp_path, "pi.html", names).startswith(b"own <p>T ")


def test_kept_template_that_was_changed_is_not_run_in_production(tmp_path, settled):
    (tmp_path / "pi.html").write_text("one")
    authored = Authored(100)
    authored.learn([tmp_path])
    assert render(tmp_path, "pi.html", {}, authored) == b"one"
    (tmp_path / "pi.html").write_text("{{ 6 * 7 }}")
    with pytest.raises(TemplateError, match="was added or changed"):
        render(tmp_path, "pi.html", {}, authored)
