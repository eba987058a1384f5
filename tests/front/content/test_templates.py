"""Templates: who overrides whom, and where an error is."""

from pathlib import Path

import pytest

from databench.front.content import sources, templates
from databench.front.content.templates import Loader, TemplateError, find, render


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Packaged templates, an analyses' folder and an analysis."""
    packaged = tmp_path / "packaged"
    folder = tmp_path / "analyses"
    (folder / "x").mkdir(parents=True)
    packaged.mkdir()
    (packaged / "base.html").write_text("[base {% block content %}{% end %}]")
    (packaged / "analysis.html").write_text(
        '{% extends "base.html" %}{% block content %}a '
        "{% block analysis %}default{% end %}{% end %}"
    )
    (folder / "x" / "index.html").write_text(
        '{% extends "analysis.html" %}{% block analysis %}x {{ title }}{% end %}'
    )
    monkeypatch.setattr(templates, "PACKAGED", packaged)
    return folder


def show(folder, path, **namespace):
    loader = Loader(folder)
    found = path if path.startswith("/") else loader.find(path)
    return render(find(loader, found), found, namespace).decode()


def test_packaged_templates_hold_where_nothing_overrides_them(tree):
    assert show(tree, str(tree / "x" / "index.html"), title="T") == "[base a x T]"
    assert show(tree, "analysis.html") == "[base a default]"


def test_base_is_overridden_for_the_packaged_ones_too(tree):
    (tree / "base.html").write_text("<own {% block content %}{% end %}>")
    assert show(tree, str(tree / "x" / "index.html"), title="T") == "<own a x T>"
    assert show(tree, "analysis.html") == "<own a default>"


def test_analysis_template_is_overridden(tree):
    (tree / "analysis.html").write_text("only {% block analysis %}{% end %}")
    assert show(tree, str(tree / "x" / "index.html"), title="T") == "only x T"


def test_overriding_template_may_extend_the_one_it_overrides(tree):
    (tree / "base.html").write_text('{% extends "base.html" %}{% block content %}more{% end %}')
    assert show(tree, "base.html") == "[base more]"


def test_template_beside_the_page_comes_first(tree):
    (tree / "x" / "part.html").write_text("part")
    (tree / "part.html").write_text("other")
    (tree / "x" / "page.html").write_text('{% include "part.html" %}')
    assert show(tree, str(tree / "x" / "page.html")) == "part"


def test_white_space_stays(tree):
    (tree / "x" / "page.html").write_text("<pre>\n  a\n\n  b</pre>")
    assert show(tree, str(tree / "x" / "page.html")) == "<pre>\n  a\n\n  b</pre>"


def test_values_are_escaped(tree):
    html = show(tree, str(tree / "x" / "index.html"), title="<script>")
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("\n{% block a %}", 2, "end"),
        ("\n\n{{ title", 3, "expression"),
        ("a\n{{ missing }}", 2, "NameError: name 'missing' is not defined"),
        ("a\n\n{% if title.nothing %}{% end %}", 3, "AttributeError"),
        ("a\n{{ 1 + }}", 2, "SyntaxError"),
    ],
)
def test_error_names_file_and_line(tree, text, line, what):
    file = tree / "x" / "page.html"
    file.write_text(text)
    with pytest.raises(TemplateError) as caught:
        show(tree, str(file), title="T")
    assert (caught.value.file, caught.value.line) == (str(file), line)
    assert what.lower() in str(caught.value).lower()


def test_error_in_an_extended_template_names_that_one(tree):
    (tree / "base.html").write_text("a\n{% block content %}{% end %}\n{{ 1 / 0 }}")
    with pytest.raises(TemplateError) as caught:
        show(tree, str(tree / "x" / "index.html"), title="T")
    assert (caught.value.file, caught.value.line) == (str(tree / "base.html"), 3)


def test_missing_template_names_who_asked_for_it(tree):
    (tree / "x" / "page.html").write_text('{% include "gone.html" %}')
    with pytest.raises(TemplateError, match=r"page.html: there is no template 'gone.html'"):
        show(tree, str(tree / "x" / "page.html"))
    with pytest.raises(TemplateError, match=r"there is no template 'gone.html'"):
        Loader(tree).find("gone.html")


@pytest.mark.parametrize("text", ['{% extends "other.html" %}', 'a\n{% include "other.html" %}'])
def test_templates_in_a_circle_are_told(tree, text):
    page, other = tree / "x" / "page.html", tree / "x" / "other.html"
    page.write_text(text)
    other.write_text('{% include "page.html" %}')
    loader = Loader(tree)
    for _ in range(2):
        with pytest.raises(TemplateError, match=r"circle: x/page.html > x/other.html > x/page.h"):
            find(loader, str(page))
    other.write_text("mended")
    assert "mended" in run(loader, str(page))


def test_saved_template_that_closes_a_circle_is_told(tree, settled):
    page, other = tree / "x" / "page.html", tree / "x" / "other.html"
    page.write_text('{% include "other.html" %}')
    other.write_text("first")
    loader = Loader(tree, follows_saves=True)
    assert run(loader, str(page)) == "first"
    other.write_text('{% include "page.html" %}')
    with pytest.raises(TemplateError, match="circle") as caught:
        find(loader, str(page))
    assert caught.value.file == str(other)
    other.write_text("second")
    assert run(loader, str(page)) == "second"


def test_template_that_is_too_deep_is_told(tree):
    page = tree / "x" / "page.html"
    page.write_text("{{ " + "1+" * 20_000 + "1 }}")
    with pytest.raises(TemplateError, match="RecursionError: ") as caught:
        show(tree, str(page))
    assert caught.value.file == str(page)
    for count in range(300):
        (tree / "x" / f"p{count}.html").write_text(f'{{% extends "p{count + 1}.html" %}}')
    with pytest.raises(TemplateError, match="RecursionError: "):
        show(tree, str(tree / "x" / "p0.html"))


# ---------------------------------------------------------------- kept


@pytest.fixture
def compiled(monkeypatch):
    """The templates that were read."""
    names = []
    create = Loader._create_template

    def note(self, name):
        names.append(Path(name).relative_to(Path(name).parents[1]).as_posix())
        return create(self, name)

    monkeypatch.setattr(Loader, "_create_template", note)
    return names


def run(loader, path):
    return render(find(loader, path), path, {"title": "T"}).decode()


def test_compiled_template_is_kept_until_a_file_of_it_changes(tree, compiled, settled):
    loader = Loader(tree, follows_saves=True)
    page = str(tree / "x" / "index.html")
    for _ in range(2):
        assert run(loader, page) == "[base a x T]"
    assert compiled == ["x/index.html", "packaged/analysis.html", "packaged/base.html"]
    (tree / "x" / "index.html").write_text('{% extends "analysis.html" %}')
    assert run(loader, page) == "[base a default]"
    assert compiled[3:] == ["x/index.html"]


@pytest.mark.parametrize("name", ["base.html", "x/base.html", "x/analysis.html"])
def test_template_that_comes_before_others_is_seen(tree, settled, name):
    (tree / "analysis.html").write_text('{% extends "base.html" %}')
    loader = Loader(tree, follows_saves=True)
    page = str(tree / "x" / "index.html")
    assert run(loader, page) == "[base ]"
    (tree / name).write_text("new")
    expected = "[base ]" if name == "x/base.html" else "new"  # beside another template
    assert run(loader, page) == expected
    (tree / name).unlink()
    assert run(loader, page) == "[base ]"


def test_included_template_that_changes_is_seen(tree, settled):
    (tree / "x" / "index.html").write_text('{% include "part.html" %}')
    (tree / "x" / "part.html").write_text("one")
    loader = Loader(tree, follows_saves=True)
    assert run(loader, str(tree / "x" / "index.html")) == "one"
    (tree / "x" / "part.html").write_text("two")
    assert run(loader, str(tree / "x" / "index.html")) == "two"


def test_broken_template_is_mended_by_a_save(tree, settled):
    page = str(tree / "x" / "index.html")
    loader = Loader(tree, follows_saves=True)
    assert run(loader, page) == "[base a x T]"
    (tree / "x" / "index.html").write_text(
        '{% extends "base.html" %}{% block content %}{{ in }}{% end %}'
    )
    (tree / "base.html").write_text("[{% block content %}{% end %}{{ 1 }}]")
    with pytest.raises(TemplateError):
        run(loader, page)
    (tree / "x" / "index.html").write_text('{% extends "base.html" %}')
    (tree / "base.html").write_text("mended")
    assert run(loader, page) == "mended"


def test_template_that_was_saved_just_now_is_read_again(tree, compiled, monkeypatch):
    monkeypatch.setattr(sources, "_YOUNG_NS", 10**18)
    loader = Loader(tree, follows_saves=True)
    for _ in range(2):
        run(loader, str(tree / "x" / "index.html"))
    assert len(compiled) == 6


def test_production_runs_what_was_there_first(tree, compiled):
    loader = Loader(tree)
    page = str(tree / "x" / "index.html")
    assert run(loader, page) == "[base a x T]"
    (tree / "x" / "index.html").write_text("{{ 6 * 7 }}")
    assert run(loader, page) == "[base a x T]"
    assert len(compiled) == 3
